// What `hark list` asks about who reaches its listeners.
#pragma once

#include <vector>

#include "cli/why_engine.h"
#include "host/collect.h"
#include "host/networks.h"
#include "host/select.h"
#include "kernel/source.h"
#include "reach/reach_table.h"

namespace hark::cli {

/// The real one, but that no holder of a socket is asked for its options: docs/adr/0009. Why nobody
/// listens on a port that leads somewhere is only told of every source.
[[nodiscard]] WhyEngine list_engine(reach::Sources about);

/// What a host was read by.
struct Reading {
  kernel::Source& source;
  const host::Host& host;
  const std::vector<kernel::NetnsRef>& ways;
  const WhyEngine& engine;
  host::Networks* others = nullptr;  ///< as of reach::Tracer; nullptr: to be made
};

/// For a command that calls read_reach(), before its first thread: threads that follow packets at
/// once each have a heap, as they would wait for each other's. The rest of hark has one
/// (main.cpp). mallopt(3), M_ARENA_MAX
void give_threads_heaps();

/// Reads each namespace that these listeners are in, once, and asks for them, and for the ports
/// that are published there; of `all` namespaces also those that have none of the listeners. `gaps`
/// gets what of it could not be read and decides. For `hark list` clients are enough; JSON tells of
/// every source.
[[nodiscard]] reach::ReachTable read_reach(const Reading& reading,
                                           const std::vector<std::size_t>& listeners, bool all,
                                           reach::Sources about, std::vector<host::Gap>& gaps);

/// The terms of a filter that this answers.
[[nodiscard]] host::ReachTest reach_test(const reach::ReachTable& table);

}  // namespace hark::cli
