#include "host/container_names.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/text.h"
#include "host/cgroup_names.h"
#include "host/gaps.h"

namespace hark::host {
namespace {

/// A docker host has as many of these folders as it has containers, running or not.
constexpr std::size_t kMostDockerContainers = 4096;

/// The file, or a folder on the way to it, is not there: that is an answer.
bool is_absent(const Error& error) {
  return error.code == ENOENT || error.code == ENOTDIR;
}

/// The namespaces of containerd that its usual clients use; others are looked for only if none of
/// these has the container.
constexpr std::array<const char*, 2> kUsualNamespaces = {"k8s.io", "default"};

/// Its runtime is this host's: that of a container in a container, or of a user's own, keeps its
/// state where it is not looked for.
bool is_outermost(std::string_view cgroup) {
  constexpr std::size_t kIdDigits = 64;
  std::size_t ids = 0;
  std::size_t run = 0;
  for (const char c : cgroup) {
    run = is_id_digit(c) ? run + 1 : 0;
    if (run == kIdDigits) ++ids;
  }
  return ids == 1 && !user_of_cgroup(cgroup);
}

bool may_be_in_path(const std::string& name) {
  return !name.empty() && name.front() != '.' && name.find('/') == std::string::npos;
}

}  // namespace

void ContainerNames::fill(Container& container, std::string_view cgroup) {
  const bool only_pod = container.id.find('-') != std::string::npos;  // the pod's uid stands in
  if (!container.name.empty() || only_pod) return;
  const auto user = user_of_cgroup(cgroup);
  std::string key =
      container.runtime + " " + (user ? std::to_string(*user) : "") + " " + container.id;
  auto found = known_.find(key);
  if (found == known_.end()) {
    Search search = look_up(container, cgroup);
    if (!search.state && search.refused) {
      if (!first_refusal_) first_refusal_ = search.refused;
      unnamed_.insert(key);
    }
    found = known_.emplace(std::move(key), std::move(search)).first;
  }
  const Search& search = found->second;
  // Of Kubernetes it is not known whose containers they are.
  const bool lists_all = container.runtime == "docker" || container.runtime == "podman";
  container.gone =
      lists_all && search.listed && !search.state && !search.refused && is_outermost(cgroup);
  if (!search.state) return;
  container.runtime = search.runtime;
  container.name = search.state->name;
  container.image = search.state->image;
  container.pod = search.state->pod;
  container.pod_namespace = search.state->pod_namespace;
}

ContainerNames::Search ContainerNames::look_up(const Container& container,
                                               std::string_view cgroup) {
  struct Place {
    std::string_view runtime;
    const char* finder;
    void (ContainerNames::*find)(const Container&, const std::string&, Search&);
  };
  static constexpr std::array kPlaces = {
      Place{"docker", "docker", &ContainerNames::in_docker},
      Place{"podman", "podman", &ContainerNames::in_storage},
      Place{"containerd", "containerd", &ContainerNames::in_containerd},
      Place{"cri-o", "cri-o", &ContainerNames::in_crio},
      Place{"kubernetes", "containerd", &ContainerNames::in_containerd},
      Place{"kubernetes", "cri-o", &ContainerNames::in_crio},
      Place{"kubernetes", "docker", &ContainerNames::in_docker},
  };
  Search search;
  for (const std::string& home : homes_of(cgroup)) {
    for (const Place& place : kPlaces) {
      if (place.runtime != container.runtime) continue;
      (this->*place.find)(container, home, search);
      if (!search.state) continue;
      search.runtime = place.finder;
      return search;
    }
  }
  return search;
}

template <typename Decode>
bool ContainerNames::in_file(const std::string& path, const Decode& decode, Search& search) {
  const auto bytes = source_.read_file(path);
  if (!bytes) {
    if (!is_absent(bytes.error()) && !search.refused) search.refused = bytes.error();
    return false;
  }
  auto state = decode(*bytes);
  if (state) {
    search.state = std::move(*state);
  } else if (!search.refused) {
    search.refused = state.error();
  }
  return search.state.has_value();
}

void ContainerNames::in_docker(const Container& container, const std::string& home,
                               Search& search) {
  const DataRoots& roots = data_roots(home);
  if (roots.refused && !search.refused) search.refused = roots.refused;
  for (const std::string& root : roots.paths) {
    const Search& one = docker_file(docker_state_file(root, container.id));
    if (one.refused && !search.refused) search.refused = one.refused;
    search.state = one.state;
    if (search.state) return;
    if (one.refused || search.listed || !knows_all(home)) continue;
    const auto ids = source_.list_folder(docker_containers_folder(root));
    search.listed = ids && !ids->empty() && std::ranges::find(*ids, container.id) == ids->end();
  }
}

/// A daemon that was told on its command line to keep its data elsewhere has lists that we do not
/// know of; nor do we know those of one that has never run.
bool ContainerNames::knows_all(const std::string& home) {
  if (!home.empty()) return false;
  const auto pid = source_.read_file("/run/docker.pid");
  if (!pid) return is_absent(pid.error());
  std::string_view text = as_text(*pid);
  const auto words = source_.read_file("/proc/" + std::string(next_piece(text, '\n')) + "/cmdline");
  if (!words) return is_absent(words.error());
  std::string_view rest = as_text(*words);
  while (!rest.empty()) {
    const std::string_view word = next_piece(rest, '\0');
    if (word == "-g" || word.starts_with("--data-root") || word.starts_with("--graph"))
      return false;
  }
  return true;
}

/// Asked for by the id of a container, and by its address.
const ContainerNames::Search& ContainerNames::docker_file(const std::string& path) {
  const auto [place, added] = docker_files_.try_emplace(path);
  if (added) in_file(path, decode::decode_docker_container, place->second);
  return place->second;
}

void ContainerNames::in_storage(const Container& container, const std::string& home,
                                Search& search) {
  for (const std::string& path : storage_lists(home)) {
    const Storage& one = storage(path);
    if (one.refused && !search.refused) search.refused = one.refused;
    const auto at = std::ranges::lower_bound(one.list, container.id, {}, &State::id);
    search.listed = search.listed || (one.read && home.empty());
    if (at == one.list.end() || at->id != container.id) continue;
    search.state = *at;
    return;
  }
}

void ContainerNames::in_containerd(const Container& container, const std::string& /*home*/,
                                   Search& search) {
  for (const std::string& folder : containerd_task_folders()) {
    const auto look = [&](const std::string& name_space) {
      return in_file(containerd_bundle_file(folder, name_space, container.id),
                     decode::decode_bundle, search);
    };
    if (std::ranges::any_of(kUsualNamespaces, look)) return;
    if (search.refused) continue;  // found, and not ours to read
    if (std::ranges::any_of(containerd_namespaces(folder), look)) return;
  }
}

void ContainerNames::in_crio(const Container& container, const std::string& /*home*/,
                             Search& search) {
  for (const std::string& path : crio_bundle_files(container.id)) {
    if (in_file(path, decode::decode_bundle, search)) return;
  }
}

/// The homes whose state may have it: of the user below whose slice it runs, then "" for the
/// system's own.
std::vector<std::string> ContainerNames::homes_of(std::string_view cgroup) {
  const auto uid = user_of_cgroup(cgroup);
  if (!uid) return {""};
  if (!users_) {
    const auto text = source_.read_file("/etc/passwd");
    users_ = text ? decode::decode_passwd(*text) : std::vector<decode::UserName>{};
  }
  const auto at = std::ranges::lower_bound(*users_, *uid, {}, &decode::UserName::uid);
  const bool known = at != users_->end() && at->uid == *uid && at->home.starts_with('/');
  return known ? std::vector<std::string>{at->home, ""} : std::vector<std::string>{""};
}

const ContainerNames::DataRoots& ContainerNames::data_roots(const std::string& home) {
  const auto [place, added] = data_roots_.try_emplace(home);
  DataRoots& out = place->second;
  if (!added) return out;
  out.paths = docker_data_roots(home);
  const auto text = source_.read_file(docker_config_file(home));
  if (!text) {
    if (!is_absent(text.error())) out.refused = text.error();
    return out;
  }
  const auto told = decode::decode_docker_data_root(*text);
  if (!told) {
    out.refused = told.error();
  } else if (told->starts_with('/')) {
    out.paths.insert(out.paths.begin(), *told);
  }
  return out;
}

const ContainerNames::Storage& ContainerNames::storage(const std::string& path) {
  const auto [place, added] = storages_.try_emplace(path);
  if (!added) return place->second;
  Storage& out = place->second;
  const auto bytes = source_.read_file(path);
  if (!bytes) {
    if (!is_absent(bytes.error())) out.refused = bytes.error();
    return out;
  }
  auto list = decode::decode_storage_containers(*bytes);
  if (list) {
    out.read = true;
    out.list = std::move(*list);
  } else {
    out.refused = list.error();
  }
  return out;
}

const std::vector<std::string>& ContainerNames::containerd_namespaces(const std::string& folder) {
  const auto [place, added] = containerd_namespaces_.try_emplace(folder);
  if (!added) return place->second;
  // A folder that may be passed through but not listed holds nothing of ours: the container would
  // have been found, and refused, in it.
  const auto names = source_.list_folder(folder);
  if (names) std::ranges::copy_if(*names, std::back_inserter(place->second), may_be_in_path);
  return place->second;
}

const ContainerNames::Addresses& ContainerNames::addresses(const std::string& data_root) {
  const auto [place, added] = addresses_.try_emplace(data_root);
  if (!added) return place->second;
  Addresses& out = place->second;
  const auto ids = source_.list_folder(docker_containers_folder(data_root));
  if (!ids) {
    if (!is_absent(ids.error())) out.refused = ids.error();
    return out;
  }
  std::size_t count = 0;
  for (const std::string& id : *ids) {
    if (!may_be_in_path(id) || ++count > kMostDockerContainers) continue;
    const Search& one = docker_file(docker_state_file(data_root, id));
    if (one.refused && !out.refused) out.refused = one.refused;
    if (!one.state) continue;
    for (const IpAddress& address : one.state->addresses) {
      out.by_address.try_emplace(address, *one.state);
    }
  }
  return out;
}

std::optional<Container> ContainerNames::docker_with_address(const IpAddress& address,
                                                             std::string_view cgroup) {
  std::optional<Error> refused;
  for (const std::string& home : homes_of(cgroup)) {
    const DataRoots& roots = data_roots(home);
    if (roots.refused && !refused) refused = roots.refused;
    for (const std::string& root : roots.paths) {
      const Addresses& known = addresses(root);
      if (known.refused && !refused) refused = known.refused;
      const auto found = known.by_address.find(address);
      if (found == known.by_address.end()) continue;
      const State& state = found->second;
      return Container{.runtime = "docker",
                       .id = state.id,
                       .name = state.name,
                       .image = state.image,
                       .pod = state.pod,
                       .pod_namespace = state.pod_namespace};
    }
  }
  if (refused) {
    if (!first_refusal_) first_refusal_ = refused;
    unnamed_.insert("docker at " + address.text());
  }
  return std::nullopt;
}

std::optional<decode::ContainerState> ContainerNames::docker_state(const Container& container,
                                                                   std::string_view cgroup) {
  if (container.runtime != "docker") return std::nullopt;
  for (const std::string& home : homes_of(cgroup)) {
    Search search;
    in_docker(container, home, search);
    if (search.state) return search.state;
  }
  return std::nullopt;
}

std::vector<decode::ContainerState> ContainerNames::running_in_docker() {
  std::vector<State> out = all_of_docker();
  std::erase_if(out, [](const State& one) { return one.pid == 0; });
  return out;
}

std::vector<decode::ContainerState> ContainerNames::all_of_podman(
    const std::vector<Process>& processes) {
  std::set<std::string> cgroups;
  for (const Process& one : processes) {
    if (user_of_cgroup(one.cgroup)) cgroups.insert(one.cgroup);
  }
  std::set<std::string> homes = {""};
  for (const std::string& cgroup : cgroups) {
    for (std::string& home : homes_of(cgroup)) homes.insert(std::move(home));
  }
  std::vector<State> out;
  for (const std::string& home : homes) {
    std::ranges::copy(podman_database(home), std::back_inserter(out));
  }
  return out;
}

std::optional<decode::ContainerState> ContainerNames::podman_state(const Container& container,
                                                                   std::string_view cgroup) {
  if (container.runtime != "podman") return std::nullopt;
  for (const std::string& home : homes_of(cgroup)) {
    const std::vector<State>& all = podman_database(home);
    const auto at = std::ranges::find(all, container.id, &State::id);
    if (at != all.end()) return *at;
  }
  return std::nullopt;
}

const std::vector<decode::ContainerState>& ContainerNames::podman_database(
    const std::string& home) {
  const auto [place, added] = podman_databases_.try_emplace(home);
  if (!added) return place->second;
  for (const std::string& path : podman_databases(home)) {
    const auto file = source_.read_file(path);
    if (!file) continue;
    if (auto all = decode::decode_podman_database(*file)) place->second = std::move(*all);
    break;
  }
  return place->second;
}

std::vector<decode::ContainerState> ContainerNames::all_of_docker() {
  std::vector<State> out;
  const DataRoots& roots = data_roots({});
  for (const std::string& root : roots.paths) {
    const auto ids = source_.list_folder(docker_containers_folder(root));
    if (!ids) continue;
    std::size_t count = 0;
    for (const std::string& id : *ids) {
      if (!may_be_in_path(id) || ++count > kMostDockerContainers) continue;
      const Search& one = docker_file(docker_state_file(root, id));
      if (one.state) out.push_back(*one.state);
    }
  }
  return out;
}

std::optional<Gap> ContainerNames::gap() const {
  if (!first_refusal_) return std::nullopt;
  return gaps::container_names(unnamed_.size(), *first_refusal_);
}

}  // namespace hark::host
