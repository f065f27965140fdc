// From targets to the connections that are to be tried.
#pragma once

#include <string>
#include <vector>

#include "cli/test_names.h"
#include "cli/test_target.h"
#include "host/host.h"
#include "host/network.h"
#include "show/test.h"

namespace hark::cli {

/// What all attempts have in common.
struct TestChoices {
  std::chrono::milliseconds timeout{5000};
  std::optional<IpAddress> source = {};
  std::string interface = {};
  bool verify = false;
};

/// The listeners of a target in another namespace, and the addresses by which it can be reached.
struct Elsewhere {
  host::NetnsId netns{};
  std::vector<IpAddress> addresses = {};  ///< of that namespace, without loopback
};

/// Fills in report.targets and report.attempts, in the order of the targets: of listeners every
/// address that they are bound to (a wildcard: loopback and each own address, but for link-local
/// ones of IPv6), of a port without listeners the same as of a wildcard, of a name every address
/// that it has. A target without any address says why.
class TestPlan {
 public:
  TestPlan(show::TestReport& report, const ResolvedNames& names, const TestChoices& choices)
      : report_(report), names_(names), choices_(choices) {}

  /// `elsewhere`: where a name's listeners are if none is in the namespace of the report.
  void add(const TestTarget& target, const std::vector<Elsewhere>& elsewhere);

 private:
  void add_host(const TestTarget& target);
  void add_listeners(const TestTarget& target, const std::vector<Elsewhere>& elsewhere);
  void add_bound(const host::Listener& listener);
  void add_elsewhere(const host::Target& target, const Elsewhere& place);
  /// `%zone` by its name; empty: --interface.
  void add_attempt(probe::Asked asked, const std::string& zone);
  [[nodiscard]] std::vector<IpAddress> own_addresses(const std::string& device) const;

  show::TestReport& report_;
  const ResolvedNames& names_;
  const TestChoices& choices_;
};

}  // namespace hark::cli
