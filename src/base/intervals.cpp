#include "base/intervals.h"

#include <algorithm>
#include <bit>

namespace hark {
namespace {

/// The value after it; false: there is none.
bool advance(std::uint16_t& value) {
  return ++value != 0;
}

bool advance(IpAddress& value) {
  for (unsigned i = value.bits() / 8; i-- > 0;) {
    if (++value.bytes[i] != 0) return true;
  }
  return false;
}

void retreat(std::uint16_t& value) {
  --value;
}

/// Of an address that is not the lowest.
void retreat(IpAddress& value) {
  for (unsigned i = value.bits() / 8; i-- > 0;) {
    if (value.bytes[i]-- != 0) return;
  }
}

/// Joins ranges that overlap or touch; they are in order of their first values.
template <typename T>
std::vector<Interval<T>> joined(std::vector<Interval<T>> ranges) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    if (kept != 0) {
      T next = ranges[kept - 1].last;
      const bool more = advance(next);
      if (!more || ranges[i].first <= next) {
        ranges[kept - 1].last = std::max(ranges[kept - 1].last, ranges[i].last);
        continue;
      }
    }
    ranges[kept++] = ranges[i];
  }
  ranges.resize(kept);
  return ranges;
}

/// How many of the lowest bits are 0.
unsigned zeros_of(const IpAddress& address) {
  unsigned count = 0;
  for (std::size_t at = address.bits() / 8; at > 0; --at) {
    if (address.bytes[at - 1] != 0) {
      return count + static_cast<unsigned>(std::countr_zero(address.bytes[at - 1]));
    }
    count += 8;
  }
  return count;
}

/// With its `count` lowest bits set.
IpAddress filled(IpAddress address, unsigned count) {
  std::size_t at = address.bits() / 8;
  for (; count >= 8; count -= 8) address.bytes[--at] = 0xff;
  if (count != 0) {
    address.bytes[at - 1] = static_cast<std::uint8_t>(address.bytes[at - 1] | ((1U << count) - 1U));
  }
  return address;
}

/// In how many of the lowest bits two of one family may differ.
unsigned width_of(const IpAddress& a, const IpAddress& b) {
  const unsigned all = a.bits();
  for (unsigned at = 0; at < all / 8; ++at) {
    const auto differ = static_cast<std::uint8_t>(a.bytes[at] ^ b.bytes[at]);
    if (differ != 0) return all - at * 8 - static_cast<unsigned>(std::countl_zero(differ));
  }
  return 0;
}

/// How many free bits the largest block has that begins where a range does, and stays within it.
unsigned free_at_front(const AddressRange& range) {
  const unsigned width = width_of(range.first, range.last);
  const unsigned zeros = zeros_of(range.first);
  if (zeros < width) return zeros;
  return filled(range.first, width) == range.last ? width : width - 1;
}

}  // namespace

template <typename T>
IntervalSet<T>::IntervalSet(std::vector<Interval<T>> ranges) {
  std::erase_if(ranges, [](const Interval<T>& range) { return range.last < range.first; });
  // Most often they come in order.
  if (!std::ranges::is_sorted(ranges, {}, &Interval<T>::first)) {
    std::ranges::sort(ranges, {}, &Interval<T>::first);
  }
  ranges_ = joined(std::move(ranges));
}

template <typename T>
bool IntervalSet<T>::contains(const T& value) const {
  const auto behind = std::ranges::upper_bound(ranges_, value, {}, &Interval<T>::first);
  return behind != ranges_.begin() && value <= std::prev(behind)->last;
}

template <typename T>
IntervalSet<T> IntervalSet<T>::intersect(const IntervalSet& other) const {
  IntervalSet out;
  if (other.empty()) return out;
  // Of a long set and a short one only what lies near is looked at.
  auto a = std::ranges::lower_bound(ranges_, other.ranges_.front().first, {}, &Interval<T>::last);
  auto b = other.ranges_.begin();
  while (a != ranges_.end() && b != other.ranges_.end()) {
    const T first = std::max(a->first, b->first);
    const T last = std::min(a->last, b->last);
    if (first <= last) out.ranges_.push_back({first, last});
    if (a->last < b->last) {
      ++a;
    } else {
      ++b;
    }
  }
  return out;
}

template <typename T>
IntervalSet<T> IntervalSet<T>::minus(const IntervalSet& other) const {
  IntervalSet out;
  auto away = other.ranges_.begin();
  for (const Interval<T>& range : ranges_) {
    T first = range.first;
    bool left = true;
    while (away != other.ranges_.end() && away->last < first) ++away;
    for (auto at = away; left && at != other.ranges_.end() && at->first <= range.last; ++at) {
      if (first < at->first) {
        T last = at->first;
        retreat(last);
        out.ranges_.push_back({first, last});
      }
      first = at->last;
      left = advance(first) && first <= range.last;
    }
    if (left) out.ranges_.push_back({first, range.last});
  }
  return out;
}

template <typename T>
IntervalSet<T> IntervalSet<T>::unite(const IntervalSet& other) const {
  std::vector<Interval<T>> all;
  all.reserve(ranges_.size() + other.ranges_.size());
  std::ranges::merge(ranges_, other.ranges_, std::back_inserter(all), {}, &Interval<T>::first,
                     &Interval<T>::first);
  IntervalSet out;
  out.ranges_ = joined(std::move(all));
  return out;
}

template class IntervalSet<IpAddress>;
template class IntervalSet<std::uint16_t>;

AddressRange range_of(const Prefix& prefix) {
  return {prefix.address, filled(prefix.address, prefix.address.bits() - prefix.length)};
}

AddressSet all_addresses(Family family) {
  return AddressSet(range_of({.address = {.family = family}, .length = 0}));
}

std::optional<IpAddress> next_address(IpAddress address) {
  return advance(address) ? std::optional(address) : std::nullopt;
}

IpAddress previous_address(IpAddress address) {
  retreat(address);
  return address;
}

PortSet all_ports() {
  return PortSet(Interval<std::uint16_t>{0, 65535});
}

std::vector<Prefix> prefixes_of(const AddressSet& set) {
  std::vector<Prefix> out;
  for (const AddressRange& range : set.ranges()) {
    IpAddress first = range.first;
    while (true) {
      const unsigned free = free_at_front({first, range.last});
      IpAddress last = filled(first, free);
      out.push_back({first, static_cast<std::uint8_t>(first.bits() - free)});
      if (last == range.last || !advance(last)) break;
      first = last;
    }
  }
  return out;
}

}  // namespace hark
