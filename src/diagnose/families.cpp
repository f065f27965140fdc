#include "diagnose/families.h"

#include <algorithm>
#include <array>

namespace hark::diagnose {
namespace {

using Code = std::string_view;

constexpr std::array<Code, 4> kFullQueues = {"accept-queue-full", "accept-queue-filling",
                                             "accept-queue-overflowed", "syn-queue-full"};
constexpr std::array<Code, 6> kIdleOwners = {
    "stopped", "frozen", "uninterruptible", "reuseport-member-idle", "zombie-holder", "traced"};
constexpr std::array<Code, 2> kFullBuffers = {"rcvbuf-full", "udp-drops"};
constexpr std::array<Code, 5> kStarvedOwners = {"out-of-fds", "fds-nearly-out", "memory-nearly-out",
                                                "oom-killed", "throttled"};
constexpr std::array<Code, 2> kNotAccepting = {"not-accepting", "inherited-listener"};
constexpr std::array<Code, 2> kChoosySockets = {"socket-filter", "md5-required"};
constexpr std::array<Code, 1> kDeletedPrograms = {"deleted-binary"};
constexpr std::array<Code, 2> kStaleOwners = {"config-newer", "deleted-container"};
constexpr std::array<Code, 8> kExposed = {"exposed-database", "exposed-cache",  "exposed-debugger",
                                          "exposed-control",  "exposed-files",  "exposed-desktop",
                                          "exposed-rpc",      "exposed-metrics"};
constexpr std::array<Code, 2> kSharedPorts = {"loopback-twin", "reuseport-strangers"};
constexpr std::array<Code, 3> kVainRules = {"stale-rule", "loopback-only-though-opened",
                                            "shadowed-rule"};
constexpr std::array<Code, 3> kFirewallWays = {"ipv6-open", "dnat-bypasses-input",
                                               "two-rule-systems"};
constexpr std::array<Code, 4> kLostAnswers = {"output-drop", "output-policy-drop", "no-route-back",
                                              "rp-filter-strict"};
constexpr std::array<Code, 1> kLowPorts = {"unprivileged-owner"};
constexpr std::array<Code, 3> kOddBindings = {"v6only", "addr-absent", "link-down"};

constexpr std::array<Code, 1> kLocalNames = {"localhost-elsewhere"};
constexpr std::array<Code, 4> kFailingUnits = {"socket-activation", "unit-failed",
                                               "start-limit-hit", "restarting"};
constexpr std::array<Code, 3> kFailingContainers = {"container-killed", "restarting", "oom-killed"};
constexpr std::array<Code, 3> kDeclaredPorts = {"declared-port-missing", "declared-wider",
                                                "declared-address-missing"};

/// Findings about one listener stand in this order.
constexpr std::array kFamilies = {
    Family{"idle owners", kLooks | kHealth, kIdleOwners, idle_owners},
    Family{"starved owners", kCgroups | kLooks, kStarvedOwners, starved_owners},
    Family{"not accepting", kWaits | kLooks, kNotAccepting, not_accepting},
    Family{"full queues", kLooks, kFullQueues, full_queues},
    Family{"full buffers", kLooks, kFullBuffers, full_buffers},
    Family{"choosy sockets", kSocketOptions, kChoosySockets, choosy_sockets},
    Family{"failing units", kKernelLog, kFailingUnits, failing_units},
    Family{"failing containers", kKernelLog, kFailingContainers, failing_containers},
    Family{"deleted programs", kHealth | kLibraries, kDeletedPrograms, deleted_programs},
    Family{"stale owners", kConfigTimes, kStaleOwners, stale_owners},
    Family{"odd bindings", kSocketOptions, kOddBindings, odd_bindings},
    Family{"local names", kLocalhost, kLocalNames, local_names},
    Family{"exposed services", kReach, kExposed, exposed_services},
    Family{"shared ports", kReach | kSocketOptions, kSharedPorts, shared_ports},
    Family{"low ports", kReach, kLowPorts, low_ports},
    Family{"lost answers", kReach, kLostAnswers, lost_answers},
    Family{"firewall ways", kReach, kFirewallWays, firewall_ways},
    Family{"vain rules", kReach, kVainRules, vain_rules},
    Family{"declared ports", kDeclared, kDeclaredPorts, declared_ports},
};

}  // namespace

std::span<const Family> families() {
  return kFamilies;
}

unsigned needs_of_all() {
  unsigned out = kNothing;
  for (const Family& family : kFamilies) out |= family.needs;
  return out;
}

}  // namespace hark::diagnose
