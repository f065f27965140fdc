#include "reach/sk_lookup.h"

#include <fmt/format.h>

#include <algorithm>

#include "host/near_words.h"

namespace hark::reach {
namespace {

using host::AttachedProgram;
using host::Listener;
using host::SteeredSocket;

bool is_socket(const Listener& listener, const SteeredSocket& socket) {
  if (socket.inode != 0) return listener.socket.inode == socket.inode;
  return listener.socket.cookie && *listener.socket.cookie == socket.cookie;
}

/// bpf_sk_assign() of net/core/filter.c refuses sockets of another protocol or family.
bool can_be_given(const Listener& listener, const Packet& packet) {
  const bool tcp = listener.protocol == Protocol::Tcp || listener.protocol == Protocol::Mptcp;
  if (packet.protocol == kTcp ? !tcp : listener.protocol != Protocol::Udp) return false;
  if (listener.address.family == packet.family) return true;
  return listener.address.family == Family::Inet6 && !listener.v6only.value_or(false);
}

std::string verify(const AttachedProgram& program) {
  return fmt::format("bpftool prog show id {}", program.id);
}

Blocker blocker_of(const AttachedProgram& program, const std::string& text) {
  return {.cause = {.code = "sk-lookup",
                    .text = text,
                    .evidence = {{.fact = words_of(program),
                                  .where = "programs of the namespace",
                                  .verify = verify(program)}}},
          .key = fmt::format("sk-lookup:{}", program.id)};
}

}  // namespace

bool is_sk_lookup(const AttachedProgram& program) {
  return program.where == "sk-lookup";
}

std::string words_of(const AttachedProgram& program) {
  const std::string name = program.name.empty() ? "" : fmt::format(" \"{}\"", program.name);
  return fmt::format("BPF program {}{} (sk_lookup)", program.id, name);
}

std::vector<std::size_t> steers_to(const host::Host& host, const AttachedProgram& program) {
  std::vector<std::size_t> out;
  if (!program.sockets) return out;
  for (std::size_t i = 0; i < host.listeners.size(); ++i) {
    const auto is_this = [&](const SteeredSocket& socket) {
      return is_socket(host.listeners[i], socket);
    };
    if (std::ranges::any_of(*program.sockets, is_this)) out.push_back(i);
  }
  return out;
}

bool has_unknown_sockets(const host::Host& host, const AttachedProgram& program) {
  if (!program.sockets) return true;
  return std::ranges::any_of(*program.sockets, [&](const SteeredSocket& socket) {
    return std::ranges::none_of(
        host.listeners, [&](const Listener& listener) { return is_socket(listener, socket); });
  });
}

Steered steer(World& world, const Packet& packet) {
  constexpr std::size_t kMostSockets = 4;  // each is a way to go of every packet
  Steered out;
  for (const AttachedProgram& program : world.network.programs) {
    if (!is_sk_lookup(program) || world.is_waived(fmt::format("sk-lookup:{}", program.id))) {
      continue;
    }
    const bool many = !program.sockets || program.sockets->size() > kMostSockets;
    std::vector<std::size_t> sockets;
    if (!many) sockets = steers_to(world.host, program);
    std::erase_if(sockets,
                  [&](std::size_t i) { return !can_be_given(world.host.listeners[i], packet); });
    const bool unknown = many || has_unknown_sockets(world.host, program);
    if (unknown) sockets.clear();
    const std::string words = words_of(program);
    const unsigned ways = static_cast<unsigned>(sockets.size()) + (unknown ? 3U : 2U);
    const Condition leaves = {.code = "sk-lookup",
                              .text = words + " leaves it to whoever listens there",
                              .key = fmt::format("sk-lookup:{}", program.id),
                              .doubt = Doubt::Opaque};
    const unsigned way = world.choices.pick(leaves, ways);
    if (way == 0) continue;
    if (way == 1) {
      out.to = Steered::To::Nobody;
      out.blocker = blocker_of(program, words + " drops it, as if nobody listened");
    } else if (unknown) {
      out.to = Steered::To::Unknown;
      out.blocker = blocker_of(program, words + " may hand it to a socket that is not known");
    } else {
      out.to = Steered::To::Socket;
      out.listener = sockets[way - 2];
    }
    return out;
  }
  return out;
}

}  // namespace hark::reach
