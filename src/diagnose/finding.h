// A finding: something on this host that makes a listener not work, or work for more people than it
// should; and the facts from which findings are concluded.
//
// A family of findings is a pure function of the facts, in a file of its own, and a row in the
// table of families.cpp. It is handed what its row asks for, and nothing else is read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/config_times.h"
#include "host/container_ends.h"
#include "host/declared_ports.h"
#include "host/host.h"
#include "host/localhost.h"
#include "host/looks.h"
#include "host/oom_kills.h"
#include "host/process_health.h"
#include "host/process_waits.h"
#include "host/target.h"
#include "reach/reach_table.h"
#include "reach/world.h"

namespace hark::diagnose {

/// Worst first.
enum class Severity : std::uint8_t {
  Broken,  ///< clients are not served, or will not be
  Risk,    ///< it works, and for more people than it should, or not for much longer
  Notice,  ///< worth knowing; nothing is wrong with it today
};
/// "broken", "risk", "notice"
[[nodiscard]] std::string_view name_of(Severity severity);

/// Code and texts are not escaped: names in them are hostile text.
struct Finding {
  std::string code;
  Severity severity = Severity::Notice;
  /// Position in Host::listeners; empty: it is about something that does not listen.
  std::optional<std::size_t> listener = {};
  /// Of a finding without a listener, what it is about, short: "tcp 8080", "web.service".
  std::string subject = {};
  /// The port that `subject` is about, so that a TARGET finds it; empty: none.
  std::optional<std::uint16_t> port = {};
  /// Another port by which a TARGET finds it: where the first is published; empty: none.
  std::optional<std::uint16_t> published = {};
  std::string text = {};  ///< a sentence that begins with who it is about, without its full stop
  std::vector<reach::Evidence> evidence = {};
  std::string remedy = {};  ///< in words, without a full stop; empty: there is none
  /// Listeners of the same owners of which the very same is true; diagnose() fills it.
  std::vector<std::size_t> also = {};
};

/// What is known when families are asked. Positions of `looks` are in time; there is one at least
/// if a family needs looks, and two if the host could be looked at again.
struct Facts {
  const host::Host& host;
  /// Of each namespace that has one of `listeners` and was entered: its network, and, if a family
  /// needs Need::Reach, the classes of sources of those listeners.
  const reach::ReachTable& reach;
  std::vector<std::size_t> listeners;            ///< that are asked about, ascending
  std::vector<host::ProcessHealth> health = {};  ///< of their owners, by pid
  /// Once more when the last look was taken: of those whose cgroup limits them; by pid.
  std::vector<host::ProcessHealth> health_again = {};
  /// Of owners of sockets at which connections wait, at the first look and at the last, by pid.
  std::vector<host::ProcessWaits> waits = {};
  std::vector<host::ProcessWaits> waits_again = {};
  std::vector<host::Look> looks = {};
  std::vector<host::DeclaredPort> declared = {};
  std::vector<host::Localhost> localhost = {};  ///< by pid
  std::vector<host::ConfigTime> configs = {};   ///< by pid
  std::vector<host::OomKill> oom_kills = {};    ///< oldest first
  std::vector<host::ContainerEnd> container_ends = {};
  /// What was asked about; nullptr: everything.
  const host::Target* target = nullptr;

  [[nodiscard]] const host::Listener& listener(std::size_t i) const { return host.listeners[i]; }
  /// nullptr: its namespace could not be entered.
  [[nodiscard]] const host::Network* network(const host::Listener& listener) const;
  /// nullptr: this process was not examined.
  [[nodiscard]] const host::ProcessHealth* health_of(std::uint32_t pid) const;
  [[nodiscard]] const host::ProcessHealth* health_again_of(std::uint32_t pid) const;
  [[nodiscard]] bool looked_twice() const { return looks.size() > 1; }
  /// By how much a counter of the listener's namespace, or the drops of its socket, rose from the
  /// first look to the last; 0 where there is but one.
  [[nodiscard]] std::uint64_t rise(const host::Listener& listener, std::string_view counter) const;
  [[nodiscard]] std::uint64_t rise_of_drops(const host::Listener& listener) const;
};

/// What a family has to have read for it; bits. Host, owners with all details, links, addresses,
/// routes, settings and sockets' facts of each namespace are there always.
enum Need : unsigned {
  kNothing = 0,
  kLooks = 1U << 0U,          ///< Facts::looks
  kHealth = 1U << 1U,         ///< Facts::health, the status of owners
  kLibraries = 1U << 2U,      ///< ProcessHealth::deleted_libraries
  kWaits = 1U << 3U,          ///< Facts::waits, ::waits_again
  kCgroups = 1U << 4U,        ///< ProcessHealth::cgroup
  kFirewalls = 1U << 5U,      ///< Network::nft, ::legacy, ::ip_sets, ::programs
  kSocketOptions = 1U << 6U,  ///< SocketFacts::options: asks holders for duplicates
  kReach = 1U << 7U,          ///< classes of sources; implies kFirewalls
  kDeclared = 1U << 8U,       ///< Facts::declared
  kLocalhost = 1U << 9U,      ///< Facts::localhost
  kConfigTimes = 1U << 10U,   ///< Facts::configs
  kKernelLog = 1U << 11U,     ///< Facts::oom_kills, ::container_ends
};

struct Family {
  std::string_view name;
  unsigned needs = kNothing;
  /// Every code that it gives. Each has a section in docs/findings.md.
  std::span<const std::string_view> codes;
  std::vector<Finding> (*find)(const Facts& facts) = nullptr;
};

/// The table.
[[nodiscard]] std::span<const Family> families();
/// The needs of all of them.
[[nodiscard]] unsigned needs_of_all();

/// Asks every family. Findings of which the same is true for several listeners of the same owners
/// are one; those that the target does not mean are left out. Worst first, then by listener; of one
/// listener in the order of the table.
[[nodiscard]] std::vector<Finding> diagnose(const Facts& facts);

}  // namespace hark::diagnose
