// Tables of /proc/net, read line by line so that connections cost no memory.
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "kernel/source.h"

namespace hark::kernel {

/// Reads an open table to its end and keeps what Source::read_net_table promises. 0 or errno.
[[nodiscard]] int read_table(int fd, NetTable table, Bytes& out);

/// The same for text at hand: the lines that are kept. For tests, and the loop of read_table.
[[nodiscard]] bool keeps_line(NetTable table, std::string_view line);

}  // namespace hark::kernel
