// iptables' matches and targets, by the bytes of their structures: they stand in legacy tables and
// inside nf_tables rules made by iptables-nft. linux/netfilter/xt_*.h, net/netfilter/xt_*.c.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "decode/xt_table.h"
#include "reach/netfilter.h"
#include "reach/packet.h"
#include "reach/world.h"

namespace hark::reach {

/// Where a match or target stands.
struct XtContext {
  HookPoint hook = HookPoint::Input;
  Family family = Family::Inet;
  std::string place;  ///< words, for conditions: "ip filter INPUT handle 7"
};

enum class XtMatched : std::uint8_t { No, Yes, HotDrop };
/// What it does not know, or what chance decides, is asked of `world.choices`.
[[nodiscard]] XtMatched xt_match(World& world, const XtContext& context,
                                 const decode::nft::XtMatch& match, const Packet& packet,
                                 const ConntrackView& view);

struct XtEffect {
  /// Continue: the next rule. Else the verdict of the rule.
  enum class Verdict : std::uint8_t {
    Continue,
    Accept,
    Drop,
    Return,
    Reject,
    Stolen,
    Queue,
    Synproxy
  };
  Verdict verdict = Verdict::Continue;
  bool tcp_reset = false;
  std::uint8_t icmp_type = 0, icmp_code = 0;  ///< of Reject
  /// A NAT target: to be applied by the caller, which knows the connection.
  struct Nat {
    bool destination = false;
    bool masquerade = false;
    bool redirect = false;
    std::optional<IpAddress> first_address, last_address;
    std::optional<std::uint16_t> first_port, last_port;
    bool random = false;
  };
  std::optional<Nat> nat = {};
  bool notrack = false;
  std::string note;  ///< in words, for the path; empty: nothing worth saying
};
/// Marks and the like are written into `packet` and `view`.
[[nodiscard]] XtEffect xt_target(World& world, const XtContext& context,
                                 const decode::nft::XtTarget& target, Packet& packet,
                                 ConntrackView& view);

/// One legacy table at one hook; Accept where it has none.
[[nodiscard]] HookResult run_legacy_table(World& world, HookPoint hook,
                                          const host::LegacyTable& table, Packet& packet,
                                          ConntrackView& view);

/// "-m conntrack --ctstate NEW", for people; the name and revision where it is not known.
[[nodiscard]] std::string words_of(const decode::nft::XtMatch& match);
[[nodiscard]] std::string words_of(const decode::nft::XtTarget& target);
/// The same where the family is known, and ipsets by their names: "-m set --match-set blocked src".
[[nodiscard]] std::string words_of(const decode::nft::XtMatch& match, Family family,
                                   const host::Network* network);
[[nodiscard]] std::string words_of(const decode::nft::XtTarget& target, Family family,
                                   const host::Network* network);
/// A rule as iptables -S prints it: "-A INPUT -s 10.0.0.0/8 -p tcp -m tcp --dport 22 -j ACCEPT".
[[nodiscard]] std::string legacy_rule_text(const decode::xt::Table& table, std::size_t chain,
                                           std::size_t rule, const host::Network* network);

}  // namespace hark::reach
