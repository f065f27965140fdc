#include "host/policy_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hark::host {
namespace {

using testing::HasSubstr;

/// "line:column what", a line each; of a policy without problems empty.
std::string problems_of(const std::string& text) {
  const auto policy = parse_policy(text);
  std::string out;
  if (policy) return out;
  for (const PolicyProblem& one : policy.error()) {
    out += std::to_string(one.place.line) + ":" + std::to_string(one.place.column) + " " +
           one.what + "\n";
  }
  return out;
}

Policy policy_of(const std::string& text) {
  EXPECT_EQ(problems_of(text), "");
  return parse_policy(text).value_or(Policy{});
}

TEST(PolicyFile, OfTheContract) {
  const Policy policy = policy_of(R"(
default = "deny"                      # what listens and is not named below: deny | allow
[[expect]]
port  = "tcp/443"
owner = "nginx.service"
reach = "anywhere"
[[expect]]
port  = "tcp/5432"
owner = "postgres"
reach = ["10.0.0.0/8", "lo"]
optional = true                       # need not be there
)");
  ASSERT_EQ(policy.expectations.size(), 2U);
  const Expectation& web = policy.expectations[0];
  EXPECT_EQ(web.place.line, 3U);
  EXPECT_EQ(web.protocol, Protocol::Tcp);
  EXPECT_EQ(web.first_port, 443);
  EXPECT_EQ(owner_words(web), "nginx.service");
  EXPECT_EQ(web.reach.kind, ReachWish::Kind::Anywhere);
  EXPECT_FALSE(web.optional);
  const Expectation& database = policy.expectations[1];
  ASSERT_EQ(database.reach.sources.size(), 2U);
  EXPECT_EQ(database.reach.sources[0].from, Prefix::parse("10.0.0.0/8"));
  EXPECT_EQ(database.reach.sources[1], (WishedSource{.from = {}, .interface = "lo"}));
  EXPECT_TRUE(database.optional);
}

TEST(PolicyFile, EveryFormOfAValue) {
  const Policy policy = policy_of(R"(
default = "allow"
[[expect]]
port = ["udp/53", "tcp/8000-8010", 80, "10.0.0.5:443", "mptcp/7"]
owner = ["unit:nginx", "/usr/sbin/nginx", "haproxy"]
reach = ["10.0.0.0/8 via eth0", "192.0.2.7", "fd00::/8", "loopback"]
family = "ipv4"
published = false
netns = "blue"
why = "as always"
[[expect]]
as = "sshd"
address = "any"
reach = "10.0.0.0/8"
[[expect]]
port = "raw/1"
reach = "none"
[[expect]]
port = "tcp/81"
reach = ["anywhere", "not 10.9.0.66", "not eth1", "not fd00::/8 via eth0"]
)");
  EXPECT_FALSE(policy.deny);
  ASSERT_EQ(policy.expectations.size(), 8U);
  EXPECT_EQ(words_of(policy.expectations[0]), "udp/53 over IPv4 in blue");
  EXPECT_EQ(policy.expectations[1].last_port, 8010);
  EXPECT_EQ(policy.expectations[2].protocol, std::nullopt);
  EXPECT_EQ(policy.expectations[2].first_port, 80);
  EXPECT_TRUE(policy.expectations[3].address);
  EXPECT_EQ(policy.expectations[4].protocol, Protocol::Tcp);
  for (std::size_t i = 0; i < 5; ++i) {
    const Expectation& one = policy.expectations[i];
    EXPECT_EQ(owner_words(one), "unit:nginx or /usr/sbin/nginx or haproxy");
    ASSERT_EQ(one.owners.size(), 3U);
    EXPECT_EQ(one.owners[1].terms.size(), 1U);
    EXPECT_EQ(words_of(one.reach), "10.0.0.0/8 via eth0, 192.0.2.7, fd00::/8, lo");
    EXPECT_EQ(one.published, false);
    EXPECT_EQ(one.why, "as always");
  }
  EXPECT_EQ(words_of(policy.expectations[5]), "what sshd is configured for at any");
  EXPECT_EQ(words_of(policy.expectations[5].reach), "10.0.0.0/8");
  EXPECT_EQ(policy.expectations[6].protocol, Protocol::Raw);
  EXPECT_EQ(policy.expectations[6].reach.kind, ReachWish::Kind::Nobody);
  EXPECT_EQ(policy.expectations[7].reach.kind, ReachWish::Kind::Anywhere);
  EXPECT_EQ(words_of(policy.expectations[7].reach),
            "anywhere, not 10.9.0.66, not eth1, not fd00::/8 via eth0");
  EXPECT_TRUE(policy_of("").deny);
}

TEST(PolicyFile, ProblemsSayWhereAndWhatWasMeant) {
  struct Row {
    const char* text;
    const char* problem;
  };
  const Row rows[] = {
      {"defalt = \"deny\"", "1:1 no key defalt: did you mean default?"},
      {"default = \"denny\"", "1:11 no default denny: did you mean deny?"},
      {"default = true", "1:11 default is true or false, not text"},
      {"[[expekt]]", "1:3 no key expekt: did you mean expect?"},
      {"[expect]\nport = \"tcp/1\"",
       "1:1 expect is a table, not a list of tables: write [[expect]]"},
      {"expect = 3", "1:10 expect is a number, not a list of tables"},
      {"expect = [3]", "1:11 expect is a number, not a table"},
      {"[[expect]]\nprot = \"tcp/1\"", "2:1 no key prot in [[expect]]: did you mean port?"},
      {"[[expect]]", "1:1 [[expect]] without a port: for example \"tcp/443\""},
      {"[[expect]]\nport = \"tcp/99999\"", "2:8 tcp/99999: a port is a number from 1 to 65535"},
      {"[[expect]]\nport = 0", "2:8 0: a port is a number from 1 to 65535"},
      {"[[expect]]\nport = \"tcp/8010-8000\"",
       "2:8 tcp/8010-8000: the range ends before it begins"},
      {"[[expect]]\nport = \"ssh\"", "2:8 ssh names no port: for example"},
      {"[[expect]]\nport = \"tcp\"", "2:8 tcp names no port: for example"},
      {"[[expect]]\nport = \"\"", "2:8 port is empty"},
      {"[[expect]]\nport = []", "2:8 port is an empty list"},
      {"[[expect]]\nport = [\"tcp/1\", 7.5]", "2:18 an entry of port is a number with a fraction"},
      {"[[expect]]\nport = 80\nas = \"sshd\"", "1:1 port and as: which of the two"},
      {"[[expect]]\nport = \"1.2.3.4:80\"\naddress = \"any\"", "1:1 the address is said twice"},
      {"[[expect]]\nport = 80\nowner = \"unit:\"", "3:9 unit:"},
      {"[[expect]]\nport = 80\nreach = \"anywere\"",
       "3:9 no reach anywere: did you mean anywhere?"},
      {"[[expect]]\nport = 80\nreach = \"eth0\"",
       "An interface stands in a list: reach = [\"eth0\"]"},
      {"[[expect]]\nport = 80\nreach = \"10.0.0.300\"", "3:9 10.0.0.300 is no address, prefix or"},
      {"[[expect]]\nport = 80\nreach = [\"10.0.0.0/33\"]", "3:10 10.0.0.0/33 is no address"},
      {"[[expect]]\nport = 80\nreach = [\"10.0.0.0/8 via \"]", "3:10  is no name of an interface"},
      {"[[expect]]\nport = 80\nreach = [\"not eth1\"]", "3:9 says only who should not"},
      {"[[expect]]\nport = 80\nreach = [\"anywhere\", \"lo\"]", "3:9 anywhere stands alone, or"},
      {"[[expect]]\nport = 80\nreach = [\"an interface\"]", "3:10 an interface is no address"},
      {"[[expect]]\nport = 80\nreach = []", "3:9 reach is an empty list"},
      {"[[expect]]\nport = 80\noptional = \"yes\"", "3:12 optional is text, not true or false"},
      {"[[expect]]\nport = 80\nfamily = \"ipv5\"", "3:10 no family ipv5: did you mean ipv4?"},
      {"[[expect]]\nport = 80\naddress = \"10.0.0\"", "3:11 10.0.0: "},
      {"[[expect]]\nport = 80\nport = 81", "3:"},
      {"[[expect]\n", "1:"},
      {"a = [1,", "1:"},
  };
  for (const Row& row : rows) {
    EXPECT_THAT(problems_of(row.text), HasSubstr(row.problem)) << row.text;
  }
}

TEST(PolicyFile, TellsAllProblemsAtOnce) {
  const std::string told = problems_of(
      "default = \"no\"\n[[expect]]\nport = \"x\"\nreach = 7\n[[expect]]\nowner = \"a\"\nprt = "
      "3\n");
  EXPECT_EQ(std::ranges::count(told, '\n'), 4) << told;
  EXPECT_THAT(told, testing::MatchesRegex("1:11 .*\n3:8 .*\n4:9 .*\n7:1 .*\n"));
}

TEST(PolicyFile, TooManyExpectations) {
  std::string text;
  for (std::size_t i = 0; i < kMostExpectations + 2; ++i) text += "[[expect]]\nport=1\n";
  EXPECT_THAT(problems_of(text), HasSubstr("more than 10000 expectations"));
}

}  // namespace
}  // namespace hark::host
