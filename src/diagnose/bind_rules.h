// How bind(2) compares a socket with those that have the port already.
//
// TCP: inet_csk_get_port() and inet_bind_conflict() of net/ipv4/inet_connection_sock.c. listen(2)
// asks the same once more. UDP: udp_lib_get_port() and udp_lib_lport_inuse() of net/ipv4/udp.c.
// Addresses: ipv4_rcv_saddr_equal() and ipv6_rcv_saddr_equal() of the former, where
// `match_wildcard` is true.
//
// Two things are no property of the sockets that are there:
//
//  - The kernel keeps short cuts with a port of TCP (fastreuse, fastreuseport of struct
//    inet_bind_bucket). They tell of sockets that were bound before, some perhaps gone by now, and
//    let one in that the comparison would not.
//  - Of several sockets of UDP that are in the way the one bound last decides.
//
// Both are read where they can be (host/bind_facts.h, `exact`), and are `unread` elsewhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/address.h"
#include "base/protocol.h"
#include "host/bind_facts.h"

namespace hark::diagnose {

enum class Truth : std::uint8_t { No, Maybe, Yes };

/// The socket that would be bound.
struct Binder {
  Protocol protocol = Protocol::Tcp;
  IpAddress address;  ///< its family is the socket's
  std::uint16_t port = 0;
  bool v6only = false;
  std::uint32_t device = 0;  ///< sk_bound_dev_if; 0: none
  std::uint32_t l3mdev = 0;  ///< of TCP: the VRF of whose bucket it is
  bool reuseaddr = false;
  bool reuseport = false;
  std::uint32_t uid = 0;
};

/// Would both be given a packet, by their addresses?
[[nodiscard]] Truth addresses_overlap(const Binder& binder, const decode::BoundRecord& other);

/// And by their devices?
[[nodiscard]] Truth overlaps(const Binder& binder, const decode::BoundRecord& other);

/// Is it in the way of a socket of TCP, short cuts left aside?
[[nodiscard]] Truth conflicts_tcp(const Binder& binder, const decode::BoundRecord& other);

struct PortVerdict {
  Truth taken = Truth::No;
  bool at_listen = false;  ///< taken, but bind(2) does not say so
  std::vector<std::size_t>
      conflicts;                ///< positions in BindFacts::sockets; of Maybe those that may be
  bool flags_unread = false;    ///< Maybe, for want of the flags of these
  bool history_unread = false;  ///< Maybe, for want of what the kernel remembers
};
[[nodiscard]] PortVerdict judge_port(const Binder& binder, const host::BindFacts& facts);

/// Is there a port that the kernel gives to who asks for none? `conflicts` stays empty.
[[nodiscard]] PortVerdict judge_any_port(const Binder& binder, const host::BindFacts& facts);

}  // namespace hark::diagnose
