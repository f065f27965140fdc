#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "diagnose/test_facts.h"

namespace hark::diagnose {
namespace {

using host::UnitFacts;
using testing::HasSubstr;

constexpr std::int64_t kNow = 1'790'000'000'000;

UnitFacts failed(const char* name) {
  UnitFacts out;
  out.name = name;
  out.wanted = true;
  out.active_state = "failed";
  out.sub_state = "failed";
  out.result = "exit-code";
  out.last_exit = host::UnitExit{.code = "exited", .status = 1, .at_ms = kNow - 180'000};
  return out;
}

TEST(FailingUnits, EnabledAndFailed) {
  TestFacts test;
  test.host().units = {failed("web.service")};
  const auto findings = diagnose(test.facts());
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].code, "unit-failed");
  EXPECT_EQ(findings[0].severity, Severity::Risk);
  EXPECT_EQ(findings[0].subject, "web.service");
  EXPECT_THAT(findings[0].text, HasSubstr("exit status 1, 3 minutes ago"));
  test.host().units[0].wanted = false;
  EXPECT_EQ(test.told(), "") << "nobody asked for it";
}

TEST(FailingUnits, OneshotsEndAndSocketsListen) {
  TestFacts test;
  test.host().units = {failed("clean.service"), failed("web.socket")};
  test.host().units[0].service_type = "oneshot";
  EXPECT_EQ(test.told(), "broken unit-failed\n");
}

TEST(FailingUnits, TheStartLimit) {
  TestFacts test;
  test.host().units = {failed("web.service")};
  test.host().units[0].result = "start-limit-hit";
  const auto findings = diagnose(test.facts());
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].code, "start-limit-hit");
  EXPECT_THAT(findings[0].remedy, HasSubstr("systemctl reset-failed web.service"));
}

TEST(FailingUnits, AgainAndAgain) {
  TestFacts test;
  UnitFacts unit = failed("web.service");
  unit.active_state = "activating";
  unit.sub_state = "auto-restart";
  unit.restarts = 57;
  unit.last_exit = host::UnitExit{.code = "dumped", .status = 11, .at_ms = kNow - 2'000};
  test.host().units = {unit};
  const auto findings = diagnose(test.facts());
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].code, "restarting");
  EXPECT_THAT(findings[0].text, HasSubstr("57 restarts so far; last, it was ended by signal 11 "
                                          "(SIGSEGV), core dumped, 2 seconds ago"));
  UnitFacts& now = test.host().units[0];
  now.active_state = "active";
  now.sub_state = "running";
  now.state_since_ms = kNow - 2'000;
  EXPECT_EQ(test.told(), "broken restarting\n") << "between two ends it runs";
  now.state_since_ms = kNow - 3'600'000;
  EXPECT_EQ(test.told(), "") << "for an hour it has been well";
}

TEST(FailingUnits, KilledForWantOfMemory) {
  TestFacts test;
  test.host().units = {failed("web.service")};
  test.host().units[0].result = "oom-kill";
  const auto findings = diagnose(test.facts());
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_THAT(findings[0].text, HasSubstr("the kernel killed it for want of memory"));
}

TEST(FailingUnits, ASocketWhoseServiceCannotStartIsToldOnce) {
  TestFacts test;
  UnitFacts socket;
  socket.name = "web.socket";
  socket.triggers = {"web.service"};
  socket.can_start = false;
  socket.cannot_start_because = "it is masked";
  test.host().units = {failed("web.service"), socket};
  test.listener().socket_units = {host::UnitId{1}};
  const auto findings = diagnose(test.facts());
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].code, "socket-activation");
  EXPECT_EQ(findings[0].listener, 0U);
}

}  // namespace
}  // namespace hark::diagnose
