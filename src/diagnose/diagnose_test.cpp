#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "diagnose/test_facts.h"
#include "diagnose/words.h"

namespace hark::diagnose {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(Diagnose, WorstFirstThenByListener) {
  TestFacts test;
  test.own(test.listen(Protocol::Tcp, "0.0.0.0", 81), test.process(11, "api"));
  test.own(test.listen(Protocol::Tcp, "0.0.0.0", 82), test.process(12, "db"));
  test.owner(0).exe_deleted = true;
  test.queue(12, 12, 16, 1);
  test.state(2, 'T');
  EXPECT_EQ(test.told(), "broken stopped\nrisk accept-queue-filling\nnotice deleted-binary\n");
}

TEST(Diagnose, WhatIsTrueOfSeveralListenersIsSaidOnce) {
  TestFacts test;
  test.own(test.listen(Protocol::Tcp, "::", 80), host::ProcessId{0});
  test.own(test.listen(Protocol::Tcp, "::", 443), host::ProcessId{0});
  test.state(0, 'T');
  const auto findings = diagnose(test.facts());
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].listener, 0U);
  EXPECT_THAT(findings[0].also, ElementsAre(1, 2));
  EXPECT_EQ(findings[0].evidence.size(), 1U);
}

TEST(Diagnose, OnlyWhatTheTargetMeans) {
  TestFacts test;
  test.own(test.listen(Protocol::Tcp, "0.0.0.0", 81), host::ProcessId{0});
  test.state(0, 'T');
  Facts facts = test.facts();
  facts.listeners = {1};
  const auto findings = diagnose(facts);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].listener, 1U);
  EXPECT_THAT(findings[0].also, IsEmpty());
}

TEST(FullQueues, FullIsAboveTheLimitAtEveryLook) {
  TestFacts test;
  test.queue(17, 17, 16);
  EXPECT_EQ(test.told(), "broken accept-queue-full\n");
  test.queue(17, 3, 16);
  EXPECT_EQ(test.told(), "");
  test.queue(16, 16, 16);
  EXPECT_EQ(test.told(), "risk accept-queue-filling\n");
  test.queue(14, 13, 16);
  EXPECT_EQ(test.told(), "");
}

TEST(FullQueues, OneLookTellsFullAndNotFilling) {
  TestFacts test;
  test.queue(17, 17, 16);
  test.looks.pop_back();
  EXPECT_EQ(test.told(), "broken accept-queue-full\n");
  test.queue(14, 14, 16);
  EXPECT_EQ(test.told(), "");
}

TEST(FullQueues, AnOverflowIsThatOfTheSocketWhoseDropsRise) {
  TestFacts test;
  test.queue(0, 0, 16);
  test.looks[0].counters[host::NetnsId{0}] = {{"TcpExtListenOverflows", 3}};
  test.looks[1].counters[host::NetnsId{0}] = {{"TcpExtListenOverflows", 5}};
  EXPECT_EQ(test.told(), "");
  test.looks[1].sockets[100].drops = 2;
  EXPECT_EQ(test.told(), "risk accept-queue-overflowed\n");
  test.looks[1].counters[host::NetnsId{0}] = {{"TcpExtListenOverflows", 3}};
  EXPECT_EQ(test.told(), "");
}

TEST(FullQueues, HalfOpenConnectionsWithoutCookies) {
  TestFacts test;
  test.network.services.sockets.push_back({.inode = 100, .half_open = 16});
  test.network.settings.syncookies = 1;
  EXPECT_EQ(test.told(), "");
  test.network.settings.syncookies = 0;
  EXPECT_EQ(test.told(), "broken syn-queue-full\n");
}

TEST(IdleOwners, ASecondLookMustAgree) {
  TestFacts test;
  test.owner().state = 't';
  test.looks[0].processes[10] = {.state = 't', .switches = 5};
  test.looks[1].processes[10] = {.state = 't', .switches = 5};
  EXPECT_EQ(test.told(), "broken stopped\n");
  test.looks[1].processes[10].switches = 9;
  EXPECT_EQ(test.told(), "");
  test.looks[1].processes[10] = {.state = 'S', .switches = 5};
  EXPECT_EQ(test.told(), "");
}

TEST(IdleOwners, ProcessOneOnlyKeepsTheSocketsOfItsServices) {
  TestFacts test;
  test.host().processes.clear();
  test.health.clear();
  test.listener().owners->clear();
  test.own(0, test.process(1, "systemd"));
  test.own(0, test.process(10, "web"));
  test.state(1, 'T');
  EXPECT_EQ(test.told(), "broken stopped\n");
}

TEST(IdleOwners, FrozenSaysHowToThaw) {
  TestFacts test;
  test.network.services.holders.push_back(
      {.pid = 10, .frozen = true, .frozen_file = "/sys/fs/cgroup/a b/cgroup.events"});
  auto findings = diagnose(test.facts());
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].remedy, "thaw it: echo 0 > '/sys/fs/cgroup/a b/cgroup.freeze'");
  test.network.services.holders[0].frozen_file = "/sys/fs/cgroup/freezer/a/freezer.state";
  findings = diagnose(test.facts());
  EXPECT_EQ(findings[0].remedy, "thaw it: echo THAWED > /sys/fs/cgroup/freezer/a/freezer.state");
}

TEST(IdleOwners, UninterruptibleIsEveryThreadAtEveryLook) {
  TestFacts test;
  test.health[0].status.state = 'D';
  test.health[0].threads = {{.tid = 10, .state = 'D'}};
  for (host::Look& look : test.looks) look.processes[10].state = 'D';
  EXPECT_EQ(test.told(), "broken uninterruptible\n");
  test.health[0].threads.push_back({.tid = 11, .state = 'S'});
  EXPECT_EQ(test.told(), "");
  test.health[0].threads.pop_back();
  test.looks[1].processes[10].switches = 6;
  EXPECT_EQ(test.told(), "");
}

TEST(DeletedPrograms, NameTheUnitAndHowLong) {
  TestFacts test;
  test.owner().exe_deleted = true;
  test.owner().exe = "/usr/sbin/web";
  test.owner().unit = "web.service";
  const auto findings = diagnose(test.facts());
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_THAT(findings[0].text, HasSubstr("/usr/sbin/web was removed or replaced"));
  EXPECT_THAT(findings[0].text, HasSubstr("90 seconds ago"));
  EXPECT_THAT(findings[0].remedy, HasSubstr("start web.service again"));
  test.owner().exe = "/memfd:web";
  EXPECT_EQ(test.told(), "");
}

TEST(Words, Durations) {
  EXPECT_EQ(duration_words(1'000), "1 second");
  EXPECT_EQ(duration_words(119'000), "119 seconds");
  EXPECT_EQ(duration_words(7'199'000), "119 minutes");
  EXPECT_EQ(duration_words(47LL * 3'600'000), "47 hours");
  EXPECT_EQ(duration_words(72LL * 3'600'000), "3 days");
  EXPECT_EQ(counted(4211, "attempt"), "4,211 attempts");
  EXPECT_EQ(counted(1'000'000, "packet"), "1,000,000 packets");
}

}  // namespace
}  // namespace hark::diagnose
