#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "diagnose/test_facts.h"

namespace hark::diagnose {
namespace {

using testing::HasSubstr;

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20U;

TEST(StarvedOwners, DescriptorsNoneAndFew) {
  TestFacts test;
  test.network.services.holders.push_back({.pid = 10, .open_files = 1024, .file_limit = 1024});
  EXPECT_EQ(test.told(), "broken out-of-fds\n");
  test.network.services.holders[0].open_files = 922;
  EXPECT_EQ(test.told(), "risk fds-nearly-out\n");
  test.network.services.holders[0].open_files = 921;
  EXPECT_EQ(test.told(), "");
}

TEST(StarvedOwners, OneOfTwoHasDescriptors) {
  TestFacts test;
  test.own(0, test.process(11, "web"));
  test.network.services.holders = {{.pid = 10, .open_files = 64, .file_limit = 64},
                                   {.pid = 11, .open_files = 9, .file_limit = 64}};
  const auto findings = diagnose(test.facts());
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].severity, Severity::Risk);
  EXPECT_THAT(findings[0].text, HasSubstr("1 of 2 processes that hold the socket have some"));
}

TEST(StarvedOwners, MemoryThatCannotBeGivenBack) {
  TestFacts test;
  test.owner().unit = "web.service";
  test.health[0].cgroup = host::CgroupHealth{.path = "/sys/fs/cgroup/web.service",
                                             .memory_used = 64 * kMiB,
                                             .memory_limit = 64 * kMiB,
                                             .memory_held = 62 * kMiB};
  const auto findings = diagnose(test.facts());
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].code, "memory-nearly-out");
  EXPECT_THAT(findings[0].text, HasSubstr("62 MiB of 64 MiB"));
  EXPECT_THAT(findings[0].remedy, HasSubstr("MemoryMax= of web.service"));
  test.health[0].cgroup->memory_held = 60 * kMiB;
  EXPECT_EQ(test.told(), "");
}

TEST(StarvedOwners, KillsThatGoOnAreARisk) {
  TestFacts test;
  test.health[0].cgroup = host::CgroupHealth{.memory_limit = 64 * kMiB, .oom_kills = 2};
  test.health_again = test.health;
  EXPECT_EQ(test.told(), "notice oom-killed\n");
  test.health_again[0].cgroup->oom_kills = 3;
  EXPECT_EQ(test.told(), "risk oom-killed\n");
  test.health[0].cgroup->memory_limit.reset();
  EXPECT_EQ(test.told(), "") << "the whole host's memory is no limit of a cgroup";
}

TEST(StarvedOwners, ThrottledIsHalfOfThePeriodsBetweenTheLooks) {
  TestFacts test;
  test.health[0].cgroup = host::CgroupHealth{.periods = 100, .throttled = 90};
  test.health_again = test.health;
  EXPECT_EQ(test.told(), "") << "it was, and is not now";
  test.health_again[0].cgroup->periods = 110;
  test.health_again[0].cgroup->throttled = 95;
  EXPECT_EQ(test.told(), "risk throttled\n");
  test.health_again[0].cgroup->throttled = 94;
  EXPECT_EQ(test.told(), "");
  test.health_again.clear();
  EXPECT_EQ(test.told(), "");
}

TEST(IdleMembers, OfSocketsThatShareThePortAShareOfTheClientsIsLost) {
  TestFacts test;
  for (std::uint32_t pid = 11; pid < 14; ++pid) {
    test.own(test.listen(Protocol::Tcp, "0.0.0.0", 80), test.process(pid, "web"));
  }
  test.state(1, 'T');
  const auto findings = diagnose(test.facts());
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].code, "reuseport-member-idle");
  EXPECT_EQ(findings[0].severity, Severity::Risk);
  EXPECT_THAT(findings[0].text, HasSubstr("1 of 4 sockets"));
  EXPECT_THAT(findings[0].text, HasSubstr("about 25 % of the clients"));
}

TEST(FullBuffers, FullAtEveryLookOrDropping) {
  TestFacts test;
  const std::size_t i = test.listen(Protocol::Udp, "0.0.0.0", 53);
  test.own(i, host::ProcessId{0});
  test.queue(212'900, 212'900, 212'992, i);
  EXPECT_EQ(test.told(), "broken rcvbuf-full\n");
  test.queue(212'900, 0, 212'992, i);
  EXPECT_EQ(test.told(), "");
  test.looks[1].sockets[101].drops = 4;
  EXPECT_EQ(test.told(), "") << "not for want of room";
  test.looks[0].counters[host::NetnsId{0}] = {{"UdpRcvbufErrors", 7}};
  test.looks[1].counters[host::NetnsId{0}] = {{"UdpRcvbufErrors", 11}};
  EXPECT_EQ(test.told(), "risk udp-drops\n");
}

TEST(ChoosySockets, FiltersAndKeys) {
  TestFacts test;
  host::SocketFacts socket{.inode = 100};
  socket.md5 = {Prefix::parse("192.0.2.0/24").value()};
  test.network.services.sockets.push_back(socket);
  EXPECT_EQ(test.told(), "notice md5-required\n");
  test.network.services.sockets[0].md5->clear();
  EXPECT_EQ(test.told(), "");
  test.network.services.sockets[0].options = decode::SocketOptions{.filter_hidden = true};
  EXPECT_EQ(test.told(), "notice socket-filter\n");
}

}  // namespace
}  // namespace hark::diagnose
