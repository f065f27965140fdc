// The seam: everything hark learns of a host comes through these calls, as bytes.
//
// Live asks the running kernel. Recorder wraps any source and keeps what it said. Replay answers
// from a recording; a request that was not recorded is an error, never a live read. From here on
// everything is a pure function of bytes, so that it can be tested, replayed and fuzzed.
//
// All errors carry the kernel's errno in `code` and the thing asked for in `what`.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"
#include "base/process_parts.h"
#include "base/protocol.h"
#include "base/result.h"
#include "base/socket_parts.h"

namespace hark::kernel {

/// A network namespace: the inode of its nsfs file, which names it machine-wide, and paths that
/// lead there (/run/netns/NAME, /proc/PID/ns/net, /proc/PID/fd/N), tried in turn; one whose inode
/// differs is passed over. No path: the namespace hark runs in. One empty path: nothing leads
/// there, and whoever asks in it gets ESTALE.
struct NetnsRef {
  std::uint64_t inode = 0;
  std::vector<std::string> paths;
};

/// A table of /proc/net, for what sock_diag does not tell.
enum class NetTable : std::uint8_t {
  Tcp,
  Tcp6,
  Udp,
  Udp6,
  Udplite,
  Udplite6,
  Raw,
  Raw6,
  Protocols,       ///< which protocols have how many sockets in this namespace
  LocalPortRange,  ///< not of /proc/net but per namespace as well: net.ipv4.ip_local_port_range
  RxrpcLocals,     ///< the UDP ports of AF_RXRPC
  SctpUdpPort,     ///< net.sctp.udp_port, a sysctl
};
/// Its path below /proc/net, or below /proc for a sysctl.
[[nodiscard]] const char* file_name(NetTable table);

/// Where a table is read: inside a namespace, or (namespace empty of paths and `pid` set) through
/// /proc/PID/net, which needs no right at all.
struct NetTablePlace {
  NetnsRef netns;
  std::uint32_t pid = 0;
};

/// A process to be read, and the descriptors for which it is.
struct ProcessWanted {
  std::uint32_t pid = 0;
  std::vector<FdInode> sockets;
};

/// How much of a process is read.
enum class ProcessDetail : std::uint8_t {
  Table,  ///< name, state, start, user, cgroup, program: what a listing shows
  All,    ///< and its command line and its whole status
};

/// Something to which BPF programs may be attached that see packets, or one program.
struct ProgramPlace {
  enum class Kind : std::uint8_t {
    Netns,    ///< of the namespace itself, and of netfilter
    Link,     ///< of tcx and netkit, on the link `number`
    Cgroup,   ///< of the cgroup at `cgroup`, a path below the root of cgroup v2
    Program,  ///< the program with the id `number`
  };
  Kind kind = Kind::Netns;
  NetnsRef netns = {};  ///< of Netns and Link
  std::uint32_t number = 0;
  std::string cgroup = {};
};

/// A process and the descriptor by which it holds a socket.
struct SocketHolder {
  std::uint32_t pid = 0;
  std::uint32_t fd = 0;
  std::uint32_t inode = 0;  ///< of the socket
};

/// The sockets of a protocol that have a port in a namespace; port 0: those of all ports.
struct BoundPlace {
  NetnsRef netns;
  Protocol protocol = Protocol::Tcp;
  std::uint16_t port = 0;
};

struct Clock {
  std::int64_t realtime_ms = 0;  ///< since 1970, UTC
  std::int64_t boottime_ms =
      0;  ///< since boot, sleep included: the base of /proc/PID/stat's starttime
};

class Source {
 public:
  Source() = default;
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;
  virtual ~Source() = default;

  /// Sends one netlink request (header included; its sequence number and port are filled in here)
  /// and returns every message of the answer, back to back, up to and without NLMSG_DONE. A dump
  /// that was interrupted by a change is asked for again, at most 4 times; if the last one is still
  /// inconsistent its messages carry NLM_F_DUMP_INTR. NLMSG_ERROR becomes the Error's code. ESTALE:
  /// the namespace is gone; EPERM: it may not be entered. Of what WireGuard answers nothing but
  /// name, index and port of the device is left (wireguard_keys.h): the rest becomes zeros.
  /// EPROTONOSUPPORT: the kernel has no such protocol, or no such subsystem of netfilter, or would
  /// have to load a module for it; live sources do not ask then (module_guard.h).
  [[nodiscard]] virtual Result<Bytes> netlink(const NetnsRef& netns, int protocol,
                                              ByteView request) = 0;

  /// The whole file; pseudo-files are read until their end, whatever their size says. Outside of
  /// /proc and /sys only plain files are read, others give EINVAL: a FIFO would keep us waiting.
  /// Files below /proc/PID/root are read with more care yet, see live_process_file.h. Of /dev/kmsg
  /// no more is told than which processes the kernel killed for want of memory (kernel_log.h).
  [[nodiscard]] virtual Result<Bytes> read_file(const std::string& path) = 0;

  /// When a plain file of a process, as that sees it ("/proc/812/root/etc/nginx/nginx.conf"), was
  /// last written: milliseconds since 1970, UTC. EINVAL: any other path.
  [[nodiscard]] virtual Result<std::int64_t> file_time(const std::string& path) = 0;

  /// The target of a symbolic link, also of the magic ones of /proc.
  [[nodiscard]] virtual Result<std::string> read_link(const std::string& path) = 0;

  /// The names in a folder, sorted, without "." and ".."; EFBIG: 4096 and more of /proc/PID/root/.
  [[nodiscard]] virtual Result<std::vector<std::string>> list_folder(const std::string& path) = 0;

