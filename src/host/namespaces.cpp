#include "host/namespaces.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <tuple>

#include "base/text.h"
#include "decode/cgroup.h"
#include "host/cgroup_names.h"

namespace hark::host {
namespace {

// A namespace with more ways to it than these has them for nothing: any one is enough.
constexpr std::size_t kMostPaths = 4;
constexpr std::string_view kNamedFolder = "/run/netns/";

/// "/var/run" is a link to "/run" wherever there are named namespaces.
std::string without_var(std::string_view path) {
  return std::string(path.starts_with("/var/run/") ? path.substr(4) : path);
}

/// The name that `ip netns add NAME` gave a mount, or nothing.
std::string name_of_mount(std::string_view mount_point) {
  const std::string path = without_var(mount_point);
  return path.starts_with(kNamedFolder) ? path.substr(kNamedFolder.size()) : std::string();
}

/// netns-UUID of podman (pkg/netns of containers/common), cni-UUID of containerd (pkg/netns):
/// nobody knows a namespace by that.
bool is_made_up(std::string_view name) {
  constexpr std::size_t kUuid = 36;
  constexpr std::array<std::string_view, 2> kMakers = {"netns-", "cni-"};
  const auto maker =
      std::ranges::find_if(kMakers, [&](std::string_view one) { return name.starts_with(one); });
  if (maker == kMakers.end() || name.size() != maker->size() + kUuid) return false;
  return std::ranges::all_of(name.substr(maker->size()),
                             [](char c) { return is_id_digit(c) || c == '-'; });
}

/// A pod's containers share its namespace. A container may be called anything, also what means
/// another namespace to us.
std::string name_after(const Container& container) {
  constexpr std::array<std::string_view, 3> kOurWords = {"host", "self", "all"};
  constexpr std::size_t kShortId = 12;
  const std::string& name = container.pod.empty() ? container.name : container.pod;
  if (name.empty()) return container.id.substr(0, kShortId);
  const bool ours = std::ranges::find(kOurWords, name) != kOurWords.end();
  return ours ? container.runtime + ":" + name : name;
}

/// Collects what is known of each namespace, by inode where that is known.
class Gatherer {
 public:
  Gatherer(kernel::Source& source, const NetnsEvidence& evidence, ContainerNames& names)
      : source_(source), evidence_(evidence), names_(names) {}

  std::vector<FoundNetns> gather() {
    FoundNetns& own = at(evidence_.own_inode);
    own.netns.own = true;
    own.ref.paths.clear();
    add_mounts(evidence_.mounts, "");
    learn_tables();
    for (const decode::ScannedProcess& process : evidence_.scan.processes) add_process(process);
    add_mounts_elsewhere();
    name_hosts_own();
    for (FoundNetns& one : found_) name_by_process(one);
    sort();
    return std::move(found_);
  }

 private:
  FoundNetns& at(std::uint64_t inode) {
    const auto [place, added] = by_inode_.try_emplace(inode, found_.size());
    if (added) {
      FoundNetns one;
      if (inode != 0) one.netns.inode = inode;
      one.ref.inode = inode;
      found_.push_back(std::move(one));
    }
    return found_[place->second];
  }

  static void add_path(FoundNetns& to, std::string path) {
    if (to.netns.own || to.ref.paths.size() >= kMostPaths) return;
    if (std::ranges::find(to.ref.paths, path) == to.ref.paths.end()) {
      to.ref.paths.push_back(std::move(path));
    }
  }

  /// `root`: how the mount namespace is reached, "" for our own.
  void add_mounts(const std::vector<decode::MountRecord>& mounts, const std::string& root) {
    for (const decode::MountRecord& mount : mounts) {
      const auto inode = mount.type == "nsfs" ? decode::netns_inode(mount.root) : std::nullopt;
      if (!inode) continue;
      FoundNetns& one = at(*inode);
      if (one.netns.name.empty()) one.netns.name = name_of_mount(mount.mount_point);
      add_path(one, root + mount.mount_point);
    }
  }

  /// Which table inode belongs to which namespace inode, from the processes that show both.
  void learn_tables() {
    for (const decode::ScannedProcess& process : evidence_.scan.processes) {
      if (process.netns_inode && process.net_proc_inode) {
        inode_of_table_[*process.net_proc_inode] = *process.netns_inode;
        at(*process.netns_inode).table_inode = *process.net_proc_inode;
      }
    }
  }

