// What `hark test` found out: handed to the screen and to the JSON.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "host/host.h"
#include "host/network.h"
#include "host/select.h"
#include "probe/attempt.h"
#include "reach/trace.h"
#include "show/why.h"

namespace hark::show {

/// One connection that was tried.
struct TestedAttempt {
  std::size_t target = 0;  ///< position in TestReport::targets
  probe::Attempt attempt;
  probe::Seen seen = {};
  bool here = false;  ///< its address is one of the namespace it was sent in
  std::optional<reach::Answer> predicted = {};
  std::string leaves_by = {};  ///< the link to which this host's routes lead; empty: none
  std::optional<bool> agrees = {};
  std::string difference = {};  ///< what may explain that it does not agree; sentences
  bool winner = false;          ///< of several addresses of a name, where a client ends up
};

struct TestedTarget {
  std::string written;
  std::string trouble = {};  ///< why there is no address to try; empty: there is one
  bool open = false;         ///< with it: that could not be told
  bool elsewhere = false;    ///< with it: it is there, in another namespace
  std::optional<double> resolve_ms = {};
  std::vector<host::Near> near = {};
};

struct TestReport {
  const host::Host& host;
  const host::Network& network;
  std::vector<TestedTarget> targets = {};
  std::vector<TestedAttempt> attempts = {};  ///< in the order of the targets
  std::vector<std::string> notes = {};
  std::vector<host::Gap> gaps = {};
  bool interrupted = false;

  [[nodiscard]] AnswerFacts facts() const { return {host, network}; }
};

}  // namespace hark::show
