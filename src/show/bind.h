// What `hark bind` found out: handed to the screen and to the JSON.
#pragma once

#include <string>
#include <vector>

#include "diagnose/bind.h"
#include "host/bind_facts.h"
#include "host/host.h"
#include "host/network.h"

namespace hark::show {

struct BindReport {
  const host::Host& host;
  const host::Network& network;
  const host::BindFacts& facts;
  diagnose::BindAnswer answer;
  std::string written;             ///< the target, as it was asked
  std::vector<std::string> notes;  ///< sentences without their full stop
  std::vector<host::Gap> gaps;     ///< all, each once
};

/// A socket of TCP that listens, or one of UDP that is not connected.
[[nodiscard]] bool is_listener(const host::PortSocket& socket);
/// "LISTEN", "TIME_WAIT", "BOUND" of one that does neither; of UDP "UNCONN" and "ESTABLISHED".
[[nodiscard]] std::string state_word(const host::PortSocket& socket);
/// "succeeds", the name of the errno, or "unknown".
[[nodiscard]] std::string outcome_word(const diagnose::BindAnswer& answer);

}  // namespace hark::show
