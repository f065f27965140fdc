#include "reach/xt_prepared.h"

namespace hark::reach {

PreparedXt::PreparedXt(const host::Network& network) {
  for (const host::LegacyTable& table : network.legacy) {
    auto decoded = decode::xt::decode_table(table.family, table.info, table.entries);
    if (decoded) tables_.emplace(&table, std::move(*decoded));
  }
  for (const host::IpSet& set : network.ip_sets) {
    names_[set.name] = set.index;
    auto decoded = decode::decode_ipset(set.messages);
    if (decoded) sets_.emplace(set.index, std::move(*decoded));
  }
}

const decode::xt::Table* PreparedXt::table(const host::LegacyTable& table) const {
  const auto found = tables_.find(&table);
  return found == tables_.end() ? nullptr : &found->second;
}

const decode::IpSetContents* PreparedXt::set(std::uint16_t index) const {
  const auto found = sets_.find(index);
  return found == sets_.end() ? nullptr : &found->second;
}

const decode::IpSetContents* PreparedXt::set(const std::string& name) const {
  const auto found = names_.find(name);
  return found == names_.end() ? nullptr : set(found->second);
}

}  // namespace hark::reach
