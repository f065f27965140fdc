// What several parts of the listing ask about a row. Texts are as the host has them, not escaped.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/holders.h"
#include "host/host.h"
#include "show/list_rows.h"

namespace hark::show {

using host::container_words;
using host::Holders;
using host::holders_of;
using host::netns_words;
using host::program_name;
using host::user_words;

/// "bash, sshd, systemd": of those who started a process the ones that say something, nearest
/// first; the parent if none does. Nothing where they were not read.
[[nodiscard]] std::optional<std::string> started_by_words(const host::Process& process);

/// "2026-11-22 14:03:18" in the reader's time zone. Nothing for a time that no calendar has.
[[nodiscard]] std::optional<std::string> local_time(std::int64_t unix_ms);

/// The device a socket is bound to, "#7" where only its number is known, or empty.
[[nodiscard]] std::string device_of(const host::Listener& listener);

/// Bound to no address in particular, lo apart: a wildcard on lo is this host only.
[[nodiscard]] bool is_bound_to_everything(const host::Listener& listener);

/// None of the processes can serve: each is stopped, a zombie or dead.
[[nodiscard]] bool cannot_serve(const host::Host& host, const Holders& holders);

/// How urgent the queue of a listener is: only Full means that clients are being turned away.
enum class QueueLevel : unsigned char { Quiet, Half, Full };
[[nodiscard]] QueueLevel queue_level(const host::Listener& listener);

/// The listener of a row whose queue is fullest.
[[nodiscard]] const host::Listener& fullest(const host::Host& host, const ListRow& row);

}  // namespace hark::show
