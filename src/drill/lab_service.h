// The little server of `hark lab`: this very program, started under the name of a service. It says
// its name to whoever asks, over HTTP to those who speak it, and can misbehave in many ways:
//
//   postgres -d --listen 127.0.0.1:5432
//
//   -d                    go into the background once it is ready
//   --listen ENDPOINT     10.0.0.5:80, [::]:80, udp/0.0.0.0:53; may be repeated
//   --v6only --reuseport --device NAME --backlog N    options of its sockets
//   --greet TEXT          speaks first
//   --no-listen           binds, and never calls listen()
//   --no-accept           listens, and never accepts
//   --stop                stops itself (SIGSTOP) once it is ready
//   --orphan              leaves the sockets to a `sleep`, and ends
//   --max-files N         may have so many descriptors, and opens them all
//   --need FILE           ends at once if the file is not there
//   --respawn             is started again whenever it ends
//   --connect ENDPOINT --count N    is a client instead: connects so often, and waits
//   --quit                ends those who run under its name
#pragma once

#include <optional>
#include <span>
#include <string>

namespace hark::drill {

/// Where a sandbox keeps what is its own.
constexpr const char* kLabFolder = "/run/hark-lab";
/// Where hark and hark-test are seen. On a machine itself only root could make that folder.
constexpr const char* kLabHark = "/run/hark-lab/hark/";
/// Where services can be started.
constexpr const char* kLabPrograms = "/run/hark-lab/bin/";

/// The service that this process was started as; empty: it is hark.
[[nodiscard]] std::optional<std::string> lab_service_name();

/// Is that service. The exit status.
[[nodiscard]] int run_lab_service(const std::string& name, std::span<const std::string> arguments);

}  // namespace hark::drill
