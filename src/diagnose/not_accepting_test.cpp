#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "diagnose/test_facts.h"

namespace hark::diagnose {
namespace {

using testing::HasSubstr;

TEST(NotAccepting, IsEveryThreadElsewhereWhileSomebodyWaits) {
  TestFacts test;
  test.queue(2, 2, 16);
  test.wait_in("futex_wait_queue");
  const auto findings = diagnose(test.facts());
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].code, "not-accepting");
  EXPECT_EQ(findings[0].severity, Severity::Broken);
  EXPECT_THAT(findings[0].text, HasSubstr("2 connections wait, none was taken in 300 ms"));
  EXPECT_THAT(findings[0].text, HasSubstr("futex_wait_queue"));
  test.queue(2, 1, 16);
  EXPECT_EQ(test.told(), "");
  test.queue(0, 2, 16);
  EXPECT_EQ(test.told(), "");
}

TEST(NotAccepting, AThreadThatRanMayBeOnItsWay) {
  TestFacts test;
  test.queue(1, 1, 16);
  test.wait_in("futex_wait_queue");
  test.waits_again[0].threads[0].switches = 4;
  EXPECT_EQ(test.told(), "");
  test.wait_in("futex_wait_queue");
  test.waits_again[0].threads[0].state = 'R';
  EXPECT_EQ(test.told(), "");
  test.wait_in("futex_wait_queue");
  test.waits_again[0].threads.push_back({.tid = 11, .state = 'S', .switches = 1, .wchan = "x"});
  EXPECT_EQ(test.told(), "") << "a thread that has begun in between";
}

TEST(NotAccepting, WhatCannotBeSeenIsNotTold) {
  TestFacts test;
  test.queue(1, 1, 16);
  test.wait_in("");
  EXPECT_EQ(test.told(), "") << "where it waits is not known";
  test.wait_in("do_wait");
  test.waits_again[0].whole = false;
  EXPECT_EQ(test.told(), "") << "there are more threads";
  test.wait_in("io_cqring_wait");
  EXPECT_EQ(test.told(), "");
  test.wait_in("do_wait");
  test.waits_again[0].io_uring = true;
  EXPECT_EQ(test.told(), "");
  test.wait_in("do_wait");
  test.looks.pop_back();
  EXPECT_EQ(test.told(), "") << "one look";
}

TEST(NotAccepting, AnEpollThatHoldsTheListenerMayBeEdgeTriggered) {
  TestFacts test;
  test.queue(1, 1, 16);
  test.wait_in("ep_poll");
  EXPECT_EQ(test.told(), "broken not-accepting\n");
  test.waits_again[0].polled = {99, 100};
  EXPECT_EQ(test.told(), "");
  test.wait_in("wait_woken");
  test.waits_again[0].polled = {99, 100};
  EXPECT_EQ(test.told(), "risk not-accepting\n") << "the event loop is at something else";
}

TEST(NotAccepting, AcceptOfAnotherListener) {
  TestFacts test;
  test.queue(1, 1, 16);
  test.wait_in("inet_csk_accept");
  EXPECT_EQ(test.told(), "") << "of which one is not known";
  test.waits_again[0].threads[0].call = decode::TaskCall{.number = 43, .arguments = {3}};
  EXPECT_EQ(test.told(), "");
  test.waits_again[0].threads[0].call = decode::TaskCall{.number = 43, .arguments = {4}};
  EXPECT_EQ(test.told(), "broken not-accepting\n");
}

TEST(NotAccepting, AFullQueueSaysEnough) {
  TestFacts test;
  test.queue(17, 17, 16);
  test.wait_in("do_wait");
  EXPECT_EQ(test.told(), "broken accept-queue-full\n");
}

TEST(InheritedListener, IsHeldByProgramsThatAreNoServers) {
  TestFacts test;
  test.owner().exe = "/usr/bin/dash";
  EXPECT_EQ(test.told(), "broken inherited-listener\n") << "for 90 seconds";
  test.owner().started_at_ms = test.host().taken_at_ms - 500;
  EXPECT_EQ(test.told(), "") << "it may become the server";
  test.queue(1, 1, 16);
  EXPECT_EQ(test.told(), "broken inherited-listener\n");
  test.own(0, test.process(11, "server"));
  EXPECT_EQ(test.told(), "") << "a server has it as well";
}

}  // namespace
}  // namespace hark::diagnose
