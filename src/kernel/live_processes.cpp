// Owners from /proc: openat(2), getdents64(2) and readlinkat(2) relative to open folders, and
// nothing else per descriptor. What holds a socket shows as a link "socket:[INODE]" (sockfs_dname
// of net/socket.c) in /proc/PID/fd; a held network namespace as "net:[INODE]".
#include "kernel/live_processes.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <memory>
#include <set>
#include <string_view>
#include <vector>

#include "base/parts.h"
#include "base/text.h"
#include "kernel/live_files.h"
#include "kernel/request_key.h"
#include "kernel/two_threads.h"

namespace hark::kernel {
namespace {

constexpr std::size_t kLongestFile = std::size_t{64} * 1024;  ///< a command line may have megabytes
constexpr std::uint64_t kKernelThread = 0x00200000;           ///< PF_KTHREAD of linux/sched.h

void append_part(Bytes& to, ProcessPart tag, ByteView bytes) {
  hark::append_part(to, static_cast<std::uint16_t>(tag), bytes);
}

void append_failed(Bytes& to, ProcessPart tag, int error) {
  append_failed_part(to, static_cast<std::uint16_t>(tag), error);
}

template <typename T>
void append_number(Bytes& to, ProcessPart tag, T number) {
  append_part(to, tag, std::as_bytes(std::span(&number, 1)));
}

void append_pairs(Bytes& to, ProcessPart tag, const std::vector<FdInode>& pairs) {
  append_part(to, tag, std::as_bytes(std::span(pairs)));
}

/// "socket:[123]" with the prefix "socket:[" → 123
std::optional<std::uint32_t> inode_in(std::string_view link, std::string_view prefix) {
  if (!link.starts_with(prefix) || !link.ends_with(']')) return std::nullopt;
  link.remove_prefix(prefix.size());
  link.remove_suffix(1);
  return parse_number<std::uint32_t>(link);
}

std::string path_of(std::uint32_t pid, std::string_view rest) {
  std::string out = std::to_string(pid);
  out += rest;
  return out;
}

/// What one look into a folder of descriptors gave.
struct Descriptors {
  std::vector<FdInode> sockets;
  std::vector<FdInode> namespaces;
  bool any = false;  ///< the folder had an entry
  int error = 0;     ///< of the folder or of its links
};

/// Reads folders of descriptors; keeps its buffers from one to the next.
class DescriptorReader {
 public:
  /// `wanted`: inodes of the sockets that count, ascending; empty: all do.
  explicit DescriptorReader(std::span<const std::uint32_t> wanted) : wanted_(wanted) {}

  /// ENOENT and ESRCH: the process is gone.
  void read(int at, const char* path, Descriptors& out) {
    out.sockets.clear();
    out.namespaces.clear();
    out.any = false;
    UniqueFd folder;
    out.error = open_at(at, path, O_RDONLY | O_DIRECTORY, folder);
    if (out.error != 0) return;
    names_.restart(folder.get());
    FolderReader::Entry entry;
    while (names_.next(entry)) {
      out.any = true;
      const std::string_view name(entry.name);
      const auto fd = parse_number<std::uint32_t>(name);
      if (!fd) continue;
      const ssize_t size = ::readlinkat(folder.get(), entry.name, link_.data(), link_.size());
      if (size < 0) {
        if (errno == ENOENT) continue;  // closed meanwhile
        out.error = errno;
        if (errno == EACCES) return;  // the right is the process's, not the descriptor's
        continue;
      }
      const std::string_view link(link_.data(), static_cast<std::size_t>(size));
      if (const auto socket = inode_in(link, "socket:[")) {
        if (wanted_.empty() || std::ranges::binary_search(wanted_, *socket)) {
          out.sockets.push_back({*fd, *socket});
        }
      } else if (const auto netns = inode_in(link, "net:[")) {
        out.namespaces.push_back({*fd, *netns});
      }
    }
    if (names_.error() != 0) out.error = names_.error();
  }

