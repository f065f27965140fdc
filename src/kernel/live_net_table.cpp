#include "kernel/live_net_table.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>

#include "base/text.h"

namespace hark::kernel {

bool keeps_line(NetTable table, std::string_view line) {
  if (table == NetTable::LocalPortRange || table == NetTable::Protocols ||
      table == NetTable::RxrpcLocals || table == NetTable::SctpUdpPort) {
    return true;
  }
  constexpr int kStateField = 4;
  std::string_view word;
  for (int i = 0; i < kStateField; ++i) word = next_word(line);
  const bool tcp = table == NetTable::Tcp || table == NetTable::Tcp6;
  // "st" is the heading. 0A and 07: TCP_LISTEN and TCP_CLOSE of net/tcp_states.h.
  return word == "st" || word == (tcp ? "0A" : "07");
}

int read_table(int fd, NetTable table, Bytes& out) {
  constexpr std::size_t kLongestLine = 4096;
  std::array<char, std::size_t{64} * 1024> buffer;
  std::string pending;
  for (;;) {
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno;
    if (got == 0) break;
    pending.append(buffer.data(), static_cast<std::size_t>(got));
    std::string_view rest = pending;
    for (std::size_t end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
      if (keeps_line(table, rest.substr(0, end))) append(out, rest.substr(0, end + 1));
      rest.remove_prefix(end + 1);
    }
    if (rest.size() > kLongestLine) return EBADMSG;
    pending.assign(std::string(rest));
  }
  if (!pending.empty() && keeps_line(table, pending)) append(out, pending);
  return 0;
}

}  // namespace hark::kernel
