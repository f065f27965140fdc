// Every gap that reading a host can leave, in one place: its code, its words and its remedy.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "host/host.h"

namespace hark::host::gaps {

/// Descriptors of processes of other users: `count` of them.
[[nodiscard]] Gap other_users_processes(std::size_t count);
/// A process whose descriptors even a user with all rights may not read.
[[nodiscard]] Gap unreadable_processes(const std::string& pids, const std::string& why);
/// /proc hides processes of others (hidepid).
[[nodiscard]] Gap hidden_processes();
/// hark sees only the processes of its own pid namespace.
[[nodiscard]] Gap pid_namespace();
[[nodiscard]] Gap no_proc(const Error& error);
[[nodiscard]] Gap owners_not_read(const Error& error);
/// A namespace that could not be entered, and where its rows come from instead.
[[nodiscard]] Gap netns_read_through_process(const std::string& netns, std::uint32_t pid,
                                             const Error& error);
[[nodiscard]] Gap netns_not_entered(const std::string& netns, const Error& error);
[[nodiscard]] Gap sockets_not_read(const std::string& netns, const std::string& table,
                                   const Error& error);
/// A table of /proc/net stood in for sock_diag and tells less.
[[nodiscard]] Gap sockets_from_table(std::string_view protocol);
[[nodiscard]] Gap dump_interrupted(const std::string& netns);
[[nodiscard]] Gap link_not_read(const std::string& netns, std::uint32_t index, const Error& error);
[[nodiscard]] Gap no_cgroup2(const Error& error);
/// Parts of the kernel that tell their ports only to those with a right.
[[nodiscard]] Gap kernel_ports_not_read(const std::string& whose);
/// State files of container runtimes that may not be read, or cannot be understood.
[[nodiscard]] Gap container_names(std::size_t count, const Error& error);
/// No folder of unit files could be listed, and systemd holds a listener.
[[nodiscard]] Gap unit_files_not_read(const Error& error);
/// A user's manager holds a listener, and hark runs as somebody else.
[[nodiscard]] Gap user_units_not_read(const std::string& user);
/// systemd was not asked, or did not answer.
[[nodiscard]] Gap unit_states_not_read(const Error& error);
/// --no-owners: what a listing without descriptors cannot know.
[[nodiscard]] Gap owners_not_asked();

}  // namespace hark::host::gaps
