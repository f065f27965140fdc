// What is left of a port at which nobody listens, and who should listen there: near misses that
// are no listeners.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/protocol.h"
#include "host/host.h"
#include "host/select.h"
#include "host/service_facts.h"
#include "kernel/source.h"

namespace hark::host {

struct PortQuestion {
  Protocol protocol = Protocol::Tcp;
  std::uint16_t port = 0;
  bool operator==(const PortQuestion&) const = default;
};

/// In this order:
///   bound-not-listening  sockets that have the port and do not listen (of TCP, Linux 6.8)
///   gone                 connections with this local port: somebody listened there. Not of ports
///                        that the kernel gives to clients, where they say nothing
///   should-be            enabled units of systemd that name the port: socket units by Listen*=,
///                        services by the words of ExecStart= and Environment=. With what systemd
///                        says of them; one that is active is left out where it is no socket unit
/// At most three of each. What cannot be read, as most of it from a recording, is not told.
[[nodiscard]] std::vector<Near> near_ports(kernel::Source& source, const kernel::NetnsRef& netns,
                                           const ServiceFacts& facts, PortQuestion asked);

/// Does a command line or an assignment name this port: behind a colon, or as the value of a word
/// that speaks of ports (`--port 80`, `-p80`, `LISTEN_PORT=80`)?
[[nodiscard]] bool names_port(std::string_view words, std::uint16_t port);

}  // namespace hark::host
