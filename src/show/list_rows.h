// What a person would call one service: sockets folded into rows.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "host/host.h"
#include "reach/reach_table.h"

namespace hark::show {

/// One row of the table: one or more listeners of the same namespace, protocol, owners and binding,
/// or a port that is published without one.
struct ListRow {
  std::vector<std::size_t> listeners;  ///< positions in Host::listeners, ascending, at least one
                                       ///< but where `published` has any
  std::vector<std::uint16_t> ports;    ///< ascending, each once
  bool probable_clients = false;       ///< UDP sockets whose ports the kernel chose
  /// Positions in ReachTable::published(): one, or its twin of the other family as well.
  std::vector<std::size_t> published = {};
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
  Reach,
};
struct SortOrder {
  SortKey key = SortKey::Port;
  bool descending = false;
};

/// Folds the selected listeners: IPv4 and IPv6 twins, reuseport groups, workers that share a
/// socket, and several ports of one service with the same binding. With `unfolded` each listener is
/// its own row. Probable clients stand last whatever the order, and rows without the value that is
/// sorted by stand after those that have it. With `reach` ports of one service that are not open to
/// the same are not folded.
[[nodiscard]] std::vector<ListRow> fold(const host::Host& host,
                                        const std::vector<std::size_t>& selected, SortOrder order,
                                        bool unfolded, const reach::ReachTable* reach = nullptr,
                                        const std::vector<std::size_t>& published = {});

/// The namespace that the row is of.
[[nodiscard]] host::NetnsId netns_of(const host::Host& host, const ListRow& row,
                                     const reach::ReachTable* reach);

// The words of a row. They are ASCII but for the names in them and an arrow, and not escaped: names
// are hostile text, and only the medium knows how to show them.

/// "every address", "this host only", "10.0.0.5 only", "every IPv6 address", "every address on
/// eth0". Never says more than is known: [::] whose v6only could not be read is "every IPv6
/// address, perhaps IPv4". Probable clients of several bindings have "several addresses".
[[nodiscard]] std::string bound_words(const host::Host& host, const ListRow& row);

/// "nginx (901 +4)  nginx.service", "sshd (812, stopped)  ssh.service", "nobody holds it",
/// "ssh.service  owner not readable", "user www-data  owner not readable",
/// "docker-proxy (912) → web (172.17.0.2:80)", with "->" where `ascii` is wanted
[[nodiscard]] std::string who_words(const host::Host& host, const ListRow& row, bool ascii = false);

/// "80,443", "10000-10099", "80,443,8080 and 54 more"; raw: the protocol, "icmp" or "253"
[[nodiscard]] std::string port_words(const host::Host& host, const ListRow& row);

}  // namespace hark::show
