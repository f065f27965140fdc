// The wire between kernel::Source::bound_sockets and decode: which parts (base/parts.h) the buffer
// holds. It is part of the recording format: tags may be added, never renumbered.
//
//   Buckets   BindBucket[], of TCP: what the kernel remembers of a port between two bind(2)
//   Sockets   BindEntry[], every socket that has the port; of UDP in the order in which bind(2)
//             compares them
#pragma once

#include <array>
#include <cstdint>

namespace hark {

enum class BoundPart : std::uint16_t { Buckets = 1, Sockets = 2 };

/// struct sock_common, and of full sockets struct sock (net/sock.h).
struct BindEntry {
  std::uint64_t cookie = 0;           ///< 0: nobody has asked the kernel for one yet
  std::uint32_t inode = 0;            ///< 0: it has no file
  std::uint32_t uid = 0;              ///< 0 of one in TIME_WAIT, which has none
  std::uint32_t interface_index = 0;  ///< 0: bound to none
  std::uint32_t l3mdev = 0;           ///< of its bucket
  std::uint16_t port = 0;
  std::uint16_t remote_port = 0;
  std::uint16_t family = 0;  ///< AF_*
  std::uint8_t state = 0;    ///< TCP_* of net/tcp_states.h
  std::uint8_t reuse = 0;    ///< SO_REUSEADDR
  std::uint8_t reuseport = 0;
  std::uint8_t v6only = 0;
  std::array<std::uint8_t, 6> unused{};
  std::array<std::uint8_t, 16> address{};
  std::array<std::uint8_t, 16> remote{};
  bool operator==(const BindEntry&) const = default;
};
static_assert(sizeof(BindEntry) == 72);

/// struct inet_bind_bucket (net/inet_hashtables.h): the short cuts of inet_csk_get_port().
struct BindBucket {
  std::uint32_t l3mdev = 0;  ///< index of the VRF that it is of; 0: of none
  std::uint32_t uid = 0;     ///< fastuid
  std::uint16_t port = 0;
  std::uint16_t family = 0;   ///< fast_sk_family
  std::int8_t reuse = 0;      ///< fastreuse
  std::int8_t reuseport = 0;  ///< fastreuseport: FASTREUSEPORT_ANY 1, FASTREUSEPORT_STRICT 2
  std::uint8_t v6only = 0;    ///< fast_ipv6_only
  std::uint8_t unused = 0;
  std::array<std::uint8_t, 4> v4{};   ///< fast_rcv_saddr
  std::array<std::uint8_t, 16> v6{};  ///< fast_v6_rcv_saddr
  bool operator==(const BindBucket&) const = default;
};
static_assert(sizeof(BindBucket) == 36);

}  // namespace hark
