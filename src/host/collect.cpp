#include "host/collect.h"

#include <algorithm>
#include <cerrno>
#include <numeric>
#include <optional>
#include <set>

#include "base/text.h"
#include "decode/mountinfo.h"
#include "decode/passwd.h"
#include "decode/process.h"
#include "decode/socket_scan.h"
#include "host/ancestors.h"
#include "host/cgroup_names.h"
#include "host/container_names.h"
#include "host/doors.h"
#include "host/gaps.h"
#include "host/kernel_owners.h"
#include "host/namespaces.h"
#include "host/owners.h"
#include "host/programs.h"
#include "host/sockets.h"
#include "host/unheld.h"
#include "host/units.h"

namespace hark::host {
namespace {

constexpr std::string_view kFirstPidNamespace = "pid:[4026531836]";  ///< PROC_PID_INIT_INO
constexpr unsigned kCapSysPtrace = 19;                               ///< linux/capability.h

std::string first_line(kernel::Source& source, const std::string& path) {
  const auto text = source.read_file(path);
  if (!text) return {};
  std::string_view rest = as_text(*text);
  return std::string(next_piece(rest, '\n'));
}

/// The number in a link such as "mnt:[4026531832]".
std::uint64_t namespace_inode(kernel::Source& source, const std::string& path) {
  const auto link = source.read_link(path);
  if (!link) return 0;
  const std::size_t open = link->find('[');
  if (open == std::string::npos || !link->ends_with(']')) return 0;
  const auto digits = std::string_view(*link).substr(open + 1, link->size() - open - 2);
  return parse_number<std::uint64_t>(digits).value_or(0);
}

/// What hark may see of processes at all.
struct Sight {
  bool ptrace = false;               ///< CAP_SYS_PTRACE
  std::optional<std::uint32_t> uid;  ///< effective, of hark itself
  bool whole_machine = true;         ///< in the first pid namespace, and /proc hides nothing
};

/// Collects one host, step by step: each step needs what those before it found.
class Collector {
 public:
  Collector(kernel::Source& source, const CollectRequest& request)
      : source_(source), request_(request), containers_(source) {}

  Result<Collected> collect() {
    host_.owners_asked = request_.owners;
    if (request_.netns == "all") source_.expect_scan_sockets();
    read_identity();
    read_own_place();
    SocketReader sockets(source_, host_.gaps);
    read_own_early(sockets);
    auto found = namespaces();
    if (!found) return fail(found.error());
    read_sockets(sockets, *found);
    if (request_.owners) {
      read_owners(sockets, *found);
    } else {
      host_.gaps.push_back(gaps::owners_not_asked());
    }
    sort_listeners();
    name_users();
    name_containers();
    find_doors(source_, containers_, all_found_, host_.processes);
    if (request_.details) read_ancestors(source_, host_.processes);
    name_units();
    add_units(
        source_,
        {.details = request_.details, .enabled = request_.enabled_units, .own_uid = sight_.uid},
        host_);
    if (auto gap = containers_.gap()) host_.gaps.push_back(std::move(*gap));
    order_gaps(sockets.cgroup_error());
    const auto focus = place_of_focus();
    if (!focus) return fail(focus.error());
    return Collected{.host = std::move(host_), .ways = std::move(refs_), .focus = *focus};
  }

 private:
  void read_identity() {
    if (request_.identity) {
      host_.name = first_line(source_, "/proc/sys/kernel/hostname");
      host_.kernel = first_line(source_, "/proc/sys/kernel/osrelease");
    }
    if (const auto clock = source_.clock()) {
      host_.taken_at_ms = clock->realtime_ms;
      boot_ms_ = clock->realtime_ms - clock->boottime_ms;
    }
  }

  void read_own_place() {
    const auto text = source_.read_file("/proc/self/mountinfo");
    if (!text) {
      host_.gaps.push_back(gaps::no_proc(text.error()));
      proc_ = false;
      return;
    }
    if (auto mounts = decode::decode_mountinfo(*text)) evidence_.mounts = std::move(*mounts);
    evidence_.own_inode = namespace_inode(source_, "/proc/self/ns/net");
    const std::uint64_t first = namespace_inode(source_, "/proc/1/ns/net");
    evidence_.own_is_hosts = first != 0 && first == evidence_.own_inode;
    if (looks_at_processes()) look_around();
  }

