// What needs no network: attempts that end as they begin, limits, interruption.
#include "probe/engine.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <cerrno>

namespace hark::probe {
namespace {

std::vector<Attempt> attempts(std::size_t count) {
  std::vector<Attempt> out(count);
  for (Attempt& attempt : out) {
    attempt.asked.address = *IpAddress::parse("127.0.0.1");
    attempt.asked.port = 1;
  }
  return out;
}

/// Sockets that cannot connect anywhere: connect(2) of a UNIX socket to an IP address fails.
EngineOptions unconnectable(std::size_t& opened, std::size_t room = 1000) {
  EngineOptions out;
  out.helpers.open = [&opened, room](Family, int) -> Result<UniqueFd> {
    if (opened >= room) return fail(kernel_error(EMFILE, "socket"));
    ++opened;
    return UniqueFd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  };
  return out;
}

TEST(Engine, EndsWhereAllEndAsTheyBegin) {
  std::size_t opened = 0;
  const auto tried = attempts(100);
  const auto seen = run_attempts(tried, unconnectable(opened));
  ASSERT_EQ(seen.size(), 100U);
  EXPECT_EQ(opened, 100U);
  for (const Seen& one : seen) {
    EXPECT_TRUE(one.done);
    EXPECT_EQ(one.phase, Reached::Route);
    EXPECT_NE(one.error, 0);
  }
}

TEST(Engine, TellsThatThereIsNoSocket) {
  std::size_t opened = 0;
  const auto tried = attempts(3);
  const auto seen = run_attempts(tried, unconnectable(opened, 0));
  for (const Seen& one : seen) {
    EXPECT_TRUE(one.done);
    EXPECT_EQ(one.outcome, Outcome::Unknown);
    EXPECT_EQ(one.error, EMFILE);
  }
}

TEST(Engine, LeavesDescriptorsForOthers) {
  EXPECT_EQ(room_for_sockets(1), 1U);
  EXPECT_GE(room_for_sockets(10), 1U);
  EXPECT_LE(room_for_sockets(1'000'000), 4096U);
}

}  // namespace
}  // namespace hark::probe
