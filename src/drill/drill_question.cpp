#include "drill/drill_question.h"

#include <algorithm>
#include <array>

#include "drill/drill_dice.h"

namespace hark::drill {
namespace {

constexpr unsigned kAny = kTransport | kWho | kWhere;

constexpr std::array kKinds = {
    KindInfo{Kind::Command, "command", "which command shows it", kCommands, kCommands | kTransport},
    KindInfo{Kind::Closed, "closed", "is a closed port refused or dropped", kClosedPorts,
             kClosedPorts | kCommands},
    KindInfo{Kind::Protocol, "protocol", "is it TCP or UDP", kTransport, kTransport | kCommands},
    KindInfo{Kind::Owner, "owner", "who owns this port", kWho, kWho | kTransport | kCommands},
    KindInfo{Kind::Home, "home", "which unit, container or user is behind it", kWho,
             kWho | kTransport | kCommands},
    KindInfo{Kind::Reach, "reach", "from where can it be reached", kWhere, kAny | kCommands},
    KindInfo{Kind::Why, "why", "which fact decides what a client gets", kWhere, kAny | kCommands},
    KindInfo{Kind::Error, "error", "which error would a client on the LAN get", kWhere,
             kAny | kCommands},
    KindInfo{Kind::Rebound, "rebound", "what would change if it were bound otherwise", kWhere,
             kAny | kCommands},
};

constexpr bool in_order() {
  for (std::size_t i = 0; i < kKinds.size(); ++i) {
    if (static_cast<std::size_t>(kKinds[i].kind) != i) return false;
    // What holds for every port is not told before it is asked.
    if ((kKinds[i].asks & kOfAnyPort) == 0) continue;
    for (std::size_t j = 0; j < i; ++j) {
      if ((kKinds[j].tells & kKinds[i].asks) != 0) return false;
    }
  }
  return true;
}
static_assert(in_order());

}  // namespace

std::span<const KindInfo> kinds() {
  return kKinds;
}

const KindInfo& info_of(Kind kind) {
  return kKinds[static_cast<std::size_t>(kind)];
}

std::optional<Kind> kind_named(std::string_view name) {
  const auto found = std::ranges::find(kKinds, name, &KindInfo::name);
  if (found == kKinds.end()) return std::nullopt;
  return found->kind;
}

Dice::Dice(std::uint64_t seed, std::string_view words) : state_(seed) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : words) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  state_ ^= hash;
}

// splitmix64
std::uint64_t Dice::roll(std::uint64_t sides) {
  state_ += 0x9e3779b97f4a7c15U;
  std::uint64_t z = state_;
  z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
  z ^= z >> 31U;
  return sides == 0 ? 0 : z % sides;
}

}  // namespace hark::drill