  /// Only our own namespace and no owners: then no process matters.
  [[nodiscard]] bool looks_at_processes() const {
    return request_.owners || request_.netns != "self";
  }

  /// How much of the machine's processes can be seen.
  void look_around() {
    evidence_.own_mount_inode = namespace_inode(source_, "/proc/self/ns/mnt");
    if (const auto text = source_.read_file("/proc/self/status")) {
      if (const auto status = decode::decode_status(*text)) {
        sight_.uid = status->effective_uid;
        sight_.ptrace = (status->effective_capabilities >> kCapSysPtrace & 1U) != 0;
      }
    }
    constexpr unsigned kInvisible = 2;
    if (decode::hidepid_level(evidence_.mounts) >= kInvisible && !sight_.ptrace) {
      sight_.whole_machine = false;
      host_.gaps.push_back(gaps::hidden_processes());
    }
    const auto pid_namespace = source_.read_link("/proc/self/ns/pid");
    if (!pid_namespace || *pid_namespace != kFirstPidNamespace) {
      sight_.whole_machine = false;
      host_.gaps.push_back(gaps::pid_namespace());
    }
  }

  Result<std::vector<FoundNetns>> namespaces() {
    if (proc_ && looks_at_processes()) {
      survey(SurveyDepth::Files);
      if (auto scan = scanned(source_.scan_namespaces())) evidence_.scan = std::move(*scan);
    }
    auto chosen = choose();
    evidence_.scan = {};  // a busy host has tens of thousands of processes
    return chosen;
  }

  Result<std::vector<FoundNetns>> choose() {
    all_found_ = find_namespaces(source_, evidence_, containers_);
    if (survey_) add_surveyed(all_found_, *survey_);
    deepen_survey(all_found_);
    auto chosen = choose_namespaces(source_, evidence_, all_found_, request_.netns);
    if (chosen && !request_.focus.empty()) return with_focus(std::move(*chosen));
    if (chosen || !proc_ || !decode::netns_inode(request_.netns)) return chosen;
    // Asked for by its inode and nowhere to be seen: perhaps a descriptor keeps it alive.
    // All descriptors: only such a search tells of more than sockets whatever its means.
    const auto scan = scanned(source_.scan_descriptors({}));
    if (!scan) return chosen;
    add_held_by_descriptors(all_found_, *scan);
    return choose_namespaces(source_, evidence_, all_found_, request_.netns);
  }

  /// Is `one`, which `pid` is in, the namespace of the question?
  [[nodiscard]] bool is_focus(const Netns& one, std::uint32_t pid) const {
    if (one.inode || focus_->netns.inode) return one.inode == focus_->netns.inode;
    return one.own == focus_->netns.own && (one.own || pid == focus_->pid);
  }

  /// Finds the namespace of the question, and adds it to those that are read.
  Result<std::vector<FoundNetns>> with_focus(std::vector<FoundNetns> chosen) {
    auto focus = choose_namespace(source_, evidence_, all_found_, request_.focus);
    if (!focus) return fail(focus.error());
    focus_ = std::move(*focus);
    const bool there = std::ranges::any_of(
        chosen, [this](const FoundNetns& one) { return is_focus(one.netns, one.pid); });
    if (!there) chosen.push_back(*focus_);
    return chosen;
  }

  [[nodiscard]] Result<NetnsId> place_of_focus() const {
    if (!focus_) return NetnsId{0};
    for (std::size_t i = 0; i < host_.namespaces.size(); ++i) {
      const Netns& one = host_.namespaces[i];
      if (is_focus(one, one.seen_through_pid)) return NetnsId{static_cast<std::uint32_t>(i)};
    }
    return fail(kernel_error(EACCES, "--netns " + request_.focus));
  }

  static Result<decode::ProcessScan> scanned(const Result<Bytes>& parts) {
    if (!parts) return fail(parts.error());
    return decode::decode_process_scan(*parts);
  }

