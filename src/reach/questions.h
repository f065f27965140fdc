// From what a person asks to the packets that are meant: which protocol, which address of this
// host, which interface. docs/contract.md, "sources and destinations".
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "host/host.h"
#include "host/network.h"
#include "host/target.h"
#include "reach/destinations.h"
#include "reach/routing.h"
#include "reach/trace.h"

namespace hark::reach {

/// What was said besides the target. Addresses of one name are alternatives: all are tried.
struct Asked {
  std::vector<IpAddress> sources = {};  ///< empty: not said
  std::optional<std::uint16_t> source_port = {};
  std::string interface = {};                ///< by its name; empty: not said
  std::vector<IpAddress> destinations = {};  ///< empty: not said
};

/// What is to be asked, each once, and what must be said of how it came about. Of sources that were
/// said `questions`; else `destinations`, for every source.
struct Plan {
  std::vector<Question> questions = {};
  std::vector<Destination> destinations = {};
  std::vector<std::string> notes =
      {};                         ///< "the route to 10.0.0.9 leaves by eth0, so it comes in there"
  bool interface_chosen = false;  ///< by the route, not by the person

  [[nodiscard]] bool empty() const { return questions.empty() && destinations.empty(); }
};

/// Routing, as a plan needs it: routing.h in the program, made-up answers in tests.
struct Routing {
  /// The link by which this host would send to an address; nothing: no way.
  std::function<std::optional<std::uint32_t>(const IpAddress&)> link_to;
  std::function<bool(const IpAddress&)> is_own;
};

/// `listeners` are those of the target (host::listeners_of). Errors name the word that does not
/// fit: an interface that does not exist, families that do not meet, a source that no route leads
/// to. An empty plan is no error where a name means no listener.
[[nodiscard]] Result<Plan> plan_questions(const host::Host& host, const host::Network& network,
                                          const host::Target& target,
                                          const std::vector<std::size_t>& listeners,
                                          const Asked& asked, const Routing& routing);

}  // namespace hark::reach
