// Which BPF programs are attached where: BPF_PROG_QUERY, BPF_LINK_GET_NEXT_ID, and what the kernel
// tells of a program. linux/bpf.h; kernel/bpf/syscall.c, kernel/bpf/cgroup.c. Reads only.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace hark::kernel {

/// Each appends the parts of base/program_parts.h that the place has. They never fail as a whole.
void append_cgroup_programs(int cgroup, Bytes& out);
/// `netns` is a descriptor of its nsfs file.
void append_netns_programs(int netns, Bytes& out);
/// To be called inside the namespace of the link.
void append_link_programs(std::uint32_t link, Bytes& out);
void append_program(std::uint32_t id, Bytes& out);

}  // namespace hark::kernel
