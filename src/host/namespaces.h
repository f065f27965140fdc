// Which network namespaces there are, how they are called and how to get in.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "decode/mountinfo.h"
#include "decode/process.h"
#include "decode/socket_scan.h"
#include "host/container_names.h"
#include "host/host.h"
#include "kernel/source.h"

namespace hark::host {

/// A namespace that was found, and the ways to it.
struct FoundNetns {
  Netns netns;
  kernel::NetnsRef ref;  ///< without paths: our own
  /// Lowest process seen in it; 0: none. Where `ref` cannot be opened its tables still can be read
  /// through /proc/PID/net, which needs no right.
  std::uint32_t pid = 0;
  std::uint64_t table_inode = 0;  ///< decode::ScannedProcess::net_proc_inode
  /// No path leads into it: all that is known of it is in the survey of sockets.
  bool only_surveyed = false;
};

/// What was looked at to find them.
struct NetnsEvidence {
  std::uint64_t own_inode = 0;        ///< of /proc/self/ns/net; 0: could not be read
  std::uint64_t own_mount_inode = 0;  ///< of /proc/self/ns/mnt
  bool own_is_hosts = false;          ///< /proc/1/ns/net could be read and is our own
  std::vector<decode::MountRecord> mounts;
  decode::ProcessScan scan;  ///< of namespaces; empty: not asked for
};

/// All namespaces: our own; those mounted somewhere (in our mount namespace or in that of a
/// process); those of processes. Own first, then by name, then by inode. Reads mountinfo and cgroup
/// files of one process per namespace, through `source`; `names` names those of containers.
[[nodiscard]] std::vector<FoundNetns> find_namespaces(kernel::Source& source,
                                                      const NetnsEvidence& evidence,
                                                      ContainerNames& names);

/// Adds, at the end, those that only a descriptor of some process keeps alive; `scan` is of
/// descriptors.
void add_held_by_descriptors(std::vector<FoundNetns>& found, const decode::ProcessScan& scan);

/// Adds those in which the survey found sockets and to which nothing else led.
void add_surveyed(std::vector<FoundNetns>& found, const decode::SocketSurvey& survey);

/// Keeps the namespace that `asked` means: "all", "self", "host", a name, a pid, a path, "net:[N]",
/// "container:NAME" (or its id, or its pod).
/// The error has the nearest name as its hint.
[[nodiscard]] Result<std::vector<FoundNetns>> choose_namespaces(kernel::Source& source,
                                                                const NetnsEvidence& evidence,
                                                                std::vector<FoundNetns> found,
                                                                const std::string& asked);

/// The one namespace that a question is about. Several may be called `asked`, as containers of
/// Kubernetes are: that is an error, whose hint tells them apart.
[[nodiscard]] Result<FoundNetns> choose_namespace(kernel::Source& source,
                                                  const NetnsEvidence& evidence,
                                                  std::vector<FoundNetns> found,
                                                  const std::string& asked);

}  // namespace hark::host
