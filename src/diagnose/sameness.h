// Who and where something is, as far as it lasts: what is left of an owner when it has been started
// again, of a container when it has been made anew, of a namespace when its number is another.
#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "host/host.h"

namespace hark::diagnose {

/// Unknown: that could not be read on one of the sides.
enum class Same : unsigned char { No, Unknown, Yes };

/// Who holds a socket, or several of one group. Pids, and how many there are, do not matter.
struct Who {
  bool known = true;  ///< false: the owners could not be read
  /// Of those that were started by no other holder. A helper that one of them has started, and that
  /// inherited the socket, is nobody; a part of the kernel is "kernel vxlan vx0". With a socket
  /// unit empty: systemd holds it, and the service may run or not.
  std::set<std::string> programs;
  std::set<std::string> users;    ///< whom these run as
  std::set<std::string> workers;  ///< whom their children run as that are the same program
  std::string unit;               ///< without those that are named anew each time
  std::optional<host::Container> container;

  [[nodiscard]] bool is_nobody() const { return known && programs.empty() && unit.empty(); }
};

[[nodiscard]] Who who_of(const host::Host& host, const std::vector<std::size_t>& listeners);
[[nodiscard]] Same same_who(const Who& before, const Who& after);
[[nodiscard]] Same same_container(const std::optional<host::Container>& before,
                                  const std::optional<host::Container>& after);

/// "web-7d9f8bc54f-x2x7p" and "web-x2x7p" as "web": Kubernetes makes up the rest anew for each pod.
[[nodiscard]] std::string lasting_pod_name(std::string_view pod);
/// What stays of a container: its name, with its pod's; without one its id.
[[nodiscard]] std::string lasting_name(const host::Container& container);

/// A word for each namespace, the same for those that are one: by its name, without one by the
/// container or the unit that is in it, and else by what listens there on both sides.
struct NetnsWords {
  std::vector<std::string> before;  ///< by NetnsId
  std::vector<std::string> after;
};
[[nodiscard]] NetnsWords match_namespaces(const host::Host& before, const host::Host& after);

}  // namespace hark::diagnose
