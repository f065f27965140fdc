// A small host for tests of this folder: one namespace, one link, whatever a test adds.
#pragma once

#include <string>
#include <vector>

#include "host/host.h"
#include "host/network.h"
#include "reach/choices.h"
#include "reach/packet.h"
#include "reach/world.h"

namespace hark::reach {

inline IpAddress ip(const char* text) {
  return IpAddress::parse(text).value_or(IpAddress{});
}

struct TestWorld {
  host::Host host;
  host::Network network;
  Choices choices;
  std::vector<Step> path;
  std::vector<std::string> assumptions;
  std::vector<std::string> waived;

  TestWorld() {
    host.namespaces.push_back({.inode = 1, .name = "host", .own = true, .entered = true});
    host::Link eth0;
    eth0.index = 2;
    eth0.name = "eth0";
    eth0.flags = 1;
    network.links.push_back(eth0);
  }

  [[nodiscard]] World world() {
    return {.host = host,
            .network = network,
            .choices = choices,
            .path = path,
            .assumptions = assumptions,
            .waived = waived};
  }

  host::Listener& listen(Protocol protocol, const char* address, std::uint16_t port) {
    host::Listener listener;
    listener.protocol = protocol;
    listener.address = ip(address);
    listener.port = port;
    listener.state = protocol == Protocol::Tcp || protocol == Protocol::Mptcp ? host::State::Listen
                                                                              : host::State::Unconn;
    if (listener.address.family == Family::Inet6) listener.v6only = false;
    listener.socket.inode = static_cast<std::uint32_t>(100 + host.listeners.size());
    host.listeners.push_back(listener);
    return host.listeners.back();
  }

  host::Process& owned(host::Listener& listener, std::uint32_t pid, char state) {
    host::Process process;
    process.pid = pid;
    process.name = "server";
    process.state = state;
    host.processes.push_back(process);
    if (!listener.owners) listener.owners.emplace();
    listener.owners->push_back(
        {.process = static_cast<host::ProcessId>(host.processes.size() - 1), .fds = {3}});
    return host.processes.back();
  }
};

inline Packet packet_to(std::uint8_t protocol, const char* destination, std::uint16_t port) {
  Packet packet;
  packet.family = ip(destination).family;
  packet.protocol = protocol;
  packet.tuple.source = ip(packet.family == Family::Inet ? "10.9.0.2" : "fd00::2");
  packet.tuple.destination = ip(destination);
  packet.tuple.source_port = 40000;
  packet.tuple.destination_port = port;
  packet.in = 2;
  return packet;
}

}  // namespace hark::reach
