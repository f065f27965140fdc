#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "decode/process_health.h"

namespace hark::decode {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(TaskStatusOf, SaysHowATaskFares) {
  const TaskStatus status = decode_task_status(as_bytes(
      "Name:\tState:\tT\nState:\tt (tracing stop)\nTgid:\t7\nTracerPid:\t812\nThreads:\t3\n"
      "voluntary_ctxt_switches:\t40\nnonvoluntary_ctxt_switches:\t2\n"));
  EXPECT_EQ(status, (TaskStatus{.state = 't', .tracer_pid = 812, .threads = 3, .switches = 42}));
  EXPECT_EQ(decode_task_status({}), TaskStatus{});
}

TEST(DeletedLibraries, AreMappedToBeRunAndWereFiles) {
  const std::string maps =
      "7f00-7f01 r-xp 00000000 fe:01 11 /usr/lib/libssl.so.3 (deleted)\n"
      "7f01-7f02 r--p 00001000 fe:01 11 /usr/lib/libssl.so.3 (deleted)\n"
      "7f03-7f04 r-xp 00000000 fe:01 12 /opt/with blank/libz.so (deleted)\n"
      "7f05-7f06 r--p 00000000 fe:01 13 /usr/lib/libdata.so.1 (deleted)\n"
      "7f07-7f08 r-xp 00000000 fe:01 14 /usr/lib/libc.so.6\n"
      "7f09-7f0a r-xs 00000000 00:01 15 /memfd:jit.so (deleted)\n"
      "7f0b-7f0c r-xs 00000000 00:01 16 /dev/zero (deleted)\n"
      "7f0d-7f0e rwxs 00000000 00:01 17 /SYSV00000000 (deleted)\n"
      "7f0f-7f10 r-xp 00000000 00:00 0\n";
  EXPECT_THAT(decode_deleted_libraries(as_bytes(maps)),
              ElementsAre("/opt/with blank/libz.so", "/usr/lib/libssl.so.3"));
  EXPECT_THAT(decode_deleted_libraries(as_bytes("garbage (deleted)")), IsEmpty());
}

TEST(TaskCallOf, IsThatInWhichItWaits) {
  const auto call =
      decode_task_call(as_bytes("43 0x3 0x0 0x7ffd 0x80800 0x0 0xffffffffffffffff 0x7ffc 0x7f1\n"));
  ASSERT_TRUE(call);
  EXPECT_EQ(call->number, 43);
  EXPECT_EQ(call->arguments[0], 3U);
  EXPECT_EQ(call->arguments[5], ~std::uint64_t{0});
  EXPECT_FALSE(decode_task_call(as_bytes("running\n")));
  EXPECT_FALSE(decode_task_call(as_bytes("-1 0x7ffc 0x7f1\n")));
  EXPECT_FALSE(decode_task_call(as_bytes("43 0x3 0x0\n")));
}

TEST(DescriptorInfo, OfAnEpollAndOfASocket) {
  const auto epoll = as_bytes(
      "pos:\t0\nflags:\t02\nmnt_id:\t15\nino:\t1057\n"
      "tfd:        5 events:       19 data:                5  pos:0 ino:1f40 sdev:8\n"
      "tfd:       11 events: 80000019 data: ffffffffffffffff  pos:0 ino:a sdev:8\n");
  EXPECT_THAT(decode_epoll_inodes(epoll), ElementsAre(0x1f40, 10));
  EXPECT_EQ(decode_descriptor_flags(epoll), 2U);
  EXPECT_THAT(decode_epoll_inodes(as_bytes("tfd: 5 ino:x\ntfd:\nino:7\n")), IsEmpty());
  EXPECT_EQ(decode_descriptor_flags(as_bytes("pos:\t0\nflags:\t0120002\n")), 0120002U);
  EXPECT_FALSE(decode_descriptor_flags(as_bytes("pos:\t0\n")));
}

TEST(FlatNumbers, AreNamesAndValues) {
  const auto numbers = decode_flat_numbers(as_bytes("nr_periods 12\nnr_throttled 3\nmax max\n"));
  EXPECT_EQ(numbers.size(), 2U);
  EXPECT_EQ(numbers.at("nr_throttled"), 3U);
}

TEST(CountersOf, PairsOfLines) {
  const auto counters = decode_counters(
      as_bytes("TcpExt: SyncookiesSent ListenOverflows\nTcpExt: 0 17\n"
               "Tcp: RtoAlgorithm MaxConn\nTcp: 1 -1\nIpExt: InNoRoutes\nUdp: 4\n"));
  EXPECT_EQ(counters.at("TcpExtListenOverflows"), 17U);
  EXPECT_EQ(counters.at("TcpRtoAlgorithm"), 1U);
  EXPECT_FALSE(counters.contains("TcpMaxConn"));
  EXPECT_FALSE(counters.contains("IpExtInNoRoutes"));
}

}  // namespace
}  // namespace hark::decode
