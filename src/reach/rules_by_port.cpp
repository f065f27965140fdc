#include "reach/rules_by_port.h"

#include <algorithm>
#include <iterator>

namespace hark::reach {

namespace nft = decode::nft;

namespace {

/// Where TCP and UDP have the destination port, in the transport header.
constexpr std::uint32_t kPortAt = 2;
constexpr std::uint32_t kPortLength = 2;

bool loads_port(const nft::Expression& expression) {
  const auto* load = std::get_if<nft::Payload>(&expression.operation);
  return load != nullptr && load->base == nft::PayloadBase::Transport && load->offset == kPortAt &&
         load->length == kPortLength;
}

/// The port without which the rule matches nothing; what stands before that comparison only asks.
std::optional<std::uint16_t> port_of(const nft::Rule& rule) {
  for (std::size_t i = 0; i + 1 < rule.expressions.size(); ++i) {
    const nft::Expression& expression = rule.expressions[i];
    if (!only_asks(expression)) return std::nullopt;
    if (!loads_port(expression)) continue;
    const auto* compare = std::get_if<nft::Cmp>(&rule.expressions[i + 1].operation);
    const bool asks = compare != nullptr && compare->op == nft::CmpOp::Eq &&
                      compare->sreg == std::get<nft::Payload>(expression.operation).dreg &&
                      compare->data.size() == kPortLength;
    if (!asks) continue;
    return static_cast<std::uint16_t>(std::to_integer<unsigned>(compare->data[0]) << 8U |
                                      std::to_integer<unsigned>(compare->data[1]));
  }
  return std::nullopt;
}

std::size_t from(const std::vector<std::uint32_t>& rules, std::size_t position, std::size_t none) {
  const auto found = std::ranges::lower_bound(rules, position);
  return found == rules.end() ? none : *found;
}

}  // namespace

bool only_asks(const nft::Expression& expression) {
  const nft::Operation& what = expression.operation;
  const auto* meta = std::get_if<nft::Meta>(&what);
  const auto* ct = std::get_if<nft::Ct>(&what);
  const auto* lookup = std::get_if<nft::Lookup>(&what);
  return std::holds_alternative<nft::Payload>(what) || std::holds_alternative<nft::Cmp>(what) ||
         std::holds_alternative<nft::Range>(what) || std::holds_alternative<nft::Bitwise>(what) ||
         std::holds_alternative<nft::Byteorder>(what) ||
         std::holds_alternative<nft::Counter>(what) || (meta != nullptr && meta->dreg) ||
         (ct != nullptr && ct->dreg) || (lookup != nullptr && !lookup->dreg && !lookup->verdict);
}

RulesByPort::RulesByPort(const std::vector<const nft::Rule*>& rules) : count_(rules.size()) {
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const auto port = port_of(*rules[i]);
    (port ? of_one_[*port] : of_any_).push_back(static_cast<std::uint32_t>(i));
  }
}

std::size_t RulesByPort::first_from(std::size_t position, std::optional<std::uint16_t> port) const {
  if (!port) return std::min(position, count_);
  const std::size_t any = from(of_any_, position, count_);
  const auto one = of_one_.find(*port);
  return one == of_one_.end() ? any : std::min(any, from(one->second, position, count_));
}

std::vector<std::uint32_t> RulesByPort::of(std::optional<std::uint16_t> port) const {
  std::vector<std::uint32_t> out;
  if (!port) {
    out.resize(count_);
    for (std::size_t i = 0; i < count_; ++i) out[i] = static_cast<std::uint32_t>(i);
    return out;
  }
  const auto one = of_one_.find(*port);
  if (one == of_one_.end()) return of_any_;
  out.reserve(of_any_.size() + one->second.size());
  std::ranges::merge(of_any_, one->second, std::back_inserter(out));
  return out;
}

}  // namespace hark::reach
