// The namespaces of a host, each made ready for many questions, when a packet first comes there.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/host.h"
#include "host/networks.h"
#include "reach/prepared_ruleset.h"
#include "reach/reach_cache.h"
#include "reach/routing_index.h"
#include "reach/xt_prepared.h"

namespace hark::reach {

class Clients;
struct Segment;

struct Space {
  explicit Space(const host::Network& of) : network(of), rules(of), routes(of), xt(of) {}
  const host::Network& network;
  PreparedRuleset rules;
  RoutingIndex routes;
  PreparedXt xt;
  ReachCache cache = {};
};

class Spaces {
 public:
  /// Keeps the references. `others` may be nullptr: then no packet is followed further.
  Spaces(const host::Host& host, const host::Network& home, host::Networks* others)
      : host_(host), others_(others), home_(home) {}

  [[nodiscard]] Space& home() { return home_; }
  /// nullptr: it cannot be read.
  [[nodiscard]] Space* at(host::NetnsId id);
  /// The same, without making it ready.
  [[nodiscard]] const host::Network* network(host::NetnsId id);
  /// The same, perhaps without rules and sockets.
  [[nodiscard]] const host::Network* outline(host::NetnsId id);
  /// Nothing: not told, or nobody is asked.
  [[nodiscard]] std::optional<host::LinkEnd> other_end(const host::Network& in,
                                                       const host::Link& link);
  /// VLANs, macvlans and the like on a link, in all namespaces that can be read.
  [[nodiscard]] std::vector<host::LinkEnd> standing_on(const host::LinkEnd& lower);
  /// Who gets what leaves by a link (segment.h).
  [[nodiscard]] const Segment& segment(const host::Network& from, std::uint32_t link);
  /// As segment.h has it, of an outline.
  [[nodiscard]] bool speaks_for_others(host::NetnsId id);
  /// Those clients leave that routing in that namespace tells apart from the witness.
  void split_by_routes(host::NetnsId id, Clients& clients);
  [[nodiscard]] std::string command_prefix(host::NetnsId id) const;
  /// What a person calls it: "namespace web", "net:[4026532281]".
  [[nodiscard]] std::string words_of(host::NetnsId id) const;

 private:
  const host::Host& host_;
  host::Networks* others_;
  Space home_;
  std::map<host::NetnsId, std::unique_ptr<Space>> spaces_;
  std::map<host::LinkEnd, std::shared_ptr<const Segment>> segments_;
  std::map<host::NetnsId, bool> speaks_for_others_;
};

}  // namespace hark::reach
