// A packet on its way through the namespaces of a host: in by a link of one, routed, out by another
// link, in at whoever is behind that. Each is walked as passage.h has it, with rules, routes and
// conntrack of its own.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "reach/passage.h"
#include "reach/sites.h"
#include "reach/trace.h"

namespace hark::reach {

struct Segment;
struct Station;

/// How far a packet came.
struct Carried {
  enum class To : std::uint8_t {
    Local,   ///< up to the sockets of `site`
    Client,  ///< to the client, who is on a link of the namespace of the question
    Lost,
    Refused,  ///< by `site`
    Unseen,   ///< out of it by packet.out, to where nobody can look
  };
  To to = To::Lost;
  Site* site = nullptr;
  std::optional<Blocker> blocker = {};  ///< of Lost, Refused and Unseen
  Refusal refusal = {};
  RouteIn route = {};  ///< of Local
};

class Carrier {
 public:
  /// Keeps the references.
  Carrier(Sites& sites, const Question& question) : sites_(sites), question_(question) {}

  /// It has come in at `site` by packet.in, and goes on until it is somewhere. `ours`: a namespace
  /// whose established sockets are to be known to it (early demux).
  [[nodiscard]] Carried go_on(Site& site, Packet& packet, const Site* ours = nullptr);
  /// It has left `site` by packet.out, to the next hop of `fib`, and goes on as above.
  [[nodiscard]] Carried leave(Site& site, Packet& packet, const FibResult& fib,
                              const Site* ours = nullptr);
  /// Is the client on a link, and a packet that leaves `site` by `out` on its way to him? By
  /// another link than his it may be, unless all who are behind that are known.
  [[nodiscard]] bool is_for_client(const Site& site, const Packet& packet, std::uint32_t out) const;

  /// Does the client, behind `link` of the namespace of the question, have an entry of his own for
  /// its link-layer address at `target`? Then he does not ask for it.
  [[nodiscard]] bool client_knows(const host::Link& link, const IpAddress& target) const;

  bool strays = false;  ///< an answer left the namespace of the question by another link than his

 private:
  /// One crossing. Nothing: the packet is in at `site`.
  [[nodiscard]] std::optional<Carried> cross(Site*& site, Packet& packet, const FibResult& fib);
  [[nodiscard]] std::optional<Carried> hand_over(Site& from, const Station& to, Packet& packet,
                                                 Site*& site);
  [[nodiscard]] std::optional<Carried> turn_back(Site& from, const Segment& segment,
                                                 const Station& to, const Packet& packet);
  [[nodiscard]] const Station* station_of(Site& site, const Segment& segment, const Packet& packet,
                                          const IpAddress& next, std::optional<Blocker>& blocked);
  [[nodiscard]] std::vector<std::pair<Site*, std::uint32_t>> bridges_on(const Station& station);
  [[nodiscard]] bool answers(const Station& station, const IpAddress& asker, const IpAddress& next);
  [[nodiscard]] const Station* next_station(Site& site, const Segment& segment,
                                            const Packet& packet, const FibResult& fib,
                                            std::optional<Blocker>& blocked);
  [[nodiscard]] std::optional<Carried> asked_first(Site& site, Packet& packet,
                                                   const FibResult& fib);
  /// Of a question about many clients at once; null: it is about one.
  [[nodiscard]] Clients* many_clients() const;
  void tell_owners_apart(const Segment& segment) const;
  void tell_ports_apart(const Segment& segment, const host::Network& network,
                        const host::Link& out) const;
  [[nodiscard]] bool is_client_here(const Segment& segment, const Packet& packet,
                                    const IpAddress& next) const;

  Sites& sites_;
  const Question& question_;
};

}  // namespace hark::reach
