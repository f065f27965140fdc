// The configuration files of servers that run, as far as they say where to listen.
//
// hark does not ask the programs (`sshd -T`, `nginx -T`): docs/adr/0012. It reads the files as the
// process sees them, below /proc/PID/root, where the kernel's side of this (live_process_file.h)
// lets nobody borrow hark's rights. What cannot be read as a whole says nothing.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/protocol.h"
#include "kernel/source.h"

namespace hark::host {

struct FilePort {
  std::string host;  ///< as written; empty: not said; "*": every address
  std::string port;  ///< as written, a number or a name
  Protocol protocol = Protocol::Tcp;
  std::string file;  ///< as the process sees it
  std::uint32_t line = 0;
  bool operator==(const FilePort&) const = default;
};

/// Bounds of one process: files that are read, and how deep they include each other.
constexpr std::size_t kMostServerFiles = 256;
constexpr unsigned kDeepestInclude = 8;

/// Is there a row for that program?
[[nodiscard]] bool has_server_files(std::string_view program);

/// Of the process `pid`, which runs `program` with these words; a title in their place will do.
/// Nothing for children that the main process of the server has made, and where the command line
/// says something about ports itself.
[[nodiscard]] std::vector<FilePort> ports_of_files(kernel::Source& source, std::uint32_t pid,
                                                   std::string_view program,
                                                   std::span<const std::string> words);

/// The files of that process that say how it is to serve, as it sees them, each once.
[[nodiscard]] std::vector<std::string> files_of_server(kernel::Source& source, std::uint32_t pid,
                                                       std::string_view program,
                                                       std::span<const std::string> words);

}  // namespace hark::host
