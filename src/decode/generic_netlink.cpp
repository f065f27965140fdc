#include "decode/generic_netlink.h"

#include <arpa/inet.h>
#include <linux/fou.h>
#include <linux/genetlink.h>
#include <linux/l2tp.h>
#include <linux/mptcp.h>
#include <linux/netlink.h>
#include <linux/tipc_netlink.h>
#include <linux/wireguard.h>

#include <array>
#include <cstring>
#include <functional>

#include "decode/netlink_attributes.h"

namespace hark::decode {
namespace {

constexpr std::uint16_t kDump = NLM_F_REQUEST | NLM_F_DUMP;
constexpr std::size_t kLongestName = 255;

// linux/nfsd_netlink.h, which is not among the headers of every system that hark is built on.
constexpr std::uint8_t kNfsdListenerGet = 7;     // NFSD_CMD_LISTENER_GET
constexpr std::uint16_t kNfsdServerSock = 1;     // NFSD_A_SERVER_SOCK_ADDR
constexpr std::uint16_t kNfsdSockAddress = 1;    // NFSD_A_SOCK_ADDR
constexpr std::uint16_t kNfsdSockTransport = 2;  // NFSD_A_SOCK_TRANSPORT_NAME

Bytes request(std::uint16_t family, std::uint8_t command, std::uint16_t flags,
              ByteView attributes = {}) {
  genlmsghdr header{};
  header.cmd = command;
  header.version = 1;
  Bytes body;
  append_value(body, header);
  append(body, attributes);
  return netlink_request(family, flags, body);
}

/// Calls `read` for each attribute of each message.
Result<void> each_attribute(ByteView messages, std::uint16_t family, const char* what,
                            const std::function<void()>& begin,
                            const std::function<void(const NetlinkAttribute&)>& read) {
  NetlinkAnswer answer(messages, family, what);
  while (const auto body = answer.next()) {
    ByteReader reader(*body);
    reader.take(sizeof(genlmsghdr));
    if (!reader.ok()) return fail(answer.reject("the message is too short"));
    begin();
    NetlinkAttributes attributes(reader.take(reader.left()));
    while (const auto attribute = attributes.next()) read(*attribute);
    if (attributes.broken()) {
      return fail(answer.reject("an attribute is cut off or has an impossible length"));
    }
  }
  if (answer.error()) return fail(*answer.error());
  return {};
}

std::uint16_t host_port(const NetlinkAttribute& attribute) {
  return attribute.value<std::uint16_t>().value_or(0);
}

std::uint16_t network_port(const NetlinkAttribute& attribute) {
  return ntohs(attribute.value<std::uint16_t>().value_or(0));
}

std::optional<IpAddress> address_in(ByteView bytes, Family family) {
  IpAddress out{.family = family};
  if (bytes.size() != out.bits() / 8) return std::nullopt;
  std::memcpy(out.bytes.data(), bytes.data(), bytes.size());
  return out;
}

void set_address(KernelSocket& socket, ByteView bytes, Family family) {
  const auto address = address_in(bytes, family);
  if (!address) return;
  socket.address = *address;
  socket.family = family;
}

/// A struct sockaddr_in or sockaddr_in6, perhaps in the frame of a sockaddr_storage.
void set_socket_address(KernelSocket& socket, ByteView bytes) {
  sa_family_t family = 0;
  if (bytes.size() < sizeof family) return;
  std::memcpy(&family, bytes.data(), sizeof family);
  constexpr std::size_t kPort = 2;
  const bool inet = family == AF_INET && bytes.size() >= sizeof(sockaddr_in);
  const bool inet6 = family == AF_INET6 && bytes.size() >= sizeof(sockaddr_in6);
  if (!inet && !inet6) return;
  std::uint16_t port = 0;
  std::memcpy(&port, bytes.data() + kPort, sizeof port);
  socket.port = ntohs(port);
  if (inet) {
    set_address(socket, bytes.subspan(offsetof(sockaddr_in, sin_addr), sizeof(in_addr)),
                Family::Inet);
  } else {
    set_address(socket, bytes.subspan(offsetof(sockaddr_in6, sin6_addr), sizeof(in6_addr)),
                Family::Inet6);
  }
}

void set_name(KernelSocket& socket, std::string_view name) {
  socket.name = name.substr(0, kLongestName);
}

/// Keeps the records that name a port.
std::vector<KernelSocket> with_port(std::vector<KernelSocket> sockets) {
  std::erase_if(sockets, [](const KernelSocket& socket) { return socket.port == 0; });
  return sockets;
}

using ReadSocket = void (*)(const NetlinkAttribute&, KernelSocket&);

/// One record a message.
Result<std::vector<KernelSocket>> each_message(ByteView messages, std::uint16_t family,
                                               const char* what, ReadSocket read) {
  std::vector<KernelSocket> out;
  const auto done = each_attribute(
      messages, family, what, [&] { out.emplace_back(); },
      [&](const NetlinkAttribute& attribute) { read(attribute, out.back()); });
  if (!done) return fail(done.error());
  return with_port(std::move(out));
}

void read_fou(const NetlinkAttribute& attribute, KernelSocket& socket) {
  switch (attribute.type) {
    case FOU_ATTR_PORT:
      socket.port = network_port(attribute);
      break;
    case FOU_ATTR_AF: {
      const auto family = attribute.value<std::uint8_t>();
      if (family == AF_INET) socket.family = Family::Inet;
      if (family == AF_INET6) socket.family = Family::Inet6;
      break;
    }
    case FOU_ATTR_LOCAL_V4:
      set_address(socket, attribute.bytes, Family::Inet);
      break;
    case FOU_ATTR_LOCAL_V6:
      set_address(socket, attribute.bytes, Family::Inet6);
      break;
    case FOU_ATTR_TYPE:
      set_name(socket, attribute.value<std::uint8_t>() == FOU_ENCAP_GUE ? "gue" : "fou");
      break;
    default:
      break;
  }
}

void read_l2tp(const NetlinkAttribute& attribute, KernelSocket& socket) {
  switch (attribute.type) {
    case L2TP_ATTR_UDP_SPORT:
      socket.port = host_port(attribute);
      break;
    case L2TP_ATTR_IP_SADDR:
      set_address(socket, attribute.bytes, Family::Inet);
      break;
    case L2TP_ATTR_IP6_SADDR:
      set_address(socket, attribute.bytes, Family::Inet6);
      break;
    case L2TP_ATTR_CONN_ID:
      set_name(socket, "tunnel " + std::to_string(attribute.value<std::uint32_t>().value_or(0)));
      break;
    default:
      break;
  }
}

void read_tipc(const NetlinkAttribute& attribute, KernelSocket& socket) {
  if (attribute.type != TIPC_NLA_BEARER) return;
  NetlinkAttributes bearer(attribute.bytes);
  while (const auto part = bearer.next()) {
    if (part->type == TIPC_NLA_BEARER_NAME) set_name(socket, part->text());
    if (part->type != TIPC_NLA_BEARER_UDP_OPTS) continue;
    NetlinkAttributes udp(part->bytes);
    while (const auto option = udp.next()) {
      if (option->type == TIPC_NLA_UDP_LOCAL) set_socket_address(socket, option->bytes);
    }
  }
}

void read_mptcp(const NetlinkAttribute& attribute, KernelSocket& socket) {
  if (attribute.type != MPTCP_PM_ATTR_ADDR) return;
  socket.protocol = Protocol::Mptcp;
  NetlinkAttributes endpoint(attribute.bytes);
  while (const auto part = endpoint.next()) {
    switch (part->type) {
      case MPTCP_PM_ADDR_ATTR_PORT:
        socket.port = host_port(*part);
        break;
      case MPTCP_PM_ADDR_ATTR_ADDR4:
        set_address(socket, part->bytes, Family::Inet);
        break;
      case MPTCP_PM_ADDR_ATTR_ADDR6:
        set_address(socket, part->bytes, Family::Inet6);
        break;
      case MPTCP_PM_ADDR_ATTR_ID:
        set_name(socket, std::to_string(part->value<std::uint8_t>().value_or(0)));
        break;
      default:
        break;
    }
  }
}

}  // namespace

Bytes families_request() {
  return request(GENL_ID_CTRL, CTRL_CMD_GETFAMILY, kDump);
}

Result<std::vector<GenericFamily>> decode_families(ByteView messages) {
  std::vector<GenericFamily> out;
  const auto done = each_attribute(
      messages, GENL_ID_CTRL, "list of generic netlink families", [&] { out.emplace_back(); },
      [&](const NetlinkAttribute& attribute) {
        GenericFamily& family = out.back();
        if (attribute.type == CTRL_ATTR_FAMILY_ID) {
          family.id = attribute.value<std::uint16_t>().value_or(0);
        }
        if (attribute.type == CTRL_ATTR_FAMILY_NAME) {
          family.name = attribute.text().substr(0, GENL_NAMSIZ - 1);
        }
      });
  if (!done) return fail(done.error());
  // Below GENL_MIN_ID are netlink's own messages: no family can be meant.
  std::erase_if(out, [](const GenericFamily& family) {
    return family.id < GENL_MIN_ID || family.name.empty();
  });
  return out;
}

Bytes wireguard_request(std::uint16_t family, std::uint32_t index) {
  Bytes value;
  append_value(value, index);
  Bytes attributes;
  append_attribute(attributes, WGDEVICE_A_IFINDEX, value);
  return request(family, WG_CMD_GET_DEVICE, kDump, attributes);
}

Result<std::uint16_t> decode_wireguard_port(ByteView messages, std::uint16_t family) {
  std::uint16_t port = 0;
  const auto done = each_attribute(
      messages, family, "wireguard answer", [] {},
      [&](const NetlinkAttribute& attribute) {
        if (attribute.type == WGDEVICE_A_LISTEN_PORT) port = host_port(attribute);
      });
  if (!done) return fail(done.error());
  return port;
}

Bytes fou_request(std::uint16_t family) {
  return request(family, FOU_CMD_GET, kDump);
}
Result<std::vector<KernelSocket>> decode_fou(ByteView messages, std::uint16_t family) {
  return each_message(messages, family, "fou answer", read_fou);
}

Bytes l2tp_request(std::uint16_t family) {
  return request(family, L2TP_CMD_TUNNEL_GET, kDump);
}
Result<std::vector<KernelSocket>> decode_l2tp(ByteView messages, std::uint16_t family) {
  return each_message(messages, family, "l2tp answer", read_l2tp);
}

Bytes tipc_request(std::uint16_t family) {
  return request(family, TIPC_NL_BEARER_GET, kDump);
}
Result<std::vector<KernelSocket>> decode_tipc(ByteView messages, std::uint16_t family) {
  return each_message(messages, family, "tipc answer", read_tipc);
}

Bytes mptcp_request(std::uint16_t family) {
  return request(family, MPTCP_PM_CMD_GET_ADDR, kDump);
}
Result<std::vector<KernelSocket>> decode_mptcp(ByteView messages, std::uint16_t family) {
  return each_message(messages, family, "mptcp answer", read_mptcp);
}

Bytes nfsd_request(std::uint16_t family) {
  return request(family, kNfsdListenerGet, NLM_F_REQUEST);
}

Result<std::vector<KernelSocket>> decode_nfsd(ByteView messages, std::uint16_t family) {
  std::vector<KernelSocket> out;
  const auto done = each_attribute(
      messages, family, "nfsd answer", [] {},
      [&](const NetlinkAttribute& attribute) {
        if (attribute.type != kNfsdServerSock) return;
        KernelSocket& socket = out.emplace_back();
        NetlinkAttributes parts(attribute.bytes);
        while (const auto part = parts.next()) {
          if (part->type == kNfsdSockAddress) set_socket_address(socket, part->bytes);
          if (part->type == kNfsdSockTransport) {
            set_name(socket, part->text());
            socket.protocol = part->text() == "udp" ? Protocol::Udp : Protocol::Tcp;
          }
        }
      });
  if (!done) return fail(done.error());
  return with_port(std::move(out));
}

}  // namespace hark::decode