  /// The namespace of a process, whichever mark it shows; null if it shows none.
  FoundNetns* of_process(const decode::ScannedProcess& process) {
    if (process.netns_inode) return &at(*process.netns_inode);
    if (!process.net_proc_inode) return nullptr;
    const std::uint64_t table = *process.net_proc_inode;
    if (const auto known = inode_of_table_.find(table); known != inode_of_table_.end()) {
      return &at(known->second);
    }
    const auto [place, added] = by_table_.try_emplace(table, found_.size());
    if (added) {
      FoundNetns one;
      one.table_inode = table;
      found_.push_back(std::move(one));
    }
    return &found_[place->second];
  }

  void add_process(const decode::ScannedProcess& process) {
    FoundNetns* one = of_process(process);
    if (one == nullptr) return;
    if (one->pid == 0) one->pid = process.pid;
    if (process.netns_inode) add_path(*one, "/proc/" + std::to_string(process.pid) + "/ns/net");
    if (process.pid == 1) host_ = static_cast<std::size_t>(one - found_.data());
    if (process.mntns_inode && process.mntns_inode != evidence_.own_mount_inode) {
      mount_namespaces_.try_emplace(*process.mntns_inode, process.pid);
    }
  }

  void add_mounts_elsewhere() {
    for (const auto& [mount_namespace, pid] : mount_namespaces_) {
      const std::string process = "/proc/" + std::to_string(pid);
      const auto text = source_.read_file(process + "/mountinfo");
      if (!text) continue;  // gone, or not ours: what it would tell shows as its processes do
      const auto mounts = decode::decode_mountinfo(*text);
      if (mounts) add_mounts(*mounts, process + "/root");
    }
  }

  void name_hosts_own() {
    if (evidence_.own_is_hosts && !host_) host_ = by_inode_.at(evidence_.own_inode);
    if (host_ && found_[*host_].netns.name.empty()) found_[*host_].netns.name = "host";
  }

  /// /proc/PID/cgroup of a process of the scan, which may have told it already; empty: not to be
  /// had.
  Bytes cgroups_of(std::uint32_t pid) {
    const auto& scan = evidence_.scan;
    const auto process =
        std::ranges::lower_bound(scan.processes, pid, {}, &decode::ScannedProcess::pid);
    if (process != scan.processes.end() && process->pid == pid) {
      const ProcessFacts* facts = scan.facts_of(*process);
      const auto told = facts == nullptr ? scan.cgroups.end() : scan.cgroups.find(facts->group);
      if (told != scan.cgroups.end() && !told->second.empty()) return told->second;
    }
    return source_.read_file("/proc/" + std::to_string(pid) + "/cgroup").value_or(Bytes());
  }

  /// Names a namespace after the container or the `ip netns exec` that a process in it shows.
  void name_by_process(FoundNetns& one) {
    const bool named = !one.netns.name.empty() && !is_made_up(one.netns.name);
    if (named || one.pid == 0 || one.netns.own) return;
    const std::string process = "/proc/" + std::to_string(one.pid);
    if (const auto lines = decode::decode_cgroup_file(cgroups_of(one.pid))) {
      const std::string cgroup = decode::telling_path(*lines);
      auto container = container_of_cgroup(cgroup);
      if (container) {
        names_.fill(*container, cgroup);
        one.netns.name = name_after(*container);
        return;
      }
    }
    if (one.netns.inode) return;
    const auto text = source_.read_file(process + "/mountinfo");
    if (!text) return;
    const auto mounts = decode::decode_mountinfo(*text);
    if (mounts) name_by_sysfs(one, *mounts);
  }

  /// `ip netns exec NAME` mounts a sysfs of the namespace over /sys, with NAME as its source
  /// (netns_switch of iproute2's lib/namespace.c). That is as much as a user without rights can
  /// learn of the name; it counts only if such a name exists and nobody else has it.
  void name_by_sysfs(FoundNetns& one, const std::vector<decode::MountRecord>& mounts) {
    for (const decode::MountRecord& mount : mounts) {
      if (mount.type != "sysfs" || mount.mount_point != "/sys") continue;
      const auto named = std::ranges::find_if(found_, [&](const FoundNetns& other) {
        return other.netns.name == mount.source && other.netns.inode && other.pid == 0;
      });
      if (named == found_.end() || named->netns.own) continue;
      named->pid = one.pid;
      named->table_inode = one.table_inode;
      merged_.insert(static_cast<std::size_t>(&one - found_.data()));
      return;
    }
  }

