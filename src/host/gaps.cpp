#include "host/gaps.h"

#include <cerrno>

namespace hark::host::gaps {
namespace {
const std::string kAsRoot = "run as root to see them";
const std::string kPtrace = "CAP_SYS_PTRACE is missing";
}  // namespace

Gap other_users_processes(std::size_t count) {
  const std::string processes =
      std::to_string(count) + (count == 1 ? " process" : " processes") + " of other users";
  return {.code = "other-users-processes",
          .what = "descriptors of " + processes + ": " + kPtrace,
          .hides = "which listeners they own",
          .remedy = kAsRoot};
}

Gap unreadable_processes(const std::string& pids, const std::string& why) {
  return {.code = "unreadable-processes",
          .what = "descriptors of " + pids + ": " + why,
          .hides = "which listeners they own",
          .remedy = ""};
}

Gap hidden_processes() {
  return {.code = "hidepid",
          .what = "processes of other users: /proc is mounted with hidepid and " + kPtrace,
          .hides = "which listeners they own, and namespaces that only they are in",
          .remedy = kAsRoot};
}

Gap pid_namespace() {
  return {.code = "pid-namespace",
          .what = "processes outside this pid namespace",
          .hides = "which listeners they own, and namespaces that only they are in",
          .remedy = "run hark on the host itself"};
}

Gap no_proc(const Error& error) {
  return {.code = "no-proc",
          .what = "/proc: " + reason(error),
          .hides = "owners, other namespaces and the tables of /proc/net",
          .remedy = "mount proc on /proc"};
}

Gap owners_not_read(const Error& error) {
  return {.code = "owners-not-read",
          .what = "descriptors of processes: " + reason(error),
          .hides = "who owns the listeners",
          .remedy = ""};
}

Gap netns_read_through_process(const std::string& netns, std::uint32_t pid, const Error& error) {
  return {.code = "netns-not-entered",
          .what = netns + " could not be entered (" + reason(error) +
                  ": CAP_SYS_ADMIN is missing); its listeners are as /proc/" + std::to_string(pid) +
                  "/net has them",
          .hides =
              "their bound device, whether [::] takes IPv4 too, whether tcp is mptcp, queue "
              "limits, cgroups",
          .remedy = "run as root to see them"};
}

Gap netns_not_entered(const std::string& netns, const Error& error) {
  const bool denied = error.code == 1 || error.code == 13;  // EPERM, EACCES
  return {.code = "netns-not-entered",
          .what = netns + " could not be entered: " + reason(error) +
                  (denied ? ": CAP_SYS_ADMIN is missing" : ""),
          .hides = "the listeners in it",
          .remedy = denied ? kAsRoot : ""};
}

Gap sockets_not_read(const std::string& netns, const std::string& table, const Error& error) {
  return {.code = "sockets-not-read",
          .what = table + " sockets of " + netns + ": " + reason(error),
          .hides = "listeners of that protocol",
          .remedy = ""};
}

Gap sockets_from_table(std::string_view protocol) {
  return {.code = "sockets-from-table",
          .what = std::string(protocol) +
                  " sockets are as /proc/net has them: this kernel has no sock_diag for them",
          .hides = "their bound device, cgroup and buffer size",
          .remedy = ""};
}

Gap dump_interrupted(const std::string& netns) {
  return {.code = "dump-interrupted",
          .what = "sockets of " + netns + " changed while they were listed, four times in a row",
          .hides = "perhaps a listener that came or went",
          .remedy = "ask again"};
}

Gap link_not_read(const std::string& netns, std::uint32_t index, const Error& error) {
  return {
      .code = "link-not-read",
      .what = "name of interface " + std::to_string(index) + " of " + netns + ": " + reason(error),
      .hides = "to which device a listener is bound",
      .remedy = ""};
}

Gap no_cgroup2(const Error& error) {
  return {.code = "no-cgroup2",
          .what = "cgroup v2: " + reason(error),
          .hides = "units and containers of listeners whose owners cannot be read",
          .remedy = "mount cgroup2 on /sys/fs/cgroup"};
}

Gap kernel_ports_not_read(const std::string& whose) {
  return {.code = "kernel-ports-not-read",
          .what = "ports of " + whose + ": CAP_NET_ADMIN is missing",
          .hides = "which listeners the kernel has for them",
          .remedy = kAsRoot};
}

Gap container_names(std::size_t count, const Error& error) {
  constexpr int kEperm = 1;
  constexpr int kEacces = 13;
  const bool denied = error.code == kEperm || error.code == kEacces;
  return {.code = "container-names",
          .what = (count == 1 ? "state file of 1 container"
                              : "state files of " + std::to_string(count) + " containers") +
                  ": " + reason(error),
          .hides = "names, images and pods; ids stand in for them",
          .remedy = denied ? kAsRoot : ""};
}

Gap unit_files_not_read(const Error& error) {
  return {.code = "unit-files",
          .what = "unit files of systemd: " + reason(error),
          .hides = "for which socket units systemd listens, and what they start",
          .remedy = ""};
}

Gap user_units_not_read(const std::string& user) {
  return {.code = "user-units",
          .what = "unit files of " + user + ": only that user's hark reads them",
          .hides = "for which socket units that user's systemd listens",
          .remedy = "run hark as " + user};
}

Gap unit_states_not_read(const Error& error) {
  const bool missing = error.code == ENOENT;
  std::string why = reason(error);
  if (missing) why = "hark-units, which asks systemd, is not installed";
  if (error.code == ECONNREFUSED) why = "systemd cannot be reached over D-Bus";
  if (error.code == ETIMEDOUT) why = "systemd did not answer within a second";
  return {.code = "unit-states",
          .what = "states of units: " + why,
          .hides = "whether units are active, how often they were restarted, how they ended last",
          .remedy = missing ? "install hark with hark-units" : ""};
}

Gap owners_not_asked() {
  return {.code = "owners-not-asked",
          .what = "descriptors of processes were not read",
          .hides = "owners, and namespaces that only a descriptor keeps alive",
          .remedy = "ask for owners as well"};
}

}  // namespace hark::host::gaps
