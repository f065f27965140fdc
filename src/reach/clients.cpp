#include "reach/clients.h"

#include <algorithm>

namespace hark::reach {
namespace {

/// Ranges that one masked comparison is made of, at most.
constexpr unsigned kMostFreeBits = 12;
/// Ranges that wait to be taken out, at most.
constexpr std::size_t kMostGone = 4096;

unsigned bit_of(const ClientKey& key, std::size_t bit) {
  return static_cast<unsigned>(key.bytes[bit / 8]) >> (7 - bit % 8) & 1U;
}

void set_bit(ClientKey& key, std::size_t bit) {
  key.bytes[bit / 8] = static_cast<std::uint8_t>(key.bytes[bit / 8] | 0x80U >> bit % 8);
}

/// How many leading bits a mask keeps; nothing if it is no prefix.
std::optional<std::size_t> prefix_of(const ClientKey& mask, std::size_t width) {
  std::size_t length = 0;
  while (length < width * 8 && bit_of(mask, length) == 1) ++length;
  for (std::size_t bit = length; bit < width * 8; ++bit) {
    if (bit_of(mask, bit) == 1) return std::nullopt;
  }
  return length;
}

/// With the bits from `length` on set, or cleared.
ClientKey filled(ClientKey key, std::size_t length, std::size_t width, bool ones) {
  for (std::size_t i = length / 8; i < width; ++i) {
    const auto open = static_cast<std::uint8_t>(i == length / 8 ? 0xffU >> length % 8 : 0xffU);
    key.bytes[i] = static_cast<std::uint8_t>(ones ? key.bytes[i] | open : key.bytes[i] & ~open);
  }
  return key;
}

/// The next greater one; false: there is none.
bool advance(ClientKey& key, std::size_t width) {
  for (std::size_t i = width; i-- > 0;) {
    if (++key.bytes[i] != 0) return true;
  }
  return false;
}

}  // namespace

std::uint8_t Clients::byte(const ClientByte& copy) const {
  if (copy.at >= ClientByte::kPort) {
    const unsigned value = copy.at == ClientByte::kPort ? port_ >> 8U : port_ & 0xffU;
    return static_cast<std::uint8_t>(value & copy.kept);
  }
  return static_cast<std::uint8_t>(address_.bytes[copy.at - std::size_t{ClientByte::kAddress}] &
                                   copy.kept);
}

void Clients::split(const AddressSet& set) {
  addresses_ = set.contains(address_) ? addresses_.intersect(set) : addresses_.minus(set);
}

void Clients::split_once(const AddressSet& set) {
  if (std::ranges::find(asked_, &set) != asked_.end()) return;
  asked_.push_back(&set);
  split(set);
}

void Clients::split(const PortSet& set) {
  ports_ = set.contains(port_) ? ports_.intersect(set) : ports_.minus(set);
}

void Clients::split(const AddressRange& range) {
  if (range.first <= address_ && address_ <= range.last) {
    addresses_ = addresses_.intersect(AddressSet(range));
    return;
  }
  gone_.push_back(range);
  if (gone_.size() > kMostGone) (void)addresses();
}

void Clients::split(const IpAddress& asked, const AddressRange& range) {
  if (asked == address_) split(range);
}

void Clients::split(std::uint16_t asked, std::uint16_t first, std::uint16_t last) {
  if (asked == port_) split(PortSet(Interval<std::uint16_t>{first, last}));
}

bool Clients::split_masked(const IpAddress& asked, const IpAddress& wanted, const IpAddress& mask) {
  if (asked != address_) return true;
  ClientKey value = wanted;
  for (std::size_t i = 0; i < value.bytes.size(); ++i) value.bytes[i] &= mask.bytes[i];
  auto ranges = masked_ranges(value, mask, address_.bits() / 8);
  if (!ranges) return false;
  if (ranges->size() == 1) {
    split(ranges->front());
  } else {
    split(AddressSet(std::move(*ranges)));
  }
  return true;
}

const AddressSet& Clients::addresses() {
  if (!gone_.empty()) addresses_ = addresses_.minus(AddressSet(std::move(gone_)));
  gone_.clear();
  return addresses_;
}

std::optional<std::vector<AddressRange>> masked_ranges(const ClientKey& wanted,
                                                       const ClientKey& mask, std::size_t width) {
  for (std::size_t i = 0; i < width; ++i) {
    if ((wanted.bytes[i] & ~mask.bytes[i]) != 0) return std::vector<AddressRange>{};
  }
  // The free bits at the end make each range; those before, their number.
  std::size_t end = width * 8;
  while (end > 0 && bit_of(mask, end - 1) == 0) --end;
  std::vector<std::size_t> free;
  for (std::size_t bit = 0; bit < end; ++bit) {
    if (bit_of(mask, bit) == 0) free.push_back(bit);
  }
  if (free.size() > kMostFreeBits) return std::nullopt;
  std::vector<AddressRange> out;
  for (unsigned number = 0; number < 1U << free.size(); ++number) {
    ClientKey first = wanted;
    for (std::size_t i = 0; i < free.size(); ++i) {
      if ((number >> i & 1U) != 0) set_bit(first, free[i]);
    }
    out.push_back({first, filled(first, end, width, true)});
  }
  return out;
}

std::optional<AddressRange> masked_between(const ClientKey& first, const ClientKey& last,
                                           const ClientKey& mask, std::size_t width) {
  const auto length = prefix_of(mask, width);
  if (!length) return std::nullopt;
  const AddressRange none = {filled({.family = first.family}, 0, width, true),
                             {.family = first.family}};
  ClientKey low = first;
  // What lies within a block of the mask has the block's value: below `first` unless it begins it.
  if (filled(first, *length, width, false) != first) {
    low = filled(first, *length, width, true);
    if (!advance(low, width)) return none;
  }
  const ClientKey high = filled(last, *length, width, true);
  return high < low ? none : AddressRange{low, high};
}

}  // namespace hark::reach