  void sort() {
    std::vector<FoundNetns> kept;
    for (std::size_t i = 0; i < found_.size(); ++i) {
      if (!merged_.contains(i)) kept.push_back(std::move(found_[i]));
    }
    std::ranges::stable_sort(kept, {}, [](const FoundNetns& one) {
      // Named ones before nameless ones, ours before all.
      return std::tuple(!one.netns.own, one.netns.name.empty(), one.netns.name, one.ref.inode,
                        one.pid);
    });
    found_ = std::move(kept);
  }

  kernel::Source& source_;
  const NetnsEvidence& evidence_;
  ContainerNames& names_;
  std::vector<FoundNetns> found_;
  std::map<std::uint64_t, std::size_t> by_inode_;
  std::map<std::uint64_t, std::size_t> by_table_;
  std::map<std::uint64_t, std::uint64_t> inode_of_table_;
  std::map<std::uint64_t, std::uint32_t> mount_namespaces_;  ///< inode → a process in it
  std::set<std::size_t> merged_;
  std::optional<std::size_t> host_;
};

Error no_such_netns(const std::vector<FoundNetns>& found, const std::string& asked) {
  std::vector<std::string> names = {"all", "self", "host"};
  for (const FoundNetns& one : found) {
    if (!one.netns.name.empty()) names.push_back(one.netns.name);
  }
  const auto near = nearest(asked, names);
  return plain_error("--netns " + asked, "no such network namespace",
                     near ? "did you mean " + *near + "?" : "ip netns and lsns -t net show them");
}

/// The inode that a path leads to, or 0.
std::uint64_t inode_of_path(kernel::Source& source, const NetnsEvidence& evidence,
                            const std::string& path) {
  for (const decode::MountRecord& mount : evidence.mounts) {
    if (mount.mount_point == without_var(path)) {
      if (const auto inode = decode::netns_inode(mount.root)) return *inode;
    }
  }
  const auto link = source.read_link(path);
  return link ? decode::netns_inode(*link).value_or(0) : 0;
}

constexpr std::string_view kOfContainer = "container:";

/// The container of a namespace's process; nothing: it is in none. The namespace itself may be
/// called otherwise: podman gives each a name of its own below /run/netns.
std::optional<Container> container_in(kernel::Source& source, const FoundNetns& one,
                                      ContainerNames& names) {
  if (one.pid == 0) return std::nullopt;
  const auto text = source.read_file("/proc/" + std::to_string(one.pid) + "/cgroup");
  const auto lines = text ? decode::decode_cgroup_file(*text) : fail(text.error());
  if (!lines) return std::nullopt;
  const std::string cgroup = decode::telling_path(*lines);
  auto out = container_of_cgroup(cgroup);
  if (out) names.fill(*out, cgroup);
  return out;
}

/// By a container's name, its id or the beginning of that, or its pod.
std::vector<FoundNetns> of_container(kernel::Source& source, const std::vector<FoundNetns>& found,
                                     const std::string& asked) {
  constexpr std::size_t kShortId = 12;
  ContainerNames names(source);
  std::vector<FoundNetns> out;
  for (const FoundNetns& one : found) {
    const auto container = one.netns.own ? std::nullopt : container_in(source, one, names);
    if (!container) continue;
    const bool by_id = asked.size() >= kShortId && container->id.starts_with(asked);
    if (by_id || asked == container->name || asked == container->pod) out.push_back(one);
  }
  return out;
}

/// Words for --netns that mean one of them each: as many as a line has room for.
std::string told_apart(const std::vector<FoundNetns>& found) {
  constexpr std::size_t kMost = 4;
  std::string out;
  for (std::size_t i = 0; i < std::min(found.size(), kMost); ++i) {
    const FoundNetns& one = found[i];
    if (i != 0) out += " or ";
    out += one.pid != 0 ? std::to_string(one.pid) : "net:[" + std::to_string(one.ref.inode) + "]";
  }
  return out + (found.size() > kMost ? " …" : "");
}

/// Does `asked` mean this namespace?
bool means(const FoundNetns& one, const std::string& asked, std::uint64_t asked_inode) {
  if (asked == "self") return one.netns.own;
  if (asked_inode != 0) return one.ref.inode == asked_inode;
  return one.netns.name == asked;
}

}  // namespace

std::vector<FoundNetns> find_namespaces(kernel::Source& source, const NetnsEvidence& evidence,
                                        ContainerNames& names) {
  return Gatherer(source, evidence, names).gather();
}

void add_held_by_descriptors(std::vector<FoundNetns>& found, const decode::ProcessScan& scan) {
  std::set<std::uint64_t> known;
  for (const FoundNetns& one : found) known.insert(one.ref.inode);
  for (const decode::ScannedProcess& process : scan.processes) {
    for (const FdInode& held : process.netns_fds) {
      if (!known.insert(held.inode).second) continue;
      FoundNetns one;
      one.netns.inode = held.inode;
      one.ref.inode = held.inode;
      one.ref.paths.push_back("/proc/" + std::to_string(process.pid) + "/fd/" +
                              std::to_string(held.fd));
      found.push_back(std::move(one));
    }
  }
}

void add_surveyed(std::vector<FoundNetns>& found, const decode::SocketSurvey& survey) {
  std::set<std::uint64_t> known;
  for (const FoundNetns& one : found) known.insert(one.ref.inode);
  for (const SurveyedFile& file : survey.files) {
    if (file.netns == 0 || !known.insert(file.netns).second) continue;
    FoundNetns one;
    one.netns.inode = file.netns;
    one.ref.inode = file.netns;
    one.ref.paths = {""};  // none leads there: whoever asks in it learns that it cannot be entered
    one.only_surveyed = true;
    found.push_back(std::move(one));
  }
}

Result<std::vector<FoundNetns>> choose_namespaces(kernel::Source& source,
                                                  const NetnsEvidence& evidence,
                                                  std::vector<FoundNetns> found,
                                                  const std::string& asked) {
  if (asked == "all") return found;
  if (asked.starts_with(kOfContainer)) {
    auto of = of_container(source, found, asked.substr(kOfContainer.size()));
    if (!of.empty()) return of;
    return fail(plain_error("--netns " + asked, "no container of that name has a namespace here",
                            "its id always works; names need root"));
  }
  std::uint64_t inode = decode::netns_inode(asked).value_or(0);
  std::string path;
  const auto pid = parse_number<std::uint32_t>(asked);
  if (pid) path = "/proc/" + asked + "/ns/net";
  if (asked.find('/') != std::string::npos) path = asked;
  if (!path.empty()) inode = inode_of_path(source, evidence, path);

  std::vector<FoundNetns> chosen;
  for (const FoundNetns& one : found) {
    const bool by_pid = pid && inode == 0 && one.pid != 0;
    const auto in_scan = std::ranges::find_if(evidence.scan.processes, [&](const auto& process) {
      return by_pid && process.pid == *pid && process.net_proc_inode == one.table_inode;
    });
    if (in_scan != evidence.scan.processes.end() ||
        ((path.empty() || inode != 0) && means(one, asked, inode))) {
      chosen.push_back(one);
    }
  }
  if (chosen.empty() && inode != 0 && !path.empty()) {
    FoundNetns one;  // it exists, though nothing else led to it
    one.netns.inode = inode;
    one.netns.own = inode == evidence.own_inode;
    one.ref = {inode, one.netns.own ? std::vector<std::string>{} : std::vector{path}};
    chosen.push_back(std::move(one));
  }
  if (chosen.empty()) return fail(no_such_netns(found, asked));
  return chosen;
}

Result<FoundNetns> choose_namespace(kernel::Source& source, const NetnsEvidence& evidence,
                                    std::vector<FoundNetns> found, const std::string& asked) {
  auto chosen = choose_namespaces(source, evidence, std::move(found), asked);
  if (!chosen) return fail(chosen.error());
  if (chosen->size() > 1) {
    return fail(plain_error("--netns " + asked,
                            std::to_string(chosen->size()) + " network namespaces are called so",
                            "say --netns with " + told_apart(*chosen)));
  }
  return std::move(chosen->front());
}

}  // namespace hark::host
