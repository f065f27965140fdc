#include "kernel/live.h"

#include <fcntl.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <exception>
#include <list>
#include <optional>
#include <utility>

#include "base/netns_parts.h"
#include "kernel/kernel_log.h"
#include "kernel/live_cgroup.h"
#include "kernel/live_files.h"
#include "kernel/live_legacy_table.h"
#include "kernel/live_net_table.h"
#include "kernel/live_netlink.h"
#include "kernel/live_netns.h"
#include "kernel/live_netns_ids.h"
#include "kernel/live_options.h"
#include "kernel/live_process_file.h"
#include "kernel/live_processes.h"
#include "kernel/live_programs.h"
#include "kernel/live_search.h"
#include "kernel/live_units.h"
#include "kernel/md5_keys.h"
#include "kernel/module_guard.h"
#include "kernel/port_variables.h"
#include "kernel/request_key.h"
#include "kernel/wireguard_keys.h"

namespace hark::kernel {
namespace {

constexpr std::size_t kLargestFile = 64U << 20U;
constexpr std::size_t kMostSockets = 64;
/// In a folder that a process may have filled.
constexpr std::size_t kMostNamesOfProcess = 4096;

/// What read_net_file() may read.
bool is_net_file(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  return (path.starts_with("/proc/net/") || path.starts_with("/proc/sys/net/")) &&
         path.find("/../") == std::string_view::npos && name != ".." &&
         name != "tcp_fastopen_key" && name != "stable_secret";
}

/// The netlink sockets in use, latest first. Few are kept: a host may have more namespaces than
/// hark may have descriptors.
class SocketCache {
 public:
  [[nodiscard]] NetlinkSocket* find(std::uint64_t netns, int protocol) {
    const auto found = std::ranges::find_if(sockets_, [&](const Entry& entry) {
      return entry.netns == netns && entry.protocol == protocol;
    });
    if (found == sockets_.end()) return nullptr;
    sockets_.splice(sockets_.begin(), sockets_, found);
    return &sockets_.front().socket;
  }

  NetlinkSocket& keep(std::uint64_t netns, int protocol, UniqueFd fd) {
    if (sockets_.size() == kMostSockets) sockets_.pop_back();
    sockets_.push_front({netns, protocol, NetlinkSocket(std::move(fd))});
    return sockets_.front().socket;
  }

 private:
  struct Entry {
    std::uint64_t netns;
    int protocol;
    NetlinkSocket socket;
  };
  std::list<Entry> sockets_;
};

/// The folder of /proc/sys that was read from last. On the way to each of its files the kernel
/// meets the entry of that name of every namespace, one after the other (fs/proc/proc_sysctl.c,
/// proc_sys_compare): the way is gone once for all of them.
class SettingFolder {
 public:
  /// Of whoever is in that namespace. 0 or errno.
  [[nodiscard]] int read(std::uint64_t netns, const std::string& path, Bytes& out,
                         std::size_t limit) {
    const std::size_t name = path.rfind('/') + 1;
    if (netns != netns_ || path.compare(0, name, path_) != 0 || !folder_.valid()) {
      netns_ = netns;
      path_ = path.substr(0, name);
      folder_.reset();
      const int error = open_at(AT_FDCWD, path_.c_str(), O_PATH | O_DIRECTORY, folder_);
      if (error != 0) return error;
    }
    return read_at(folder_.get(), path.c_str() + name, out, limit);
  }

 private:
  std::uint64_t netns_ = 0;
  std::string path_;  ///< with its slash
  UniqueFd folder_;
};

class Live final : public Source {
 public:
  Live(std::string proc_root, Search best)
      : proc_root_(std::move(proc_root)),
        search_(proc_root_, best),
        cgroups_(proc_root_),
        options_(proc_root_),
        modules_(proc_root_) {}

  Result<Bytes> netlink(const NetnsRef& netns, int protocol, ByteView request) override {
    if (modules_.would_load(protocol, request)) {
      return fail(kernel_error(EPROTONOSUPPORT, netlink_what()));
    }
    NetlinkSocket* socket = sockets_.find(netns.inode, protocol);
    if (socket == nullptr) {
      auto fd = open_in(netns, [protocol] { return open_netlink(protocol); });
      if (!fd) return fail(kernel_error(fd.error().code, netlink_what()));
      socket = &sockets_.keep(netns.inode, protocol, std::move(*fd));
    }
    auto answer = socket->ask(request);
    if (answer && protocol == NETLINK_GENERIC) blank_wireguard_keys(request, *answer);
    if (answer && protocol == NETLINK_SOCK_DIAG) blank_md5_keys(*answer);
    return answer;
  }

  Result<Bytes> read_file(const std::string& path) override {
    if (is_process_file(path)) return read_process_file(path);
    if (path == kKernelLog) return read_kernel_log();
    Bytes out;
    // The kernel's own files are plain, and there are many of them.
    const bool kernels = path.starts_with("/proc/") || path.starts_with("/sys/");
    const int error = kernels ? read_at(AT_FDCWD, path.c_str(), out, kLargestFile)
                              : read_plain(path.c_str(), out, kLargestFile);
    if (error != 0) return fail(kernel_error(error, path));
    if (kernels && is_environment(path)) return to_bytes(port_variables(as_text(out)));
    return out;
  }

