// A scene that is on while the object lives.
#pragma once

#include <gtest/gtest.h>
#include <sys/types.h>

#include <nlohmann/json.hpp>
#include <string>

#include "base/unique_fd.h"

namespace hark::netns {

class Scene {
 public:
  /// Starts hark_scene on scenes/NAME.scene and waits until it says that all is up. Where that
  /// fails the test fails, and truth() is empty.
  explicit Scene(const std::string& name);
  Scene(const Scene&) = delete;
  Scene& operator=(const Scene&) = delete;
  /// Returns when everything is cleaned up.
  ~Scene() { end(); }

  [[nodiscard]] const nlohmann::json& truth() const { return truth_; }
  /// The process that lives in the namespace "start".
  [[nodiscard]] pid_t pid() const { return pid_; }
  /// The inode of the namespace with that label.
  [[nodiscard]] unsigned long long netns(const std::string& label) const;
  void end();
  /// Ends it in the rudest way: kill -9, and nobody waits.
  void kill();

 private:
  nlohmann::json truth_;
  pid_t pid_ = -1;
  UniqueFd input_;
};

/// Tests of this folder make namespaces: without root they say so and fail.
class NetnsTest : public testing::Test {
 protected:
  void SetUp() override;
};

}  // namespace hark::netns
