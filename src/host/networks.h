// The namespaces of a host between which packets go: what decides in each, and which one is at the
// other end of a link. Read when somebody comes there, and kept.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "host/host.h"
#include "host/network.h"
#include "kernel/source.h"

namespace hark::host {

/// The other end of a link.
struct LinkEnd {
  NetnsId netns{};
  std::uint32_t link = 0;
  auto operator<=>(const LinkEnd&) const = default;
};

/// Several threads may ask at once; know() is before all of them.
class Networks {
 public:
  /// Keeps the references. `ways` are to Host::namespaces.
  Networks(kernel::Source& source, const Host& host, const std::vector<kernel::NetnsRef>& ways)
      : source_(source), host_(host), ways_(ways) {}

  /// One that was read already. Keeps the reference.
  void know(const Network& network) { known_[network.netns] = &network; }
  /// nullptr: it cannot be entered, or not even its links could be read.
  [[nodiscard]] const Network* of(NetnsId id);
  /// The same, perhaps without firewalls, programs and sockets: who is there, not what he does.
  [[nodiscard]] const Network* outline(NetnsId id);
  /// Of a link whose other end the kernel tells: of a pair, the device below a macvlan or a VLAN.
  /// Nothing: there is none, or nobody can say in which namespace it is.
  [[nodiscard]] std::optional<LinkEnd> other_end(const Network& in, const Link& link);
  /// VLANs, macvlans and ipvlans on a link, of every namespace whose links can be read.
  [[nodiscard]] std::vector<LinkEnd> standing_on(const LinkEnd& lower);
  /// Runs a command in that namespace: "nsenter --net=/run/netns/web "; empty: no way is known, or
  /// it is hark's own.
  [[nodiscard]] std::string command_prefix(NetnsId id) const;

 private:
  using Numbers = std::map<std::int32_t, NetnsId>;
  [[nodiscard]] const Numbers& numbers_in(NetnsId id);
  void find_standing(const Network& in);

  [[nodiscard]] std::optional<LinkEnd> find_end(const Network& in, const Link& link);

  std::mutex turn_;  ///< of those below and of the source
  kernel::Source& source_;
  const Host& host_;
  const std::vector<kernel::NetnsRef>& ways_;
  std::map<NetnsId, const Network*> known_;
  std::map<NetnsId, std::unique_ptr<const Network>> read_;
  std::map<NetnsId, std::unique_ptr<const Network>> outlines_;  ///< nullptr: cannot be read
  std::map<NetnsId, Numbers> numbers_;
  /// What stands on each link, once it was looked for.
  std::optional<std::multimap<LinkEnd, LinkEnd>> standing_;
  /// Ends that were found from their other side.
  std::map<LinkEnd, LinkEnd> ends_;
};

}  // namespace hark::host
