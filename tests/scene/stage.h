// Plays a scene: makes its namespaces and actors, tells each what to do, and keeps the books: what
// was made is the truth that hark's answer is held against.
#pragma once

#include <sys/types.h>

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/unique_fd.h"
#include "janitor.h"
#include "line.h"

namespace hark::scene {

class Stage {
 public:
  /// `id` tells this scene from others beside it. Starts the janitor, then leaves the caller's
  /// network namespace for a new one, which is called "start".
  [[nodiscard]] Result<void> open(const std::string& id);

  [[nodiscard]] Result<void> play(const Line& line);

  /// Once all lines were played: stops the actors that shall be stopped, lets go of every namespace
  /// that the scene does not say the stage holds, and gives the truth.
  [[nodiscard]] Result<nlohmann::json> truth();

  /// Ends every actor and returns when all is cleaned up.
  void close();

 private:
  struct Place {
    UniqueFd descriptor;
    nlohmann::json truth;
  };
  struct Actor {
    pid_t pid = 0;
    UniqueFd channel;
    uid_t uid = 0;
    std::string home;
    std::string cgroup;
    bool stopped = false;
    nlohmann::json truth;
  };
  using Books = std::map<pid_t, std::vector<int>>;
  struct Entry {
    std::string actor;
    int fd = -1;
    Books owners;
    nlohmann::json truth;
  };

  Result<void> add_netns(const Line& line);
  Result<void> run_program(const Line& line);
  Result<void> add_process(const Line& line);
  Result<void> add_socket(const Line& line);
  Result<void> add_established(const Line& line);
  Result<void> add_workers(const Line& line);

  Result<UniqueFd> new_namespace();
  Result<void> hold_namespace(const Line& line, const UniqueFd& netns, nlohmann::json& truth);
  Result<void> mount_namespace(const std::string& path, const UniqueFd& netns);
  Result<void> make_folder(const std::string& path);
  Result<std::string> folder();
  Result<std::string> program_for(const Line& line);
  Result<void> enter_cgroup(pid_t pid, const std::string& path);
  Result<void> try_to_enter_cgroup(pid_t pid, const std::string& path);
  Result<void> give_to_others(const Line& line, Entry& entry);
  Result<Line> tell(const std::string& actor, const std::string& order, int descriptor = -1,
                    UniqueFd* given = nullptr);
  Result<Entry*> entry_of(const Line& line);

  std::string id_;
  Janitor janitor_;
  std::map<std::string, Place> places_;
  std::map<std::string, Actor> actors_;
  std::vector<Entry> listeners_;
  nlohmann::json others_ = nlohmann::json::array();
  std::string folder_;
  std::string cgroup_root_;
};

}  // namespace hark::scene
