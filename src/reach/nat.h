// NAT: what rules ask for, what the connection then has, and what happens to its packets.
// net/netfilter/nf_nat_core.c, nf_nat_proto.c, nf_nat_redirect.c, nf_nat_masquerade.c.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "reach/netfilter.h"
#include "reach/xt.h"

namespace hark::reach {

/// struct nf_nat_range2
struct NatRange {
  bool destination = false;
  std::optional<IpAddress> first_address = {};
  std::optional<IpAddress> last_address = {};  ///< empty: as the first
  std::optional<std::uint16_t> first_port = {};
  std::optional<std::uint16_t> last_port = {};
  std::uint32_t flags = 0;                      ///< NF_NAT_RANGE_*
  std::optional<std::uint16_t> base_port = {};  ///< ports are shifted by as much as from here
};

/// At a hook NAT changes destinations (PREROUTING, OUTPUT) or sources (POSTROUTING, INPUT).
[[nodiscard]] bool changes_destination(HookPoint hook);
/// Is that decided for the connection?
[[nodiscard]] bool is_decided(const Connection& connection, bool destination);

/// What a rule of NAT does; `where` names the rule. False: the packet is dropped (no usable
/// address). The packet itself changes only in translate(). A connection that is confirmed, or
/// that has its mapping, stays as it is.
[[nodiscard]] bool set_mapping(World& world, const NatRange& range, ConntrackView& view,
                               const std::string& where, std::vector<std::string>& notes);
[[nodiscard]] bool masquerade(World& world, NatRange range, const Packet& packet,
                              ConntrackView& view, const std::string& where,
                              std::vector<std::string>& notes);
[[nodiscard]] bool redirect(World& world, HookPoint hook, NatRange range, const Packet& packet,
                            ConntrackView& view, const std::string& where,
                            std::vector<std::string>& notes);
/// The same for a target of iptables, wherever it stands.
[[nodiscard]] bool apply_nat(World& world, HookPoint hook, const XtEffect::Nat& nat,
                             const Packet& packet, ConntrackView& view, const std::string& where,
                             std::vector<std::string>& notes);

/// No rule wanted anything: the connection keeps its addresses.
void decide_none(Connection& connection, bool destination);
/// Rewrites the packet as the connection's mapping says, in either direction: nf_nat_packet().
void translate(HookPoint hook, Packet& packet, const Connection& connection);

}  // namespace hark::reach
