// Cleans up behind a scene, however it ends.
//
// A process of its own, outside the scene's namespaces, that is told of every folder, file and
// mount before it is made. It works when the last process of the scene is gone: the stage and all
// actors hold the other end of its pipe, and the kernel closes that for them, kill -9 included.
#pragma once

#include <sys/types.h>

#include <string>

#include "base/unique_fd.h"

namespace hark::scene {

class Janitor {
 public:
  /// Starts it. Call this before anything else is made.
  [[nodiscard]] bool start();

  [[nodiscard]] pid_t pid() const { return pid_; }

  // Each is undone once if it is there, the latest first.
  void will_mount(const std::string& path) { note('m', path); }
  void will_make_folder(const std::string& path) { note('d', path); }
  void will_make_file(const std::string& path) { note('f', path); }

 private:
  void note(char kind, const std::string& path);
  pid_t pid_ = 0;
  UniqueFd pipe_;
};

}  // namespace hark::scene
