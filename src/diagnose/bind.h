// Would bind(2), and for TCP listen(2), succeed? Decided from facts alone: hark never binds to find
// out. The kernel's checks in their order: net/ipv4/af_inet.c (__inet_bind), net/ipv6/af_inet6.c
// (__inet6_bind), then the comparison of bind_rules.h.
//
// Not asked: programs of cgroups that refuse a bind (BPF_CGROUP_INET4_BIND), Landlock, and policies
// of security modules; the facts say where one of the last is at work.
//
// Judged by real calls in tests/netns/bind_test.cpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/protocol.h"
#include "diagnose/bind_rules.h"
#include "host/bind_facts.h"
#include "host/host.h"
#include "host/network.h"
#include "reach/world.h"

namespace hark::diagnose {

struct BindQuestion {
  Protocol protocol = Protocol::Tcp;
  IpAddress address;
  std::uint16_t port = 0;   ///< 0: the kernel picks one
  std::string zone = {};    ///< of "fe80::1%eth0": the interface of a link-local address
  std::string device = {};  ///< SO_BINDTODEVICE
  bool reuseaddr = false;
  bool reuseport = false;
  bool v6only = false;  ///< of IPv6
  bool operator==(const BindQuestion&) const = default;
};

/// The call that fails.
enum class BindCall : std::uint8_t { Socket, SetSockOpt, Bind, Listen };
/// "socket", "setsockopt", "bind", "listen"
[[nodiscard]] std::string_view name_of(BindCall call);

struct BindAnswer {
  BindQuestion question;
  /// errno of the call that fails, 0: all succeed; empty: it cannot be told, `gaps` say why.
  std::optional<int> error = 0;
  BindCall call = BindCall::Bind;  ///< of an error
  reach::Cause cause;
  /// Positions in BindFacts::sockets: all that are in the way; with `error` empty all that may be.
  std::vector<std::size_t> conflicts = {};
  std::optional<std::uint16_t> nearest_free = {};  ///< where the port is the trouble
  std::vector<std::string> notes = {};             ///< sentences without their full stop
  std::vector<host::Gap> gaps = {};                ///< of this question alone
};

struct BindWorld {
  const host::Host& host;
  const host::Network& network;
  const host::BindFacts& facts;
};

[[nodiscard]] BindAnswer bind_outcome(const BindWorld& world, const BindQuestion& question);

/// "10.0.0.5:80", "[::1]:80"
[[nodiscard]] std::string endpoint_text(const IpAddress& address, std::uint16_t port);

}  // namespace hark::diagnose
