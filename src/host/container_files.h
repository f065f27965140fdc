// Where container runtimes keep what they know of a container, and who may read it. Each is the
// default of its runtime's source; a runtime that was told to keep its state elsewhere by an option
// of its command line leaves us with the id.
//
//   docker      DATA-ROOT/containers/ID/config.v2.json, 0600 in folders 0710 (moby,
//               daemon/container/container.go). DATA-ROOT: "data-root" of /etc/docker/daemon.json,
//               else /var/lib/docker, or the snap's. Rootless: ~/.config/docker/daemon.json, else
//               ~/.local/share/docker.
//   podman      GRAPH-ROOT/DRIVER-containers/containers.json, of containers made with --rm
//               volatile-containers.json, 0600 in folders 0700 (containers/storage, containers.go,
//               store.go). GRAPH-ROOT: /var/lib/containers/storage, rootless
//               ~/.local/share/containers/storage (types/options.go).
//               Its own database, which has the ports: GRAPH-ROOT/libpod/bolt_state.db, or, if
//               there is none, GRAPH-ROOT/db.sql, since podman 4.8 (libpod/runtime.go).
//   containerd  STATE/io.containerd.runtime.v2.task/NAMESPACE/ID/config.json, in a folder 0700 of
//               one 0711 (core/runtime/v2/bundle.go). STATE: /run/containerd, k3s and rke2
//               /run/k3s/containerd.
//   cri-o       /run/containers/storage/DRIVER-containers/ID/userdata/config.json, in folders 0700
//   lxc, nspawn the cgroup has the name; nothing is read
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hark::host {

/// What is written in a state file.
enum class StateForm : std::uint8_t {
  DockerContainer,
  DockerDaemon,
  StorageList,
  PodmanDatabase,
  Bundle
};

/// The form of a state file that one of the functions below names; nothing for any other path.
[[nodiscard]] std::optional<StateForm> state_form_of(std::string_view path);

/// The user below whose slice a cgroup lies ("/user.slice/user-1000.slice/…"), who may have made
/// the container without rights. Nothing: no user's, or root's.
[[nodiscard]] std::optional<std::uint32_t> user_of_cgroup(std::string_view cgroup);

/// dockerd's configuration; `home`: of a user's own daemon, else empty.
[[nodiscard]] std::string docker_config_file(const std::string& home);
/// Where dockerd keeps its data if its configuration does not say.
[[nodiscard]] std::vector<std::string> docker_data_roots(const std::string& home);
/// The folder of all containers, and the state file of one.
[[nodiscard]] std::string docker_containers_folder(const std::string& data_root);
[[nodiscard]] std::string docker_state_file(const std::string& data_root, const std::string& id);

/// Lists of all containers of one storage, in the order in which they are worth asking.
[[nodiscard]] std::vector<std::string> storage_lists(const std::string& home);

/// podman's own database: the first that is there counts.
[[nodiscard]] std::vector<std::string> podman_databases(const std::string& home);

/// The folders in which containerd has one folder for each of its namespaces.
[[nodiscard]] std::vector<std::string> containerd_task_folders();
[[nodiscard]] std::string containerd_bundle_file(const std::string& task_folder,
                                                 const std::string& name_space,
                                                 const std::string& id);

[[nodiscard]] std::vector<std::string> crio_bundle_files(const std::string& id);

}  // namespace hark::host
