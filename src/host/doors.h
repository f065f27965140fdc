// Doors: processes that listen for somebody else, in another network namespace or behind an
// address. What kind of door a process is, is told by its program; where it leads, by its command
// line, and by whom it runs in the namespace that it serves. The programs are the rows of a table
// in door_programs.cpp.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "decode/process.h"
#include "host/container_names.h"
#include "host/host.h"
#include "host/namespaces.h"
#include "kernel/source.h"

namespace hark::host {

/// Fills Process::door. On a host without doors nothing is read.
void find_doors(kernel::Source& source, ContainerNames& names,
                const std::vector<FoundNetns>& namespaces, std::vector<Process>& processes);

/// Where the ports lead that this listener's is one of, where they lead elsewhere than the door
/// itself; empty: they do not.
[[nodiscard]] std::string door_words(const Door& door, const Listener& listener);

/// The port at which what reaches this listener comes out; 0: not known.
[[nodiscard]] std::uint16_t door_port(const Door& door, const Listener& listener);

/// Where a door leads: "172.17.0.2:80", "[fd00::2]:80", ":80" where only the port is known, or
/// empty. `address`: of the door, `port` of door_port.
[[nodiscard]] std::string door_target(const Door& door, std::uint16_t port);

/// The network namespace that a door leads into; neither inode nor name: that is not known.
[[nodiscard]] Netns netns_of(const Door& door);

/// What the programs of the table need to ask while a door is read.
class DoorGuide {
 public:
  DoorGuide(kernel::Source& source, ContainerNames& names,
            const std::vector<FoundNetns>& namespaces)
      : source_(source), names_(names), namespaces_(namespaces) {}

  [[nodiscard]] std::optional<Container> docker_at(const IpAddress& address, const Process& door) {
    return names_.docker_with_address(address, door.cgroup);
  }
  // Where a door leads into: its namespace and container, which stay as they are where that is not
  // known. `process` is the door's own, and no door leads into its own namespace.
  /// That of a process, or of the network namespace that it is in.
  void lead_to_process(std::uint32_t pid, const Process& process, Door& door);
  /// A network namespace that is bound to this path, in any mount namespace.
  void lead_to_path(const std::string& path, const Process& process, Door& door);
  /// The network namespace of a child that left the door's own: how a door that names no target
  /// enters it.
  void lead_to_children(const Process& process, Door& door);

 private:
  [[nodiscard]] std::optional<Container> by_cgroup(std::uint32_t pid);
  [[nodiscard]] std::optional<Container> in_netns(std::uint64_t inode);
  void lead_to_netns(std::uint64_t inode, std::uint64_t own, Door& door);
  [[nodiscard]] std::uint64_t netns_of(std::uint32_t pid);

  kernel::Source& source_;
  ContainerNames& names_;
  const std::vector<FoundNetns>& namespaces_;
  std::optional<decode::ProcessScan> scan_;
  std::map<std::uint64_t, std::optional<Container>> in_netns_;
};

/// A program that is a door.
struct DoorProgram {
  const char* program;  ///< the file name of its executable
  const char* called;   ///< what its first argument must contain besides; empty: anything
  const char* kind;
  /// Reads where it leads. `words` is the command line, with at least one word.
  /// What is no door after all is left without its kind.
  void (*read)(const std::vector<std::string>& words, const Process& process, DoorGuide& guide,
               Door& door);
  bool only_by_words = false;  ///< without its command line it is not known to be a door
};

// The readers of door_forwarders.cpp.
void read_socat(const std::vector<std::string>& words, const Process& process, DoorGuide& guide,
                Door& door);
void read_socket_proxyd(const std::vector<std::string>& words, const Process& process,
                        DoorGuide& guide, Door& door);
void read_kubectl(const std::vector<std::string>& words, const Process& process, DoorGuide& guide,
                  Door& door);
void read_ssh(const std::vector<std::string>& words, const Process& process, DoorGuide& guide,
              Door& door);
void read_sshd(const std::vector<std::string>& words, const Process& process, DoorGuide& guide,
               Door& door);

/// The first row whose program has this file name; rows that follow may have it too.
[[nodiscard]] std::span<const DoorProgram> door_programs();

/// Port forwardings of pasta and passt: "8080:80", "127.0.0.1/80-90:180-190,443", "all", "none".
[[nodiscard]] std::vector<DoorPorts> pasta_ports(std::string_view spec, Protocol protocol);
/// A port of rootlesskit: "127.0.0.1:8080:80/tcp", "8080:10.0.2.100:80/udp".
[[nodiscard]] std::optional<DoorPorts> rootlesskit_port(std::string_view spec);

}  // namespace hark::host
