// Sets of addresses and of ports, as disjoint ranges in rising order: what rules, routes and sets
// cut the sources of packets into. Every operation is at most linear in the number of ranges.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/address.h"

namespace hark {

/// First and last included; of addresses both of one family.
template <typename T>
struct Interval {
  T first{}, last{};
  bool operator==(const Interval&) const = default;
};

/// Values T are ordered and have a next one; addresses of one set are all of one family.
template <typename T>
class IntervalSet {
 public:
  IntervalSet() = default;
  explicit IntervalSet(const Interval<T>& range) : ranges_{range} {}
  /// Ranges in any order, which may overlap. One whose first is behind its last is left out.
  explicit IntervalSet(std::vector<Interval<T>> ranges);

  [[nodiscard]] const std::vector<Interval<T>>& ranges() const { return ranges_; }
  [[nodiscard]] bool empty() const { return ranges_.empty(); }
  [[nodiscard]] bool contains(const T& value) const;

  [[nodiscard]] IntervalSet intersect(const IntervalSet& other) const;
  [[nodiscard]] IntervalSet minus(const IntervalSet& other) const;
  [[nodiscard]] IntervalSet unite(const IntervalSet& other) const;

  bool operator==(const IntervalSet&) const = default;

 private:
  std::vector<Interval<T>> ranges_;
};

using AddressRange = Interval<IpAddress>;
using AddressSet = IntervalSet<IpAddress>;
using PortSet = IntervalSet<std::uint16_t>;

extern template class IntervalSet<IpAddress>;
extern template class IntervalSet<std::uint16_t>;

/// Every address of the family.
[[nodiscard]] AddressSet all_addresses(Family family);
/// Those of a prefix.
[[nodiscard]] AddressRange range_of(const Prefix& prefix);
/// The fewest prefixes that make up the set, in rising order.
[[nodiscard]] std::vector<Prefix> prefixes_of(const AddressSet& set);
/// The address behind it; nothing: it is the last.
[[nodiscard]] std::optional<IpAddress> next_address(IpAddress address);
/// The one before it, which is not the first.
[[nodiscard]] IpAddress previous_address(IpAddress address);
/// 0 to 65535.
[[nodiscard]] PortSet all_ports();

}  // namespace hark
