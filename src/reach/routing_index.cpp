#include "reach/routing_index.h"

#include <algorithm>
#include <array>

#include "reach/fib.h"

namespace hark::reach {
namespace {

struct Number {
  std::uint64_t high = 0, low = 0;
  auto operator<=>(const Number&) const = default;
};

Number number_of(const IpAddress& address) {
  return {address.high(), address.low()};
}

Number masked(Number number, unsigned length) {
  constexpr std::uint64_t kAll = ~std::uint64_t{0};
  if (length < 64) return {length == 0 ? 0 : number.high & (kAll << (64 - length)), 0};
  if (length < 128) number.low &= length == 64 ? 0 : kAll << (128 - length);
  return number;
}

constexpr std::size_t kLengths = 129;

}  // namespace

bool is_custom_local(const host::Route& route) {
  return route.family == Family::Inet && route.type == fib::kLocal &&
         route.protocol != fib::kProtocolKernel;
}

RoutingIndex::RoutingIndex(const host::Network& network)
    : network_(network), only_default_rules_(fib::only_default_rules(network, nullptr)) {
  std::map<std::pair<Family, std::uint32_t>, std::array<std::vector<Entry>, kLengths>> by_length;
  std::pair<Family, std::uint32_t> last_key{Family::Inet, 0};
  std::array<std::vector<Entry>, kLengths>* last = nullptr;
  for (std::uint32_t i = 0; i < network.routes.size(); ++i) {
    const host::Route& route = network.routes[i];
    custom_local_routes_ = custom_local_routes_ || is_custom_local(route);
    if (route.destination.length >= kLengths) continue;
    const std::pair key{route.family, route.table};
    if (last == nullptr || key != last_key) {
      last = &by_length[key];
      last_key = key;
    }
    const Number number = number_of(route.destination.address);
    (*last)[route.destination.length].push_back({number.high, number.low, i});
  }
  const auto before = [](const Entry& a, const Entry& b) {
    return std::tie(a.high, a.low, a.position) < std::tie(b.high, b.low, b.position);
  };
  for (auto& [key, lengths] : by_length) {
    Table& table = tables_[key];
    for (std::size_t length = kLengths; length-- > 0;) {
      std::vector<Entry>& entries = lengths[length];
      if (entries.empty()) continue;
      // The kernel walks its tries in order: most often there is nothing to sort.
      if (!std::is_sorted(entries.begin(), entries.end(), before)) {
        std::sort(entries.begin(), entries.end(), before);
      }
      table.push_back({static_cast<std::uint8_t>(length), std::move(entries)});
    }
  }
}

std::size_t RoutingIndex::HashOfAsked::operator()(const Asked& asked) const {
  constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15;  // spreads over all bits: Fibonacci hashing
  const Number number = number_of(asked.address);
  return ((number.high ^ asked.table) * kOdd ^ number.low) * kOdd;
}

std::vector<const host::Route*> RoutingIndex::matching(std::uint32_t table,
                                                       const IpAddress& address) const {
  constexpr std::size_t kMost = 65'536;
  const auto known = found_.find({table, address});
  if (known != found_.end()) return known->second;
  if (found_.size() == kMost) return find(table, address);
  return found_.emplace(Asked{table, address}, find(table, address)).first->second;
}

std::vector<const host::Route*> RoutingIndex::find(std::uint32_t table,
                                                   const IpAddress& address) const {
  std::vector<const host::Route*> out;
  const auto found = tables_.find({address.family, table});
  if (found == tables_.end()) return out;
  const Number number = number_of(address);
  for (const Length& length : found->second) {
    const Number wanted = masked(number, length.length);
    auto at = std::lower_bound(length.entries.begin(), length.entries.end(), wanted,
                               [](const Entry& entry, const Number& value) {
                                 return Number{entry.high, entry.low} < value;
                               });
    for (; at != length.entries.end() && Number{at->high, at->low} == wanted; ++at) {
      out.push_back(&network_.routes[at->position]);
    }
  }
  return out;
}

bool RoutingIndex::has_table(Family family, std::uint32_t table) const {
  return tables_.contains({family, table});
}

std::vector<const host::Route*> matching_routes(const host::Network& network,
                                                const RoutingIndex* index, std::uint32_t table,
                                                const IpAddress& address) {
  if (index != nullptr) return index->matching(table, address);
  std::vector<const host::Route*> out;
  for (const host::Route& route : network.routes) {
    if (route.table == table && route.family == address.family &&
        route.destination.contains(address)) {
      out.push_back(&route);
    }
  }
  std::ranges::stable_sort(out, [](const host::Route* a, const host::Route* b) {
    return a->destination.length > b->destination.length;
  });
  return out;
}

}  // namespace hark::reach
