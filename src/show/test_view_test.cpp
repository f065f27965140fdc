#include "show/test_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <nlohmann/json.hpp>

#include "show/test_host.h"
#include "show/test_json.h"
#include "show/test_words.h"

namespace hark::show {
namespace {

using probe::Outcome;
using ::testing::HasSubstr;
using ::testing::Not;

class TestView : public ::testing::Test {
 protected:
  TestView() : host_(builder_.host()) { network_.netns = host::NetnsId{0}; }

  TestedAttempt& add(const char* address, Outcome outcome, std::uint16_t port = 8080) {
    if (report_.targets.empty()) report_.targets.push_back({.written = "8080"});
    TestedAttempt tested;
    tested.target = report_.targets.size() - 1;
    tested.attempt.asked.address = *IpAddress::parse(address);
    tested.attempt.asked.port = port;
    tested.here = true;
    tested.seen.done = true;
    tested.seen.outcome = outcome;
    tested.seen.elapsed_ms = 3000;
    report_.attempts.push_back(tested);
    return report_.attempts.back();
  }

  static void predict(TestedAttempt& tested, Outcome outcome, const char* code, const char* text) {
    reach::Answer answer;
    answer.outcome = outcome;
    answer.question.destination = tested.attempt.asked.address;
    answer.question.source = tested.attempt.asked.address;
    answer.question.port = tested.attempt.asked.port;
    answer.cause = {.code = code, .text = text, .evidence = {}};
    tested.predicted = answer;
  }

  [[nodiscard]] std::string text(bool ascii = false) const {
    return test_text(report_, {.width = 160, .ascii = ascii}, false);
  }

  testing::HostBuilder builder_;
  host::Host host_;
  host::Network network_;
  TestReport report_{host_, network_};
};

TEST_F(TestView, ARowSaysWhatWasSeen) {
  TestedAttempt& hangs = add("127.0.0.1", Outcome::Hangs);
  hangs.seen.connected = true;
  hangs.seen.times.connect_ms = 0.12;
  predict(hangs, Outcome::Hangs, "not-accepting", "nobody accepts");
  hangs.agrees = true;
  EXPECT_THAT(text(), HasSubstr("tcp 127.0.0.1:8080  connects in 0.1 ms, then silence: no byte in "
                                "3 s  as predicted\n"));
  TestedAttempt& refused = add("::1", Outcome::Refused, 81);
  refused.seen.error = ECONNREFUSED;
  predict(refused, Outcome::Answered, "listener-answers", "");
  refused.agrees = false;
  refused.difference = "It changed.";
  EXPECT_THAT(text(), HasSubstr("tcp [::1]:81        refused after 3 s"));
  EXPECT_THAT(text(), HasSubstr("predicted: answered\n"));
  EXPECT_THAT(text(), HasSubstr("It changed."));
}

TEST_F(TestView, RejectionsNameWhoRejected) {
  TestedAttempt& tested = add("10.0.0.9", Outcome::Rejected);
  tested.seen.icmp = probe::IcmpReport{.name = "admin-prohibited",
                                       .from = IpAddress::parse("10.0.0.1"),
                                       .port = false,
                                       .error = EHOSTUNREACH};
  EXPECT_THAT(text(), HasSubstr("ICMP admin-prohibited from 10.0.0.1"));
  tested.seen.icmp.reset();
  tested.seen.error = ENETUNREACH;
  EXPECT_THAT(text(), HasSubstr("cannot be sent: Network is unreachable (ENETUNREACH)"));
}

TEST_F(TestView, WhoseDoingItIsOfAnotherHost) {
  TestedAttempt& tested = add("10.0.0.9", Outcome::Silent);
  tested.here = false;
  predict(tested, Outcome::Unknown, "forwarded", "it is passed on");
  tested.leaves_by = "eth0";
  EXPECT_THAT(text(), HasSubstr("let out by this host"));
  EXPECT_THAT(text(), HasSubstr("nothing on this host stopped it: it left by eth0."));
}

TEST_F(TestView, TheSameReasonIsToldOnce) {
  for (const char* address : {"127.0.0.1", "10.0.0.1", "10.0.0.2"}) {
    TestedAttempt& tested = add(address, Outcome::Refused);
    predict(tested, Outcome::Refused, "no-socket", "nobody listens");
    tested.agrees = true;
  }
  const std::string all = text();
  const std::size_t first = all.find("nobody listens on");
  ASSERT_NE(first, std::string::npos) << all;
  EXPECT_EQ(all.find("nobody listens on", first + 1), std::string::npos) << all;
}

TEST_F(TestView, StrangersBytesAreEscaped) {
  TestedAttempt& tested = add("127.0.0.1", Outcome::Answered);
  tested.seen.connected = true;
  tested.seen.received = 9;
  tested.seen.service = probe::Service{.protocol = "ssh", .detail = "\x1b[31mred"};
  EXPECT_THAT(text(), Not(HasSubstr("\x1b")));
  EXPECT_THAT(text(), HasSubstr("ssh: "));
}

TEST_F(TestView, JsonHasEveryField) {
  TestedAttempt& tested = add("::1", Outcome::Refused);
  tested.seen.error = ECONNREFUSED;
  tested.seen.phase = probe::Reached::Connect;
  tested.seen.local = IpAddress::parse("::1");
  predict(tested, Outcome::Refused, "no-socket", "nobody listens");
  tested.agrees = true;
  report_.targets.push_back({.written = "nosuch.lan:80", .trouble = "no such name"});
  std::string out;
  write_test_json(report_, [&](std::string_view piece) { out += piece; });
  const auto json = nlohmann::json::parse(out);
  EXPECT_EQ(json["schema"], "hark.test/1");
  ASSERT_EQ(json["attempts"].size(), 2U);
  const auto& one = json["attempts"][0];
  EXPECT_EQ(one["target"], "8080");
  EXPECT_EQ(one["from"], "::1");
  EXPECT_EQ(one["to"], "[::1]:8080");
  EXPECT_EQ(one["outcome"], "refused");
  EXPECT_EQ(one["errno"], "ECONNREFUSED");
  EXPECT_EQ(one["phase"], "connect");
  EXPECT_EQ(one["predicted"]["outcome"], "refused");
  EXPECT_EQ(one["agrees"], true);
  EXPECT_TRUE(one["service"].is_null());
  EXPECT_TRUE(one["times_ms"]["tls"].is_null());
  const auto& none = json["attempts"][1];
  EXPECT_EQ(none["phase"], "resolve");
  EXPECT_TRUE(none["to"].is_null());
  for (const auto& [name, value] : one.items()) EXPECT_TRUE(none.contains(name)) << name;
  EXPECT_TRUE(json.contains("gaps"));
}

TEST(TestWords, SparksShowTimes) {
  const std::vector<std::optional<double>> times = {1.0, std::nullopt, 1000.0};
  EXPECT_EQ(spark(times, true), "_x#");
  const std::vector<std::optional<double>> even = {1.0, 1.1};
  EXPECT_EQ(spark(even, true), "__") << "less than a doubling is no news";
  EXPECT_EQ(time_words(0.04), "0.04 ms");
  EXPECT_EQ(time_words(3000), "3 s");
  EXPECT_EQ(time_words(3140), "3.1 s");
}

}  // namespace
}  // namespace hark::show
