#include "reach/socket_choice.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "host/near_words.h"
#include "reach/socket_options.h"

namespace hark::reach {
namespace {

using host::Listener;

/// Where the kernel looks first and where next: sockets bound to the address, then to every one.
enum class Bucket : std::uint8_t { Address, Any };

bool speaks(const Listener& listener, std::uint8_t protocol) {
  switch (listener.protocol) {
    case Protocol::Tcp:
    case Protocol::Mptcp:
      return protocol == kTcp && listener.state == host::State::Listen;
    case Protocol::Udp:
      return protocol == kUdp;
    case Protocol::Udplite:
      return protocol == kUdplite;
    case Protocol::Raw:
      return false;
  }
  return false;
}

/// Does a socket of this family and binding take packets of that family at all?
bool takes_family(const Listener& listener, Family family) {
  if (family == Family::Inet6) {
    return listener.address.family == Family::Inet6 && !listener.address.is_v4_mapped();
  }
  if (listener.address.family == Family::Inet || listener.address.is_v4_mapped()) return true;
  return listener.address.is_unspecified() && listener.v6only == false;
}

bool in_bucket(const Listener& listener, const IpAddress& destination, Bucket bucket) {
  if (bucket == Bucket::Any) return listener.address.is_unspecified();
  return listener.address.unmapped() == destination;
}

std::optional<std::int32_t> l3mdev_accept(const host::NetSettings& settings,
                                          std::uint8_t protocol) {
  return protocol == kTcp ? settings.l3mdev_accept_tcp : settings.l3mdev_accept_udp;
}

/// inet_bound_dev_eq()
bool takes_device(const World& world, const Listener& listener, const Packet& packet) {
  const ReceivingDevice received = receiving_device(world.network, packet.in);
  if (listener.interface_index == 0) {
    return received.slave == 0 ||
           l3mdev_accept(world.network.settings, packet.protocol).value_or(0) != 0;
  }
  return listener.interface_index == received.device || listener.interface_index == received.slave;
}

/// Of a listener of the namespace and the port. Higher is better; 0: does not get it.
int score(const World& world, const Listener& listener, const Packet& packet, Bucket bucket) {
  if (!speaks(listener, packet.protocol) || !takes_family(listener, packet.family) ||
      !in_bucket(listener, packet.tuple.destination, bucket) ||
      !takes_device(world, listener, packet)) {
    return 0;
  }
  // TCP gives 1 for the device and 1 for the family, so that a dual-stack socket bound to the
  // device and an IPv4 one that is not are equal; UDP weighs the device more.
  const int device = packet.protocol == kTcp ? 1 : 4;
  const int family = packet.family == listener.address.family ? 2 : 1;
  return (listener.interface_index != 0 ? device : 0) + family;
}

bool is_shared(const World& world, const Listener& listener) {
  return option(world, listener, OptionPart::ReusePort).value_or(0) != 0;
}

/// Those of IPv6 with SO_REUSEPORT stand behind all others (__inet_hash, udp_lib_get_port).
bool stands_behind(const World& world, const Listener& listener) {
  return listener.address.family == Family::Inet6 && is_shared(world, listener);
}

/// A socket with SO_REUSEPORT that the kernel meets before a better one gets the packet, it or
/// another of its group (inet_lookup_reuseport): the walk ends there. In which order sockets stand
/// is not told otherwise.
std::vector<std::size_t> best_of(const World& world, const Packet& packet, Bucket bucket) {
  std::vector<std::pair<std::size_t, int>> takers;
  int most = 0;
  const std::uint16_t port = packet.tuple.destination_port;
  for (const Listener& one : host::listeners_at(world.host, world.network.netns, port)) {
    const int points = score(world, one, packet, bucket);
    if (points == 0) continue;
    most = std::max(most, points);
    takers.emplace_back(static_cast<std::size_t>(&one - world.host.listeners.data()), points);
  }
  std::vector<std::size_t> best;
  bool behind = false;  // does any of them stand there?
  for (const auto& [i, points] : takers) {
    if (points != most) continue;
    best.push_back(i);
    behind = behind || stands_behind(world, world.host.listeners[i]);
  }
  for (const auto& [i, points] : takers) {
    const Listener& listener = world.host.listeners[i];
    if (points == most || !is_shared(world, listener)) continue;
    if (behind || !stands_behind(world, listener)) best.push_back(i);
  }
  return best;
}

std::string port_words(const Packet& packet) {
  const std::string address = packet.tuple.destination.text();
  const bool ipv6 = packet.family == Family::Inet6;
  return (ipv6 ? "[" + address + "]" : address) + ":" +
         std::to_string(packet.tuple.destination_port);
}

struct Miss {
  const char* code = "no-socket";
  int rank = 0;
};

/// What a listener of the same port lacks to get this packet; the higher the rank the nearer.
Miss what_lacks(const World& world, const Listener& listener, const Packet& packet) {
  if (!speaks(listener, packet.protocol) || listener.port != packet.tuple.destination_port) {
    return {};
  }
  if (listener.netns != world.network.netns) return {"namespace-mismatch", 1};
  const bool address =
      listener.address.is_unspecified() || listener.address.unmapped() == packet.tuple.destination;
  if (address && takes_family(listener, packet.family)) return {"bound-other-dev", 5};
  if (packet.family == Family::Inet && listener.address.family == Family::Inet6 &&
      listener.address.is_unspecified()) {
    return {"v6only", 4};
  }
  if (takes_family(listener, packet.family)) return {"bound-other-addr", 3};
  return {"bound-other-addr", 2};
}

/// A socket that has the port and would get the packet if only it listened.
std::optional<Cause> bound_without_listening(const World& world, const Packet& packet) {
  for (const host::BoundSocket& bound : world.network.services.bound) {
    if (bound.port != packet.tuple.destination_port) continue;
    const IpAddress address = bound.address.unmapped();
    const bool family = address.family == packet.family ||
                        (address.family == Family::Inet6 && address.is_unspecified());
    if (!family || (!address.is_unspecified() && address != packet.tuple.destination)) continue;
    const std::string text = "a socket has " + port_words(packet) + ", but does not listen";
    return Cause{
        .code = "bound-not-listening",
        .text = text,
        .evidence = {
            {.fact = "socket inode " + std::to_string(bound.inode) + " is bound and inactive",
             .where = "sockets",
             .verify = "ss -Htanp state bound-inactive sport = :" + std::to_string(bound.port)}}};
  }
  return std::nullopt;
}

}  // namespace

ReceivingDevice receiving_device(const host::Network& network, std::uint32_t in) {
  const host::Link* link = network.link(in);
  if (link == nullptr || link->master == 0) return {.device = in, .slave = 0};
  const host::Link* master = network.link(link->master);
  if (master == nullptr || master->kind != "vrf") return {.device = in, .slave = 0};
  return {.device = master->index, .slave = in};
}

std::vector<std::size_t> best_sockets(const World& world, const Packet& packet) {
  auto best = best_of(world, packet, Bucket::Address);
  if (best.empty()) best = best_of(world, packet, Bucket::Any);
  return best;
}

std::optional<std::size_t> choose_socket(World& world, const Packet& packet) {
  const auto best = best_sockets(world, packet);
  if (best.empty()) return std::nullopt;
  if (best.size() == 1) return best.front();
  const Condition condition = {.code = "reuseport",
                               .text = std::to_string(best.size()) + " sockets share " +
                                       port_words(packet) + ", and the kernel picks one",
                               .key = "socket:" + port_words(packet),
                               .doubt = Doubt::Chance};
  return best[world.choices.pick(condition, static_cast<unsigned>(best.size()))];
}

Cause no_socket(const World& world, const Packet& packet) {
  if (packet.protocol == kTcp) {
    if (auto cause = bound_without_listening(world, packet)) return std::move(*cause);
  }
  Miss nearest;
  const Listener* meant = nullptr;
  for (const Listener& listener : world.host.listeners) {
    const Miss miss = what_lacks(world, listener, packet);
    if (miss.rank <= nearest.rank) continue;
    nearest = miss;
    meant = &listener;
  }
  const bool tcp = packet.protocol == kTcp;
  const std::string port = std::to_string(packet.tuple.destination_port);
  const std::string verify = std::string(tcp ? "ss -Htlnp" : "ss -Hulnp") + " sport = :" + port;
  Cause cause = {.code = nearest.code,
                 .text = "nobody listens on " + port_words(packet),
                 .evidence = {{.fact = "no " + std::string(tcp ? "tcp" : "udp") + " socket for " +
                                       port_words(packet),
                               .where = "sockets",
                               .verify = verify}}};
  if (meant != nullptr) {
    cause.evidence.push_back(
        {.fact = host::listener_words(world.host, *meant), .where = "sockets", .verify = verify});
    cause.text += "; " + host::listener_words(world.host, *meant);
  }
  return cause;
}

}  // namespace hark::reach
