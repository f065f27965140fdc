#include "host/container_files.h"

#include <array>

#include "base/text.h"

namespace hark::host {
namespace {

constexpr std::string_view kDockerState = "/config.v2.json";
constexpr std::string_view kDockerConfig = "/docker/daemon.json";
constexpr std::string_view kStorageList = "-containers/containers.json";
constexpr std::string_view kVolatileList = "-containers/volatile-containers.json";
constexpr std::string_view kBoltDatabase = "containers/storage/libpod/bolt_state.db";
constexpr std::string_view kSqliteDatabase = "containers/storage/db.sql";
constexpr std::string_view kBundleFile = "/config.json";
constexpr std::string_view kTasks = "/io.containerd.runtime.v2.task";
constexpr std::string_view kUserData = "/userdata/config.json";

/// Graph drivers of containers/storage that keep containers, the usual one first.
constexpr std::array<const char*, 4> kDrivers = {"overlay", "btrfs", "vfs", "zfs"};

/// Where podman keeps its data.
std::string library_of(const std::string& home) {
  return home.empty() ? "/var/lib/" : home + "/.local/share/";
}

}  // namespace

std::optional<StateForm> state_form_of(std::string_view path) {
  if (path.ends_with(kDockerState)) return StateForm::DockerContainer;
  if (path.ends_with(kDockerConfig)) return StateForm::DockerDaemon;
  if (path.ends_with(kStorageList) || path.ends_with(kVolatileList)) return StateForm::StorageList;
  if (path.ends_with(kBoltDatabase) || path.ends_with(kSqliteDatabase)) {
    return StateForm::PodmanDatabase;
  }
  const bool task = path.find(kTasks) != std::string_view::npos && path.ends_with(kBundleFile);
  if (task || path.ends_with(kUserData)) return StateForm::Bundle;
  return std::nullopt;
}

std::optional<std::uint32_t> user_of_cgroup(std::string_view cgroup) {
  constexpr std::string_view kBegin = "/user.slice/user-";
  constexpr std::string_view kEnd = ".slice";
  const std::size_t at = cgroup.find(kBegin);
  if (at == std::string_view::npos) return std::nullopt;
  std::string_view rest = cgroup.substr(at + kBegin.size());
  std::string_view part = next_piece(rest, '/');
  if (!part.ends_with(kEnd)) return std::nullopt;
  part.remove_suffix(kEnd.size());
  const auto uid = parse_number<std::uint32_t>(part);
  return uid && *uid != 0 ? uid : std::nullopt;
}

std::string docker_config_file(const std::string& home) {
  return home.empty() ? "/etc/docker/daemon.json" : home + "/.config/docker/daemon.json";
}

std::vector<std::string> docker_data_roots(const std::string& home) {
  if (!home.empty()) return {home + "/.local/share/docker"};
  return {"/var/lib/docker", "/var/snap/docker/common/var-lib-docker"};
}

std::string docker_containers_folder(const std::string& data_root) {
  return data_root + "/containers";
}

std::string docker_state_file(const std::string& data_root, const std::string& id) {
  return docker_containers_folder(data_root) + "/" + id + std::string(kDockerState);
}

std::vector<std::string> podman_databases(const std::string& home) {
  const std::string root = library_of(home);
  return {root + std::string(kBoltDatabase), root + std::string(kSqliteDatabase)};
}

std::vector<std::string> storage_lists(const std::string& home) {
  const std::string root = library_of(home) + "containers/storage/";
  std::vector<std::string> out;
  for (const char* driver : kDrivers) {
    for (const std::string_view list : {kStorageList, kVolatileList}) {
      out.push_back(root + driver + std::string(list));
    }
  }
  return out;
}

std::vector<std::string> containerd_task_folders() {
  return {"/run/containerd" + std::string(kTasks), "/run/k3s/containerd" + std::string(kTasks)};
}

std::string containerd_bundle_file(const std::string& task_folder, const std::string& name_space,
                                   const std::string& id) {
  return task_folder + "/" + name_space + "/" + id + std::string(kBundleFile);
}

std::vector<std::string> crio_bundle_files(const std::string& id) {
  std::vector<std::string> out;
  for (const char* driver : kDrivers) {
    out.push_back("/run/containers/storage/" + std::string(driver) + "-containers/" + id +
                  std::string(kUserData));
  }
  return out;
}

}  // namespace hark::host
