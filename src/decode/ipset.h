// ipset's sets, as its part of nfnetlink lists them: linux/netfilter/ipset/ip_set.h,
// net/netfilter/ipset/ip_set_core.c (ip_set_dump_do) and the `list` functions of ip_set_hash_*.c,
// ip_set_bitmap_*.c, ip_set_list_set.c.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"
#include "base/result.h"

namespace hark::decode {

struct IpSetHeader {
  std::string name;
  std::string type;  ///< "hash:net,port"
  std::uint8_t revision = 0;
  /// Which family its addresses are of; empty: of none (hash:mac, bitmap:port, list:set).
  std::optional<Family> family = {};
  /// By which rules refer to it; empty where the kernel speaks only protocol 6 (before 4.20).
  std::optional<std::uint16_t> index = {};
  /// Addresses are cut to so many bits before they are looked for; of hash:ip and bitmap:ip.
  std::optional<std::uint8_t> netmask = {};
  std::uint32_t markmask = 0xffffffff;  ///< of hash:ip,mark
  std::optional<IpAddress> first = {};  ///< of bitmap:ip and bitmap:ip,mac: its range
  std::optional<IpAddress> last = {};
  std::optional<std::uint16_t> first_port = {};  ///< of bitmap:port
  std::optional<std::uint16_t> last_port = {};
  std::optional<std::uint32_t> timeout_s = {};  ///< of elements without one of their own
  /// Its header has something that would change a lookup and is not known here (a bitmask).
  bool strange = false;
  bool operator==(const IpSetHeader&) const = default;
};

struct IpSetElement {
  std::optional<IpAddress> address = {};
  std::uint8_t length = 0;  ///< bits of `address` that count
  std::optional<IpAddress> address2 = {};
  std::uint8_t length2 = 0;
  std::optional<std::uint16_t> port = {};
  std::optional<std::uint8_t> protocol = {};
  std::optional<std::array<std::uint8_t, 6>> mac = {};
  std::optional<std::uint32_t> mark = {};
  std::string interface = {};
  bool physdev = false;                         ///< `interface` is a port of a bridge
  bool wildcard = false;                        ///< `interface` is the beginning of a name
  bool nomatch = false;                         ///< an exception from a wider element
  std::string set = {};                         ///< of list:set
  std::optional<std::uint32_t> timeout_s = {};  ///< what is left; 0: for ever
  bool operator==(const IpSetElement&) const = default;
};

struct IpSetContents {
  IpSetHeader header;
  std::vector<IpSetElement> elements;  ///< in the order of the dump
  bool operator==(const IpSetContents&) const = default;
};

/// A dump of all sets without their elements, and one of one set with them. Need CAP_NET_ADMIN.
[[nodiscard]] Bytes ipset_headers_request();
[[nodiscard]] Bytes ipset_elements_request(std::string_view name);

[[nodiscard]] Result<std::vector<IpSetHeader>> decode_ipset_headers(ByteView messages);
/// Messages of one set.
[[nodiscard]] Result<IpSetContents> decode_ipset(ByteView messages);

}  // namespace hark::decode
