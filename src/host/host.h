// What a host *is*, as far as it could be read: facts, and the gaps between them. Built once by
// collect() and const from there on. No pointers between its parts: ids are positions in its
// sorted vectors, so two hosts can be compared.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/protocol.h"
#include "base/rare.h"
#include "host/unit_facts.h"

namespace hark::host {

/// Something that could not be read. Part of the answer, never silence.
struct Gap {
  std::string code;    ///< kebab case, stable: "other-users-processes"
  std::string what;    ///< what could not be read, and why
  std::string hides;   ///< what therefore cannot be concluded
  std::string remedy;  ///< what would help, or empty
  auto operator<=>(const Gap&) const = default;
};

/// Position of a network namespace in Host::namespaces.
enum class NetnsId : std::uint32_t {};
/// Position of a process in Host::processes.
enum class ProcessId : std::uint32_t {};

struct Netns {
  /// Machine-wide name of the namespace; empty where an ordinary user cannot learn it.
  std::optional<std::uint64_t> inode;
  /// "host" for the one of process 1, a name from /run/netns, a container's, or empty.
  std::string name;
  bool own = false;      ///< hark runs in it
  bool entered = false;  ///< its sockets were asked of sock_diag inside it
  /// A process in it, through whose /proc/PID/net it was read where it could not be entered; 0:
  /// none.
  std::uint32_t seen_through_pid = 0;
};

/// A program that started the container, and the container's names in it.
struct Container {
  std::string runtime;  ///< docker, podman, containerd, cri-o, lxc, nspawn, kubernetes
  std::string id;
  std::string name;                ///< empty: not known
  std::string image = {};          ///< as it was asked for, else its digest; empty: not known
  std::string pod = {};            ///< of Kubernetes; empty: none, or not known
  std::string pod_namespace = {};  ///< of the pod
  bool gone = false;               ///< its runtime knows it no more, and its processes are there
  bool operator==(const Container&) const = default;
};

/// Ports that a door takes, and the port at which the first of them comes out.
struct DoorPorts {
  Protocol protocol = Protocol::Tcp;
  std::uint16_t first = 0;
  std::uint16_t last = 0;
  std::uint16_t target = 0;
  /// Where these alone lead, in words: "10.0.0.5:5432", "/run/app.sock", "db:5432 through bastion";
  /// `target` does not count then. Empty: where the door leads.
  std::string to = {};
  bool operator==(const DoorPorts&) const = default;
};

/// What a process is whose work is to pass on what reaches its ports to somewhere else.
struct Door {
  std::string kind = {};                    ///< docker-proxy, rootlessport, slirp4netns, pasta …
  std::optional<IpAddress> address = {};    ///< where it leads; empty: not known
  std::vector<DoorPorts> ports = {};        ///< as far as they are known
  std::optional<Container> container = {};  ///< where it leads; empty: none, or not known
  std::uint64_t netns = 0;                  ///< the namespace that it leads into; 0: not known
  std::string netns_name = {};              ///< as of Netns; empty: it has none
  bool operator==(const Door&) const = default;
};

/// What a process is to those that it started.
enum class AncestorRole : std::uint8_t {
  ServiceManager,    ///< systemd, also a user's; supervisord, runit, s6 …
  ContainerRuntime,  ///< containerd-shim, conmon, dockerd, the monitor of LXC …
  Shell,             ///< one with a terminal
  SshSession,
  Cron,
  TerminalMultiplexer,
  Init,     ///< process 1, if it is no service manager that we know
  Outside,  ///< outside the pid namespace that hark sees: has no pid here
  Other,
};
/// "service-manager", "ssh-session", "outside" …
[[nodiscard]] std::string_view name_of(AncestorRole role);

struct Ancestor {
  std::uint32_t pid = 0;  ///< 0: Outside
  std::string name = {};  ///< as the kernel has it
  AncestorRole role = AncestorRole::Other;
  bool operator==(const Ancestor&) const = default;
};

struct Process {
  std::uint32_t pid = 0;
  std::string name;  ///< as the kernel has it: at most 15 bytes, any of them
  /// What a person would call it, of any bytes and length: "billing.jar" where the name is "java";
  /// empty: not looked for.
  std::string program = {};
  std::optional<std::vector<std::string>> command_line;
  std::optional<std::string> exe;  ///< without the kernel's " (deleted)"
  std::string exe_name;            ///< last part of its program's path, perhaps cut to 31 bytes
  bool exe_deleted = false;
  std::optional<std::uint32_t> uid;           ///< effective
  std::string user;                           ///< empty: no name known for the uid
  std::optional<std::int64_t> started_at_ms;  ///< since 1970, UTC
  char state = '?';                           ///< R S D T t Z X I, as in proc(5)
  std::string cgroup;                         ///< the telling path of /proc/PID/cgroup
  std::string unit;
  Rare<Container> container;
  Rare<Door> door;  ///< it is one
  /// Parents, nearest first. Empty optional: not read.
  std::optional<std::vector<Ancestor>> started_by;
};

/// A process that holds a listener's file, and the descriptors by which it does.
struct Owner {
  ProcessId process{};
  std::vector<std::uint32_t> fds;  ///< ascending
};

/// A part of the kernel that opened the socket by itself.
struct KernelOwner {
  std::string kind;    ///< "vxlan"
  std::string object;  ///< what it was opened for, as the kernel calls it: "vx0"; may be empty
  std::string detail;  ///< the same in words: "device vx0"
  [[nodiscard]] std::string name() const;   ///< "vxlan vx0"
  [[nodiscard]] std::string words() const;  ///< "vxlan device vx0"
  bool operator==(const KernelOwner&) const = default;
};

/// What keeps a socket that no descriptor of any process that could be read leads to.
struct HeldBy {
  enum class How : std::uint8_t {
    IoUring,     ///< registered with an io_uring, its descriptor closed
    InFlight,    ///< sent through a UNIX socket and not yet received
    Kernel,      ///< a part of the kernel
    Unreadable,  ///< a process that could not be looked into, most likely
    Unknown,     ///< one of the first two; which one could not be told
  };
  /// Somebody who may keep it.
  struct Candidate {
    std::uint32_t pid = 0;
    std::string name;  ///< as the kernel has it
    std::string why;
    bool operator==(const Candidate&) const = default;
  };
  How how = How::Unknown;
  std::string words;
  std::vector<Candidate> candidates;  ///< likeliest first, at most kMostCandidates
  static constexpr std::size_t kMostCandidates = 8;
  bool operator==(const HeldBy&) const = default;
};
/// "io-uring", "in-flight", "kernel", "unreadable", "unknown"
[[nodiscard]] std::string_view name_of(HeldBy::How how);

enum class State : std::uint8_t { Listen, Unconn };

struct Socket {
  std::uint32_t inode = 0;
  std::optional<std::uint64_t> cookie;
  std::uint32_t uid = 0;
  std::string user;                   ///< empty: no name known for the uid
  std::optional<std::string> cgroup;  ///< path below the root of cgroup v2
  /// Is there a file that leads to it? The kernel's own sockets have none. Empty: not told.
  std::optional<bool> has_file = {};
};

struct Queue {
  std::optional<std::uint64_t> length;  ///< LISTEN: connections; UNCONN: bytes
  std::optional<std::uint64_t> limit;
  std::optional<std::uint64_t> drops;  ///< datagrams or connections the socket itself dropped
};

/// What an address says about who could reach it, by its binding alone.
enum class Scope : std::uint8_t { Loopback, OneAddress, OneInterface, All };
/// "loopback", "one-address", "one-interface", "all"
[[nodiscard]] std::string_view name_of(Scope scope);

struct Listener {
  Protocol protocol = Protocol::Tcp;
  IpAddress address;
  std::uint16_t port = 0;  ///< raw: the IP protocol number
  std::optional<bool> v6only;
  std::string interface;        ///< bound device; empty: none, or not known
  bool interface_known = true;  ///< false where the interface asked does not tell
  std::uint32_t interface_index = 0;
  NetnsId netns{};
  State state = State::Listen;
  Socket socket;
  Queue queue;
  Scope scope = Scope::All;
  /// A UDP socket whose port the kernel chose by itself: more likely a client than a service.
  bool probable_client = false;
  std::string unit;
  std::optional<UnitId> unit_id;  ///< of `unit`, if more than its name was looked for
  /// The .socket units for which systemd listens here; several where their files do not tell which.
  std::vector<UnitId> socket_units;
  /// They were concluded from the address and the cgroup, and nobody was seen holding the socket.
  bool socket_units_inferred = false;
  Rare<Container> container;
  /// Empty optional: could not be read. Empty vector: all was read, nobody holds it. By pid.
  std::optional<std::vector<Owner>> owners;
  /// By kind and object. Not empty: no process owns it.
  std::vector<KernelOwner> kernel_owners = {};
  Rare<HeldBy> held_by = {};  ///< where owners were looked for and no process was found
};

struct Host {
  std::string name;
  std::string kernel;  ///< release
  std::int64_t taken_at_ms = 0;
  std::vector<Netns> namespaces;    ///< own first, then by name, then by inode
  std::vector<Process> processes;   ///< by pid; only those that own a listener
  std::vector<UnitFacts> units;     ///< the system's first, then by user; by name
  std::vector<Listener> listeners;  ///< by namespace, port, protocol, address, inode
  bool owners_asked = true;         ///< false: nobody looked for owners
  std::vector<Gap> gaps;

  [[nodiscard]] const Netns& at(NetnsId id) const {
    return namespaces[static_cast<std::size_t>(id)];
  }
  [[nodiscard]] const Process& at(ProcessId id) const {
    return processes[static_cast<std::size_t>(id)];
  }
  [[nodiscard]] const UnitFacts& at(UnitId id) const { return units[static_cast<std::size_t>(id)]; }
};

/// The order in which listeners stand in Host::listeners.
[[nodiscard]] bool listed_before(const Listener& a, const Listener& b);
/// Those of one namespace, and those of one of its ports: they stand together.
[[nodiscard]] std::span<const Listener> listeners_in(const Host& host, NetnsId netns);
[[nodiscard]] std::span<const Listener> listeners_at(const Host& host, NetnsId netns,
                                                     std::uint16_t port);

/// "unix milliseconds" as RFC 3339 in UTC, whole seconds: "2026-11-22T14:03:18Z".
[[nodiscard]] std::string rfc3339(std::int64_t unix_ms);

}  // namespace hark::host
