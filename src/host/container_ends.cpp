// Whether anything runs in a container tells its cgroup, whatever the runtime: it goes with the
// last process (the runtimes remove it), and comes back under the same path when the container is
// started again. docker and podman write down more.
#include "host/container_ends.h"

#include <algorithm>
#include <cerrno>
#include <map>
#include <utility>

#include "base/text.h"
#include "host/cgroup_folders.h"
#include "host/cgroup_names.h"
#include "host/container_names.h"

namespace hark::host {
namespace {

/// Runtimes start their containers anew after a boot, and may count that like any other restart.
constexpr std::int64_t kBootingMs = 300'000;

bool is_same(const Container& a, const Container& b) {
  if (a.pod.empty() || b.pod.empty()) return a.runtime == b.runtime && a.id == b.id;
  return a.pod == b.pod && a.pod_namespace == b.pod_namespace && a.name == b.name;
}

bool has_own_namespace(const Host& host) {
  return std::ranges::any_of(host.namespaces,
                             [](const Netns& one) { return one.own && one.entered; });
}

class Reader {
 public:
  Reader(kernel::Source& source, const Host& host)
      : source_(source), host_(host), names_(source), own_(has_own_namespace(host)) {}

  std::vector<ContainerEnd> read(const std::vector<OomKill>& kills) {
    if (own_) add_restarted();
    for (const OomKill& one : kills) add_kill(one);
    std::vector<ContainerEnd> out;
    for (auto& [key, end] : ends_) {
      if (is_worth_telling(end)) out.push_back(std::move(end));
    }
    return out;
  }

 private:
  using Key = std::pair<std::string, std::string>;

  void add_restarted() {
    const auto clock = source_.clock();
    const bool booting = clock && clock->boottime_ms < kBootingMs;
    if (booting) return;
    for (const decode::ContainerState& one : names_.all_of_docker()) add_restarted("docker", one);
    for (const decode::ContainerState& one : names_.all_of_podman(host_.processes)) {
      add_restarted("podman", one);
    }
  }
  void add_restarted(const char* runtime, const decode::ContainerState& state) {
    if (state.restarts == 0 || state.name.empty()) return;
    ends_.emplace(Key(runtime, state.id), end_of(runtime, state));
  }

  static ContainerEnd end_of(const char* runtime, const decode::ContainerState& state) {
    return {.container = {.runtime = runtime,
                          .id = state.id,
                          .name = state.name,
                          .image = state.image,
                          .pod = state.pod,
                          .pod_namespace = state.pod_namespace},
            .kills = {},
            .runs = state.pid != 0,
            .restarting = state.restarting,
            .stopped_by_hand = state.stopped_by_hand,
            .restarts = state.restarts,
            .exit_status = state.exit_status,
            .started_at_ms = state.started_at_ms,
            .ended_at_ms = state.ended_at_ms};
  }

  void add_kill(const OomKill& kill) {
    auto container = container_of_cgroup(kill.cgroup);
    if (!container) return;
    const std::string cgroup = cgroup_of_container(kill.cgroup);
    names_.fill(*container, cgroup);
    if (container->name.empty() || container->gone) return;
    const auto [place, added] = ends_.try_emplace(Key(container->runtime, container->id));
    if (added) place->second = first_look(*container, cgroup);
    place->second.kills.push_back(kill);
  }

  ContainerEnd first_look(const Container& container, const std::string& cgroup) {
    if (const auto state = names_.docker_state(container, cgroup)) return end_of("docker", *state);
    if (const auto state = names_.podman_state(container, cgroup)) {
      ContainerEnd out = end_of("podman", *state);
      // Nobody puts its database right before podman is called again.
      out.runs = has_processes(cgroup).value_or(*out.runs);
      return out;
    }
    ContainerEnd out{.container = container, .kills = {}};
    const bool here = std::ranges::any_of(host_.processes, [&](const Process& one) {
      return one.container && is_same(*one.container, container);
    });
    // The kubelet does not start a container again but makes a new one; where that is known to
    // serve it runs, and else it may be anywhere.
    if (here) {
      out.runs = true;
    } else if (container.pod.empty()) {
      out.runs = has_processes(cgroup);
    }
    return out;
  }

  std::optional<bool> has_processes(const std::string& cgroup) {
    if (!folders_) folders_.emplace(source_);
    const CgroupFolders::Memory memory = folders_->memory(cgroup);
    if (memory.folder.empty()) return std::nullopt;
    const std::string file = memory.folder + (memory.v1 ? "/cgroup.procs" : "/cgroup.events");
    const auto text = source_.read_file(file);
    if (!text) {
      return text.error().code == ENOENT ? std::optional(false) : std::nullopt;
    }
    if (memory.v1) {
      // Its own: the processes may all be in cgroups below it.
      return text->empty() ? std::nullopt : std::optional(true);
    }
    return as_text(*text).find("populated 1") != std::string_view::npos;
  }

  [[nodiscard]] bool is_worth_telling(const ContainerEnd& end) const {
    if (!end.runs) return false;
    return own_ || (*end.runs && !end.kills.empty());
  }

  kernel::Source& source_;
  const Host& host_;
  ContainerNames names_;
  bool own_;
  std::optional<CgroupFolders> folders_;
  std::map<Key, ContainerEnd> ends_;
};

}  // namespace

std::vector<ContainerEnd> read_container_ends(kernel::Source& source, const Host& host,
                                              const std::vector<OomKill>& kills) {
  return Reader(source, host).read(kills);
}

}  // namespace hark::host
