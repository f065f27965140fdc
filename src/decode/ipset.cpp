#include "decode/ipset.h"

#include <arpa/inet.h>
#include <linux/netfilter/ipset/ip_set.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include <cstring>

#include "decode/netlink_attributes.h"

namespace hark::decode {
namespace {

/// Of newer kernels than the headers here: bitmask of hash:ip, hash:ip,port, hash:net,net (6.1).
constexpr std::uint16_t kAttributeBitmask = 12;
constexpr std::uint16_t kListType = NFNL_SUBSYS_IPSET << 8U | IPSET_CMD_LIST;

template <typename T>
std::optional<T> big_endian(const NetlinkAttribute& attribute) {
  const auto raw = attribute.value<T>();
  if (!raw) return std::nullopt;
  if constexpr (sizeof(T) == 2) return ntohs(*raw);
  return static_cast<T>(ntohl(*raw));
}

std::optional<IpAddress> read_address(const NetlinkAttribute& attribute) {
  NetlinkAttributes inner(attribute.bytes);
  const auto address = inner.next();
  if (!address) return std::nullopt;
  IpAddress out;
  const std::size_t size = address->type == IPSET_ATTR_IPADDR_IPV4 ? 4 : 16;
  if (address->type != IPSET_ATTR_IPADDR_IPV4 && address->type != IPSET_ATTR_IPADDR_IPV6)
    return std::nullopt;
  if (address->bytes.size() != size) return std::nullopt;
  out.family = size == 4 ? Family::Inet : Family::Inet6;
  std::memcpy(out.bytes.data(), address->bytes.data(), size);
  return out;
}

/// False: the attribute is not of its form.
template <typename T, typename Value>
bool set_to(T& to, const std::optional<Value>& value) {
  if (!value) return false;
  to = *value;
  return true;
}

bool read_flags(const NetlinkAttribute& attribute, IpSetElement& to) {
  const auto flags = big_endian<std::uint32_t>(attribute);
  if (!flags) return false;
  to.physdev = (*flags & IPSET_FLAG_PHYSDEV) != 0;
  to.nomatch = (*flags & IPSET_FLAG_NOMATCH) != 0;
  to.wildcard = (*flags & IPSET_FLAG_IFACE_WILDCARD) != 0;
  return true;
}

bool read_mac(const NetlinkAttribute& attribute, IpSetElement& to) {
  std::array<std::uint8_t, 6> mac{};
  if (attribute.bytes.size() != mac.size()) return false;
  std::memcpy(mac.data(), attribute.bytes.data(), mac.size());
  to.mac = mac;
  return true;
}

/// Of attributes that are not about whether an element matches (counters, comments, skbinfo) it
/// takes no notice.
bool read_part(const NetlinkAttribute& attribute, IpSetElement& to) {
  switch (attribute.type) {
    case IPSET_ATTR_IP:
      return set_to(to.address, read_address(attribute));
    case IPSET_ATTR_CIDR:
      return set_to(to.length, attribute.value<std::uint8_t>());
    case IPSET_ATTR_IP2:
      return set_to(to.address2, read_address(attribute));
    case IPSET_ATTR_CIDR2:
      return set_to(to.length2, attribute.value<std::uint8_t>());
    case IPSET_ATTR_PORT:
      return set_to(to.port, big_endian<std::uint16_t>(attribute));
    case IPSET_ATTR_PROTO:
      return set_to(to.protocol, attribute.value<std::uint8_t>());
    case IPSET_ATTR_MARK:
      return set_to(to.mark, big_endian<std::uint32_t>(attribute));
    case IPSET_ATTR_TIMEOUT:
      return set_to(to.timeout_s, big_endian<std::uint32_t>(attribute));
    case IPSET_ATTR_CADT_FLAGS:
      return read_flags(attribute, to);
    case IPSET_ATTR_ETHER:
      return read_mac(attribute, to);
    case IPSET_ATTR_IFACE:
      to.interface = attribute.text();
      return true;
    case IPSET_ATTR_NAME:
      to.set = attribute.text();
      return true;
    // A range that the kernel itself would never write.
    case IPSET_ATTR_IP_TO:
    case IPSET_ATTR_PORT_TO:
    case IPSET_ATTR_IP2_TO:
      return false;
    default:
      return true;
  }
}

std::optional<IpSetElement> read_element(ByteView bytes) {
  IpSetElement out;
  NetlinkAttributes attributes(bytes);
  while (const auto attribute = attributes.next())
    if (!read_part(*attribute, out)) return std::nullopt;
  if (attributes.broken()) return std::nullopt;
  const auto whole = [](const std::optional<IpAddress>& address, std::uint8_t& length) {
    if (address && length == 0) length = static_cast<std::uint8_t>(address->bits());
    return !address || length <= address->bits();
  };
  if (!whole(out.address, out.length) || !whole(out.address2, out.length2)) return std::nullopt;
  return out;
}

bool read_header_part(const NetlinkAttribute& attribute, IpSetHeader& to) {
  switch (attribute.type) {
    case IPSET_ATTR_IP:
      return set_to(to.first, read_address(attribute));
    case IPSET_ATTR_IP_TO:
      return set_to(to.last, read_address(attribute));
    case IPSET_ATTR_PORT:
      return set_to(to.first_port, big_endian<std::uint16_t>(attribute));
    case IPSET_ATTR_PORT_TO:
      return set_to(to.last_port, big_endian<std::uint16_t>(attribute));
    case IPSET_ATTR_NETMASK:
      return set_to(to.netmask, attribute.value<std::uint8_t>());
    case IPSET_ATTR_MARKMASK:
      return set_to(to.markmask, big_endian<std::uint32_t>(attribute));
    case IPSET_ATTR_TIMEOUT:
      return set_to(to.timeout_s, big_endian<std::uint32_t>(attribute));
    case kAttributeBitmask:
      to.strange = true;
      return true;
    default:
      return true;
  }
}

bool read_header_data(ByteView bytes, IpSetHeader& to) {
  NetlinkAttributes attributes(bytes);
  while (const auto attribute = attributes.next())
    if (!read_header_part(*attribute, to)) return false;
  return !attributes.broken();
}

bool read_elements(ByteView bytes, std::vector<IpSetElement>& to) {
  NetlinkAttributes attributes(bytes);
  while (const auto attribute = attributes.next()) {
    if (attribute->type != IPSET_ATTR_DATA) continue;
    auto element = read_element(attribute->bytes);
    if (!element) return false;
    to.push_back(std::move(*element));
  }
  return !attributes.broken();
}

std::optional<Family> family_of(std::uint8_t number) {
  if (number == AF_INET) return Family::Inet;
  if (number == AF_INET6) return Family::Inet6;
  return std::nullopt;
}

/// One message: the first of a set has its header, the following only its name and more elements.
bool read_top(const NetlinkAttribute& attribute, IpSetContents& to) {
  switch (attribute.type) {
    case IPSET_ATTR_SETNAME:
      to.header.name = attribute.text();
      return true;
    case IPSET_ATTR_TYPENAME:
      to.header.type = attribute.text();
      return true;
    case IPSET_ATTR_REVISION:
      return set_to(to.header.revision, attribute.value<std::uint8_t>());
    case IPSET_ATTR_FAMILY: {
      const auto family = attribute.value<std::uint8_t>();
      if (family) to.header.family = family_of(*family);
      return family.has_value();
    }
    case IPSET_ATTR_INDEX:
      return set_to(to.header.index, big_endian<std::uint16_t>(attribute));
    case IPSET_ATTR_DATA:
      return read_header_data(attribute.bytes, to.header);
    case IPSET_ATTR_ADT:
      return read_elements(attribute.bytes, to.elements);
    default:
      return true;
  }
}

/// Calls `take` with what each message says.
template <typename Take>
Result<bool> read_all(ByteView messages, const Take& take) {
  NetlinkAnswer answer(messages, kListType, "ipset answer");
  while (const auto body = answer.next()) {
    ByteReader reader(*body);
    static_cast<void>(reader.value<nfgenmsg>());
    if (!reader.ok()) return fail(answer.reject("it is cut off"));
    IpSetContents one;
    NetlinkAttributes attributes(body->subspan(sizeof(nfgenmsg)));
    while (const auto attribute = attributes.next())
      if (!read_top(*attribute, one)) return fail(answer.reject("an attribute is not of its form"));
    if (attributes.broken()) return fail(answer.reject("its attributes are cut off"));
    if (one.header.name.empty()) return fail(answer.reject("a set without a name"));
    if (!take(std::move(one))) return fail(answer.reject("it is of another set"));
  }
  if (answer.error()) return fail(*answer.error());
  return true;
}

Bytes list_request(std::string_view name, std::uint32_t flags) {
  Bytes body;
  append_value(body, nfgenmsg{AF_INET, NFNETLINK_V0, 0});
  append_attribute(body, IPSET_ATTR_PROTOCOL, as_bytes(std::string_view("\7", 1)));
  if (!name.empty()) {
    const std::string text = std::string(name) + '\0';
    append_attribute(body, IPSET_ATTR_SETNAME, as_bytes(text));
  }
  Bytes number;
  append_value(number, htonl(flags));
  if (flags != 0) append_attribute(body, IPSET_ATTR_FLAGS | NLA_F_NET_BYTEORDER, number);
  return netlink_request(kListType, NLM_F_REQUEST | NLM_F_DUMP, body);
}

}  // namespace

Bytes ipset_headers_request() {
  return list_request({}, IPSET_FLAG_LIST_HEADER);
}

Bytes ipset_elements_request(std::string_view name) {
  return list_request(name, 0);
}

Result<std::vector<IpSetHeader>> decode_ipset_headers(ByteView messages) {
  std::vector<IpSetHeader> out;
  const auto read = read_all(messages, [&](IpSetContents one) {
    // Only the first message of a set has its type.
    if (!one.header.type.empty()) out.push_back(std::move(one.header));
    return true;
  });
  if (!read) return fail(read.error());
  return out;
}

Result<IpSetContents> decode_ipset(ByteView messages) {
  std::optional<IpSetContents> out;
  const auto read = read_all(messages, [&](IpSetContents one) {
    if (!out) {
      out = std::move(one);
      return !out->header.type.empty();
    }
    if (one.header.name != out->header.name) return false;
    out->elements.insert(out->elements.end(), one.elements.begin(), one.elements.end());
    return true;
  });
  if (!read) return fail(read.error());
  if (!out) return fail(plain_error("ipset answer", "it is empty"));
  return std::move(*out);
}

}  // namespace hark::decode
