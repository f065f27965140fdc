#include "probe/verdict.h"

#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <string>

namespace hark::probe {
namespace {

struct Fit {
  const char* what;
  Outcome predicted;
  const char* predicted_icmp;
  Outcome seen;
  const char* seen_icmp;
  Protocol protocol = Protocol::Tcp;
  std::optional<bool> agrees = true;
};

constexpr std::array<Fit, 14> kFits = {{
    {"the same", Outcome::Refused, "", Outcome::Refused, ""},
    {"another", Outcome::Refused, "", Outcome::Silent, "", Protocol::Tcp, false},
    {"UDP that is not answered", Outcome::Answered, "", Outcome::Silent, "", Protocol::Udp},
    {"TCP that is not", Outcome::Answered, "", Outcome::Silent, "", Protocol::Tcp, false},
    {"the same ICMP", Outcome::Rejected, "host-unreachable", Outcome::Rejected, "host-unreachable"},
    {"another ICMP", Outcome::Rejected, "host-unreachable", Outcome::Rejected, "admin-prohibited",
     Protocol::Tcp, false},
    {"hangs, and only silence was seen", Outcome::Hangs, "", Outcome::Answered, ""},
    {"hangs, though it answers", Outcome::Answered, "", Outcome::Hangs, "", Protocol::Tcp,
     std::nullopt},
    {"no neighbour, and no patience", Outcome::NoNeighbour, "", Outcome::Silent, ""},
    {"left open", Outcome::Unknown, "", Outcome::Refused, "", Protocol::Tcp, std::nullopt},
    {"one of those that are possible", Outcome::Depends, "", Outcome::Silent, ""},
    {"none of them", Outcome::Depends, "", Outcome::Refused, "", Protocol::Tcp, false},
    {"nothing seen", Outcome::Refused, "", Outcome::Unknown, "", Protocol::Tcp, std::nullopt},
    {"silent, though refused", Outcome::Silent, "", Outcome::Refused, "", Protocol::Udp, false},
}};

TEST(Verdict, AgreesWhereNothingContradicts) {
  for (const Fit& fit : kFits) {
    reach::Answer answer;
    answer.outcome = fit.predicted;
    answer.icmp = fit.predicted_icmp;
    if (fit.predicted == Outcome::Depends) answer.possible = {Outcome::Answered, Outcome::Silent};
    Attempt attempt;
    attempt.asked.protocol = fit.protocol;
    attempt.timeout = std::chrono::milliseconds(1000);
    Seen seen;
    seen.done = true;
    seen.outcome = fit.seen;
    seen.connected = fit.seen == Outcome::Answered;
    if (*fit.seen_icmp != '\0') seen.icmp = IcmpReport{.name = fit.seen_icmp};
    EXPECT_EQ(agrees(answer, attempt, seen), fit.agrees) << fit.what;
  }
}

TEST(Verdict, AServerThatTookTheConnectionDoesNotHang) {
  reach::Answer answer;
  answer.outcome = Outcome::Hangs;
  Seen seen;
  seen.done = true;
  seen.connected = true;
  seen.outcome = Outcome::Answered;
  EXPECT_EQ(agrees(answer, {}, seen), true);
  seen.accepted = true;
  EXPECT_EQ(agrees(answer, {}, seen), false);
  seen.error = ECONNRESET;
  EXPECT_EQ(agrees(answer, {}, seen), true);
  answer.outcome = Outcome::Answered;
  seen.error = 0;
  seen.outcome = Outcome::Hangs;
  EXPECT_EQ(agrees(answer, {}, seen), true) << "taken, and silent";
  seen.accepted = false;
  EXPECT_EQ(agrees(answer, {}, seen), false);
}

struct Try {
  const char* address;
  double connect_ms;  ///< below 0: refused after so long; 0: never
};

std::string chosen(const std::vector<Try>& tries) {
  std::vector<Attempt> attempts;
  std::vector<Seen> seen;
  for (const Try& one : tries) {
    Attempt attempt;
    attempt.asked.address = *IpAddress::parse(one.address);
    attempts.push_back(attempt);
    Seen result;
    result.done = true;
    result.connected = one.connect_ms > 0;
    if (result.connected) result.times.connect_ms = one.connect_ms;
    result.elapsed_ms = one.connect_ms == 0 ? 5000 : std::abs(one.connect_ms);
    seen.push_back(result);
  }
  const auto won = winner(attempts, seen);
  return won ? tries[*won].address : "none";
}

TEST(Verdict, AClientPrefersTheResolversOrder) {
  EXPECT_EQ(chosen({{"fd00::1", 100}, {"10.0.0.1", 1}}), "fd00::1");
  EXPECT_EQ(chosen({{"fd00::1", 300}, {"10.0.0.1", 10}}), "10.0.0.1") << "after 250 ms";
  EXPECT_EQ(chosen({{"fd00::1", -1}, {"10.0.0.1", 10}}), "10.0.0.1") << "refused at once";
  EXPECT_EQ(chosen({{"fd00::1", 0}, {"fd00::2", 5}, {"10.0.0.1", 5}}), "10.0.0.1")
      << "families in turn";
  EXPECT_EQ(chosen({{"fd00::1", 0}, {"10.0.0.1", -2}}), "none");
}

}  // namespace
}  // namespace hark::probe
