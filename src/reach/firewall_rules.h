// The rules of nf_tables and of the old iptables in one form, as far as their own words tell: which
// ports they name, what they end with. Not what happens to a packet: that is asked of reach. Here
// it is asked what whoever wrote the rule wanted.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/intervals.h"
#include "base/protocol.h"
#include "host/network.h"
#include "reach/netfilter.h"
#include "reach/xt_prepared.h"

namespace hark::reach {

enum class RuleEnd : std::uint8_t { None, Accept, Drop, Reject, Dnat, Return, Jump, Goto, Other };

struct RuleView {
  RuleEnd end = RuleEnd::None;
  std::string chain = {};                 ///< of Jump and Goto
  std::vector<std::string> mapped = {};   ///< chains that a verdict map leads to
  std::optional<Protocol> protocol = {};  ///< Tcp or Udp, where it asks for one of them
  /// The destination ports that it asks for; empty: it does not ask.
  std::vector<Interval<std::uint16_t>> ports = {};
  bool conditional = false;    ///< it asks for anything at all
  bool from_loopback = false;  ///< it is about what this host sends to itself
  /// It asks for more than ports, protocol, clients, interfaces and connections, or for something
  /// that is not understood here.
  bool odd = false;
  const decode::nft::Rule* nft = nullptr;  ///< nullptr: of a legacy table

  /// How many ports it names; 0: none.
  [[nodiscard]] std::size_t named_ports() const;
};

struct ChainView {
  std::string tool;              ///< "nft", "iptables", "ip6tables"
  std::string table_family;      ///< "inet" …; empty: legacy
  std::vector<Family> families;  ///< of the packets that it sees
  std::string table;
  std::string name;
  std::optional<std::uint32_t> hook = {};  ///< NF_INET_* of a base chain
  std::string type = {};                   ///< of a base chain: "filter", "nat", "route"
  bool accepts = true;                     ///< the policy of a base chain
  std::vector<RuleView> rules = {};
  const decode::xt::Table* legacy = nullptr;
  std::size_t legacy_chain = 0;  ///< position in `legacy`
};

/// Those of one namespace. Families of packets other than IP are left out.
class FirewallRules {
 public:
  explicit FirewallRules(const host::Network& network);
  FirewallRules(const FirewallRules&) = delete;
  FirewallRules& operator=(const FirewallRules&) = delete;

  [[nodiscard]] std::span<const ChainView> chains() const { return chains_; }
  /// Base chains at that hook (NF_INET_*) of that type, and all that they lead to; each once.
  [[nodiscard]] std::vector<const ChainView*> at_hook(std::uint32_t hook,
                                                      std::string_view type) const;
  /// The chain of that name in the table of `from`; nullptr: there is none.
  [[nodiscard]] const ChainView* chain(const ChainView& from, std::string_view name) const;
  /// For words_of() and command_of(); `position` of the rule in its chain.
  [[nodiscard]] RulePlace place(const ChainView& chain, std::size_t position) const;

 private:
  void add_nft();
  void add_legacy();

  const host::Network& network_;
  PreparedXt xt_;
  std::vector<ChainView> chains_;
  /// By tool, family of the table, table and name.
  std::map<std::array<std::string_view, 4>, const ChainView*> by_name_;
};

constexpr std::uint32_t kHookPrerouting = 0;  // NF_INET_* of linux/netfilter.h
constexpr std::uint32_t kHookInput = 1;
constexpr std::uint32_t kHookForward = 2;
constexpr std::uint32_t kHookOutput = 3;

/// What the expressions of a rule ask for and end with: firewall_rule_forms.cpp.
using SetsByName = std::map<std::tuple<decode::nft::TableFamily, std::string, std::string>,
                            const decode::nft::Set*>;
[[nodiscard]] SetsByName sets_by_name(const host::NftRuleset& ruleset);
[[nodiscard]] RuleView view_of(const host::Network& network, const SetsByName& sets,
                               const decode::nft::Rule& rule);
[[nodiscard]] RuleView view_of(const decode::xt::Table& table, const decode::xt::Rule& rule);

}  // namespace hark::reach
