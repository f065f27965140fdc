// The rules of a chain by the one port that each of them asks for. Most rules of a long chain are
// about another port than a packet's, and need not even be looked at: `tcp dport 22` is never more
// than a comparison of two bytes of the transport header.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "decode/nft_ruleset.h"

namespace hark::reach {

/// It changes nothing, and what it asks for is the same for all clients but where it is marked as
/// theirs. (Routes and sockets are not: which client asks counts there.)
[[nodiscard]] bool only_asks(const decode::nft::Expression& expression);

class RulesByPort {
 public:
  RulesByPort() = default;
  explicit RulesByPort(const std::vector<const decode::nft::Rule*>& rules);

  /// Positions of the rules that can match where the packet's destination port is `port`, from
  /// `position` on the first. Without a port: of all. The number of rules: none.
  [[nodiscard]] std::size_t first_from(std::size_t position,
                                       std::optional<std::uint16_t> port) const;
  /// All of them, ascending.
  [[nodiscard]] std::vector<std::uint32_t> of(std::optional<std::uint16_t> port) const;

 private:
  std::size_t count_ = 0;
  std::vector<std::uint32_t> of_any_;
  std::unordered_map<std::uint16_t, std::vector<std::uint32_t>> of_one_;
};

}  // namespace hark::reach
