// The listeners and published ports of two sides in groups, and which group of one side is which of
// the other. For changes.cpp alone.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "diagnose/changes.h"
#include "diagnose/opening.h"
#include "diagnose/sameness.h"

namespace hark::diagnose {

/// A listener by what makes it the same one: docs/contract.md, "hark diff".
struct Group {
  std::string netns;  ///< of NetnsWords
  Protocol protocol = Protocol::Tcp;
  std::uint16_t port = 0;
  IpAddress address = {};
  std::string interface = {};
  std::vector<std::size_t> listeners = {};
  Who who = {};

  [[nodiscard]] auto key() const { return std::tie(netns, protocol, port, address, interface); }
};

/// A group of each side; one of them may be empty.
struct Pair {
  Group before, after;
  std::size_t move = 0;  ///< as of Change
};

/// Those that are on both sides, those of one alone, and those that a program has moved.
[[nodiscard]] std::vector<Pair> match_groups(const Snapshot& before, const Snapshot& after,
                                             const NetnsWords& words, bool exact);

/// What is the same socket, whoever holds it.
[[nodiscard]] bool is_same_socket(const host::Host& before, const host::Host& after,
                                  const Pair& pair);

/// Where a published port, or a door, leads, as far as that lasts: containers and services by name.
[[nodiscard]] std::set<std::string> leads_of(const host::Host& host,
                                             const reach::PublishedPort& port);
[[nodiscard]] std::set<std::string> leads_of(const host::Host& host, const Group& group);

/// What makes a published port the same one.
[[nodiscard]] std::string published_key(const reach::PublishedPort& port, const std::string& netns);

}  // namespace hark::diagnose