  /// A table of /proc/net, without the lines of connected sockets: the heading, then the lines in
  /// state LISTEN (tcp) or CLOSE (others). Memory does not grow with the connections.
  [[nodiscard]] virtual Result<Bytes> read_net_table(const NetTablePlace& place,
                                                     NetTable table) = 0;

  /// A file below /proc/sys/net or /proc/net, as the namespace has it. EINVAL: another path, or one
  /// that holds a secret (tcp_fastopen_key, stable_secret). ESTALE, EPERM: as of netlink().
  [[nodiscard]] virtual Result<Bytes> read_net_file(const NetnsRef& netns,
                                                    const std::string& path) = 0;

  /// Runs `work`, which asks mostly of this namespace: a live source goes there once for all of it,
  /// in a thread of its own.
  virtual void visit(const NetnsRef& /*netns*/, const std::function<void()>& work) { work(); }

  /// A table of the old iptables or ip6tables ("filter", "nat" …): struct ipt_getinfo, then struct
  /// ipt_get_entries with its entries (of IPv6 the ip6t_ ones), as getsockopt(2) gives them.
  /// ENOENT: the namespace has no such table. The kernel is asked only for tables of which
  /// /proc/net/ip_tables_names says that they are there: it would load a module and make a table
  /// for whoever asks for another. EPERM, EACCES: CAP_NET_ADMIN is missing.
  ///
  /// The only place where hark opens a socket of IP itself: a raw one, since there is no other way
  /// to these tables. It sends nothing, is bound to nothing, and is closed at once.
  [[nodiscard]] virtual Result<Bytes> legacy_table(const NetnsRef& netns, Family family,
                                                   const std::string& name) = 0;

  /// The BPF programs at a place: base/program_parts.h. ENOENT, ENODEV: there is no such place.
  [[nodiscard]] virtual Result<Bytes> attached_programs(const ProgramPlace& place) = 0;

  /// The options of a socket: base/option_parts.h. Nothing is done with it but that. ESTALE: the
  /// descriptor is another file by now; ESRCH, EBADF: it is gone. EPERM: the right to trace the
  /// holder is missing. EOPNOTSUPP: to look would change the socket (live_options.h). ENOSYS: a
  /// kernel before 5.6.
  [[nodiscard]] virtual Result<Bytes> socket_options(const SocketHolder& holder) = 0;

  /// Said as early as can be by who will call scan_sockets: a live source begins with what that
  /// needs, while the caller asks for other things.
  virtual void expect_scan_sockets() {}

  /// Every socket of every network namespace that may be a listener, and every namespace, also
  /// those that no process and no file leads to. See base/socket_parts.h. Asked a second time a
  /// live host looks again. EOPNOTSUPP: there is no way to see them all at once here.
  [[nodiscard]] virtual Result<Bytes> scan_sockets(SurveyDepth depth) = 0;

  /// Who has a port, with the flags that bind(2) compares: base/bound_parts.h. EOPNOTSUPP: this
  /// kernel does not let them be seen, or not of this protocol.
  [[nodiscard]] virtual Result<Bytes> bound_sockets(const BoundPlace& place) = 0;

  /// How the namespace `in` calls others, as it does in IFLA_LINK_NETNSID: base/netns_parts.h.
  /// Those of `of` that have a number there; who cannot be opened is left out. ESTALE, EPERM: as of
  /// netlink().
  [[nodiscard]] virtual Result<Bytes> netns_ids(const NetnsRef& in,
                                                std::span<const NetnsRef> of) = 0;

  /// The namespaces of processes: of every process, or of one for each namespace. See
  /// base/process_parts.h.
  [[nodiscard]] virtual Result<Bytes> scan_namespaces() = 0;

  /// The descriptors of every process that are sockets or network namespaces. `wanted` are inodes
  /// of sockets, ascending: the answer may leave out other sockets, and does on a live host, where
  /// connections must cost no memory; empty: every socket. A socket must be known before its
  /// holders are looked for: one that appears in between would seem to have none.
  [[nodiscard]] virtual Result<Bytes> scan_descriptors(std::span<const std::uint32_t> wanted) = 0;

  /// What a person wants to know of these processes. Each /proc/PID is held open while it is read
  /// and the descriptors are looked at again through it, so a reused pid cannot be mixed in. A
  /// process that is gone is left out. See base/process_parts.h.
  [[nodiscard]] virtual Result<Bytes> read_processes(std::span<const ProcessWanted> wanted,
                                                     ProcessDetail detail) = 0;

  /// The path below the root of cgroup v2 of a cgroup's id (its directory's inode), "/" for the
  /// root. ENOENT: removed since, or outside this cgroup namespace. ENODEV: no cgroup v2 here.
  [[nodiscard]] virtual Result<std::string> cgroup_path(std::uint64_t id) = 0;

  [[nodiscard]] virtual Result<Clock> clock() = 0;

  /// What systemd's system manager says of those units that it has loaded: base/unit_parts.h.
  /// Nothing is loaded or started by being asked for. Takes a second at most. ENOENT: the program
  /// that talks to systemd is not installed; ECONNREFUSED: systemd cannot be reached; ETIMEDOUT: it
  /// did not answer in time.
  [[nodiscard]] virtual Result<Bytes> ask_units(std::span<const std::string> names) = 0;

  /// For people: by what means processes were searched so far, and why not by better ones; lines
  /// without a last newline. Empty: nothing to say.
  [[nodiscard]] virtual std::string how() const { return {}; }
};

}  // namespace hark::kernel
