// Questions about one host, as a person is asked them: what is asked, what may be answered, what
// is true, why, and with which command it could have been found. Made by questions.h; none of the
// texts is escaped, and names in them are hostile.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hark::drill {

/// In the order in which a drill asks them: a question and what is said of it once it is answered
/// tell nothing that a later one asks (kinds(), `asks` and `tells`).
enum class Kind : std::uint8_t {
  Command,   ///< which command shows it
  Closed,    ///< what becomes of clients of a port that nobody listens on
  Protocol,  ///< TCP or UDP
  Owner,     ///< which process
  Home,      ///< which unit, container or user
  Reach,     ///< from where it is reached
  Why,       ///< which fact decides
  Error,     ///< what a client sees
  Rebound,   ///< what he would see if it were bound otherwise
};

/// What a question is about, or gives away: bits.
enum Topic : unsigned {
  kCommands = 1U << 0U,
  kClosedPorts = 1U << 1U,
  kTransport = 1U << 2U,
  kWho = 1U << 3U,
  kWhere = 1U << 4U,
};
/// Topics that are the same for all ports.
constexpr unsigned kOfAnyPort = kCommands | kClosedPorts;

struct KindInfo {
  Kind kind = Kind::Owner;
  std::string_view name;   ///< "owner": of --json, the state file and docs/lesson.md
  std::string_view title;  ///< "who owns this port"
  unsigned asks = 0;       ///< the one topic that it asks about
  unsigned tells = 0;      ///< topics that text, choices or explanation give away, of its port
};
/// The table, in the order of Kind.
[[nodiscard]] std::span<const KindInfo> kinds();
[[nodiscard]] const KindInfo& info_of(Kind kind);
[[nodiscard]] std::optional<Kind> kind_named(std::string_view name);

struct Choice {
  std::string text;
  unsigned credit = 0;   ///< of 100: how much of the truth is in it; of the right one 100
  std::string why = {};  ///< of a wrong one: what it misses; may be empty
  std::vector<std::string> also = {};  ///< other words for it that are taken when they are typed
};

struct Question {
  Kind kind = Kind::Owner;
  /// The same of the same question on another day: "owner:host:tcp:8080".
  std::string key;
  /// Which port it is about, however it is asked: "host:8080"; of closed ports the interface.
  std::string subject;
  std::string text;
  std::vector<Choice> choices;  ///< two at least, no two of the same words
  std::size_t answer = 0;
  std::string explanation;
  std::string verify;   ///< a command of ss, ip, nft, ps, cat … that shows it on this host
  unsigned weight = 0;  ///< how much the listener deserves to be known: exposed, or with a finding
};

}  // namespace hark::drill
