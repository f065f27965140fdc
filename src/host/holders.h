// Who holds a socket, in words. Texts are as the host has them, not escaped.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "host/host.h"

namespace hark::host {

/// Who holds the sockets of some listeners.
struct Holders {
  enum class Known { Unknown, Nobody, Processes };
  Known known = Known::Unknown;
  std::vector<ProcessId> processes;  ///< ascending, each once; only with Processes
  ProcessId lead{};                  ///< the one that stands for all; only with Processes
};

/// Of sockets with several holders the lead is the process that has been there longest, by pid
/// where that is not known; a door before whoever made its socket for it; process 1, which keeps
/// the sockets of services it started, only if there is no other.
[[nodiscard]] Holders holders_of(const Host& host, const std::vector<std::size_t>& listeners);

/// The name a person knows: Process::program, or the kernel's name, made whole where the executable
/// or the command line has more of it than the 15 bytes that the kernel keeps.
[[nodiscard]] std::string program_name(const Process& process);

/// "docker web", or the start of the id where there is no name.
[[nodiscard]] std::string container_words(const Container& container);

/// "host", "net:[4026532177]", "a namespace of pid 812"
[[nodiscard]] std::string netns_words(const Netns& netns);

/// "www-data", or "uid 33" where no name is known
[[nodiscard]] std::string user_words(const Socket& socket);

/// Who holds a listener, short: "postgres (733)", "nginx (901 +4)", "kernel: wireguard wg0",
/// "ssh.service", "a socket that nobody holds".
[[nodiscard]] std::string holder_words(const Host& host, std::size_t listener);

/// "nginx (901)"
[[nodiscard]] std::string process_words(const Process& process);

}  // namespace hark::host
