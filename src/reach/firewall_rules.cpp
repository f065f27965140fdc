#include "reach/firewall_rules.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "reach/rule_words.h"
#include "reach/xt.h"

namespace hark::reach {

namespace nft = decode::nft;

namespace {

std::vector<Family> families_of(nft::TableFamily family) {
  switch (family) {
    case nft::TableFamily::Inet:
      return {Family::Inet, Family::Inet6};
    case nft::TableFamily::Ip:
      return {Family::Inet};
    case nft::TableFamily::Ip6:
      return {Family::Inet6};
    case nft::TableFamily::Arp:
    case nft::TableFamily::Netdev:
    case nft::TableFamily::Bridge:
      break;
  }
  return {};
}

/// A legacy table has chains of one kind at all of its hooks.
std::string type_of_legacy(const std::string& table) {
  return table == "nat" ? "nat" : table == "filter" ? "filter" : "other";
}

}  // namespace

std::size_t RuleView::named_ports() const {
  std::size_t out = 0;
  for (const auto& range : ports) out += static_cast<std::size_t>(range.last - range.first) + 1;
  return out;
}

FirewallRules::FirewallRules(const host::Network& network) : network_(network), xt_(network) {
  add_nft();
  add_legacy();
  for (const ChainView& chain : chains_) {
    by_name_[{chain.tool, chain.table_family, chain.table, chain.name}] = &chain;
  }
}

void FirewallRules::add_nft() {
  using Key = std::tuple<nft::TableFamily, std::string_view, std::string_view>;
  std::set<std::pair<nft::TableFamily, std::string_view>> dormant;
  for (const nft::Table& table : network_.nft.tables) {
    if (table.dormant) dormant.emplace(table.family, table.name);
  }
  std::map<Key, std::size_t> at;
  for (const nft::Chain& chain : network_.nft.chains) {
    const std::vector<Family> families = families_of(chain.family);
    if (families.empty() || dormant.contains({chain.family, chain.table})) continue;
    at.emplace(Key(chain.family, chain.table, chain.name), chains_.size());
    ChainView view{.tool = "nft",
                   .table_family = nft::name_of(chain.family),
                   .families = families,
                   .table = chain.table,
                   .name = chain.name};
    if (chain.hook) view.hook = chain.hook->number;
    view.type = chain.type;
    view.accepts = chain.accepts;
    chains_.push_back(std::move(view));
  }
  const SetsByName sets = sets_by_name(network_.nft);
  for (const nft::Rule& rule : network_.nft.rules) {
    const auto found = at.find(Key(rule.family, rule.table, rule.chain));
    if (found != at.end()) {
      chains_[found->second].rules.push_back(view_of(network_, sets, rule));
    }
  }
}

void FirewallRules::add_legacy() {
  for (const host::LegacyTable& raw : network_.legacy) {
    const decode::xt::Table* table = xt_.table(raw);
    if (table == nullptr) continue;
    for (std::size_t i = 0; i < table->chains.size(); ++i) {
      const decode::xt::Chain& chain = table->chains[i];
      ChainView view{.tool = table->family == Family::Inet ? "iptables" : "ip6tables",
                     .table_family = {},
                     .families = {table->family},
                     .table = table->name,
                     .name = chain.name};
      view.hook = chain.hook;
      if (chain.hook) view.type = type_of_legacy(table->name);
      view.accepts = chain.policy != decode::xt::Rule::Jump::Drop;
      view.legacy = table;
      view.legacy_chain = i;
      for (const decode::xt::Rule& rule : chain.rules) view.rules.push_back(view_of(*table, rule));
      chains_.push_back(std::move(view));
    }
  }
}

std::vector<const ChainView*> FirewallRules::at_hook(std::uint32_t hook,
                                                     std::string_view type) const {
  std::vector<const ChainView*> out;
  for (const ChainView& chain : chains_) {
    if (chain.hook == hook && chain.type == type) out.push_back(&chain);
  }
  std::set<const ChainView*> met(out.begin(), out.end());
  const auto add = [&](const ChainView& from, const std::string& name) {
    const auto found = by_name_.find({from.tool, from.table_family, from.table, name});
    if (found != by_name_.end() && met.insert(found->second).second) out.push_back(found->second);
  };
  // `out` grows while it is walked.
  for (std::size_t i = 0; i < out.size(); ++i) {
    const ChainView& chain = *out[i];
    for (const RuleView& rule : chain.rules) {
      if (rule.end == RuleEnd::Jump || rule.end == RuleEnd::Goto) add(chain, rule.chain);
      for (const std::string& name : rule.mapped) add(chain, name);
    }
  }
  return out;
}

const ChainView* FirewallRules::chain(const ChainView& from, std::string_view name) const {
  const auto found = by_name_.find({from.tool, from.table_family, from.table, name});
  return found == by_name_.end() ? nullptr : found->second;
}

RulePlace FirewallRules::place(const ChainView& chain, std::size_t position) const {
  RulePlace out;
  out.tool = chain.tool;
  out.family = chain.table_family;
  out.table = chain.table;
  out.chain = chain.name;
  const RuleView& rule = chain.rules[position];
  if (rule.nft != nullptr) {
    out.handle = rule.nft->handle;
    out.comment = rule.nft->comment;
    out.rule = rule_words(network_, *rule.nft);
  } else {
    out.number = static_cast<std::uint32_t>(position + 1);
    out.rule = legacy_rule_text(*chain.legacy, chain.legacy_chain, position, &network_);
  }
  return out;
}

}  // namespace hark::reach