  Result<std::int64_t> file_time(const std::string& path) override {
    return process_file_time(path);
  }

  Result<std::string> read_link(const std::string& path) override {
    std::string out;
    const int error = read_link_at(AT_FDCWD, path.c_str(), out);
    if (error != 0) return fail(kernel_error(error, path));
    return out;
  }

  Result<std::vector<std::string>> list_folder(const std::string& path) override {
    UniqueFd folder;
    if (const int error = open_at(AT_FDCWD, path.c_str(), O_RDONLY | O_DIRECTORY, folder);
        error != 0) {
      return fail(kernel_error(error, path));
    }
    std::vector<std::string> out;
    FolderReader names(folder.get());
    FolderReader::Entry entry;
    // A process can make as many names as it likes.
    const std::size_t most = is_process_file(path) ? kMostNamesOfProcess : out.max_size();
    while (names.next(entry)) {
      if (out.size() == most) return fail(kernel_error(EFBIG, path));
      out.emplace_back(entry.name);
    }
    if (names.error() != 0) return fail(kernel_error(names.error(), path));
    std::ranges::sort(out);
    return out;
  }

  Result<Bytes> read_net_table(const NetTablePlace& place, NetTable table) override {
    const bool sysctl = table == NetTable::LocalPortRange || table == NetTable::SctpUdpPort;
    const std::string name = (sysctl ? "/" : "/net/") + std::string(file_name(table));
    // A sysctl follows the reader's own namespace, a table that of the process in its path.
    std::string process = place.netns.paths.empty() ? "self" : "thread-self";
    if (place.pid != 0) process = std::to_string(place.pid);
    const std::string path = proc_root_ + (sysctl ? "" : "/" + process) + name;
    const auto fd =
        open_in(place.netns, [&path] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC); });
    if (!fd) return fail(kernel_error(fd.error().code, net_table_what(table)));
    Bytes out;
    const int error = read_table(fd->get(), table, out);
    if (error != 0) return fail(kernel_error(error, net_table_what(table)));
    return out;
  }

  Result<Bytes> read_net_file(const NetnsRef& netns, const std::string& path) override {
    if (!is_net_file(path)) return fail(kernel_error(EINVAL, path_what(path)));
    Bytes out;
    const int error = read_inside(netns, path, out);
    if (error != 0) return fail(kernel_error(error, path_what(path)));
    return out;
  }

  void visit(const NetnsRef& netns, const std::function<void()>& work) override {
    bool went = false;
    std::exception_ptr thrown;
    (void)inside(netns, [&] {
      went = true;
      try {
        work();
      } catch (...) {
        thrown = std::current_exception();
      }
      return 0;
    });
    if (thrown) std::rethrow_exception(thrown);
    // Who may not go there learns it from the first thing that is asked for.
    if (!went) work();
  }

  Result<Bytes> legacy_table(const NetnsRef& netns, Family family,
                             const std::string& name) override {
    const auto failed = [&](int error) {
      return fail(kernel_error(error, legacy_table_what(family, name)));
    };
    int error = read_table_names(netns, family);
    if (error == 0 && !names_table(as_text(table_names_), name)) error = ENOENT;
    if (error != 0) return failed(error);
    const auto fd = open_in(netns, [family] { return open_for_tables(family); });
    if (!fd) return failed(fd.error().code);
    Bytes out;
    error = read_legacy_table(fd->get(), family, name, out);
    if (error != 0) return failed(error);
    return out;
  }

  Result<Bytes> attached_programs(const ProgramPlace& place) override {
    Bytes out;
    int error = 0;
    switch (place.kind) {
      case ProgramPlace::Kind::Program:
        append_program(place.number, out);
        break;
      case ProgramPlace::Kind::Cgroup: {
        UniqueFd cgroup;
        error = cgroups_.open(place.cgroup, cgroup);
        if (error == 0) append_cgroup_programs(cgroup.get(), out);
        break;
      }
      case ProgramPlace::Kind::Link:
        error = inside(place.netns, [&] {
          append_link_programs(place.number, out);
          return 0;
        });
        break;
      case ProgramPlace::Kind::Netns:
        error = inside(place.netns, [&] {
          UniqueFd netns;
          const int failed =
              open_at(AT_FDCWD, (proc_root_ + "/thread-self/ns/net").c_str(), O_RDONLY, netns);
          if (failed == 0) append_netns_programs(netns.get(), out);
          return failed;
        });
        break;
    }
    if (error != 0) return fail(kernel_error(error, programs_what(place)));
    return out;
  }

  Result<Bytes> socket_options(const SocketHolder& holder) override {
    Bytes out;
    const int error = options_.read(holder, out);
    if (error != 0) return fail(kernel_error(error, options_what(holder)));
    return out;
  }