 private:
  std::span<const std::uint32_t> wanted_;
  FolderReader names_{-1};
  std::array<char, 64> link_{};  // the links looked for are short; others may be cut
};

/// The threads of a process but its leader, for processes whose leader has exited: such a leader
/// is a zombie without descriptors or namespaces, which live on in its threads.
std::vector<std::uint32_t> other_threads(int proc, std::uint32_t pid) {
  std::vector<std::uint32_t> out;
  UniqueFd folder;
  if (open_at(proc, path_of(pid, "/task").c_str(), O_RDONLY | O_DIRECTORY, folder) != 0) return out;
  FolderReader names(folder.get());
  FolderReader::Entry entry;
  while (names.next(entry)) {
    const auto tid = parse_number<std::uint32_t>(entry.name);
    if (tid && *tid != pid) out.push_back(*tid);
  }
  return out;
}

std::string thread_path(std::uint32_t pid, std::uint32_t tid, std::string_view rest) {
  return path_of(pid, "/task/" + path_of(tid, rest));
}

bool gone(int error) {
  return error == ENOENT || error == ESRCH;
}

/// Finds the sockets of one process after the other.
class DescriptorScan final : public Worker {
 public:
  DescriptorScan(int proc, const std::vector<std::uint32_t>& pids,
                 std::span<const std::uint32_t> wanted)
      : proc_(proc), pids_(pids), reader_(wanted) {}

  void work(std::size_t index, Bytes& out) override {
    const std::uint32_t pid = pids_[index];
    reader_.read(proc_, path_of(pid, "/fd").c_str(), found_);
    if (!found_.any && (found_.error == 0 || gone(found_.error))) {
      for (const std::uint32_t tid : other_threads(proc_, pid)) {
        reader_.read(proc_, thread_path(pid, tid, "/fd").c_str(), found_);
        if (found_.any) break;
      }
    }
    if (gone(found_.error)) return;
    if (found_.error == 0 && found_.sockets.empty() && found_.namespaces.empty()) return;
    append_number(out, ProcessPart::Pid, pid);
    if (found_.error != 0) append_failed(out, ProcessPart::Sockets, found_.error);
    if (!found_.sockets.empty()) append_pairs(out, ProcessPart::Sockets, found_.sockets);
    if (!found_.namespaces.empty()) append_pairs(out, ProcessPart::NetnsFds, found_.namespaces);
  }

 private:
  int proc_;
  const std::vector<std::uint32_t>& pids_;
  DescriptorReader reader_;
  Descriptors found_;
};

/// The inode of a process' /proc/PID/net/dev; 0: not to be had.
std::uint64_t table_inode(int proc, const std::string& process) {
  struct stat found {};
  return ::fstatat(proc, (process + "/net/dev").c_str(), &found, 0) == 0 ? found.st_ino : 0;
}

/// Finds the namespaces of one process after the other.
class NamespaceScan final : public Worker {
 public:
  /// `foreign` turns true when a process without a readable link is in another namespace than ours.
  NamespaceScan(int proc, const std::vector<std::uint32_t>& pids, std::atomic<bool>& foreign)
      : proc_(proc), pids_(pids), foreign_(foreign) {
    own_table_ = table_inode(proc, "self");
  }

  void work(std::size_t index, Bytes& out) override {
    const std::uint32_t pid = pids_[index];
    std::string path = path_of(pid, "/ns/net");
    int error = read_link_at(proc_, path.c_str(), link_);
    if (gone(error)) {
      const auto threads = other_threads(proc_, pid);
      if (threads.empty()) return;
      path = thread_path(pid, threads.front(), "/ns/net");
      error = read_link_at(proc_, path.c_str(), link_);
      if (gone(error)) return;
    }
    const auto inode = error == 0 ? inode_in(link_, "net:[") : std::nullopt;
    append_number(out, ProcessPart::Pid, pid);
    if (inode) {
      append_number(out, ProcessPart::NetnsInode, std::uint64_t{*inode});
    } else {
      append_failed(out, ProcessPart::NetnsInode, error != 0 ? error : EBADMSG);
    }
    if (!inode || pid == own_pid_) {
      const std::uint64_t table = table_inode(proc_, std::to_string(pid));
      if (table != 0) append_number(out, ProcessPart::NetProcInode, table);
      if (!inode && table != own_table_) foreign_.store(true, std::memory_order_relaxed);
    }
    if (read_link_at(proc_, path_of(pid, "/ns/mnt").c_str(), link_) != 0) return;
    if (const auto mount = inode_in(link_, "mnt:[")) {
      append_number(out, ProcessPart::MntnsInode, std::uint64_t{*mount});
    }
  }

