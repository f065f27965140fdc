// What was expected of a host against what is there: `hark check`. docs/check.md says what a policy
// means, host/policy_file.h how it is read.
//
// A listener is *named* by an expectation of its port (protocol, address, family, namespace); owner
// and reach are what is then asked of it. Listeners are sockets and published ports alike, of those
// the owner is who stands behind.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/intervals.h"
#include "host/declared_ports.h"
#include "host/host.h"
#include "host/policy_file.h"
#include "reach/client_view.h"
#include "reach/published.h"
#include "reach/reach_table.h"

namespace hark::diagnose {

/// Worst first.
enum class PolicyStatus : std::uint8_t {
  Unexpected,
  TooOpen,
  WrongOwner,
  Missing,
  TooClosed,
  Unknown,  ///< a fact that could not be read decides
  Met
};
/// "unexpected", "too-open" …
[[nodiscard]] std::string_view name_of(PolicyStatus status);

/// Clients of a listener that fare otherwise than a policy wants.
struct Deviation {
  /// Parts are cut where the policy cuts them; only those that deviate, or may.
  reach::ClientView clients;
  std::vector<std::size_t> too_many;  ///< they reach it; positions in ClientView::parts
  std::vector<std::size_t> too_few;   ///< they do not
  std::vector<std::size_t> open;      ///< whether they do is not known, and decides
  bool nobody_at_all = false;         ///< somebody should, and there is no place to ask at
  bool not_asked = false;             ///< of such a socket nothing is known
};

/// Sources as docs/contract.md counts them: not this host's own addresses, and 127/8 and ::1 on lo
/// alone. "anywhere" asks nothing of this host's own clients where there can be others.
[[nodiscard]] Deviation deviation_of(const host::Network& network, const reach::Reachability& one,
                                     const host::ReachWish& wish);

struct PolicyFacts {
  const host::Host& host;
  const reach::ReachTable& reach;
  const std::vector<host::DeclaredPort>& declared;
  std::optional<host::NetnsId> netns = {};  ///< the only one that is looked at
};

/// A listener, or a port that is published without one.
struct PolicySubject {
  std::optional<std::size_t> listener = {};   ///< position in Host::listeners
  std::optional<std::size_t> published = {};  ///< position in ReachTable::published()
  auto operator<=>(const PolicySubject&) const = default;
};

struct PolicyResult {
  std::optional<std::size_t> expectation = {};  ///< position in Policy::expectations
  PolicyStatus status = PolicyStatus::Met;
  PolicySubject subject = {};  ///< of Missing neither, and perhaps of Unknown
  Deviation sources = {};
  bool owner_unknown = false;
  /// Of a published port: those that nothing names, and whether it is published for sure.
  PortSet ports = {};
  bool certain = true;
  std::vector<host::Near> near = {};  ///< of Missing
  /// Of an expectation with `as`: "tcp/22, /etc/ssh/sshd_config line 5"; "" where nothing says any.
  std::string declared = {};
};

/// Worst first; within a status in the order of the policy, then of the host.
[[nodiscard]] std::vector<PolicyResult> check_policy(const PolicyFacts& facts,
                                                     const host::Policy& policy);

/// Everything that a policy is about: all but probable clients, each in a namespace looked at.
[[nodiscard]] std::vector<PolicySubject> policy_subjects(const PolicyFacts& facts);

/// Gaps that hide listeners of which a policy would have something to say.
[[nodiscard]] bool hides_listeners(const PolicyFacts& facts, const host::Policy& policy,
                                   const std::vector<host::Gap>& gaps);

}  // namespace hark::diagnose
