// hark-units on a real message bus: what it tells, and what it makes of those who do not answer.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "bus.h"
#include "decode/unit_states.h"
#include "kernel/live_units.h"

namespace hark::systemd_test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr unsigned kTimeoutMs = 20'000;

Result<Bytes> ask(const std::string& address, const std::vector<std::string>& names) {
  return kernel::run_units_program({HARK_UNITS, address}, names, kTimeoutMs);
}

std::vector<decode::UnitState> states(const Bus& bus, const std::vector<std::string>& names) {
  const auto parts = ask(bus.address(), names);
  EXPECT_TRUE(parts) << reason(parts.error());
  if (!parts) return {};
  auto states = decode::decode_unit_states(*parts);
  EXPECT_TRUE(states) << reason(states.error());
  return states ? std::move(*states) : std::vector<decode::UnitState>{};
}

TEST(UnitsOnABus, WhatSystemdTells) {
  const Bus bus(Manners::Answers);
  const auto found = states(bus, {"ssh.socket", "unknown.service", "ssh.service"});
  ASSERT_EQ(found.size(), 2U) << "a unit that is not loaded is left out";
  const decode::UnitState& service = found[0];
  EXPECT_EQ(service.name, "ssh.service");
  EXPECT_EQ(service.description, "OpenBSD Secure Shell server");
  EXPECT_EQ(service.load_state, "loaded");
  EXPECT_EQ(service.active_state, "failed");
  EXPECT_EQ(service.sub_state, "failed");
  EXPECT_EQ(service.result, "start-limit-hit");
  EXPECT_EQ(service.fragment, "/lib/systemd/system/ssh.service");
  EXPECT_EQ(service.load_error, "a reason");
  EXPECT_EQ(service.restarts, 5U);
  EXPECT_EQ(service.exit_code, 1);
  EXPECT_EQ(service.exit_status, 203);
  EXPECT_EQ(service.exit_us, 1'790'000'001'000'000U);
  EXPECT_EQ(service.since_us, 1'790'000'000'000'000U);
  EXPECT_THAT(service.triggers, IsEmpty());
  const decode::UnitState& socket = found[1];
  EXPECT_EQ(socket.name, "ssh.socket");
  EXPECT_EQ(socket.active_state, "active");
  EXPECT_EQ(socket.result, "success");
  EXPECT_THAT(socket.triggers, ElementsAre("ssh.service", "other.service"));
  EXPECT_FALSE(socket.restarts);
}

TEST(UnitsOnABus, ManyUnits) {
  const Bus bus(Manners::Answers);
  const std::vector<std::string> names(100, "ssh.service");
  EXPECT_EQ(states(bus, names).size(), 1U);
}

TEST(UnitsOnABus, TypesThatAreNotExpectedArePassedOver) {
  const Bus bus(Manners::Odd);
  const auto found = states(bus, {"ssh.service"});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].active_state, "");
  EXPECT_EQ(found[0].sub_state, "strange");
  EXPECT_THAT(found[0].triggers, IsEmpty());
  EXPECT_FALSE(found[0].restarts);
}

TEST(UnitsOnABus, NoAnswer) {
  const Bus silent(Manners::Silent);
  EXPECT_EQ(ask(silent.address(), {"ssh.service"}).error().code, ETIMEDOUT);
}

TEST(UnitsOnABus, NoSystemd) {
  const Bus absent(Manners::Absent);
  EXPECT_NE(ask(absent.address(), {"ssh.service"}).error().code, 0);
  const Bus denies(Manners::Denies);
  EXPECT_EQ(ask(denies.address(), {"ssh.service"}).error().code, EACCES);
  EXPECT_EQ(ask("unix:path=/no/such/bus", {"ssh.service"}).error().code, ECONNREFUSED);
}

}  // namespace
}  // namespace hark::systemd_test
