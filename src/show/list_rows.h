// What a person would call one service: sockets folded into rows.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "host/host.h"

namespace hark::show {

/// One row of the table: one or more listeners of the same namespace, protocol, owners and binding.
struct ListRow {
  std::vector<std::size_t> listeners;  ///< positions in Host::listeners, ascending
  std::vector<std::uint16_t> ports;    ///< ascending, each once
  bool probable_clients = false;       ///< UDP sockets whose ports the kernel chose
};

/// What listeners are sorted by.
enum class SortKey : std::uint8_t {
  Port,
  Protocol,
  Address,
  Name,
  Pid,
  User,
  Unit,
  Container,
  Netns,
  Scope,
  Queue,
  Drops,
  Started,
};
struct SortOrder {
  SortKey key = SortKey::Port;
  bool descending = false;
};

/// Folds the selected listeners: IPv4 and IPv6 twins, reuseport groups, workers that share a
/// socket, and several ports of one service with the same binding. With `unfolded` each listener is
/// its own row. Probable clients stand last whatever the order.
[[nodiscard]] std::vector<ListRow> fold(const host::Host& host,
                                        const std::vector<std::size_t>& selected, SortOrder order,
                                        bool unfolded);

/// "every address", "this host only", "10.0.0.5 only", "every IPv6 address", "every address on
/// eth0"
[[nodiscard]] std::string bound_words(const host::Host& host, const ListRow& row);

/// "nginx (901 +4)  nginx.service", "nobody holds it", "not known: needs root", "kernel: vxlan vx0"
[[nodiscard]] std::string who_words(const host::Host& host, const ListRow& row);

/// "80,443", "10000-10099", "proto 1 (icmp)"
[[nodiscard]] std::string port_words(const host::Host& host, const ListRow& row);

}  // namespace hark::show