  void expect_scan_sockets() override { search_.begin(); }

  Result<Bytes> scan_sockets(SurveyDepth depth) override { return search_.scan_sockets(depth); }

  Result<Bytes> bound_sockets(const BoundPlace& place) override {
    return search_.bound_sockets(place);
  }

  Result<Bytes> netns_ids(const NetnsRef& in, std::span<const NetnsRef> of) override {
    Bytes out;
    for (const NetnsRef& one : of) {
      UniqueFd fd;
      // Without a path it is our own.
      const int error = one.paths.empty()
                            ? open_at(AT_FDCWD, (proc_root_ + "/self/ns/net").c_str(), O_RDONLY, fd)
                            : open_netns(one, fd);
      if (error != 0) continue;
      const auto answer = netlink(in, NETLINK_ROUTE, netns_id_request(fd.get()));
      if (!answer) return fail(kernel_error(answer.error().code, netns_ids_what()));
      if (const auto number = netns_id_in(*answer)) {
        append_value(out, NetnsNumber{.inode = one.inode, .number = *number});
      }
    }
    return out;
  }

  Result<Bytes> scan_namespaces() override { return search_.scan_namespaces(); }

  Result<Bytes> scan_descriptors(std::span<const std::uint32_t> wanted) override {
    return search_.scan_descriptors(wanted);
  }

  Result<Bytes> read_processes(std::span<const ProcessWanted> wanted,
                               ProcessDetail detail) override {
    return read_proc(proc_root_, wanted, detail);
  }

  std::string how() const override { return search_.how(); }

  Result<std::string> cgroup_path(std::uint64_t id) override { return cgroups_.path_of(id); }

  Result<Clock> clock() override {
    const auto now_ms = [](clockid_t which) {
      std::timespec now{};
      ::clock_gettime(which, &now);
      return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
    };
    return Clock{.realtime_ms = now_ms(CLOCK_REALTIME), .boottime_ms = now_ms(CLOCK_BOOTTIME)};
  }

  Result<Bytes> ask_units(std::span<const std::string> names) override {
    return ask_systemd(names);
  }

 private:
  /// One that nothing leads to, see NetnsRef, is not worth a thread.
  [[nodiscard]] static bool leads_nowhere(const NetnsRef& netns) {
    return netns.paths.size() == 1 && netns.paths.front().empty();
  }

  /// Opens something in a namespace: directly in our own, by the thread in any other.
  [[nodiscard]] Result<UniqueFd> open_in(const NetnsRef& netns, const std::function<int()>& open) {
    if (!netns.paths.empty() || thread_.is_this_one()) {
      if (leads_nowhere(netns)) {
        return fail(kernel_error(ESTALE, "network namespace " + std::to_string(netns.inode)));
      }
      return thread_.open_inside(netns, open);
    }
    UniqueFd fd(open());
    if (!fd.valid()) return fail(kernel_error(errno, "own network namespace"));
    return fd;
  }

  /// Asks something in a namespace, likewise. 0 or errno.
  [[nodiscard]] int inside(const NetnsRef& netns, const std::function<int()>& work) {
    if (netns.paths.empty() && !thread_.is_this_one()) return work();
    return leads_nowhere(netns) ? ESTALE : thread_.run_inside(netns, work);
  }

  /// A file below /proc/net or /proc/sys/net. /proc/net is that of the whole process, not of the
  /// thread that is inside. Some sysctls follow who reads, not who opened. 0 or errno.
  [[nodiscard]] int read_inside(const NetnsRef& netns, const std::string& path, Bytes& out) {
    constexpr std::string_view kProc = "/proc";
    const std::string real = proc_root_ + (path.starts_with("/proc/net/") ? "/thread-self" : "") +
                             path.substr(kProc.size());
    return inside(netns, [&] {
      if (path.starts_with("/proc/net/")) return read_at(AT_FDCWD, real.c_str(), out, kLargestFile);
      return settings_.read(netns.inode, real, out, kLargestFile);
    });
  }

  /// The names of a family's tables: all of a namespace are asked for one after the other. 0 or
  /// errno.
  [[nodiscard]] int read_table_names(const NetnsRef& netns, Family family) {
    if (names_of_ == std::pair(netns.inode, family)) return names_error_;
    table_names_.clear();
    names_error_ = read_inside(netns, table_names_file(family), table_names_);
    names_of_ = {netns.inode, family};
    return names_error_;
  }

  std::string proc_root_;
  LiveSearch search_;
  SocketCache sockets_;
  NetnsThread thread_;
  SettingFolder settings_;
  std::optional<std::pair<std::uint64_t, Family>> names_of_;  ///< those that were read last
  Bytes table_names_;
  int names_error_ = 0;
  CgroupPaths cgroups_;
  SocketOptions options_;
  ModuleGuard modules_;
};

}  // namespace

std::unique_ptr<Source> make_live(std::string proc_root, Search best) {
  return std::make_unique<Live>(std::move(proc_root), best);
}

}  // namespace hark::kernel
