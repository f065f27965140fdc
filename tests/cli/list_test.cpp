// hark list, asked about a socket of this test.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "program.h"

namespace hark::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

json asked(std::vector<std::string> arguments, int status = 0) {
  arguments.emplace_back("--json");
  const Ran ran = run_hark(arguments);
  EXPECT_EQ(ran.status, status) << ran.err;
  return json::parse(ran.out);
}

TEST(list, shows_a_listener_with_its_owner) {
  const Listening listening;
  const json object = asked({listening.port(), "tcp", "loopback"});
  EXPECT_EQ(object["schema"], "hark.list/1");
  ASSERT_EQ(object["listeners"].size(), 1U);
  const json& listener = object["listeners"][0];
  EXPECT_EQ(listener["address"], "127.0.0.1");
  EXPECT_EQ(listener["owners"][0]["pid"], ::getpid());
  const Ran table = run_hark({listening.port()});
  EXPECT_EQ(table.status, 0);
  EXPECT_EQ(table.err, "");
  EXPECT_THAT(table.out, HasSubstr(listening.port()));
  EXPECT_THAT(table.out, HasSubstr("this host only"));
}

TEST(list, the_command_may_be_left_out) {
  const Listening listening;
  const std::string port = listening.port();
  const std::string table = run_hark({"list", port}).out;
  EXPECT_EQ(run_hark({port}).out, table);
  EXPECT_EQ(run_hark({"--netns=all", port}).out, table);
  EXPECT_EQ(run_hark({"--netns", "all", "list", "--color=never", port}).out, table);
  EXPECT_EQ(run_hark({"list", "--", port}).out, table);
}

TEST(list, nothing_is_an_answer_with_what_comes_near) {
  const Listening listening;
  const Ran table = run_hark({"udp/" + listening.port()});
  EXPECT_EQ(table.status, 1);
  EXPECT_EQ(table.err, "");
  EXPECT_THAT(table.out, HasSubstr("nothing listens"));
  EXPECT_THAT(table.out, HasSubstr("tcp " + listening.port()));
  const json object = asked({"udp/" + listening.port()}, 1);
  EXPECT_TRUE(object["listeners"].empty());
  ASSERT_FALSE(object["near"].empty());
  EXPECT_EQ(object["near"][0]["relation"], "other-protocol");
}

TEST(list, columns_are_those_asked_for) {
  const Listening listening;
  const Ran ran = run_hark({listening.port(), "--columns=pid,port", "--no-header"});
  EXPECT_EQ(ran.status, 0);
  const std::string line = lines_of(ran.out).at(0);
  EXPECT_TRUE(line.starts_with(std::to_string(::getpid()))) << line;
  EXPECT_TRUE(line.ends_with(listening.port())) << line;
  EXPECT_THAT(run_hark({listening.port(), "--columns=pid,port"}).out, HasSubstr("PID"));
}

TEST(list, sorts_up_and_down) {
  const Listening one;
  const Listening other;
  const auto ports = [&](const std::string& sort) {
    const Ran ran = run_hark(
        {one.port(), other.port(), "--all", "--no-header", "--columns=port", "--sort", sort});
    EXPECT_EQ(ran.status, 0) << ran.err;
    const std::vector<std::string> lines = lines_of(ran.out);
    return std::pair(lines.at(0), lines.at(1));
  };
  const auto up = ports("port");
  const auto down = ports("-port");
  EXPECT_NE(up.first, up.second);
  EXPECT_EQ(up.first, down.second);
  EXPECT_EQ(up.second, down.first);
  EXPECT_EQ(ports("port:desc"), down);
}

TEST(list, without_owners_they_are_null) {
  const Listening listening;
  const json object = asked({listening.port(), "--no-owners"});
  ASSERT_EQ(object["listeners"].size(), 1U);
  EXPECT_TRUE(object["listeners"][0]["owners"].is_null());
}

TEST(list, verbose_tells_of_its_sources_on_standard_error) {
  const Listening listening;
  const Ran ran = run_hark({"-v", listening.port()});
  EXPECT_EQ(ran.status, 0);
  EXPECT_THAT(ran.err, HasSubstr("hark: source: this host\n"));
  EXPECT_THAT(ran.err, HasSubstr("hark: netlink requests: "));
  EXPECT_THAT(ran.err, HasSubstr("gap"));
  EXPECT_THAT(ran.out, Not(HasSubstr("netlink requests")));
}

TEST(list, one_namespace) {
  const Listening listening;
  EXPECT_EQ(asked({listening.port(), "--netns=self"})["listeners"].size(), 1U);
  EXPECT_EQ(asked({listening.port(), "--netns", std::to_string(::getpid())})["listeners"].size(),
            1U);
  EXPECT_EQ(asked({listening.port(), "--netns=/proc/self/ns/net"})["listeners"].size(), 1U);
}

}  // namespace
}  // namespace hark::test
