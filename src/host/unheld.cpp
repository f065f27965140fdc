#include "host/unheld.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "base/text.h"
#include "decode/inet_diag.h"
#include "decode/kernel_files.h"
#include "decode/netlink_attributes.h"
#include "decode/unix_diag.h"

namespace hark::host {
namespace {

using How = HeldBy::How;

constexpr std::size_t kMostLinks = 16384;  ///< descriptors looked at for an io_uring
constexpr std::size_t kMostRings = 256;
constexpr std::size_t kMostQueues = 4096;     ///< UNIX sockets looked into
constexpr std::size_t kMostNamespaces = 256;  ///< whose UNIX sockets are listed
constexpr std::string_view kRingLink = "anon_inode:[io_uring]";
constexpr std::string_view kEither = "registered with io_uring or in flight in a UNIX socket";

std::string proc(std::uint32_t pid, const std::string& rest) {
  return "/proc/" + std::to_string(pid) + "/" + rest;
}

std::string name_of_process(kernel::Source& source, const Host& host, std::uint32_t pid) {
  const auto known = std::ranges::lower_bound(host.processes, pid, {}, &Process::pid);
  if (known != host.processes.end() && known->pid == pid) return known->name;
  const auto text = source.read_file(proc(pid, "comm"));
  if (!text) return "?";
  std::string_view name = as_text(*text);
  if (name.ends_with('\n')) name.remove_suffix(1);
  return std::string(name);
}

/// An io_uring and who has it.
struct Ring {
  std::uint32_t pid = 0;
  std::uint32_t files = 0;  ///< how many are registered
  bool tcp = false;         ///< of which kinds of socket, where the kernel tells no more
  bool udp = false;
};

/// A UNIX socket with descriptors in its queue, and who would receive them.
struct Queue {
  std::uint32_t pid = 0;
  std::uint32_t fd = 0;
  std::uint32_t descriptors = 0;
};

/// Everybody who may keep a socket without a descriptor. Read once for all such sockets.
class Keepers {
 public:
  Keepers(kernel::Source& source, std::span<const kernel::NetnsRef> refs, const Host& host)
      : source_(source) {
    find_rings();
    find_queues(refs, host);
  }

  [[nodiscard]] const std::vector<Ring>& rings() const { return rings_; }
  /// Who has a socket registered for certain: inode and process.
  [[nodiscard]] const std::set<std::pair<std::uint32_t, std::uint32_t>>& registered() const {
    return registered_;
  }
  [[nodiscard]] const std::vector<Queue>& queues() const { return queues_; }
  [[nodiscard]] bool complete() const { return complete_; }

 private:
  /// The scan leaves out processes that have none of the sockets it was asked for.
  std::vector<std::uint32_t> processes() {
    std::vector<std::uint32_t> out;
    const auto names = source_.list_folder("/proc");
    if (!names) return out;
    for (const std::string& name : *names) {
      if (const auto pid = parse_number<std::uint32_t>(name)) out.push_back(*pid);
    }
    std::ranges::sort(out);
    return out;
  }

  void find_rings() {
    std::size_t links = 0;
    for (const std::uint32_t pid : processes()) {
      const auto fds = source_.list_folder(proc(pid, "fd"));
      if (!fds) continue;
      for (const std::string& fd : *fds) {
        if (++links > kMostLinks || rings_.size() >= kMostRings) {
          complete_ = false;
          return;
        }
        const auto link = source_.read_link(proc(pid, "fd/" + fd));
        if (!link || *link != kRingLink) continue;
        const auto text = source_.read_file(proc(pid, "fdinfo/" + fd));
        if (!text) continue;
        if (const auto files = decode::decode_ring_fdinfo(*text)) add_ring(pid, *files);
      }
    }
  }

  /// Older kernels list registered sockets by the short names of their protocols.
  void add_ring(std::uint32_t pid, const decode::RingFiles& files) {
    Ring ring{.pid = pid, .files = files.count};
    for (const std::string& name : files.names) {
      ring.tcp = ring.tcp || name.starts_with("TCP") || name.starts_with("MPTCP");
      ring.udp = ring.udp || name.starts_with("UDP") || name.starts_with("RAW");
    }
    rings_.push_back(ring);
    for (const std::uint32_t inode : files.sockets) registered_.emplace(inode, pid);
  }

  /// UNIX sockets that may hold descriptors, by inode.
  std::vector<std::uint32_t> unix_sockets(std::span<const kernel::NetnsRef> refs,
                                          const Host& host) {
    std::vector<std::uint32_t> inodes;
    for (std::size_t i = 0; i < refs.size() && i < kMostNamespaces; ++i) {
      if (!host.namespaces[i].entered) continue;
      const auto answer =
          source_.netlink(refs[i], decode::kNetlinkSockDiag, decode::unix_diag_request());
      if (!answer) continue;
      const auto sockets = decode::decode_unix_diag(*answer);
      if (!sockets) continue;
      for (const decode::UnixSocketRecord& socket : *sockets) {
        if (socket.may_hold_descriptors() && socket.inode != 0) inodes.push_back(socket.inode);
      }
    }
    std::ranges::sort(inodes);
    inodes.erase(std::unique(inodes.begin(), inodes.end()), inodes.end());
    return inodes;
  }

