#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "diagnose/families.h"
#include "diagnose/test_facts.h"

namespace hark::diagnose {
namespace {

using host::ContainerEnd;
using host::OomKill;
using testing::HasSubstr;

constexpr std::int64_t kNow = 1'790'000'000'000;  // of TestFacts
constexpr std::int64_t kMinute = 60'000;

OomKill kill_at(std::int64_t at_ms) {
  return {.pid = 4121,
          .program = "java",
          .cgroup = "/docker/ab",
          .unit = "",
          .limited = "/docker/ab",
          .at_ms = at_ms};
}

ContainerEnd ended(std::int64_t at_ms) {
  return {.container = {.runtime = "docker", .id = "ab", .name = "web"},
          .kills = {},
          .runs = false,
          .exit_status = 137,
          .ended_at_ms = at_ms};
}

/// The listener of TestFacts is in that container; its process is 90 seconds old.
struct InContainer : TestFacts {
  InContainer() {
    owner().container = host::Container{.runtime = "docker", .id = "ab", .name = "web"};
  }
  std::vector<Finding> of(ContainerEnd end) {
    Facts all = facts();
    all.container_ends = {std::move(end)};
    return failing_containers(all);
  }
  /// Where there is one, and no other.
  Finding only(const ContainerEnd& end) {
    std::vector<Finding> found = of(end);
    EXPECT_EQ(found.size(), 1U);
    return found.size() == 1 ? std::move(found.front()) : Finding{};
  }
};

TEST(FailingContainers, KilledForWantOfMemoryAndGone) {
  InContainer test;
  ContainerEnd end = ended(kNow - 3 * kMinute);
  EXPECT_TRUE(test.of(end).empty()) << "nobody says why it ended";
  end.kills = {kill_at(kNow - 3 * kMinute - 500)};
  const Finding found = test.only(end);
  EXPECT_EQ(found.code, "container-killed");
  EXPECT_EQ(found.severity, Severity::Risk);
  EXPECT_EQ(found.subject, "container web");
  EXPECT_EQ(found.text,
            "container web does not run: the kernel killed java (4121) in it 3 minutes ago, for it "
            "was at its memory limit");
  EXPECT_EQ(found.evidence.at(0).verify, "dmesg -T | grep oom-kill:");
}

TEST(FailingContainers, AnotherEndIsNoneOfTheKernels) {
  InContainer test;
  ContainerEnd end = ended(kNow - kMinute);
  end.kills = {kill_at(kNow - 30 * kMinute)};
  EXPECT_TRUE(test.of(end).empty());
  end.ended_at_ms = end.kills[0].at_ms;
  EXPECT_EQ(test.of(end).size(), 1U);
  end.stopped_by_hand = true;
  EXPECT_TRUE(test.of(end).empty());
}

TEST(FailingContainers, WhereTheRuntimeDoesNotSayWhenItEnded) {
  InContainer test;
  ContainerEnd end = ended(0);
  end.container.runtime = "podman";
  end.ended_at_ms.reset();
  end.exit_status.reset();
  end.kills = {kill_at(kNow - 30 * kMinute)};
  end.kills[0].limited.clear();
  const Finding found = test.only(end);
  EXPECT_THAT(found.text, HasSubstr("for the whole host was out of memory"));
  EXPECT_EQ(found.evidence.at(1).verify, "podman ps -a");
  end.kills = {kill_at(kNow - 90 * kMinute)};
  EXPECT_TRUE(test.of(end).empty());
}

TEST(FailingContainers, StartedAgain) {
  InContainer test;
  ContainerEnd end = ended(kNow - 2 * kMinute);
  end.runs = true;
  end.restarts = 1;
  end.kills = {kill_at(kNow - 2 * kMinute)};
  Finding found = test.only(end);
  EXPECT_EQ(found.code, "oom-killed");
  EXPECT_EQ(found.severity, Severity::Notice);
  EXPECT_EQ(found.listener, 0U);
  EXPECT_THAT(found.text, HasSubstr("web was started again: the kernel had killed java"));
  end.kills = {kill_at(kNow - 20 * kMinute), kill_at(kNow - 2 * kMinute)};
  found = test.only(end);
  EXPECT_EQ(found.severity, Severity::Risk);
  EXPECT_THAT(found.text, HasSubstr("2 of its processes were killed within the hour"));
}

TEST(FailingContainers, AWorkerThatWasKilledDidNotEndIt) {
  InContainer test;
  ContainerEnd end = ended(kNow - 600 * kMinute);
  end.runs = true;
  end.kills = {kill_at(kNow - kMinute)};
  EXPECT_TRUE(test.of(end).empty()) << "its cgroup's counter tells of it";
  end.kills = {kill_at(kNow - 2 * kMinute)};
  test.own(0, test.process(11, "master"));
  test.owner(1).container = test.owner(0).container;
  test.owner(1).started_at_ms = kNow - 600 * kMinute;
  EXPECT_TRUE(test.of(end).empty());
}

TEST(FailingContainers, LongAgo) {
  InContainer test;
  ContainerEnd end = ended(kNow - 48 * 60 * kMinute);
  end.kills = {kill_at(kNow - 48 * 60 * kMinute)};
  EXPECT_TRUE(test.of(end).empty());
}

TEST(FailingContainers, AgainAndAgain) {
  InContainer test;
  ContainerEnd end = ended(kNow - 2'000);
  end.restarting = true;
  end.restarts = 57;
  end.exit_status = 1;
  const Finding found = test.only(end);
  EXPECT_EQ(found.code, "restarting");
  EXPECT_EQ(found.severity, Severity::Broken);
  EXPECT_THAT(found.text, HasSubstr("57 restarts so far; last, it ended with exit status 1, "
                                    "2 seconds ago"));
  EXPECT_THAT(found.remedy, HasSubstr("docker logs --tail 50 web"));
  end.exit_status = 139;
  EXPECT_THAT(test.only(end).text, HasSubstr("ended by signal 11 (SIGSEGV)"));
  end.kills = {kill_at(kNow - 2'500)};
  EXPECT_THAT(test.only(end).text, HasSubstr("the kernel killed java (4121) for want of memory"));
  end.ended_at_ms = kNow - 10 * kMinute;
  end.kills.clear();
  EXPECT_TRUE(test.of(end).empty()) << "docker itself does not run any more";
}

TEST(FailingContainers, BetweenTwoEndsItRuns) {
  InContainer test;
  ContainerEnd end = ended(kNow - 3'000);
  end.runs = true;
  end.restarts = 5;
  end.exit_status = 0;
  end.started_at_ms = kNow - 2'000;
  const Finding found = test.only(end);
  EXPECT_THAT(found.text, testing::EndsWith("5 restarts so far"));
  end.started_at_ms = kNow - 10 * kMinute;
  EXPECT_TRUE(test.of(end).empty()) << "for a while it has been well";
}

}  // namespace
}  // namespace hark::diagnose
