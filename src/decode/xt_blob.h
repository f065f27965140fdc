// The bytes of iptables' matches and targets, read by tables of their layouts: linux/netfilter/
// xt_*.h, linux/netfilter_ipv4/ipt_*.h, linux/netfilter_ipv6/ip6t_*.h.
//
// The kernel takes such a structure only at exactly XT_ALIGN(its size), and gives it back with
// zeros for what it keeps there itself (xt_match_to_user, nft_extension_dump_info). So name,
// revision and size say which structure it is; whatever does not fit is not known, never guessed.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/address.h"
#include "base/bytes.h"
#include "decode/nft_expression.h"

namespace hark::decode::xt {

/// A part of such a structure. One name for all extensions and revisions that have such a thing.
enum class Field : std::uint8_t {
  Flags,
  Invert,
  Mode,
  Count,
  Min,
  Max,
  Value,
  Mask,
  Name,
  Label,
  Text,
  Program,
  Family,
  SourcePorts,
  DestinationPorts,
  Ports,
  PortFlags,
  Option,
  FlagMask,
  FlagValue,
  Type,
  Code,
  Protocol,
  State,
  Status,
  MatchFlags,
  InvertFlags,
  InvertSource,
  InvertDestination,
  SourceAddress,
  SourceMask,
  DestinationAddress,
  DestinationMask,
  ReplySource,
  ReplySourceMask,
  ReplyDestination,
  ReplyDestinationMask,
  SourcePort,
  SourcePortHigh,
  DestinationPort,
  DestinationPortHigh,
  ReplySourcePort,
  ReplySourcePortHigh,
  ReplyDestinationPort,
  ReplyDestinationPortHigh,
  ExpiresMin,
  ExpiresMax,
  Average,
  Burst,
  Size,
  Most,
  Interval,
  Expire,
  Window,
  Seconds,
  Hits,
  Side,
  Index,
  Dimensions,
  SetFlags,
  DeleteIndex,
  DeleteDimensions,
  DeleteSetFlags,
  MapIndex,
  MapDimensions,
  MapSetFlags,
  Timeout,
  Packets,
  PacketsOp,
  Bytes,
  BytesOp,
  UidMin,
  UidMax,
  GidMin,
  GidMax,
  InDevice,
  InDeviceMask,
  OutDevice,
  OutDeviceMask,
  Every,
  Phase,
  DateStart,
  DateStop,
  DayStart,
  DayStop,
  MonthDays,
  WeekDays,
  From,
  To,
  Algorithm,
  What,
  Direction,
  Seed,
  HasPath,
  HasClass,
  InvertPath,
  InvertClass,
  Path,
  ClassId,
  Length,
  Chunks,
  ChunkFlags,
  ChunkFlagCount,
  ChunkMatch,
  Reserved,
  Addresses,
  AddressCount,
  Options,
  OptionCount,
  Ttl,
  LogLevel,
  CtMark,
  CtMask,
  PacketMask,
  ShiftDirection,
  ShiftBits,
  RangeSize,
  FirstAddress,
  LastAddress,
  FirstPort,
  LastPort,
  BasePort,
  Zone,
  Events,
  ExpectEvents,
  Helper,
  TimeoutPolicy,
  Group,
  Threshold,
  Prefix,
  Queue,
  Queues,
  Mss,
  WindowScale,
  Modulus,
  Offset,
  PortMask,
  PortSet,
  Rate1,
  Rate2,
  PacketRate1,
  PacketRate2,
  Name2,
};

struct FieldPlace {
  Field field = Field::Flags;
  std::uint16_t offset = 0;
  std::uint16_t size = 0;
  bool big_endian = false;
};
struct Layout {
  std::string_view name;
  std::uint32_t revision = 0;
  std::size_t size = 0;  ///< of the structure, aligned as XT_ALIGN does
  std::span<const FieldPlace> fields;
};
/// All that are known; several of one name and revision differ in size. Matches that firewalls and
/// container engines write, those that scripts use now and then, and targets.
[[nodiscard]] std::span<const Layout> common_match_layouts();
[[nodiscard]] std::span<const Layout> rare_match_layouts();
[[nodiscard]] std::span<const Layout> target_layouts();

/// A structure whose layout is known. Looks into the bytes that it was made of.
class Blob {
 public:
  Blob(const Layout& layout, ByteView info) : layout_(&layout), info_(info) {}

  [[nodiscard]] std::string_view name() const { return layout_->name; }
  [[nodiscard]] std::uint32_t revision() const { return layout_->revision; }
  [[nodiscard]] bool has(Field field) const { return place(field) != nullptr; }
  /// A number of 1, 2, 4 or 8 bytes; 0 where the structure has no such field.
  [[nodiscard]] std::uint64_t number(Field field) const;
  [[nodiscard]] std::uint32_t u32(Field field) const {
    return static_cast<std::uint32_t>(number(field));
  }
  [[nodiscard]] std::uint16_t u16(Field field) const {
    return static_cast<std::uint16_t>(number(field));
  }
  [[nodiscard]] std::uint8_t u8(Field field) const {
    return static_cast<std::uint8_t>(number(field));
  }
  /// Number `position` of an array of numbers of `width` bytes; 0 behind its end.
  [[nodiscard]] std::uint32_t item(Field field, std::size_t position, std::size_t width) const;
  [[nodiscard]] ByteView bytes(Field field) const;
  /// Up to its first NUL.
  [[nodiscard]] std::string text(Field field) const;
  /// The address of a union nf_inet_addr, or of a __be32 where it is only that long.
  [[nodiscard]] IpAddress address(Field field, Family family) const;

 private:
  [[nodiscard]] const FieldPlace* place(Field field) const;

  const Layout* layout_;
  ByteView info_;
};

/// Empty: an extension, a revision or a size that is not known. The Blob must not outlive them.
[[nodiscard]] std::optional<Blob> read(const nft::XtMatch& match);
[[nodiscard]] std::optional<Blob> read(const nft::XtTarget& target);

}  // namespace hark::decode::xt