 private:
  int proc_;
  const std::vector<std::uint32_t>& pids_;
  std::atomic<bool>& foreign_;
  std::uint32_t own_pid_ = static_cast<std::uint32_t>(::getpid());
  std::uint64_t own_table_ = 0;
  std::string link_;
};

/// The same scan with the other mark of each namespace added at the first process that is in it,
/// so that those which show only that mark can be told to be in it or not.
Bytes with_table_inodes(int proc, ByteView parts) {
  Bytes out;
  std::set<std::uint64_t> marked;
  std::uint32_t pid = 0;
  PartReader reader(parts);
  while (const auto part = reader.next()) {
    const auto tag = static_cast<ProcessPart>(part->tag);
    if (part->error != 0) {
      append_failed(out, tag, part->error);
    } else {
      append_part(out, tag, part->bytes);
    }
    ByteReader number(part->bytes);
    if (tag == ProcessPart::Pid) pid = number.value<std::uint32_t>();
    if (tag != ProcessPart::NetnsInode || part->error != 0) continue;
    if (!marked.insert(number.value<std::uint64_t>()).second) continue;
    const std::uint64_t table = table_inode(proc, std::to_string(pid));
    if (table != 0) append_number(out, ProcessPart::NetProcInode, table);
  }
  return out;
}

/// Reads what a person wants to know of one process after the other.
class DetailReader final : public Worker {
 public:
  DetailReader(int proc, std::span<const ProcessWanted> wanted, ProcessDetail detail)
      : proc_(proc), wanted_(wanted), detail_(detail) {}

  void work(std::size_t index, Bytes& out) override {
    const ProcessWanted& wanted = wanted_[index];
    UniqueFd process;
    const int error =
        open_at(proc_, std::to_string(wanted.pid).c_str(), O_PATH | O_DIRECTORY, process);
    if (gone(error)) return;
    append_number(out, ProcessPart::Pid, wanted.pid);
    still_held(process.get(), wanted);
    append_pairs(out, ProcessPart::Sockets, held_);
    append_file(process.get(), "stat", ProcessPart::Stat, out);
    if (detail_ == ProcessDetail::All) {
      append_file(process.get(), "status", ProcessPart::Status, out);
      append_file(process.get(), "cmdline", ProcessPart::Cmdline, out);
    } else if (struct stat found{}; ::fstat(process.get(), &found) == 0) {
      append_number(out, ProcessPart::Uid, std::uint32_t{found.st_uid});
    }
    append_file(process.get(), "cgroup", ProcessPart::Cgroup, out);
    if (const int failed = read_link_at(process.get(), "exe", link_); failed != 0) {
      append_failed(out, ProcessPart::Exe, failed);
    } else {
      append_part(out, ProcessPart::Exe, as_bytes(link_));
    }
  }

 private:
  static bool holds(int process, const std::string& folder, const FdInode& socket,
                    std::string& link) {
    const std::string path = folder + std::to_string(socket.fd);
    return read_link_at(process, path.c_str(), link) == 0 &&
           inode_in(link, "socket:[") == socket.inode;
  }

  void still_held(int process, const ProcessWanted& wanted) {
    held_.clear();
    for (const FdInode& socket : wanted.sockets) {
      if (holds(process, "fd/", socket, link_)) held_.push_back(socket);
    }
    if (!held_.empty() || wanted.sockets.empty()) return;
    for (const std::uint32_t tid : other_threads(proc_, wanted.pid)) {
      const std::string folder = "task/" + std::to_string(tid) + "/fd/";
      for (const FdInode& socket : wanted.sockets) {
        if (holds(process, folder, socket, link_)) held_.push_back(socket);
      }
      if (!held_.empty()) return;
    }
  }

