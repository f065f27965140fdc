// What every stage of a trace is handed: the facts, and the way to say that they do not decide.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/host.h"
#include "host/network.h"
#include "reach/choices.h"
#include "reach/packet.h"

namespace hark::reach {

class RoutingIndex;
class PreparedRuleset;
class PreparedXt;
class Clients;
class Spaces;

/// Something a person can look at for himself.
struct Evidence {
  std::string fact;    ///< "net.ipv4.conf.eth0.rp_filter = 1"
  std::string where;   ///< "inet filter input handle 7", "sysctl", "route table main"
  std::string verify;  ///< a command: "nft -a list chain inet filter input"
  bool operator==(const Evidence&) const = default;
};

/// The one fact that decides. Codes are those of the catalogue: contract.md, reachability.md 2.
struct Cause {
  std::string code;
  std::string text;
  std::vector<Evidence> evidence;
  /// The firewall tool that put the deciding rule there: tool_words(); empty: none is known.
  std::string tool = {};
  bool operator==(const Cause&) const = default;
};

enum class Stage : std::uint8_t {
  Link,
  Xdp,
  Tc,
  Netdev,
  Prerouting,
  Route,
  Forward,
  Input,
  Socket,
  Handshake,
  Process,
  Reply
};
/// "link", "xdp" …
[[nodiscard]] std::string_view name_of(Stage stage);

struct Step {
  Stage stage = Stage::Link;
  std::string verdict;  ///< "pass", "stop", "rewrite", "unknown"
  std::string detail;
  std::string verify = {};  ///< a command that shows it; may be empty
  std::string rule = {};    ///< the rule that did it, in nft's or iptables' own words; may be empty
  host::NetnsId netns = {};  ///< where
  bool operator==(const Step&) const = default;
};

struct Heard {
  std::uint32_t link = 0;
  IpAddress address;
  bool operator==(const Heard&) const = default;
};

struct World {
  const host::Host& host;
  const host::Network& network;
  Choices& choices;
  /// All the steps of this run so far, and notes a stage leaves for whoever names the cause.
  std::vector<Step>& path;
  /// What must be true for the answer to hold: "no entry of conntrack for this tuple".
  std::vector<std::string>& assumptions;
  /// Blockers that are to be taken for removed, in the search for what else would block: keys of
  /// places (netfilter.h) and codes of causes.
  const std::vector<std::string>& waived;
  /// The firewall's rules, made ready for many questions (prepared_ruleset.h). Without it every
  /// run_hook() makes them ready anew: right, and slow.
  const PreparedRuleset* prepared = nullptr;

  /// Who has just asked for our link-layer address, and told his own by it: on that link.
  std::optional<Heard> heard = {};
  /// Made of `network`, for hosts of many routes (routing_index.h); nullptr: each lookup walks over
  /// all of them.
  const RoutingIndex* routes = nullptr;
  /// Tables of the old iptables and ipsets, decoded for many questions (xt_prepared.h). Without it
  /// they are decoded anew each time: right, and slow.
  const PreparedXt* xt = nullptr;
  /// Of a trace for many clients: who fares like the one that is followed (clients.h).
  Clients* clients = nullptr;
  /// What the kernel could be asked of sets whose elements were not read.
  std::vector<host::ElementQuestion>* wanted = nullptr;
  /// How many hooks have been run so far. Chance decides anew at each: it is part of what a
  /// condition of Doubt::Chance is.
  unsigned hooks_run = 0;
  /// The namespaces to which packets may be passed on; nullptr: none is followed.
  Spaces* spaces = nullptr;
  /// Of another namespace than that of the question: what goes before its keys, what it is called
  /// ("container web"), and what goes before commands that are to be run there.
  std::string scope = {}, place = {}, command = {};
  /// Whoever carries packets on from here asks for the next hop's link-layer address himself.
  bool carried = false;

  [[nodiscard]] bool is_waived(std::string_view key) const;
};

/// The number of the draw, for the key of a condition; 0 of what stays as it is.
[[nodiscard]] inline unsigned drawn(const World& world, Doubt doubt) {
  return doubt == Doubt::Chance ? world.hooks_run : 0;
}

}  // namespace hark::reach
