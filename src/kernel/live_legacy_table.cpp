#include "kernel/live_legacy_table.h"

#include <linux/in.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/text.h"

// The kernel's header has an array of no elements, which ISO C++ has not.
#pragma GCC diagnostic ignored "-Wpedantic"

namespace hark::kernel {
namespace {

// The structures of IPv6 are those of IPv4 under other names, and so are the options.
static_assert(sizeof(ipt_getinfo) == sizeof(ip6t_getinfo));
static_assert(sizeof(ipt_get_entries) == sizeof(ip6t_get_entries));
static_assert(IPT_SO_GET_INFO == IP6T_SO_GET_INFO && IPT_SO_GET_ENTRIES == IP6T_SO_GET_ENTRIES);

constexpr std::size_t kLargestTable = 512U << 20U;  // XT_MAX_TABLE_SIZE of x_tables.c
constexpr int kTries = 4;

/// 0 or errno.
int ask(int fd, Family family, int option, void* answer, std::size_t size) {
  auto length = static_cast<socklen_t>(size);
  const int level = family == Family::Inet ? IPPROTO_IP : IPPROTO_IPV6;
  return ::getsockopt(fd, level, option, answer, &length) == 0 ? 0 : errno;
}

template <std::size_t N>
void set_name(char (&to)[N], const std::string& name) {
  std::memcpy(to, name.data(), std::min(name.size(), N - 1));
}

}  // namespace

const char* table_names_file(Family family) {
  return family == Family::Inet ? "/proc/net/ip_tables_names" : "/proc/net/ip6_tables_names";
}

bool names_table(std::string_view names, std::string_view table) {
  while (!names.empty()) {
    if (next_piece(names, '\n') == table) return true;
  }
  return false;
}

int open_for_tables(Family family) {
  return ::socket(family == Family::Inet ? AF_INET : AF_INET6, SOCK_RAW | SOCK_CLOEXEC,
                  IPPROTO_RAW);
}

/// EAGAIN: the table was replaced by one of another size between the two questions.
int read_legacy_table(int fd, Family family, const std::string& name, Bytes& out) {
  int error = EAGAIN;
  for (int i = 0; i < kTries && error == EAGAIN; ++i) {
    ipt_getinfo info{};
    set_name(info.name, name);
    error = ask(fd, family, IPT_SO_GET_INFO, &info, sizeof info);
    if (error != 0) return error;
    if (info.size > kLargestTable) return EFBIG;
    ipt_get_entries head{};
    set_name(head.name, name);
    head.size = info.size;
    out.clear();
    append_value(out, info);
    append_value(out, head);
    out.resize(sizeof info + sizeof head + info.size);
    error = ask(fd, family, IPT_SO_GET_ENTRIES, out.data() + sizeof info, sizeof head + info.size);
  }
  return error;
}

}  // namespace hark::kernel
