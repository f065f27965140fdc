// A hark at a pseudo-terminal, and whoever sits there.
#pragma once

#include <sys/types.h>

#include <string>
#include <utility>
#include <vector>

#include "base/unique_fd.h"

namespace hark::drilltest {

class Person {
 public:
  /// Starts hark in the namespace of that process, as that user.
  Person(pid_t netns_of, const std::vector<std::string>& words,
         const std::vector<std::string>& variables, uid_t uid);
  Person(const Person&) = delete;
  Person& operator=(const Person&) = delete;
  /// Ends it in the rudest way.
  ~Person();

  /// Reads until that is there; what came since the last time. The test fails if it never comes.
  std::string until(const std::string& words);
  void types(const std::string& text) const;
  /// The rest, and the exit status behind it.
  std::pair<std::string, int> end();

 private:
  bool more();

  UniqueFd fd_;
  pid_t pid_ = -1;
  std::string unread_;
};

}  // namespace hark::drilltest
