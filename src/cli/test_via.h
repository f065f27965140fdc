// hark test --via: the same targets from other places, side by side.
//
// Each place is a process: `hark test --json` of this program in another namespace, or over ssh
// that of another host. A host without hark is sent a script of plain sh, which tries TCP with what
// is there: bash, python3, nc or curl. What fails from elsewhere and is one of this host's
// addresses is asked of `hark why`, which knows whether the cause is on this side.
#pragma once

#include <string>
#include <vector>

#include "cli/commands.h"
#include "cli/test_target.h"

namespace hark::cli {

enum class PlaceKind : std::uint8_t { Ssh, Netns };
struct Place {
  PlaceKind kind = PlaceKind::Netns;
  std::string written;  ///< "ssh:web2"
  std::string name;     ///< "web2"; "container:db": as --netns takes it
};
/// `ssh:HOST`, `ssh:USER@HOST`, `netns:NAME`, `container:NAME`.
[[nodiscard]] Result<Place> parse_place(const std::string& word);

/// The script for the shell of another host: runs hark if it has a test command, else tries each
/// HOST:PORT itself and prints a line of five fields. Words are quoted: it may be sent anywhere.
[[nodiscard]] std::string place_script(const std::vector<std::string>& targets,
                                       std::uint32_t timeout_ms);

/// Interrupted, when the descriptor `stop` becomes readable, it tells what is known.
[[nodiscard]] Outcome test_via(const Invocation& asked, const std::vector<TestTarget>& targets,
                               int stop, Output& out);

}  // namespace hark::cli
