// The firewalls of a Network, made ready for many questions: which chains run at a hook and in
// which order (net/netfilter/core.c nf_hook_entries_grow, nf_nat_core.c nf_nat_register_fn), and
// chains, sets and objects by their names. Made once, used by every run_hook().
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "host/network.h"
#include "reach/netfilter.h"
#include "reach/prepared_set.h"
#include "reach/rules_by_port.h"

namespace hark::reach {

/// Names within one table.
struct PreparedTable;

struct PreparedChain {
  const decode::nft::Chain* chain = nullptr;
  const PreparedTable* table = nullptr;
  std::vector<const decode::nft::Rule*> rules = {};
  RulesByPort by_port = {};
  /// It has a handle below all of its table's rules: it was most likely made with the table.
  bool original = true;
};

struct PreparedTable {
  const decode::nft::Table* table = nullptr;
  std::string key = {};  ///< "inet filter"
  std::unordered_map<std::string, PreparedChain*> chains = {};
  std::unordered_map<std::string, const decode::nft::Set*> sets = {};
  std::map<std::pair<std::uint32_t, std::string>, const decode::nft::Object*> objects = {};
};

/// When a hook was registered, as far as handles tell. Tables have theirs from one counter, and
/// whatever is in a table from one of the table's.
struct Registered {
  std::uint64_t table = 0;
  std::uint64_t handle = 0;  ///< of the chain; of conntrack: of the first rule that needs it
  bool original = true;      ///< most likely made together with its table
  bool known = true;
};

/// One entry of a hook's array.
struct HookEntry {
  enum class Kind : std::uint8_t { Chain, Legacy, Conntrack, Confirm, Nat };
  Kind kind = Kind::Chain;
  std::int32_t priority = 0;
  const PreparedChain* chain = nullptr;
  const host::LegacyTable* legacy = nullptr;
  Registered since = {.known = false};  ///< of conntrack
};
/// Entries of one priority.
struct HookGroup {
  std::vector<HookEntry> entries = {};  ///< as far as can be told: last registered first
  /// Where that is not known: the other orders in which they may have been registered.
  std::vector<std::vector<HookEntry>> others = {};
};
struct HookPlan {
  std::vector<HookGroup> groups;  ///< by priority
  std::vector<HookGroup> nat;     ///< chains of NAT, which the NAT core runs
};

class PreparedRuleset {
 public:
  explicit PreparedRuleset(const host::Network& network);
  PreparedRuleset(const PreparedRuleset&) = delete;
  PreparedRuleset& operator=(const PreparedRuleset&) = delete;
  ~PreparedRuleset();

  /// What runs there. `link` counts for ingress and egress only.
  [[nodiscard]] const HookPlan& plan(HookPoint hook, Family family, std::uint32_t link) const;
  [[nodiscard]] const PreparedSet* set(const PreparedTable& table, const std::string& name) const;
  /// Does conntrack look at packets of this family? (nf_ct_netns_get: some rule needs it.)
  [[nodiscard]] bool tracks(Family family) const {
    return family == Family::Inet ? tracks4_ : tracks6_;
  }
  [[nodiscard]] const host::Network& network() const { return network_; }
  /// Of a rule, or of its chain's policy (nullptr), made once. `nat`: as of RulePlace.
  [[nodiscard]] std::shared_ptr<const ToldPlace> place(const PreparedChain& chain,
                                                       const decode::nft::Rule* rule,
                                                       bool nat) const;

 private:
  using PlanKey = std::tuple<HookPoint, Family, std::uint32_t>;
  struct TableKey {
    decode::nft::TableFamily family;
    std::string_view name;
    auto operator<=>(const TableKey&) const = default;
  };

  void add_tables();
  void add_chains();
  void add_rules();
  void find_trackers();
  void add_tracker(decode::nft::TableFamily family, Registered since);
  [[nodiscard]] Registered made(decode::nft::TableFamily family, std::string_view table,
                                std::uint64_t handle) const;
  [[nodiscard]] Registered tracker(Family family) const;
  [[nodiscard]] bool has_rivals() const;
  [[nodiscard]] bool is_complete(const Registered& up_to) const;
  [[nodiscard]] PreparedTable* table(decode::nft::TableFamily family, std::string_view name);
  [[nodiscard]] HookPlan make_plan(HookPoint hook, Family family, std::uint32_t link) const;
  void add_chain_entries(std::vector<HookEntry>& to, HookPoint hook, Family family,
                         std::uint32_t link) const;
  void add_legacy_entries(std::vector<HookEntry>& to, HookPoint hook, Family family) const;
  void add_core_entries(std::vector<HookEntry>& to, HookPoint hook, Family family) const;
  [[nodiscard]] bool has_nat(Family family) const;

  const host::Network& network_;
  std::deque<PreparedTable> tables_;
  std::deque<PreparedChain> chains_;
  std::map<TableKey, PreparedTable*> by_name_;
  bool tracks4_ = false;
  bool tracks6_ = false;
  std::optional<Registered> tracker4_;  ///< the first that needs conntrack; empty: none is known
  std::optional<Registered> tracker6_;
  // Filled as they are asked for.
  mutable std::map<PlanKey, std::unique_ptr<HookPlan>> plans_;
  mutable std::unordered_map<const decode::nft::Set*, std::unique_ptr<PreparedSet>> sets_;
  /// By rule or chain, those of NAT apart.
  mutable std::array<std::unordered_map<const void*, std::shared_ptr<const ToldPlace>>, 2> places_;
};

/// Does an expression make the kernel track connections? conntrack_users.cpp
[[nodiscard]] bool needs_conntrack(const decode::nft::Expression& expression);
/// The same of an object and of a legacy table's entries.
[[nodiscard]] bool needs_conntrack(const decode::nft::Object& object);
[[nodiscard]] bool needs_conntrack(const host::LegacyTable& table);

}  // namespace hark::reach
