#include "host/near_words.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "host/select_text.h"

namespace hark::host {
namespace {

struct KindWords {
  const char* noun;
  const char* field;
};
constexpr std::array<KindWords, 7> kKindWords = {{{"a process", "name"},
                                                  {"a program", "exe"},
                                                  {"a unit", "unit"},
                                                  {"a container", "container"},
                                                  {"a user", "user"},
                                                  {"a namespace", "netns"},
                                                  {"an interface", "interface"}}};
static_assert(kKindWords.size() == static_cast<std::size_t>(NameKind::Interface) + 1);

const KindWords& words_of(NameKind kind) {
  return kKindWords[static_cast<std::size_t>(kind)];
}

std::string who(const Host& host, const Listener& listener) {
  if (!listener.owners) {
    if (!listener.unit.empty()) return listener.unit;
    return "a process that could not be seen";
  }
  if (!listener.kernel_owners.empty()) return "kernel: " + listener.kernel_owners.front().words();
  if (listener.owners->empty()) return "a socket that no process holds";
  const Process& first = host.at(listener.owners->front().process);
  const std::string& name = first.program.empty() ? first.name : first.program;
  std::string out = name + " (" + std::to_string(first.pid);
  if (listener.owners->size() > 1) out += " +" + std::to_string(listener.owners->size() - 1);
  return out + ")";
}

std::string where(const Listener& listener) {
  const bool inet = listener.address.family == Family::Inet;
  const bool inet6_alone = listener.v6only.value_or(false);
  std::string every = inet          ? "every IPv4 address"
                      : inet6_alone ? "every IPv6 address"
                                    : "every address";
  switch (listener.scope) {
    case Scope::Loopback:
      return "this host only (" + listener.address.text() + ")";
    case Scope::OneAddress:
      return listener.address.text() + " only";
    case Scope::OneInterface:
      return every + " of " + listener.interface;
    case Scope::All:
      return every;
  }
  return every;
}

}  // namespace

std::optional<std::string> wanted_name(const Term& term) {
  if (term.negated || term.text.empty() || is_glob(term.text)) return std::nullopt;
  if (term.field == Field::CommandLine || term.field == Field::Cgroup) return std::nullopt;
  return lower(term.field == Field::Exe ? last_part(term.text) : std::string_view(term.text));
}

bool covers(Field field, NameKind kind) {
  using enum NameKind;
  switch (kind) {
    case Process:
      return field == Field::Word || field == Field::Name;
    case Program:
      return field == Field::Word || field == Field::Exe;
    case Unit:
      return field == Field::Word || field == Field::Unit;
    case Container:
      return field == Field::Word || field == Field::Container;
    case User:
      return field == Field::User;
    case Netns:
      return field == Field::Netns;
    case Interface:
      return field == Field::Interface;
  }
  return false;
}

std::optional<unsigned> name_distance(std::string_view wanted, NameKind kind,
                                      std::string_view name) {
  constexpr std::size_t kShortestPart = 3;
  const auto allowed = std::max<unsigned>(1, static_cast<unsigned>(wanted.size() / 3));
  const std::string full = lower(name);
  const auto distance = [&](std::string_view candidate) {
    const std::size_t gap =
        std::max(candidate.size(), wanted.size()) - std::min(candidate.size(), wanted.size());
    return gap > allowed ? allowed + 1 : edit_distance(wanted, candidate);
  };
  unsigned best = distance(full);
  if (kind == NameKind::Unit) best = std::min(best, distance(without_unit_type(full)));
  const bool part = wanted.size() >= kShortestPart && full.find(wanted) != std::string::npos;
  if (part) best = std::min(best, 1U);
  // Every name of one or two letters is one slip from every other.
  if (best > 0 && wanted.size() < kShortestPart && !part) return std::nullopt;
  return best <= allowed ? std::optional(best) : std::nullopt;
}

std::string missing_words(const Term& term) {
  if (term.field == Field::Word) return term.text;
  for (const KindWords& words : kKindWords) {
    const auto kind = static_cast<NameKind>(&words - kKindWords.data());
    if (!covers(term.field, kind)) continue;
    const std::string_view noun = words.noun;
    return std::string(noun.substr(noun.find(' ') + 1)) + " " + term.text;
  }
  return term.text;
}

std::string found_words(NameKind kind, std::string_view name, bool own_kind) {
  const KindWords& words = words_of(kind);
  std::string out = std::string(words.noun) + " " + std::string(name);
  if (!own_kind) out += " (" + std::string(words.field) + ":" + std::string(name) + ")";
  return out;
}

std::string listener_words(const Host& host, const Listener& listener) {
  std::string out = std::string(name_of(listener.protocol)) + " " + std::to_string(listener.port) +
                    ": " + who(host, listener) + " listens on " + where(listener);
  const Netns& netns = host.at(listener.netns);
  if (netns.own) return out;
  if (!netns.name.empty()) return out + " in namespace " + netns.name;
  if (netns.inode) return out + " in namespace net:[" + std::to_string(*netns.inode) + "]";
  return out + " in another namespace";
}

}  // namespace hark::host
