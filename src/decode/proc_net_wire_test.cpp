#include <gtest/gtest.h>

#include <algorithm>

#include "decode/proc_net.h"
#include "decode/testing.h"

namespace hark::decode {
namespace {

constexpr std::string_view kHeading =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
    "inode ref pointer drops\n";

std::vector<SocketRecord> decoded(const std::string& file, Protocol protocol, Family family) {
  const auto dump = decode_proc_net(testdata(file), protocol, family);
  EXPECT_TRUE(dump) << file << ": " << (dump ? "" : dump.error().why);
  return dump ? dump->sockets : std::vector<SocketRecord>{};
}

SocketRecord at_port(const std::vector<SocketRecord>& sockets, std::uint16_t port) {
  const auto found = std::find_if(sockets.begin(), sockets.end(),
                                  [&](const SocketRecord& s) { return s.local_port == port; });
  EXPECT_NE(found, sockets.end()) << "no socket at " << port;
  return found == sockets.end() ? SocketRecord{} : *found;
}

Result<SocketDump> decode_line(std::string_view line, Protocol protocol) {
  std::string text(kHeading);
  text += line;
  return decode_proc_net(as_bytes(text), protocol, Family::Inet);
}

TEST(ProcNet, Tcp) {
  const auto sockets = decoded("proc-net-tcp", Protocol::Tcp, Family::Inet);
  ASSERT_EQ(sockets.size(), 9U);
  const SocketRecord listener = at_port(sockets, 8080);
  EXPECT_EQ(listener.state, kTcpListen);
  EXPECT_EQ(listener.local, address("127.0.0.1"));
  EXPECT_EQ(listener.remote, address("0.0.0.0"));
  EXPECT_EQ(listener.queue_length, 2U);
  EXPECT_EQ(listener.inode, 45516U);
  EXPECT_FALSE(listener.queue_limit);
  EXPECT_FALSE(listener.drops);
  EXPECT_FALSE(listener.interface_index);
  EXPECT_FALSE(listener.cookie);
  EXPECT_FALSE(listener.cgroup_id);
  EXPECT_FALSE(listener.v6only);
  // Connections are returned too.
  const SocketRecord connected = at_port(sockets, 0xa45c);
  EXPECT_EQ(connected.remote, address("127.0.0.1"));
  EXPECT_EQ(connected.remote_port, 8080);
  EXPECT_EQ(connected.state, 1);
}

TEST(ProcNet, Tcp6) {
  const auto sockets = decoded("proc-net-tcp6", Protocol::Tcp, Family::Inet6);
  ASSERT_EQ(sockets.size(), 3U);
  EXPECT_EQ(at_port(sockets, 443).local, address("::"));
  EXPECT_EQ(at_port(sockets, 8443).local, address("::1"));
  EXPECT_FALSE(at_port(sockets, 8443).v6only);
}

TEST(ProcNet, Udp) {
  const auto sockets = decoded("proc-net-udp", Protocol::Udp, Family::Inet);
  ASSERT_EQ(sockets.size(), 3U);
  EXPECT_EQ(at_port(sockets, 53).queue_length, 7744U);
  EXPECT_EQ(at_port(sockets, 53).drops, 37U);
  EXPECT_EQ(at_port(sockets, 53).state, kTcpClose);
  EXPECT_EQ(at_port(sockets, 5353).remote_port, 53);
  const auto v6 = decoded("proc-net-udp6", Protocol::Udp, Family::Inet6);
  EXPECT_EQ(at_port(v6, 4444).uid, 1234U);
  EXPECT_EQ(at_port(v6, 4444).local, address("::1"));
}

TEST(ProcNet, RawHasItsProtocolForAPort) {
  const auto v4 = decoded("proc-net-raw", Protocol::Raw, Family::Inet);
  ASSERT_EQ(v4.size(), 2U);
  EXPECT_EQ(at_port(v4, 89).local, address("127.0.0.1"));
  EXPECT_FALSE(at_port(v4, 1).v6only);
  EXPECT_EQ(at_port(v4, 1).drops, 0U);
  const auto v6 = decoded("proc-net-raw6", Protocol::Raw, Family::Inet6);
  ASSERT_EQ(v6.size(), 1U);
  EXPECT_EQ(at_port(v6, 58).v6only, true);
}

TEST(ProcNet, AllWordsOfAnIpv6AddressCount) {
  const std::string text = std::string(kHeading) +
                           "   0: B80D0120000000000000FFFF67452301:0050 "
                           "00000000000000000000000000000000:0000 0A 00000000:00000000 "
                           "00:00000000 00000000 0 0 7 1 0 100\n";
  const auto dump = decode_proc_net(as_bytes(text), Protocol::Tcp, Family::Inet6);
  ASSERT_TRUE(dump) << dump.error().why;
  EXPECT_EQ(dump->sockets.at(0).local, address("2001:db8:0:0:ffff:0:123:4567"));
}

TEST(ProcNet, EveryBeginningIsAnErrorOrEndsBetweenLines) {
  struct Case {
    const char* file;
    Protocol protocol;
    Family family;
    std::size_t lines;
  };
  constexpr Case kCases[] = {{"proc-net-tcp", Protocol::Tcp, Family::Inet, 9},
                             {"proc-net-tcp6", Protocol::Tcp, Family::Inet6, 3},
                             {"proc-net-udp", Protocol::Udp, Family::Inet, 3},
                             {"proc-net-raw6", Protocol::Raw, Family::Inet6, 1}};
  for (const Case& c : kCases) {
    const auto decode = [&](ByteView view) { return decode_proc_net(view, c.protocol, c.family); };
    const auto count = [](const SocketDump& dump) { return dump.sockets.size(); };
    EXPECT_EQ(accepted_beginnings(testdata(c.file), decode, count), c.lines) << c.file;
  }
}

TEST(ProcNet, LargeNumbersAreRead) {
  const auto dump = decode_line(
      "99999: FFFFFFFF:FFFF 00000000:0000 07 FFFFFFFF:FFFFFFFF 00:00000000 00000000 4294967295 0 "
      "4294967295 2 ffff888000000000 4294967295\n",
      Protocol::Udp);
  ASSERT_TRUE(dump) << dump.error().why;
  const SocketRecord& record = dump->sockets.at(0);
  EXPECT_EQ(record.local, address("255.255.255.255"));
  EXPECT_EQ(record.local_port, 65535);
  EXPECT_EQ(record.queue_length, 0xffffffffU);
  EXPECT_EQ(record.uid, 0xffffffffU);
  EXPECT_EQ(record.inode, 0xffffffffU);
  EXPECT_EQ(record.drops, 0xffffffffU);
}

TEST(ProcNet, DropsOfAnOldKernelMayBeNegative) {
  const auto dump = decode_line(
      "1: 00000000:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000 0 0 1 2 p -1\n",
      Protocol::Udp);
  ASSERT_TRUE(dump) << dump.error().why;
  EXPECT_EQ(dump->sockets.at(0).drops, 0xffffffffU);
}

TEST(ProcNet, MalformedLinesAreErrorsWithTheirNumber) {
  struct Case {
    std::string_view line;
    std::string_view why;
  };
  constexpr Case kCases[] = {
      {"\n", "line 2: bad local address"},
      {"1: 0000000:0035 00000000:0000 07 0:0 0 0 0 0 1 2 p 0\n", "line 2: bad local address"},
      {"1: 000000000:0035 00000000:0000 07 0:0 0 0 0 0 1 2 p 0\n", "line 2: bad local address"},
      {"1: 0000000x:0035 00000000:0000 07 0:0 0 0 0 0 1 2 p 0\n", "line 2: bad local address"},
      {"1: 00000000:10035 00000000:0000 07 0:0 0 0 0 0 1 2 p 0\n", "line 2: bad local address"},
      {"1: 00000000 00000000:0000 07 0:0 0 0 0 0 1 2 p 0\n", "line 2: bad local address"},
      {"1: 00000000:0035 -0000000:0000 07 0:0 0 0 0 0 1 2 p 0\n", "line 2: bad remote address"},
      {"1: 00000000:0035 00000000:0000 100 0:0 0 0 0 0 1 2 p 0\n", "line 2: bad state"},
      {"1: 00000000:0035 00000000:0000 07 0 0 0 0 0 1 2 p 0\n", "line 2: bad queues"},
      {"1: 00000000:0035 00000000:0000 07 0:0 0 0 -1 0 1 2 p 0\n", "line 2: bad uid"},
      {"1: 00000000:0035 00000000:0000 07 0:0 0 0 0 0 4294967296 2 p 0\n", "line 2: bad inode"},
      {"1: 00000000:0035 00000000:0000 07 0:0 0 0 0 0 1 2\n", "line 2: bad pointer"},
      {"1: 00000000:0035 00000000:0000 07 0:0 0 0 0 0 1 2 p\n", "line 2: bad drops"},
      {"1: 00000000:0035 00000000:0000 07 0:0 0 0 0 0 1 2 p 0", "line 2: the line is cut off"},
  };
  for (const Case& c : kCases) {
    const auto dump = decode_line(c.line, Protocol::Udp);
    ASSERT_FALSE(dump) << c.line;
    EXPECT_EQ(dump.error().why, c.why) << c.line;
  }
}

TEST(ProcNet, ATextWithoutHeadingIsNoTable) {
  for (const std::string_view text :
       {"", "\n", "x\n", "1: 00000000:0035 00000000:0000 07 0:0 0 0 0 0 1 2 p 0\n"}) {
    EXPECT_FALSE(decode_proc_net(as_bytes(text), Protocol::Udp, Family::Inet)) << text;
  }
  const auto empty = decode_proc_net(as_bytes(kHeading), Protocol::Udp, Family::Inet);
  ASSERT_TRUE(empty);
  EXPECT_TRUE(empty->sockets.empty());
}

TEST(ProcNet, AnAddressOfTheOtherFamilyIsAnError) {
  EXPECT_FALSE(decode_proc_net(testdata("proc-net-tcp"), Protocol::Tcp, Family::Inet6));
  EXPECT_FALSE(decode_proc_net(testdata("proc-net-tcp6"), Protocol::Tcp, Family::Inet));
}

TEST(ProcNet, MptcpIsThereIfASocketIsCounted) {
  const std::string heading = "protocol  size sockets  memory press maxhdr  slab module\n";
  const std::string tcp = "TCP       2432      3       0   no     320   yes  kernel\n";
  const auto mptcp = [](std::string_view family, std::string_view sockets) {
    return "MPTCP" + std::string(family) + " 2064      " + std::string(sockets) +
           "      96   no       0   yes  kernel\n";
  };
  EXPECT_FALSE(has_mptcp(as_bytes(heading + tcp)));
  EXPECT_FALSE(has_mptcp(as_bytes(heading + mptcp("v6", "0") + mptcp("", "0") + tcp)));
  EXPECT_TRUE(has_mptcp(as_bytes(heading + mptcp("v6", "0") + mptcp("", "1") + tcp)));
  EXPECT_TRUE(has_mptcp(as_bytes(heading + mptcp("v6", "12") + tcp)));
  EXPECT_TRUE(has_mptcp(as_bytes(heading + mptcp("", "-") + tcp))) << "not understood";
  EXPECT_TRUE(has_mptcp({})) << "not told";
}

}  // namespace
}  // namespace hark::decode
