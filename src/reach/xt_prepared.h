// Tables of the old iptables and ipsets of a Network, decoded once for many questions.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "decode/ipset.h"
#include "decode/xt_table.h"
#include "host/network.h"

namespace hark::reach {

class PreparedXt {
 public:
  explicit PreparedXt(const host::Network& network);

  /// Of one of the network's tables; nullptr: it could not be read.
  [[nodiscard]] const decode::xt::Table* table(const host::LegacyTable& table) const;
  /// nullptr: there is no such set, or it could not be read.
  [[nodiscard]] const decode::IpSetContents* set(std::uint16_t index) const;
  [[nodiscard]] const decode::IpSetContents* set(const std::string& name) const;

 private:
  std::map<const host::LegacyTable*, decode::xt::Table> tables_;
  std::map<std::uint16_t, decode::IpSetContents> sets_;
  std::map<std::string, std::uint16_t> names_;
};

}  // namespace hark::reach
