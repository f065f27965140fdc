#include "kernel/live_net_table.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <thread>

#include "base/unique_fd.h"

namespace hark::kernel {
namespace {

constexpr std::string_view kHeading =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt\n";

std::string line(int number, std::string_view state) {
  return "  " + std::to_string(number) + ": 00000000:1E61 00000000:0000 " + std::string(state) +
         " 00000000:00000000 00:00000000 00000000     0        0 7760 1 00000000bdf7511c 100\n";
}

/// Reads `text` through a pipe, so that lines are cut where the reader's buffer ends.
int read_back(const std::string& text, NetTable table, Bytes& out) {
  std::array<int, 2> ends{};
  EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  const UniqueFd in(ends[0]);
  UniqueFd to(ends[1]);
  std::thread writer([&] {
    std::string_view rest = text;
    while (!rest.empty()) {
      const ssize_t wrote = ::write(to.get(), rest.data(), rest.size());
      if (wrote <= 0) break;
      rest.remove_prefix(static_cast<std::size_t>(wrote));
    }
    to.reset();
  });
  const int error = read_table(in.get(), table, out);
  // Lets the writer finish where the reader gave up early.
  std::array<char, 4096> rest{};
  while (::read(in.get(), rest.data(), rest.size()) > 0) {
  }
  writer.join();
  return error;
}

TEST(NetTableReader, KeepsListenersOnlyHoweverManyConnections) {
  std::string text(kHeading);
  std::string kept(kHeading);
  for (int i = 0; i < 5000; ++i) {
    const bool listens = i % 1000 == 3;
    text += line(i, listens ? "0A" : "01");
    if (listens) kept += line(i, "0A");
  }
  Bytes out;
  ASSERT_EQ(read_back(text, NetTable::Tcp, out), 0);
  EXPECT_EQ(as_text(out), kept);
}

TEST(NetTableReader, UnconnectedIsClosedForDatagrams) {
  EXPECT_TRUE(keeps_line(NetTable::Udp, line(1, "07")));
  EXPECT_FALSE(keeps_line(NetTable::Udp, line(1, "01")));
  EXPECT_FALSE(keeps_line(NetTable::Tcp6, line(1, "07")));
  EXPECT_TRUE(keeps_line(NetTable::Raw, line(1, "07")));
  EXPECT_TRUE(keeps_line(NetTable::LocalPortRange, "32768\t60999"));
}

TEST(NetTableReader, KeepsALastLineWithoutNewline) {
  std::string last = line(1, "0A");
  last.pop_back();
  Bytes out;
  ASSERT_EQ(read_back(std::string(kHeading) + last, NetTable::Tcp, out), 0);
  EXPECT_EQ(as_text(out), std::string(kHeading) + last);
}

TEST(NetTableReader, RefusesALineWithoutEnd) {
  Bytes out;
  EXPECT_EQ(read_back(std::string(1U << 20U, 'x'), NetTable::Tcp, out), EBADMSG);
}

}  // namespace
}  // namespace hark::kernel
