// The policy of `hark check`: what a person expects of a host. docs/check.md is its manual.
//
// A policy is hostile input like any other: its size is bounded, every error has its place, and as
// many are told at once as can be (of TOML itself the first, of what it says all).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "base/address.h"
#include "base/protocol.h"
#include "decode/toml.h"
#include "host/select.h"

namespace hark::host {

/// An entry of a list of sources: "10.0.0.0/8", "lo", "10.0.0.0/8 via eth0", "not 10.9.0.0/16".
struct WishedSource {
  std::optional<Prefix> from = {};  ///< empty: whoever comes by the interface
  std::string interface = {};       ///< empty: whichever it is
  bool excluded = false;            ///< taken from what the others say
  bool operator==(const WishedSource&) const = default;
};

/// Who is to reach a listener.
struct ReachWish {
  enum class Kind : std::uint8_t { NotSaid, Nobody, Loopback, Anywhere, Sources };
  Kind kind = Kind::NotSaid;
  std::vector<WishedSource> sources = {};  ///< of Sources, and of Anywhere those excluded
  bool operator==(const ReachWish&) const = default;
};
/// As it is written in a policy: "anywhere", "10.0.0.0/8 via eth0, lo"; NotSaid: empty.
[[nodiscard]] std::string words_of(const ReachWish& wish);
/// The entries of the list that it is written as; empty: it is a word.
[[nodiscard]] std::vector<std::string> entries_of(const ReachWish& wish);
[[nodiscard]] std::string words_of(const WishedSource& source);

/// A name that a unit, process, user or container may have: `terms` are alternatives.
struct OwnerWish {
  std::string written;
  std::vector<Term> terms;
};
/// "nginx.service" or "unit:nginx": terms of a filter, the field's or those of every owner.
[[nodiscard]] Result<OwnerWish> parse_owner(const std::string& written);

/// What is expected of one port or range. An [[expect]] with a list of ports makes several.
struct Expectation {
  decode::TextPlace place = {};        ///< of its [[expect]]
  std::string port = {};               ///< as written: "tcp/443"; empty: `as` says it
  std::optional<Protocol> protocol{};  ///< empty: any; Tcp means MPTCP as well
  std::uint16_t first_port = 0;
  std::uint16_t last_port = 0;
  std::string as = {};               ///< a program whose configuration says the ports
  std::optional<Term> address = {};  ///< of Field::Address: what it has to be bound to
  std::string address_written = {};
  std::optional<Family> family = {};   ///< of the socket
  std::optional<bool> published = {};  ///< a port that is published, or a socket; empty: either
  std::string netns = {};              ///< empty: whichever namespace is looked at
  std::vector<OwnerWish> owners = {};  ///< alternatives; empty: not asked
  ReachWish reach = {};
  bool optional = false;
  std::string why = {};  ///< for the reader of the answer
};
/// "tcp/443", "tcp/443 at 10.0.0.5", "what sshd is configured for"
[[nodiscard]] std::string words_of(const Expectation& expectation);
/// "nginx.service or haproxy"
[[nodiscard]] std::string owner_words(const Expectation& expectation);

struct Policy {
  bool deny = true;  ///< what listens and is not named is unexpected
  decode::TextPlace default_place = {};
  std::vector<Expectation> expectations = {};
};

struct PolicyProblem {
  decode::TextPlace place;
  std::string what;  ///< with the nearest valid word, where there is one
};

/// Bound of a policy, lists of ports counted out.
constexpr std::size_t kMostExpectations = 10'000;

/// The problems are in the order of the file; at least one.
[[nodiscard]] tl::expected<Policy, std::vector<PolicyProblem>> parse_policy(std::string_view text);

}  // namespace hark::host
