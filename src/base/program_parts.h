// What a source says of the BPF programs at a place (kernel/source.h, ProgramPlace): parts
// (base/parts.h), one for each kind of attachment that the place has, each an array of
// AttachedBpf or the errno with which the kernel refused. EINVAL: this kernel has no such kind.
// EPERM: CAP_NET_ADMIN, or of Netfilter and Program CAP_SYS_ADMIN, is missing.
//
// The order is part of the recording format: tags may be added, never renumbered.
#pragma once

#include <array>
#include <cstdint>

namespace hark {

enum class ProgramPart : std::uint16_t {
  CgroupIngress = 1,
  CgroupEgress = 2,
  FlowDissector = 3,
  SkLookup = 4,
  /// Of every namespace of the machine: the kernel does not tell of which. Linux 6.4.
  Netfilter = 5,
  TcxIngress = 6,  ///< Linux 6.6
  TcxEgress = 7,
  NetkitPrimary = 8,  ///< Linux 6.7
  NetkitPeer = 9,
  Program = 10,          ///< the one that was asked for
  SkLookupSockets = 11,  ///< an array of AttachedSocket; CAP_SYS_ADMIN, Linux 5.9
};

struct AttachedBpf {
  std::uint32_t id = 0;
  std::uint32_t type = 0;    ///< BPF_PROG_TYPE_*; 0: it could not be looked at
  std::uint32_t flags = 0;   ///< BPF_F_ALLOW_* of a cgroup
  std::uint32_t family = 0;  ///< of Netfilter: NFPROTO_*
  std::uint32_t hook = 0;    ///< NF_INET_*
  std::int32_t priority = 0;
  std::array<std::uint8_t, 8> tag{};  ///< a hash of its code
  std::array<char, 16> name{};        ///< NUL-terminated; empty: it has none, or see `type`
  bool operator==(const AttachedBpf&) const = default;
};
static_assert(sizeof(AttachedBpf) == 48);

/// A socket in a map of a program of SkLookup, which may hand packets to it.
struct AttachedSocket {
  std::uint32_t program = 0;
  std::uint32_t map = 0;
  std::uint64_t cookie = 0;  ///< of sock_diag
  bool operator==(const AttachedSocket&) const = default;
};
static_assert(sizeof(AttachedSocket) == 16);

}  // namespace hark
