// Tables of the old iptables, by getsockopt(2). linux/netfilter_ipv4/ip_tables.h,
// net/ipv4/netfilter/ip_tables.c and their likes of IPv6.
#pragma once

#include <string>
#include <string_view>

#include "base/address.h"
#include "base/bytes.h"

namespace hark::kernel {

/// The file of /proc/net that names the tables of a namespace.
[[nodiscard]] const char* table_names_file(Family family);
/// Is the table among the lines of that file?
[[nodiscard]] bool names_table(std::string_view names, std::string_view table);

/// A raw socket in the namespace of the caller, for read_legacy_table() alone; -1 with errno.
[[nodiscard]] int open_for_tables(Family family);
/// What Source::legacy_table promises of a table that is there. 0 or errno.
[[nodiscard]] int read_legacy_table(int fd, Family family, const std::string& name, Bytes& out);

}  // namespace hark::kernel
