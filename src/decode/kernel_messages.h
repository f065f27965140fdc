// Answers of the kernel as tests need them: links, generic netlink, UNIX sockets.
#pragma once

#include <arpa/inet.h>
#include <linux/genetlink.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <sys/socket.h>

#include <string_view>

#include "base/bytes.h"
#include "decode/netlink_attributes.h"

namespace hark::decode {

template <typename T>
Bytes bytes_of(T value) {
  Bytes out;
  append_value(out, value);
  return out;
}

inline void add_attribute(Bytes& to, std::uint16_t type, const Bytes& value) {
  append_attribute(to, type, value);
}

/// An attribute by itself.
inline Bytes attribute(std::uint16_t type, const Bytes& value) {
  Bytes out;
  append_attribute(out, type, value);
  return out;
}

constexpr unsigned kLinkUp = IFF_UP;

inline Bytes link_answer(int index, std::string_view name, std::string_view kind, const Bytes& data,
                         unsigned flags = kLinkUp, bool elsewhere = false) {
  ifinfomsg head{};
  head.ifi_index = index;
  head.ifi_flags = flags;
  Bytes body = bytes_of(head);
  append_attribute(body, IFLA_IFNAME, to_bytes(name));
  Bytes info = attribute(IFLA_INFO_KIND, to_bytes(kind));
  append_attribute(info, IFLA_INFO_DATA, data);
  append_attribute(body, IFLA_LINKINFO, info);
  if (elsewhere) append_attribute(body, IFLA_LINK_NETNSID, bytes_of(std::int32_t{0}));
  return netlink_request(RTM_NEWLINK, 0, body);
}

/// What a vxlan link says of itself; `both`: it has a socket of each family.
inline Bytes vxlan_data(std::uint16_t port, bool both = false) {
  Bytes out = attribute(IFLA_VXLAN_PORT, bytes_of(htons(port)));
  append_attribute(out, IFLA_VXLAN_COLLECT_METADATA,
                   bytes_of(static_cast<std::uint8_t>(both ? 1 : 0)));
  if (!both) append_attribute(out, IFLA_VXLAN_GROUP, bytes_of(htonl(0xef010101)));
  return out;
}

inline Bytes generic_answer(std::uint16_t family, std::uint8_t command, const Bytes& attributes) {
  genlmsghdr head{};
  head.cmd = command;
  Bytes body = bytes_of(head);
  append(body, attributes);
  return netlink_request(family, 0, body);
}

inline Bytes family_answer(std::string_view name, std::uint16_t id) {
  Bytes attributes = attribute(CTRL_ATTR_FAMILY_NAME, to_bytes(name));
  append_attribute(attributes, CTRL_ATTR_FAMILY_ID, bytes_of(id));
  return generic_answer(GENL_ID_CTRL, CTRL_CMD_NEWFAMILY, attributes);
}

inline Bytes unix_socket_answer(std::uint32_t inode, std::uint32_t queue,
                                std::uint8_t type = SOCK_STREAM) {
  unix_diag_msg head{};
  head.udiag_family = AF_UNIX;
  head.udiag_type = type;
  head.udiag_ino = inode;
  Bytes body = bytes_of(head);
  append_attribute(body, UNIX_DIAG_RQLEN,
                   bytes_of(unix_diag_rqlen{.udiag_rqueue = queue, .udiag_wqueue = 0}));
  return netlink_request(SOCK_DIAG_BY_FAMILY, 0, body);
}

}  // namespace hark::decode
