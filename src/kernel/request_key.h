// How a request is called in a recording: one readable line. Recorder and Replay share these, so
// the two cannot drift apart. They are part of the recording format.
#pragma once

#include <string>

#include "kernel/source.h"

namespace hark::kernel {

[[nodiscard]] std::string netlink_key(const NetnsRef& netns, int protocol, ByteView request);
[[nodiscard]] std::string file_key(const std::string& path);
[[nodiscard]] std::string link_key(const std::string& path);
[[nodiscard]] std::string folder_key(const std::string& path);
[[nodiscard]] std::string net_table_key(const NetTablePlace& place, NetTable table);
[[nodiscard]] std::string scan_key(bool descriptors);
[[nodiscard]] std::string processes_key();
[[nodiscard]] std::string cgroup_key(std::uint64_t id);
[[nodiscard]] std::string clock_key();

}  // namespace hark::kernel