  /// Who holds the listeners found so far, and namespaces.
  Result<decode::ProcessScan> descriptors() {
    std::vector<std::uint32_t> wanted = listener_inodes(host_);
    if (wanted.empty()) wanted.push_back(0);  // no socket has it: no socket is wanted
    return scanned(source_.scan_descriptors(wanted));
  }

  /// All sockets of the machine at once, where that can be had and they all are wanted.
  void survey(SurveyDepth depth) {
    if (request_.netns != "all") return;
    const auto parts = source_.scan_sockets(depth);
    auto survey = parts ? decode::decode_socket_survey(*parts)
                        : Result<decode::SocketSurvey>(fail(parts.error()));
    survey_.reset();
    if (survey) survey_ = std::move(*survey);
  }

  /// Asks for the sockets in full where that is the only way to them, or the quicker one: to look
  /// into a namespace costs as much as a hundred sockets.
  void deepen_survey(const std::vector<FoundNetns>& found) {
    if (!survey_) return;
    std::set<std::uint64_t> filled;
    for (const SurveyedFile& file : survey_->files) filled.insert(file.netns);
    bool only_way = false;
    std::size_t others = 0;
    for (const FoundNetns& one : found) {
      only_way = only_way || one.only_surveyed;
      if (!one.netns.own && filled.contains(one.ref.inode)) ++others;
    }
    if (only_way || (!request_.details && others > kManyNamespaces)) survey(SurveyDepth::Full);
  }

  /// The listeners of our own namespace, as sock_diag told them, against the survey of all: what
  /// was read from the kernel's private structures is believed if it agrees.
  [[nodiscard]] bool survey_agrees(NetnsId own) const {
    std::vector<std::uint32_t> asked;
    for (const Listener& listener : host_.listeners) {
      if (listener.netns == own && listener.state == State::Listen) {
        asked.push_back(listener.socket.inode);
      }
    }
    std::vector<std::uint32_t> surveyed;
    for (const SurveyedFile& file : survey_->files) {
      if (file.netns == evidence_.own_inode && file.state == kTcpListen) {
        surveyed.push_back(file.inode);
      }
    }
    for (auto* inodes : {&asked, &surveyed}) {
      std::ranges::sort(*inodes);
      inodes->erase(std::unique(inodes->begin(), inodes->end()), inodes->end());
    }
    return asked == surveyed;
  }

  /// Our own namespace needs no search, and is read while the survey of all is being made. It is
  /// the first of all that will be found.
  void read_own_early(SocketReader& sockets) {
    if (request_.netns != "all" || !proc_ || evidence_.own_inode == 0) return;
    FoundNetns own;
    own.netns.inode = evidence_.own_inode;
    own.netns.own = true;
    own.ref.inode = evidence_.own_inode;
    own_is_read_ = sockets.read(own, NetnsId{0}, host_.listeners);
  }

  /// Reads our own namespace, twice if the survey does not agree with it: sockets come and go.
  [[nodiscard]] bool read_own(SocketReader& sockets, FoundNetns& own, NetnsId id) {
    constexpr int kTries = 2;
    bool there = own_is_read_ || sockets.read(own, id, host_.listeners);
    own.netns.entered = there;
    for (int i = 1; survey_ && !survey_agrees(id); ++i) {
      if (i == kTries) {
        survey_.reset();
        break;
      }
      survey(survey_->full ? SurveyDepth::Full : SurveyDepth::Files);
      std::erase_if(host_.listeners, [id](const Listener& one) { return one.netns == id; });
      there = sockets.read(own, id, host_.listeners);
    }
    return there;
  }

  /// The kinds of sockets that the survey found in a namespace.
  [[nodiscard]] std::vector<SocketKind> kinds_in(const FoundNetns& one) const {
    constexpr std::uint8_t kInet6 = 10;
    std::vector<SocketKind> out;
    for (const SurveyedFile& file : survey_->files) {
      const auto protocol = decode::surveyed_protocol(file.protocol);
      if (file.netns != one.ref.inode || !protocol) continue;
      const SocketKind kind{*protocol, file.family == kInet6 ? Family::Inet6 : Family::Inet};
      if (std::ranges::find(out, kind) == out.end()) out.push_back(kind);
    }
    return out;
  }

