// Ports that a command line or an environment says its program listens on.
//
// A word that names a port says nothing by itself: `psql -p 5432` means somebody else's. Rules:
//   - Words that speak of listening (--listen, --bind …) are believed, with an address of this host
//     or none.
//   - Words that speak of a port (--port …) are believed unless another word names a host that is
//   no
//     wildcard, or something remote, and the program is not known to be a server.
//   - Words that say little (-p, -b, an address by itself) only of programs that are known (the
//   table
//     of command_ports.cpp), or if the address is a wildcard, which nobody connects to.
//   - Clients that are known say nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/protocol.h"

namespace hark::host {

struct CommandPort {
  std::string host;                       ///< as written; empty: not said
  std::string port;                       ///< as written, a number or a name
  std::optional<Protocol> protocol = {};  ///< nothing: either
  std::string words;                      ///< "--port 8080"
  bool operator==(const CommandPort&) const = default;
};

constexpr std::size_t kMostCommandPorts = 16;

/// `program` is the last part of its file's name, or what a person calls it. Of a title with blanks
/// in place of a command line the words are taken.
[[nodiscard]] std::vector<CommandPort> ports_of_command(std::string_view program,
                                                        std::span<const std::string> words);

/// Of /proc/PID/environ: kernel/port_variables.h.
[[nodiscard]] std::vector<CommandPort> ports_of_environment(std::string_view environment);

/// A program that talks to others: what it says of ports means theirs.
[[nodiscard]] bool is_client_program(std::string_view program);

/// Is it worth looking at although it holds no listener: a server by its name alone?
[[nodiscard]] bool is_known_server(std::string_view program);

}  // namespace hark::host
