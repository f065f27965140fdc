// What `hark why` asks others: the reading of a namespace, the trace, routing, names. In one place,
// so that the command can be tested with answers that are made up.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/exit_status.h"
#include "cli/invocation.h"
#include "cli/output.h"
#include "host/collect.h"
#include "host/network.h"
#include "host/networks.h"
#include "kernel/source.h"
#include "reach/questions.h"
#include "reach/reach_table.h"
#include "reach/trace.h"

namespace hark::cli {

struct WhyEngine {
  /// Everything that a trace needs of one namespace of a host.
  std::function<host::Network(kernel::Source&, const kernel::NetnsRef&, const host::Host&,
                              host::NetnsId)>
      read;
  /// What answers questions about a namespace: made once for all of them, since it makes rules and
  /// routes ready. Both must outlive it; what a second look changes in the network it sees.
  using Trace = std::function<reach::Answer(const reach::Question&)>;
  /// `others` as of reach::Tracer.
  std::function<Trace(const host::Host&, const host::Network&, host::Networks* others)> tracer;
  reach::AskReach reach;
  std::function<reach::Routing(const host::Host&, const host::Network&)> routing;
  std::function<Result<std::vector<IpAddress>>(const std::string&)> resolve;
};

/// The real one.
[[nodiscard]] WhyEngine why_engine();

/// What an answer is made from. It belongs to the caller, who need not give it back: rules and sets
/// are many small pieces.
struct WhyFacts {
  host::Collected collected;
  host::Network network;
  std::unique_ptr<host::Networks> others;
  WhyEngine::Trace trace;
};

/// The command, but for where its facts come from.
[[nodiscard]] Outcome answer_why(const Invocation& asked, kernel::Source& source,
                                 const WhyEngine& engine, WhyFacts& facts, Output& out);

/// What one answer comes to: Yes, No or CannotTell.
[[nodiscard]] ExitStatus status_of(const reach::Answer& answer);

}  // namespace hark::cli