  [[nodiscard]] bool read_one(SocketReader& sockets, FoundNetns& one, NetnsId id) {
    if (one.netns.own) return read_own(sockets, one, id);
    const bool full = survey_ && survey_->full;
    if (one.only_surveyed && !full) return false;
    if (!full || (request_.details && !one.only_surveyed)) {
      if (!survey_ || request_.details) return sockets.read(one, id, host_.listeners);
      const std::vector<SocketKind> kinds = kinds_in(one);
      one.netns.entered = true;
      return kinds.empty() || sockets.read(one, id, kinds, host_.listeners);
    }
    sockets.read_surveyed(one, id, *survey_, host_.listeners);
    return true;
  }

  void read_sockets(SocketReader& sockets, std::vector<FoundNetns>& found) {
    for (FoundNetns& one : found) {
      const NetnsId id{static_cast<std::uint32_t>(host_.namespaces.size())};
      if (!read_one(sockets, one, id)) continue;
      host_.namespaces.push_back(one.netns);
      refs_.push_back(one.ref);
      if (request_.more) request_.more(one.ref, id, host_.listeners);
    }
    if (survey_) note_files();
  }

  /// Which sockets the kernel made for itself.
  void note_files() {
    for (Listener& listener : host_.listeners) {
      const auto file =
          std::ranges::lower_bound(survey_->files, listener.socket.inode, {}, &SurveyedFile::inode);
      if (file != survey_->files.end() && file->inode == listener.socket.inode) {
        listener.socket.has_file = file->has_file != 0;
      }
    }
  }

  void read_owners(SocketReader& sockets, const std::vector<FoundNetns>& found) {
    if (!proc_) return;
    auto scan = descriptors();
    if (scan && !survey_ && request_.netns == "all" &&
        read_late_namespaces(sockets, found, *scan)) {
      scan = descriptors();
    }
    if (!scan) {
      host_.gaps.push_back(gaps::owners_not_read(scan.error()));
      return;
    }
    join_owners(source_, *scan,
                {.all_seen = note_unreadable(*scan) && sight_.whole_machine,
                 .details = request_.details,
                 .boot_ms = boot_ms_},
                host_);
    name_kernel_owners(source_, refs_, host_);
    explain_unheld(source_, refs_, *scan, request_.details, host_);
    name_programs(source_, host_);
  }

  /// Namespaces that only descriptors keep alive show when those are read. True: they had
  /// listeners, whose holders must be looked for again.
  bool read_late_namespaces(SocketReader& sockets, const std::vector<FoundNetns>& found,
                            const decode::ProcessScan& scan) {
    std::vector<FoundNetns> late = found;
    add_held_by_descriptors(late, scan);
    late.erase(late.begin(), late.begin() + static_cast<std::ptrdiff_t>(found.size()));
    const std::size_t before = host_.listeners.size();
    read_sockets(sockets, late);
    return host_.listeners.size() > before;
  }

  /// Says which processes could not be looked into; true if all could.
  bool note_unreadable(const decode::ProcessScan& scan) {
    std::vector<std::string> pids;
    int error = 0;
    for (const decode::ScannedProcess& process : scan.processes) {
      if (process.sockets_error == 0) continue;
      pids.push_back(std::to_string(process.pid));
      error = process.sockets_error;
    }
    if (pids.empty()) return true;
    if (!sight_.ptrace) {
      host_.gaps.push_back(gaps::other_users_processes(pids.size()));
      return false;
    }
    constexpr std::size_t kNamed = 5;
    std::string words = pids.size() == 1 ? "process " : "processes ";
    words += join(std::span(pids).first(std::min(pids.size(), kNamed)), ", ");
    if (pids.size() > kNamed) words += " and " + std::to_string(pids.size() - kNamed) + " more";
    host_.gaps.push_back(gaps::unreadable_processes(words, reason(kernel_error(error, ""))));
    return false;
  }

