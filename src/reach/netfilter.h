// What the firewalls do to a packet at one hook: nf_tables of every family, the old iptables,
// conntrack and NAT, in the order in which the kernel runs them. net/netfilter/core.c,
// nf_tables_core.c, nf_conntrack_core.c, nf_nat_core.c.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "reach/packet.h"
#include "reach/world.h"

namespace hark::reach {

enum class HookPoint : std::uint8_t {
  Ingress,  ///< nf_tables family netdev and inet, by device
  Prerouting,
  Input,
  Forward,
  Output,
  Postrouting,
  Egress,
  ArpIn,
  ArpOut,
  BridgePrerouting,
  BridgeInput,
};

/// The place in a ruleset that decided.
struct RulePlace {
  std::string tool;    ///< "nft", "iptables", "ip6tables"; "ipvs": a service (ipvs.h)
  std::string family;  ///< "inet", "ip", … as nft says it; empty: legacy
  std::string table;
  std::string chain;
  std::uint64_t handle = 0;  ///< of the rule; 0: the chain's policy, or legacy
  std::uint32_t number = 0;  ///< from 1, within the chain: of legacy rules
  std::string rule;          ///< in nft's or iptables' own words; empty: the policy
  std::string comment;
  bool policy = false;
  bool nat = false;  ///< it stands in a chain of NAT, or rewrote the packet
};
/// Names the place within one question, for World::waived: "nft:inet:filter:input:7".
[[nodiscard]] std::string key_of(const RulePlace& place);
/// "inet filter input handle 7 \"comment\"", "the policy of inet filter input"
[[nodiscard]] std::string words_of(const RulePlace& place);
/// The command that shows it: "nft -a list chain inet filter input", "iptables -t filter -S INPUT".
[[nodiscard]] std::string command_of(const RulePlace& place);

/// A place that many answers name: what is said of it is written once.
class ToldPlace : public RulePlace {
 public:
  explicit ToldPlace(RulePlace place) : RulePlace(std::move(place)) {}
  /// words_of() and command_of() it.
  [[nodiscard]] const std::string& words() const {
    if (words_.empty()) words_ = words_of(*this);
    return words_;
  }
  [[nodiscard]] const std::string& command() const {
    if (command_.empty()) command_ = command_of(*this);
    return command_;
  }

 private:
  mutable std::string words_;
  mutable std::string command_;
};

struct HookResult {
  enum class End : std::uint8_t { Accept, Drop, Reject, Stolen, Queue, Synproxy, Ipvs };
  End end = End::Accept;
  /// That ended it; of Accept: the last rule that said so. Null: none.
  std::shared_ptr<const ToldPlace> place = {};
  /// Of Reject: 0 an ICMP error, 1 a TCP reset.
  bool tcp_reset = false;
  std::uint8_t icmp_type = 0, icmp_code = 0;
  std::vector<std::string> notes = {};  ///< what rules did on the way: "dnat to …"
  bool rerouted = false;  ///< mark or addresses changed in an output chain of type route
};

/// What conntrack has made of one question so far; lives as long as its packets.
struct ConntrackView {
  std::optional<Connection> connection = {};
  /// Elements that rules of this question added to sets: (set, key).
  std::vector<std::pair<std::string, Bytes>> added_elements = {};
  std::uint32_t tproxy_port = 0;
  bool synproxy = false;  ///< netfilter's SYN proxy does the handshake with the client
  std::optional<IpAddress> tproxy_address = {};  ///< with it
  /// Values of those of `added_elements` that are maps, at the same position.
  std::vector<Bytes> added_data = {};
  bool operator==(const ConntrackView&) const = default;
};

/// Runs all chains at a hook on `packet` and changes it as they do. A rule that would drop, reject
/// or steal and whose key_of() is in `world.waived` is passed over as if its match had failed; such
/// a policy accepts.
[[nodiscard]] HookResult run_hook(World& world, HookPoint hook, Packet& packet,
                                  ConntrackView& view);

}  // namespace hark::reach
