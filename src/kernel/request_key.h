// How a request is called in a recording, and how it is called in an error. Recorder and Replay
// share the keys and Live and Replay share the names in errors, so none of them can drift apart.
// The keys are part of the recording format (docs/recording.md): a change of one makes old
// recordings answer "not recorded".
#pragma once

#include <string>

#include "kernel/source.h"

namespace hark::kernel {

/// One readable word for the kind of request, then what it asks. A namespace is known by its inode
/// alone, however it was reached. Bytes of a path stay as they are; the recording escapes them.
///
/// `netlink INODE PROTOCOL HEX`: the request's bytes, without its sequence number and port, which
/// say nothing of what is asked.
[[nodiscard]] std::string netlink_key(const NetnsRef& netns, int protocol, ByteView request);
[[nodiscard]] std::string file_key(const std::string& path);
[[nodiscard]] std::string link_key(const std::string& path);
/// `file-time PATH`
[[nodiscard]] std::string file_time_key(const std::string& path);
[[nodiscard]] std::string folder_key(const std::string& path);
/// `net-table netns INODE TABLE`, or `net-table pid PID TABLE` when it is read through a process.
[[nodiscard]] std::string net_table_key(const NetTablePlace& place, NetTable table);
/// `net-file netns INODE PATH`
[[nodiscard]] std::string net_file_key(const NetnsRef& netns, const std::string& path);
/// `legacy-table netns INODE ip NAME`, or `ip6`
[[nodiscard]] std::string legacy_table_key(const NetnsRef& netns, Family family,
                                           const std::string& name);
/// `programs netns INODE`, `programs link INODE INDEX`, `programs cgroup PATH`, `program ID`
[[nodiscard]] std::string programs_key(const ProgramPlace& place);
/// `socket-options PID FD INODE`
[[nodiscard]] std::string options_key(const SocketHolder& holder);
[[nodiscard]] std::string sockets_key(SurveyDepth depth);
/// `bound-sockets INODE PROTOCOL PORT`
[[nodiscard]] std::string bound_key(const BoundPlace& place);
[[nodiscard]] std::string netns_ids_key(const NetnsRef& in);
[[nodiscard]] std::string namespaces_key();
/// Whatever was wanted: a recording holds every socket.
[[nodiscard]] std::string descriptors_key();
/// One key for all of them: replay answers from everything that was read of any process.
[[nodiscard]] std::string processes_key();
[[nodiscard]] std::string cgroup_key(std::uint64_t id);
[[nodiscard]] std::string clock_key();
/// Whatever was asked for: a reader takes what it needs.
[[nodiscard]] std::string units_key();

/// Error::what of a failed request, by kind. `path_what` is for files, links and folders.
[[nodiscard]] std::string netlink_what();
[[nodiscard]] std::string path_what(const std::string& path);
[[nodiscard]] std::string net_table_what(NetTable table);
[[nodiscard]] std::string legacy_table_what(Family family, const std::string& name);
[[nodiscard]] std::string programs_what(const ProgramPlace& place);
[[nodiscard]] std::string options_what(const SocketHolder& holder);
[[nodiscard]] std::string sockets_what();
[[nodiscard]] std::string bound_what();
[[nodiscard]] std::string netns_ids_what();
[[nodiscard]] std::string processes_what();  ///< of the scans and of read_processes
[[nodiscard]] std::string cgroup_what(std::uint64_t id);
[[nodiscard]] std::string clock_what();
[[nodiscard]] std::string units_what();

/// Two lower-case digits for each byte.
void append_hex(std::string& to, ByteView bytes);

}  // namespace hark::kernel
