// What several parts of the listing ask about a row. Texts are as the host has them, not escaped.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/host.h"
#include "show/list_rows.h"

namespace hark::show {

/// Who holds the sockets of a row.
struct Holders {
  enum class Known { Unknown, Nobody, Processes };
  Known known = Known::Unknown;
  std::vector<host::ProcessId> processes;  ///< ascending, each once; only with Processes
  host::ProcessId lead{};                  ///< the one that stands for all; only with Processes
};

/// Of sockets with several holders the lead is the process that has been there longest, by pid
/// where that is not known; a door before whoever made its socket for it; process 1, which keeps
/// the sockets of services it started, only if there is no other.
[[nodiscard]] Holders holders_of(const host::Host& host, const std::vector<std::size_t>& listeners);

/// The name a person knows: Process::program, or the kernel's name, made whole where the executable
/// or the command line has more of it than the 15 bytes that the kernel keeps.
[[nodiscard]] std::string program_name(const host::Process& process);

/// "docker web", or the start of the id where there is no name.
[[nodiscard]] std::string container_words(const host::Container& container);

/// "bash, sshd, systemd": of those who started a process the ones that say something, nearest
/// first; the parent if none does. Nothing where they were not read.
[[nodiscard]] std::optional<std::string> started_by_words(const host::Process& process);

/// "host", "net:[4026532177]", "a namespace of pid 812"
[[nodiscard]] std::string netns_words(const host::Netns& netns);

/// "www-data", or "uid 33" where no name is known
[[nodiscard]] std::string user_words(const host::Socket& socket);

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
