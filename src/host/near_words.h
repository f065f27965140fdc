// The words in which near.cpp tells what it found, and how alike two names are.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "host/select.h"

namespace hark::host {

/// What bears a name on a host. Ordered by what a person means first.
enum class NameKind : std::uint8_t { Process, Program, Unit, Container, User, Netns, Interface };

/// The name that a term asks for in lower case; nothing for terms that ask for no name, for globs
/// and for negated terms.
[[nodiscard]] std::optional<std::string> wanted_name(const Term& term);

/// True if terms of this field look at names of this kind.
[[nodiscard]] bool covers(Field field, NameKind kind);

/// How far a name is from the wanted one, if it may have been meant: 0 the same, 1 it contains or
/// continues it or is one slip away, more for long names with more slips.
[[nodiscard]] std::optional<unsigned> name_distance(std::string_view wanted, NameKind kind,
                                                    std::string_view name);

/// "unit nginx", "nginx"
[[nodiscard]] std::string missing_words(const Term& term);

/// "a process nginx"; with the filter that finds it where the term's own field does not.
[[nodiscard]] std::string found_words(NameKind kind, std::string_view name, bool own_kind);

/// "tcp 8080: nginx (901) listens on every address"
[[nodiscard]] std::string listener_words(const Host& host, const Listener& listener);

}  // namespace hark::host
