#include "reach/socket_lookup.h"

#include "reach/socket_choice.h"

namespace hark::reach {

std::optional<SocketView> find_socket(World& world, const Packet& packet) {
  const auto chosen = choose_socket(world, packet);
  if (!chosen) return std::nullopt;
  const host::Listener& listener = world.host.listeners[*chosen];
  SocketView out;
  out.wildcard = listener.address.is_unspecified();
  out.cgroup = listener.socket.cgroup;
  const host::SocketFacts* facts = world.network.services.socket(listener.socket.inode);
  if (facts != nullptr) out.transparent = facts->transparent;
  return out;
}

}  // namespace hark::reach
