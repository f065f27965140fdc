// What the path of a cgroup says about who put a process there: systemd's unit, a container.
// systemd: src/basic/cgroup-util.c (cg_path_get_unit and its user twin) describes the layout in
// systemd.slice(5) terms; container runtimes: the paths they create, by cgroup driver.
//
// A path is a claim, not a proof: whoever may create cgroups chooses their names.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "host/host.h"

namespace hark::host {

/// As in a container's id: runtimes write it in small letters.
[[nodiscard]] constexpr bool is_id_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

/// The unit by which a person would restart what runs there, or empty:
///   "/system.slice/nginx.service" → "nginx.service", also below a plain folder ("/docker/ID/…")
///   "/user.slice/…/user@1000.service/app.slice/foo.service" → "foo.service", the user's own unit;
///   the user's manager itself, in its init.scope, is "user@1000.service"
///   "/system.slice/docker-ID.scope" → "": a scope that a runtime made for a container says no
///   more than the container does
///   "/system.slice/docker-ID.scope/system.slice/nginx.service" → "nginx.service": the unit inside
///   the container counts if there is none around it
///   "/system.slice/grafana.service/libpod-payload-ID" → "grafana.service": a service does count
/// Names escaped with a leading underscore lose it; `\x2d` stays, as systemctl wants it. A unit's
/// name has no other characters than systemd allows, so it is safe to print.
[[nodiscard]] std::string unit_of_cgroup(std::string_view path);

/// docker, podman, containerd, cri-o, lxc, nspawn, or kubernetes where the pod shows but not the
/// runtime; systemd and cgroupfs drivers, version 1 and 2 paths. Of containers inside containers
/// the innermost. Its id, and the name where the path has one (lxc, nspawn): any bytes but '/'.
/// The helpers of a runtime beside the container (conmon, lxc.monitor) are in none, or in the pod
/// if they are in one. Virtual machines are no containers.
[[nodiscard]] std::optional<Container> container_of_cgroup(std::string_view path);

/// Of a path that is in a container, the part that is the container's whole: what its own systemd,
/// or its runtime, made below is left out.
[[nodiscard]] std::string cgroup_of_container(std::string_view path);

}  // namespace hark::host