  /// By way of positions: a listener is large, and is moved about once this way.
  void sort_listeners() {
    std::vector<std::uint32_t> order(host_.listeners.size());
    std::iota(order.begin(), order.end(), 0U);
    std::ranges::sort(order, [this](std::uint32_t a, std::uint32_t b) {
      return listed_before(host_.listeners[a], host_.listeners[b]);
    });
    // Along the cycles of the order, in place: a second list of them would be megabytes.
    for (std::uint32_t i = 0; i < order.size(); ++i) {
      if (order[i] == i) continue;
      Listener first = std::move(host_.listeners[i]);
      std::uint32_t at = i;
      while (order[at] != i) {
        const std::uint32_t from = order[at];
        host_.listeners[at] = std::move(host_.listeners[from]);
        order[at] = at;
        at = from;
      }
      host_.listeners[at] = std::move(first);
      order[at] = at;
    }
  }

  void name_users() {
    const auto text = source_.read_file("/etc/passwd");
    if (!text) return;  // numbers stay numbers
    const auto users = decode::decode_passwd(*text);
    const auto name = [&users](std::uint32_t uid) {
      const auto found = std::ranges::lower_bound(users, uid, {}, &decode::UserName::uid);
      return found != users.end() && found->uid == uid ? found->name : std::string();
    };
    for (Listener& listener : host_.listeners) listener.socket.user = name(listener.socket.uid);
    for (Process& process : host_.processes) {
      if (process.uid) process.user = name(*process.uid);
    }
  }

  /// A socket's own cgroup tells its unit without any right. It is the one in which the socket was
  /// made: of a socket that a manager made for a service, the owners know better.
  void name_units() {
    for (Listener& listener : host_.listeners) {
      if (listener.socket.cgroup) {
        listener.unit = unit_of_cgroup(*listener.socket.cgroup);
        listener.container = container_of_cgroup(*listener.socket.cgroup);
        if (listener.container) containers_.fill(*listener.container, *listener.socket.cgroup);
      }
      if ((!listener.unit.empty() && listener.unit != "init.scope") || !listener.owners) continue;
      for (const Owner& owner : *listener.owners) {
        const Process& process = host_.at(owner.process);
        if (!listener.container) listener.container = process.container;
        if (process.unit.empty() || process.unit == "init.scope") continue;
        listener.unit = process.unit;
        break;
      }
    }
  }

  /// From the state files of their runtimes.
  void name_containers() {
    for (Process& process : host_.processes) {
      if (process.container) containers_.fill(*process.container, process.cgroup);
    }
  }

  void order_gaps(const std::optional<Error>& cgroup_error) {
    const bool blind = std::ranges::any_of(host_.listeners, [](const Listener& listener) {
      return !listener.socket.cgroup && listener.unit.empty() && !listener.owners;
    });
    if (blind && cgroup_error) host_.gaps.push_back(gaps::no_cgroup2(*cgroup_error));
    std::ranges::stable_sort(host_.gaps);
    host_.gaps.erase(std::unique(host_.gaps.begin(), host_.gaps.end()), host_.gaps.end());
  }

  kernel::Source& source_;
  const CollectRequest& request_;
  Host host_;
  std::vector<kernel::NetnsRef> refs_;  ///< to host_.namespaces
  std::optional<FoundNetns> focus_;     ///< the namespace of the question
  std::vector<FoundNetns> all_found_;   ///< also those that were not asked for: doors lead there
  ContainerNames containers_;
  NetnsEvidence evidence_;
  Sight sight_;
  bool proc_ = true;
  bool own_is_read_ = false;
  std::optional<decode::SocketSurvey> survey_;
  std::int64_t boot_ms_ = 0;
};

}  // namespace

Result<Host> collect(kernel::Source& source, const CollectRequest& request) {
  auto out = Collector(source, request).collect();
  if (!out) return fail(out.error());
  return std::move(out->host);
}

Result<Collected> collect_with_ways(kernel::Source& source, const CollectRequest& request) {
  return Collector(source, request).collect();
}

}  // namespace hark::host