  void find_queues(std::span<const kernel::NetnsRef> refs, const Host& host) {
    const std::vector<std::uint32_t> wanted = unix_sockets(refs, host);
    if (wanted.empty()) return;
    // Of every socket: the quick searches know none but those of the internet.
    const auto parts = source_.scan_descriptors({});
    const auto scan = parts ? decode::decode_process_scan(*parts)
                            : Result<decode::ProcessScan>(fail(parts.error()));
    if (!scan) return;
    std::set<std::uint32_t> seen;  // workers share sockets: one look at each
    for (const decode::ScannedProcess& process : scan->processes) {
      for (std::uint32_t i = process.first_socket; i < process.end_socket; ++i) {
        const FdInode& held = scan->sockets[i];
        if (!std::ranges::binary_search(wanted, held.inode)) continue;
        if (!seen.insert(held.inode).second) continue;
        if (seen.size() > kMostQueues) {
          complete_ = false;
          return;
        }
        const auto text = source_.read_file(proc(process.pid, "fdinfo/" + std::to_string(held.fd)));
        const auto count = text ? decode::decode_scm_fds(*text) : std::nullopt;
        if (count.value_or(0) > 0) queues_.push_back({process.pid, held.fd, *count});
      }
    }
  }

  kernel::Source& source_;
  std::vector<Ring> rings_;
  std::set<std::pair<std::uint32_t, std::uint32_t>> registered_;
  std::vector<Queue> queues_;
  bool complete_ = true;
};

std::string counted(std::size_t count, const std::string& what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

void add_candidate(HeldBy& out, kernel::Source& source, const Host& host, std::uint32_t pid,
                   std::string why) {
  const auto same = [&](const HeldBy::Candidate& c) { return c.pid == pid && c.why == why; };
  if (out.candidates.size() >= HeldBy::kMostCandidates) return;
  if (std::ranges::any_of(out.candidates, same)) return;
  out.candidates.push_back({pid, name_of_process(source, host, pid), std::move(why)});
}

std::string called(const HeldBy::Candidate& candidate) {
  return candidate.name + " (" + std::to_string(candidate.pid) + ")";
}

/// Who is in the socket's cgroup. Anybody may read that, but not whose descriptors are whose.
void add_cgroup_members(kernel::Source& source, const Host& host, const Listener& listener,
                        HeldBy& out) {
  const auto& path = listener.socket.cgroup;
  if (!path || *path == "/" || path->empty()) return;
  const auto text = source.read_file("/sys/fs/cgroup" + *path + "/cgroup.procs");
  if (!text) return;
  std::string_view rest = as_text(*text);
  while (!rest.empty() && out.candidates.size() < HeldBy::kMostCandidates) {
    const auto pid = parse_number<std::uint32_t>(next_piece(rest, '\n'));
    if (pid && *pid != 0) add_candidate(out, source, host, *pid, "it is in the socket's cgroup");
  }
}

HeldBy found_lost(kernel::Source& source, const Host& host, const Listener& listener,
                  const Keepers& keepers) {
  HeldBy out;
  const std::uint32_t inode = listener.socket.inode;
  for (auto at = keepers.registered().lower_bound({inode, 0});
       at != keepers.registered().end() && at->first == inode; ++at) {
    add_candidate(out, source, host, at->second, "its io_uring has this socket registered");
  }
  if (!out.candidates.empty()) {
    out.how = How::IoUring;
    out.words = "registered with io_uring by " + called(out.candidates.front());
    return out;
  }
  const bool tcp = listener.protocol == Protocol::Tcp || listener.protocol == Protocol::Mptcp;
  for (const Ring& ring : keepers.rings()) {
    if (!(tcp ? ring.tcp : ring.udp)) continue;
    add_candidate(out, source, host, ring.pid,
                  "its io_uring has " + counted(ring.files, "registered file"));
  }
  const std::size_t rings = out.candidates.size();
  for (const Queue& queue : keepers.queues()) {
    add_candidate(out, source, host, queue.pid,
                  counted(queue.descriptors, "descriptor") + " in flight to its descriptor " +
                      std::to_string(queue.fd));
  }
  if (rings == 0 && !out.candidates.empty()) {
    out.how = How::InFlight;
    out.words = "in flight in a UNIX socket, perhaps to " + called(out.candidates.front());
  } else {
    out.how = How::Unknown;
    out.words = kEither;
    if (out.candidates.empty()) add_cgroup_members(source, host, listener, out);
    if (!keepers.complete()) out.words += "; there is too much of both here to look at all";
  }
  return out;
}

/// Was the socket closed between the two looks, at sockets and at descriptors? Then it has no
/// holder, and nobody need be searched. Each kind of socket of a namespace is asked for once.
class Closed {
 public:
  Closed(kernel::Source& source, std::span<const kernel::NetnsRef> refs)
      : source_(source), refs_(refs) {}

  bool operator()(const Listener& listener) {
    const auto netns = static_cast<std::size_t>(listener.netns);
    if (netns >= refs_.size()) return false;
    const bool tcp = listener.protocol == Protocol::Tcp || listener.protocol == Protocol::Mptcp;
    const Protocol protocol = tcp ? Protocol::Tcp : listener.protocol;
    const auto [known, is_new] =
        inodes_.try_emplace({netns, protocol, listener.address.family}, std::nullopt);
    if (is_new) known->second = ask(refs_[netns], listener.address.family, protocol);
    return known->second && !known->second->contains(listener.socket.inode);
  }

 private:
  using Inodes = std::optional<std::set<std::uint32_t>>;

  Inodes ask(const kernel::NetnsRef& netns, Family family, Protocol protocol) {
    const std::uint32_t state = protocol == Protocol::Tcp ? kTcpListen : kTcpClose;
    const auto answer = source_.netlink(netns, decode::kNetlinkSockDiag,
                                        decode::inet_diag_request(family, protocol, 1U << state));
    if (!answer) return std::nullopt;
    const auto dump = decode::decode_inet_diag(*answer, protocol);
    if (!dump || dump->interrupted) return std::nullopt;
    std::set<std::uint32_t> out;
    for (const decode::SocketRecord& socket : dump->sockets) out.insert(socket.inode);
    return out;
  }

  kernel::Source& source_;
  std::span<const kernel::NetnsRef> refs_;
  std::map<std::tuple<std::size_t, Protocol, Family>, Inodes> inodes_;
};

std::optional<HeldBy> kernels(const Listener& listener) {
  if (listener.kernel_owners.empty() && listener.socket.has_file != false) return std::nullopt;
  std::vector<std::string> words;
  for (const KernelOwner& owner : listener.kernel_owners) words.push_back(owner.words());
  if (words.empty()) words.emplace_back("unknown part");
  return HeldBy{.how = How::Kernel, .words = "kernel: " + join(words, ", "), .candidates = {}};
}

/// Which processes may hide the owner.
struct Unread {
  std::vector<std::uint32_t> pids;
  bool few = false;

  explicit Unread(const decode::ProcessScan& scan) {
    for (const decode::ScannedProcess& process : scan.processes) {
      if (process.sockets_error != 0) pids.push_back(process.pid);
    }
    constexpr std::size_t kFew = 4;
    few = pids.size() <= kFew;
  }

  [[nodiscard]] std::string words() const {
    if (pids.empty()) return "perhaps held by a process that cannot be seen from here";
    if (pids.size() > 1) {
      return "perhaps held by one of " + std::to_string(pids.size()) +
             " processes that could not be looked into";
    }
    return "perhaps held by process " + std::to_string(pids.front()) +
           ", which could not be looked into";
  }
};

/// What was found of the few that could not be looked into, besides what may be.
void add_unreadable(kernel::Source& source, const Host& host, const Unread& unread, HeldBy& out) {
  out.words = unread.words() + (out.how == How::InFlight ? ", or " + out.words : "");
  out.how = How::Unreadable;
  for (const std::uint32_t pid : unread.pids) {
    add_candidate(out, source, host, pid, "it could not be looked into");
  }
}

}  // namespace

void explain_unheld(kernel::Source& source, std::span<const kernel::NetnsRef> refs,
                    const decode::ProcessScan& scan, bool details, Host& host) {
  const Unread unread(scan);
  std::optional<Keepers> keepers;
  Closed closed(source, refs);
  std::map<std::string, HeldBy> by_cgroup;
  for (Listener& listener : host.listeners) {
    if (listener.owners && !listener.owners->empty()) continue;
    if ((listener.held_by = kernels(listener))) continue;
    if (listener.owners || (details && unread.few)) {
      if (listener.owners && closed(listener)) {
        listener.held_by =
            HeldBy{.how = How::Unknown, .words = "closed meanwhile", .candidates = {}};
        continue;
      }
      if (!keepers) keepers.emplace(source, refs, host);
      listener.held_by = found_lost(source, host, listener, *keepers);
      // What is registered is told for certain, the rest only where everybody was looked into.
      if (!listener.owners && listener.held_by->how != How::IoUring) {
        add_unreadable(source, host, unread, *listener.held_by);
      }
      continue;
    }
    HeldBy& held_by = by_cgroup[listener.socket.cgroup.value_or("")];
    if (held_by.words.empty()) {
      held_by = {.how = How::Unreadable, .words = unread.words(), .candidates = {}};
      if (details) add_cgroup_members(source, host, listener, held_by);
    }
    listener.held_by = held_by;
  }
}

}  // namespace hark::host
