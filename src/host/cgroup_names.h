// What the path of a cgroup says about who put a process there: systemd's unit, a container.
// systemd: src/basic/cgroup-util.c (cg_path_get_unit and its user twin) describes the layout in
// systemd.slice(5) terms; container runtimes: the paths they create, by cgroup driver.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "host/host.h"

namespace hark::host {

/// "/system.slice/nginx.service" → "nginx.service". Below a user's manager the user's unit:
/// "/user.slice/…/user@1000.service/app.slice/foo.service" → "foo.service". Names escaped with a
/// leading underscore lose it. A container's inner units count only if the path has no outer one.
/// Empty: no unit in the path.
[[nodiscard]] std::string unit_of_cgroup(std::string_view path);

/// docker, podman, containerd, cri-o, lxc, systemd-nspawn, Kubernetes pods; systemd and cgroupfs
/// drivers, version 1 and 2 paths. Runtime, id and, where the path has it, the name.
[[nodiscard]] std::optional<Container> container_of_cgroup(std::string_view path);

}  // namespace hark::host