  void append_file(int process, const char* name, ProcessPart tag, Bytes& out) {
    if (const int error = read_at(process, name, file_, kLongestFile); error != 0) {
      append_failed(out, tag, error);
    } else {
      append_part(out, tag, file_);
    }
  }

  int proc_;
  std::span<const ProcessWanted> wanted_;
  ProcessDetail detail_;
  std::vector<FdInode> held_;
  std::string link_;
  Bytes file_;
};

/// The field after the name in /proc/PID/stat that holds PF_* flags.
bool is_kernel_thread(std::string_view stat) {
  constexpr int kFlagsAfterName = 7;
  const std::size_t end_of_name = stat.rfind(')');
  if (end_of_name == std::string_view::npos) return false;
  stat.remove_prefix(end_of_name + 1);
  std::string_view word;
  for (int i = 0; i < kFlagsAfterName; ++i) word = next_word(stat);
  return (parse_number<std::uint64_t>(word).value_or(0) & kKernelThread) != 0;
}

/// Kernel threads have no descriptors and own nothing. All are children of kthreadd, process 2 of
/// the first pid namespace (in others 2 is an ordinary process: its flags tell).
std::vector<std::uint32_t> kernel_threads(int proc) {
  std::vector<std::uint32_t> out;
  Bytes text;
  if (read_at(proc, "2/stat", text, kLongestFile) != 0 || !is_kernel_thread(as_text(text))) {
    return out;
  }
  out.push_back(2);
  if (read_at(proc, "2/task/2/children", text, kLongestFile) != 0) return out;
  std::string_view line = as_text(text);
  for (std::string_view word = next_word(line); !word.empty(); word = next_word(line)) {
    if (const auto pid = parse_number<std::uint32_t>(word)) out.push_back(*pid);
  }
  std::ranges::sort(out);
  return out;
}

/// All processes but kernel threads, ascending.
Result<std::vector<std::uint32_t>> list_pids(int proc) {
  const auto skipped = kernel_threads(proc);
  std::vector<std::uint32_t> out;
  FolderReader names(proc);
  FolderReader::Entry entry;
  while (names.next(entry)) {
    const auto pid = parse_number<std::uint32_t>(entry.name);
    if (pid && !std::ranges::binary_search(skipped, *pid)) out.push_back(*pid);
  }
  if (names.error() != 0) return fail(kernel_error(names.error(), processes_what()));
  std::ranges::sort(out);
  return out;
}

Result<UniqueFd> open_proc(const std::string& proc_root) {
  UniqueFd proc;
  const int error = open_at(AT_FDCWD, proc_root.c_str(), O_RDONLY | O_DIRECTORY, proc);
  if (error != 0) return fail(kernel_error(error, processes_what()));
  return proc;
}

}  // namespace

Result<Bytes> scan_proc_namespaces(const std::string& proc_root) {
  const auto proc = open_proc(proc_root);
  if (!proc) return fail(proc.error());
  const auto pids = list_pids(proc->get());
  if (!pids) return fail(pids.error());
  std::atomic<bool> foreign = false;
  Bytes out = on_two_threads(
      pids->size(), [&] { return std::make_unique<NamespaceScan>(proc->get(), *pids, foreign); });
  return foreign ? with_table_inodes(proc->get(), out) : out;
}

Result<Bytes> scan_proc_descriptors(const std::string& proc_root,
                                    std::span<const std::uint32_t> wanted) {
  const auto proc = open_proc(proc_root);
  if (!proc) return fail(proc.error());
  const auto pids = list_pids(proc->get());
  if (!pids) return fail(pids.error());
  return on_two_threads(
      pids->size(), [&] { return std::make_unique<DescriptorScan>(proc->get(), *pids, wanted); });
}

Result<Bytes> read_proc(const std::string& proc_root, std::span<const ProcessWanted> wanted,
                        ProcessDetail detail) {
  const auto proc = open_proc(proc_root);
  if (!proc) return fail(proc.error());
  return on_two_threads(
      wanted.size(), [&] { return std::make_unique<DetailReader>(proc->get(), wanted, detail); });
}

}  // namespace hark::kernel
