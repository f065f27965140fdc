// Starts an actor process.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"

namespace hark::scene {

struct ActorStart {
  std::string program;                 ///< a copy of this program, or itself
  std::vector<std::string> arguments;  ///< all of them, the first included; any bytes but NUL
  int netns = -1;                      ///< where it lives; -1: where the stage is
  bool own_pid_namespace = false;
};

struct StartedActor {
  pid_t pid = 0;
  UniqueFd channel;
};

[[nodiscard]] Result<StartedActor> start_actor(const ActorStart& start);

}  // namespace hark::scene
