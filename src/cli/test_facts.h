// What is read of this host for a test, and what is predicted from it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "cli/exit_status.h"
#include "cli/invocation.h"
#include "cli/test_plan.h"
#include "cli/why_engine.h"
#include "host/collect.h"
#include "host/network.h"
#include "host/networks.h"
#include "kernel/source.h"
#include "reach/trace.h"

namespace hark::cli {

/// One look at this host. Answers of `trace` name parts of it.
struct TestFacts {
  host::Collected collected;
  host::Network network;
  /// What packets that leave the namespace are followed through.
  std::unique_ptr<host::Networks> others;
  WhyEngine::Trace trace;

  [[nodiscard]] const kernel::NetnsRef& way() const {
    return collected.ways[static_cast<std::size_t>(network.netns)];
  }
};

/// `details`: command lines too, for targets that are names. A namespace that does not exist is
/// usage.
[[nodiscard]] tl::expected<std::unique_ptr<TestFacts>, Failure> look_at_host(
    kernel::Source& source, const Invocation& asked, const WhyEngine& engine, bool details);

/// Namespaces where a name's listeners are, if none is in that of the facts.
[[nodiscard]] std::vector<Elsewhere> find_elsewhere(kernel::Source& source, const WhyEngine& engine,
                                                    const TestFacts& facts,
                                                    const TestTarget& target);

/// What this host would do with the first packet of an attempt.
struct Prediction {
  std::optional<reach::Answer> answer = {};  ///< nothing for an interface that is not there
  std::string leaves_by = {};
};
[[nodiscard]] Prediction predict(const TestFacts& facts, const probe::Attempt& attempt);

/// Connections wait at a listener that is told to answer some attempt: is anybody taking them?
/// Looks again for up to a second; true: `facts` know more now.
[[nodiscard]] bool watch_queues(kernel::Source& source, TestFacts& facts,
                                const std::vector<probe::Attempt>& attempts);

/// A look at the host for attempts that did not go as predicted; null: it failed.
using AnotherLook =
    std::function<std::unique_ptr<TestFacts>(const std::vector<probe::Attempt>& attempts)>;

/// Sets `agrees` of each attempt. Where one does not, `look` is called once, and what that tells is
/// put down as what may explain it.
void judge(show::TestReport& report, const AnotherLook& look);

}  // namespace hark::cli
