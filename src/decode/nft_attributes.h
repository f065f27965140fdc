// Attributes of nf_tables as tables: which attribute number fills which member of a record, and
// how. A row for each attribute is all that a new expression or message needs.
//
// Numbers are big-endian on the wire (nla_put_be16, be32, be64 of net/netfilter/nft_*.c), data of
// registers stands in NFTA_DATA_VALUE as it stands in memory.
#pragma once

#include <linux/netfilter/nf_tables.h>

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <type_traits>

#include "base/bytes.h"
#include "decode/netlink_attributes.h"
#include "decode/nft_operations.h"

namespace hark::decode::nft {

template <typename T>
struct Field {
  std::uint16_t attribute;
  /// False: the content is not what this attribute can have.
  bool (*read)(const NetlinkAttribute&, T&);
  bool required = false;
};
constexpr bool kRequired = true;

/// May there be attributes that have no row? A later kernel's messages have some; in an expression
/// they would change what it does.
enum class Others : std::uint8_t { Passed, Fault };

/// What is wrong with a list of attributes. None: `attribute` says nothing.
enum class Fault : std::uint8_t { None, Cut, Unknown, Bad, Missing };
struct Found {
  Fault fault = Fault::None;
  std::uint16_t attribute = 0;
};

/// Reads attributes into `out` by the rows of a table; of one that comes twice the last counts, as
/// in nla_parse. Goes through all of them, so that a list that is cut off is always told: Cut goes
/// before everything else, and what follows it is the first fault. At most 32 rows.
template <typename T>
[[nodiscard]] Found read_fields(ByteView bytes, std::span<const Field<T>> fields, T& out,
                                Others others = Others::Fault) {
  Found first;
  const auto note = [&first](Fault fault, std::uint16_t attribute) {
    if (first.fault == Fault::None) first = {fault, attribute};
  };
  std::uint32_t seen = 0;
  NetlinkAttributes attributes(bytes);
  while (const auto attribute = attributes.next()) {
    std::size_t row = 0;
    while (row < fields.size() && fields[row].attribute != attribute->type) ++row;
    if (row == fields.size()) {
      if (others == Others::Fault) note(Fault::Unknown, attribute->type);
      continue;
    }
    seen |= 1U << row;
    if (!fields[row].read(*attribute, out)) note(Fault::Bad, attribute->type);
  }
  if (attributes.broken()) return {Fault::Cut, 0};
  for (std::size_t row = 0; row < fields.size(); ++row) {
    if (fields[row].required && (seen >> row & 1U) == 0) {
      note(Fault::Missing, fields[row].attribute);
    }
  }
  return first;
}

template <typename Member>
struct MemberOf;
template <typename T, typename M>
struct MemberOf<M T::*> {
  using Object = T;
  using Value = M;
};
template <auto member>
using ObjectOf = typename MemberOf<decltype(member)>::Object;
template <auto member>
using ValueOf = typename MemberOf<decltype(member)>::Value;

template <typename V>
struct Bare {
  using Type = V;
};
template <typename V>
struct Bare<std::optional<V>> {
  using Type = V;
};

template <typename Wire>
[[nodiscard]] std::optional<Wire> big_endian(const NetlinkAttribute& attribute) {
  if (attribute.bytes.size() != sizeof(Wire)) return std::nullopt;
  std::uint64_t out = 0;
  for (const std::byte byte : attribute.bytes) out = out << 8U | std::to_integer<unsigned>(byte);
  return static_cast<Wire>(out);
}

/// A number whose width on the wire is `Wire`; one that the member cannot hold is bad.
template <typename Wire, auto member>
bool number(const NetlinkAttribute& attribute, ObjectOf<member>& out) {
  using Bare = typename Bare<ValueOf<member>>::Type;
  const auto wire = big_endian<Wire>(attribute);
  if (!wire) return false;
  if constexpr (std::is_enum_v<Bare>) {
    using Under = std::underlying_type_t<Bare>;
    if (*wire > std::numeric_limits<Under>::max()) return false;
    out.*member = static_cast<Bare>(static_cast<Under>(*wire));
  } else {
    if (*wire > std::numeric_limits<Bare>::max()) return false;
    out.*member = static_cast<Bare>(*wire);
  }
  return true;
}
template <auto member>
bool be64(const NetlinkAttribute& attribute, ObjectOf<member>& out) {
  return number<std::uint64_t, member>(attribute, out);
}
template <auto member>
bool be32(const NetlinkAttribute& attribute, ObjectOf<member>& out) {
  return number<std::uint32_t, member>(attribute, out);
}
template <auto member>
bool be16(const NetlinkAttribute& attribute, ObjectOf<member>& out) {
  return number<std::uint16_t, member>(attribute, out);
}
template <auto member>
bool one_byte(const NetlinkAttribute& attribute, ObjectOf<member>& out) {
  return number<std::uint8_t, member>(attribute, out);
}

/// A flag word of 32 bits with this one flag; another flag is bad: it would change the meaning.
template <auto member, std::uint32_t flag>
bool only_flag(const NetlinkAttribute& attribute, ObjectOf<member>& out) {
  const auto flags = big_endian<std::uint32_t>(attribute);
  if (!flags || (*flags & ~flag) != 0) return false;
  out.*member = *flags == flag;
  return true;
}

/// nft_parse_register of net/netfilter/nf_tables_api.c. Nothing: no register of data.
[[nodiscard]] std::optional<Reg> register_of(std::uint32_t wire);
/// NFT_REG_VERDICT is no register of data.
template <auto member>
bool reg(const NetlinkAttribute& attribute, ObjectOf<member>& out) {
  const auto wire = big_endian<std::uint32_t>(attribute);
  if (!wire) return false;
  const auto normal = register_of(*wire);
  if (!normal) return false;
  out.*member = *normal;
  return true;
}

/// Up to the first NUL; not empty, and no longer than any name of the kernel.
template <auto member>
bool name(const NetlinkAttribute& attribute, ObjectOf<member>& out) {
  const std::string_view text = attribute.text();
  if (text.empty() || text.size() >= NFT_NAME_MAXLEN) return false;
  out.*member = text;
  return true;
}

/// The bytes of an NFTA_DATA_VALUE, 1 to 64.
[[nodiscard]] std::optional<Bytes> data_value(const NetlinkAttribute& attribute);
template <auto member>
bool data(const NetlinkAttribute& attribute, ObjectOf<member>& out) {
  auto value = data_value(attribute);
  if (!value) return false;
  out.*member = std::move(*value);
  return true;
}
/// The verdict of an NFTA_DATA_VERDICT.
[[nodiscard]] std::optional<VerdictTo> data_verdict(const NetlinkAttribute& attribute);

/// Any bytes.
template <auto member>
bool raw(const NetlinkAttribute& attribute, ObjectOf<member>& out) {
  out.*member = Bytes(attribute.bytes.begin(), attribute.bytes.end());
  return true;
}

/// Fills a part of a record as `read` fills that part alone.
template <auto part, auto read>
bool within(const NetlinkAttribute& attribute, ObjectOf<part>& out) {
  return read(attribute, out.*part);
}

/// What says nothing of the meaning: padding, counts of uses, ids of a transaction.
template <typename T>
bool ignored(const NetlinkAttribute&, T&) {
  return true;
}

/// Do `length` bytes from this register on stay within the sixteen? No for none at all.
[[nodiscard]] bool fits(Reg first, std::size_t length);

}  // namespace hark::decode::nft
