// Units of systemd: what is known of them, and which socket unit a listener of systemd belongs to.
//
// Three sources, each of which may be missing: the name from a cgroup (cgroup_names.h), unit files
// (unit_files.h), and systemd itself.
#pragma once

#include <optional>

#include "host/host.h"
#include "kernel/source.h"

namespace hark::host {

struct UnitsRequest {
  bool details = true;                   ///< facts of every listener's unit
  bool enabled = false;                  ///< with details: enabled ones in trouble, too
  std::optional<std::uint32_t> own_uid;  ///< effective user of hark, if known
};

/// Fills Host::units and what refers to it. Without details only what the usual table shows:
/// unit files are read if systemd holds a listener, and otherwise nothing is. Enabled services and
/// sockets of the system are in Host::units if systemd says that they have failed, or are started
/// again and again; where it cannot be asked none is.
///
/// A listener that a manager of systemd holds gets as its unit the socket unit whose file asks for
/// that address; of several the first by name. Where the holders of a socket cannot be read, one
/// that was made in init.scope gets socket units that are marked as inferred, and keeps its unit.
void add_units(kernel::Source& source, const UnitsRequest& request, Host& host);

/// By its name, or its program: process 1 may have been started by another name.
[[nodiscard]] bool is_systemd(const Process& process);

/// The cgroup that names a unit may be another manager's: a user's, or one inside a container.
struct UnitPlace {
  bool known = false;                 ///< false: inside a container, or of no systemd
  std::optional<std::uint32_t> user;  ///< whose manager; nothing: the system's
};
[[nodiscard]] UnitPlace place_of_unit(std::string_view cgroup, std::string_view unit);

}  // namespace hark::host
