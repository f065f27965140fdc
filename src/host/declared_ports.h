// Who says that somebody listens where: command lines and environments of programs that run, the
// configuration files of servers that run, socket units that are enabled. Whether anybody does is
// for diagnose to compare.
//
// Only what runs is asked: the configuration of a server that does not run declares nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/protocol.h"
#include "host/host.h"
#include "kernel/source.h"

namespace hark::host {

struct DeclaredPort {
  enum class By : std::uint8_t { CommandLine, Environment, File, SocketUnit, Container, Rule };
  By by = By::CommandLine;
  std::uint16_t port = 0;
  std::optional<Protocol> protocol = {};  ///< nothing: TCP or UDP
  /// Where; nothing: it is not said, or by a name. A wildcard means all of its family.
  std::optional<IpAddress> address = {};
  bool everywhere = false;  ///< at every address of any family
  NetnsId netns{};
  std::string program = {};  ///< as a person calls it; of a unit its name
  std::uint32_t pid = 0;     ///< 0: a unit
  bool listens = false;      ///< the process holds some listener
  std::optional<std::int64_t> started_at_ms = {};
  /// "--port 8080", "PORT=8080", "ListenStream=8080", "published as 0.0.0.0:8080"; empty: a file
  std::string words = {};
  std::string file = {};  ///< as hark finds it; with `line`
  std::uint32_t line = 0;
  std::string state = {};       ///< of a unit: "inactive" …; empty: not known
  std::string runtime = {};     ///< of a container
  std::uint16_t published = 0;  ///< the port on the host by which others come; 0: none
  std::string shown_by = {};    ///< of a rule: the command that shows it
  bool operator==(const DeclaredPort&) const = default;
};

/// Bounds: processes without a listener of which the name is looked at, and owners of which the
/// environment is.
constexpr std::size_t kMostOtherProcesses = 1024;
constexpr std::size_t kMostEnvironments = 512;
constexpr std::size_t kMostDeclaredPorts = 4096;

/// Of owners of listeners in namespaces that were entered, of servers known by name that hold no
/// listener there, and of systemd. Each once, however many processes say so; in no order that
/// means anything.
[[nodiscard]] std::vector<DeclaredPort> read_declared_ports(kernel::Source& source,
                                                            const Host& host);

}  // namespace hark::host
