// Which listeners a person means: the filters of `hark list`, the TARGETs of the other commands,
// and, where nothing is meant by them, what comes nearest.
//
// Terms of the same field are alternatives, terms of different fields must all hold, and no term
// after `not` may hold:  `tcp 80 443 not user:root`  =  tcp and (80 or 443) and not root's.
// `tcp/8080`, `10.0.0.5:443` and `udp/[::]:53` are terms of the field port whose parts hold
// together: `tcp/8080 udp/53` are two alternatives, `tcp/8080 443` as well, and `udp tcp/8080`
// is empty.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "host/host.h"

namespace hark::host {

enum class Field : std::uint8_t {
  Word,  ///< a bare word: a process, program, unit or container whose name contains it
  Protocol,
  Family,
  Port,  ///< with Term::has_protocol or has_address also what must hold together with the port
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
  Reachable,      ///< what only reach can tell: a ReachTest answers
  ReachableFrom,  ///< the same
  Kind,           ///< a listener, or a port that is published without one
};
constexpr std::size_t kFieldCount = static_cast<std::size_t>(Field::Kind) + 1;

/// What a row of the listing is.
enum class RowKind : std::uint8_t { Listener, Published };

/// To whom a listener is open, as a filter asks.
enum class OpenTo : std::uint8_t { Nobody, ThisHost, Some, Anywhere };

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
  State state = State::Listen;
  OpenTo open_to = OpenTo::Nobody;
  RowKind kind = RowKind::Listener;
  bool any_address = false;   ///< `address:any`: `prefix` does not count
  std::string device;         ///< of `fe80::1%eth0`; empty: not asked for
  bool has_protocol = false;  ///< a port or address term that is bound to `protocol`
  bool has_address = false;   ///< a port term that is bound to `prefix`, `any_address`, `device`
};

struct Filter {
  std::vector<Term> terms;
};

/// Does the term, of Reachable or ReachableFrom, hold for a listener (its position in
/// Host::listeners)? Empty: that is not known of any.
using ReachTest = std::function<bool(std::size_t listener, const Term& term)>;

/// Every form of a filter word, in any case of letters:
///   tcp udp mptcp udplite raw · ipv4 ipv6 · loopback one-address one-interface · published
///   8080 · 8000-9000 · tcp/8080 · 8080/tcp · tcp:8080 · :8080 · udp/8000-9000 · 10.0.0.5 ·
///   10.0.0.0/8 · 10.0.0.5:443 · *:443 · [::1]:80 · udp/[::]:53 · fe80::1%eth0 · tcp/10.0.0.5 ·
///   /usr/sbin/nginx · ssh.service · any other word
///   field:value with the fields proto family port address interface netns state scope user unit
///   container name pid exe cmdline cgroup inode reachable reachable-from kind (and the synonyms a
///   person would try)
///   not TERM, once: `not not TERM`, a last `not`, `and` and `or` are errors
/// A bare number is a port from 1 to 65535. An address matches listeners bound to exactly it; a
/// prefix those bound inside it; `address:any` (also `address:*`) those bound to every address.
/// The family is the socket's own, so a dual-stack listener is ipv6.
/// The error's `what` is the word; a field or value that does not exist gets the nearest in `hint`.
[[nodiscard]] Result<Filter> parse_filter(std::span<const std::string> words);

/// Texts are compared without regard to ASCII case. Values of fields are whole values or globs of
/// `*` and `?`, but:
///   word       is contained in the name, program or first word of an owner, the unit, a
///              container's name, or begins a container's id (from four digits on); a glob
///              matches one of these whole
///   unit       may go without its type: `unit:ssh` is ssh.service
///   user       name or number, of the socket or of an owner
///   netns      name, inode number or net:[N]
///   container  name or id, or the first digits of the id, at least four
///   name       what the kernel cut off after 15 bytes does not count
///   exe        the whole path or its last part
///   cmdline    contained in the arguments joined by blanks; a glob matches all of them
///   cgroup     the path, or one it lies below
/// What could not be read holds no term: it is selected by none, and left in by each `not`.
[[nodiscard]] bool matches(const Host& host, const Listener& listener, const Filter& filter,
                           const ReachTest& reach = {});

/// Positions in Host::listeners, ascending.
[[nodiscard]] std::vector<std::size_t> select(const Host& host, const Filter& filter,
                                              const ReachTest& reach = {});

/// Of a listener that is none of the host's, but made up to be compared; terms that ask reach do
/// not hold. For what is no listener and has a protocol, an address, a port and a namespace.
[[nodiscard]] bool holds_for(const Host& host, const Listener& listener, const Term& term);

/// Does the term ask what only reach can tell?
[[nodiscard]] bool asks_reach(const Term& term);

/// Something that exists and comes near to what was asked for. See contract.md, "Near misses".
struct Near {
  /// other-protocol other-port other-address other-family other-namespace; other-state, other-reach
  /// and other-name where a name (of a process, unit, user, container …) is the difference
  std::string relation;
  std::optional<std::size_t> listener;  ///< position in Host::listeners
  std::string text;  ///< "udp 53: dnsmasq (12) listens on …": no quoting for a medium
};

/// At most five, nearest first, and none of them selected by the filter. Meant for a filter that
/// selected nothing.
[[nodiscard]] std::vector<Near> near_misses(const Host& host, const Filter& filter);

/// The fields of a filter, for help, completions and their tests.
struct FieldWord {
  const char* word;  ///< "user"
  const char* help;
};
[[nodiscard]] std::span<const FieldWord> field_words();

}  // namespace hark::host
