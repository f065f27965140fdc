// Values of nf_tables as nft(8) prints them: addresses, names of protocols, flags, marks, times.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/bytes.h"
#include "host/network.h"

namespace hark::reach::ruletext {

/// How a value is shown.
enum class Show : std::uint8_t {
  Decimal,
  Hex,  ///< of what has no name: "0x5"
  Exists,
  String,
  Ipv4,
  Ipv6,
  Ether,
  EtherType,
  ArpOp,
  Protocol,
  IcmpType,
  IcmpCode,
  Icmpv6Type,
  Icmpv6Code,
  IcmpxCode,
  IgmpType,
  MhType,
  DccpType,
  TcpFlags,
  Mark,
  Ifindex,
  Ifname,
  IfaceType,
  Group,
  Classid,
  CtState,
  CtStatus,
  CtDirection,
  CtEvent,
  CtLabel,
  Nfproto,
  PacketType,
  Dscp,
  Ecn,
  FibType,
  Date,
  Hour,
  Day,
  Milliseconds,
};
[[nodiscard]] Show show_of(decode::nft::DataType type);

/// Names that only the host knows.
using LinkName = std::function<std::string(std::uint32_t)>;

/// Big-endian bytes, or text as it stands in memory, as a value. `numeric`: without names, as nft
/// prints the ends of a range.
[[nodiscard]] std::string value_text(Show show, ByteView value, const LinkName& link_name,
                                     bool numeric = false);
/// A word of flags, lowest first, with commas; a value that has none is "0x0".
[[nodiscard]] bool is_flags(Show show);
/// Are there prefixes of such values? Addresses.
[[nodiscard]] bool has_prefixes(Show show);
/// Is it text, which has no byte order?
[[nodiscard]] bool is_text(Show show);

/// "name", with nothing escaped: as nft does it.
[[nodiscard]] std::string quoted(std::string_view text);
/// "1h30m", "500ms"
[[nodiscard]] std::string duration_text(std::uint64_t milliseconds);
/// "10 mbytes": the largest unit without a rest.
[[nodiscard]] std::string bytes_text(std::uint64_t bytes);
/// Name of a protocol of IP; empty: none that is known here.
[[nodiscard]] std::string_view protocol_name(std::uint32_t number);
/// The first 8 bytes at most as a number.
[[nodiscard]] std::uint64_t number_in(ByteView big_endian);

}  // namespace hark::reach::ruletext
