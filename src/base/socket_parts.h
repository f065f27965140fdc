// The wire between kernel::Source::scan_sockets and decode: which parts (base/parts.h) the buffer
// holds. It is part of the recording format: tags may be added, never renumbered.
//
//   Namespaces    SurveyedNetns[], every network namespace of the machine
//   Files         SurveyedFile[], every socket of any of them that may be a listener
//   Sockets       SurveyedSocket[], the same in full, where that was asked for
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace hark {

enum class SocketPart : std::uint16_t { Namespaces = 1, Sockets = 2, Files = 3 };

/// How much is told of each socket.
enum class SurveyDepth : std::uint8_t {
  Files,  ///< what SurveyedFile has
  Full,   ///< and what SurveyedSocket has
};

struct SurveyedNetns {
  std::uint32_t inode = 0;
  std::uint16_t first_port = 0;  ///< net.ipv4.ip_local_port_range
  std::uint16_t last_port = 0;
  bool operator==(const SurveyedNetns&) const = default;
};
static_assert(sizeof(SurveyedNetns) == 8);

/// From so many namespaces with sockets on it is quicker to survey their sockets in full than to
/// enter each.
constexpr std::size_t kManyNamespaces = 8;

/// A socket, and whether it is anybody's.
struct SurveyedFile {
  std::uint32_t netns = 0;  ///< inode of its namespace
  std::uint32_t inode = 0;
  std::uint8_t state = 0;     ///< TCP_* of net/tcp_states.h
  std::uint8_t has_file = 0;  ///< 0: no process ever had a descriptor for it: the kernel made it
  std::uint8_t family = 0;    ///< AF_*
  std::uint8_t protocol = 0;  ///< as SurveyedSocket has it; TCP for MPTCP too
  bool operator==(const SurveyedFile&) const = default;
};
static_assert(sizeof(SurveyedFile) == 12);

/// As sock_diag tells it (net/ipv4/inet_diag.c), and whose file it is not: the kernel's.
struct SurveyedSocket {
  std::uint64_t cookie = 0;     ///< 0: nobody has asked the kernel for one yet
  std::uint64_t cgroup_id = 0;  ///< 0: not known
  std::uint32_t netns = 0;      ///< inode of its namespace
  std::uint32_t inode = 0;
  std::uint32_t uid = 0;
  std::uint32_t interface_index = 0;
  std::uint32_t queue_length = 0;
  std::uint32_t queue_limit = 0;
  std::uint32_t drops = 0;
  std::uint16_t port = 0;  ///< raw: the IP protocol number
  std::uint16_t remote_port = 0;
  std::uint16_t family = 0;    ///< AF_*
  std::uint16_t protocol = 0;  ///< IPPROTO_*; 255 (IPPROTO_RAW): any raw socket
  std::uint8_t state = 0;      ///< TCP_* of net/tcp_states.h
  std::uint8_t v6only = 0;
  std::uint8_t has_file = 0;  ///< 0: no process ever had a descriptor for it: the kernel made it
  std::uint8_t unused = 0;
  std::array<std::uint8_t, 16> address{};
  bool operator==(const SurveyedSocket&) const = default;
};
static_assert(sizeof(SurveyedSocket) == 72);

}  // namespace hark
