// Which listeners a person means: the filters of `hark list`, the TARGETs of the other commands,
// and, where nothing is meant by them, what comes nearest.
//
// Terms of the same field are alternatives, terms of different fields must all hold, a term after
// `not` must not hold:  `tcp 80 443 not user:root`  =  tcp and (80 or 443) and not root's.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "host/host.h"

namespace hark::host {

enum class Field : std::uint8_t {
  Word,  ///< a bare word: process, unit, container, program or user name that contains it
  Protocol,
  Family,
  Port,
  Address,
  Interface,
  Netns,
  State,
  Scope,
  User,
  Unit,
  Container,
  Name,
  Pid,
  Exe,
  CommandLine,
  Cgroup,
  Inode,
};

/// One term of a filter, understood. Which members count depends on the field.
struct Term {
  Field field = Field::Word;
  bool negated = false;
  std::string written;  ///< as the person wrote it, `not` apart
  std::string text;     ///< words and globs, as given
  Protocol protocol = Protocol::Tcp;
  Family family = Family::Inet;
  std::uint16_t first_port = 0;
  std::uint16_t last_port = 0;
  Prefix prefix;
  Scope scope = Scope::All;
  std::uint64_t number = 0;
};

struct Filter {
  std::vector<Term> terms;
};

/// Every form of a filter word:
///   tcp udp mptcp udplite raw · ipv4 ipv6 · loopback one-address one-interface
///   8080 · 8000-9000 · tcp/8080 · udp/8000-9000 · 10.0.0.5 · 10.0.0.0/8 · 10.0.0.5:443 ·
///   [::1]:80 · udp/[::]:53 · pid:812 · container:NAME · ssh.service · any other word
///   field:value with the fields proto family port address interface netns state scope user unit
///   container name pid exe cmdline cgroup inode (and the synonyms a person would try)
///   not TERM
/// An address matches listeners bound to exactly it; a prefix those bound inside it; `address:any`
/// (also `address:*`) those bound to every address.
/// The error's `what` is the word; a field or value that does not exist gets the nearest in `hint`.
[[nodiscard]] Result<Filter> parse_filter(std::span<const std::string> words);

[[nodiscard]] bool matches(const Host& host, const Listener& listener, const Filter& filter);

/// Positions in Host::listeners, ascending.
[[nodiscard]] std::vector<std::size_t> select(const Host& host, const Filter& filter);

/// Something that exists and comes near to what was asked for. See contract.md, "Near misses".
struct Near {
  std::string relation;  ///< other-protocol other-port other-address other-family other-namespace …
  std::optional<std::size_t> listener;  ///< position in Host::listeners
  std::string text;  ///< "nothing on tcp 8081; nginx listens on tcp 8080": no quoting for a medium
};

/// At most five, nearest first. Meant for a filter that selected nothing.
[[nodiscard]] std::vector<Near> near_misses(const Host& host, const Filter& filter);

/// The fields of a filter, for help, completions and their tests.
struct FieldWord {
  const char* word;  ///< "user"
  const char* help;
};
[[nodiscard]] std::span<const FieldWord> field_words();

}  // namespace hark::host
