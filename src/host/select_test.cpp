#include "host/select.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "base/text.h"
#include "host/select_fixture.h"
#include "host/select_text.h"

namespace hark::host {
namespace {

using Positions = std::vector<std::size_t>;

Result<Filter> parse(std::string_view line) {
  std::vector<std::string> words;
  while (!line.empty()) {
    const std::string_view word = next_word(line);
    if (!word.empty()) words.emplace_back(word);
  }
  return parse_filter(words);
}

Positions chosen(std::string_view line) {
  static const Host kHost = example_host();
  const auto filter = parse(line);
  EXPECT_TRUE(filter) << line << ": " << reason(filter.error());
  return filter ? select(kHost, *filter) : Positions{kExamples};
}

struct Case {
  const char* line;
  Positions expected;
};

void expect_all(const std::vector<Case>& cases) {
  for (const Case& c : cases) EXPECT_EQ(chosen(c.line), c.expected) << c.line;
}

TEST(Filter, Keywords) {
  expect_all({
      {"", {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}},
      {"tcp", {kHttp, kHttps, kSsh, kPostgres4, kPostgres6, kRedis}},
      {"UDP", {kDns, kWireguard}},
      {"mptcp", {kUnseen}},
      {"raw", {kRaw}},
      {"udplite", {}},
      {"udp mptcp", {kDns, kUnseen, kWireguard}},
      {"ipv6", {kSsh, kPostgres6, kUnseen}},
      {"ipv4 udp", {kDns, kWireguard}},
      {"loopback", {kPostgres4, kPostgres6}},
      {"one-address", {kDns, kUnseen}},
      {"one-interface", {kWireguard}},
      {"scope:all", {kHttp, kHttps, kSsh, kRedis, kRaw}},
      {"state:unconn", {kDns, kRaw, kWireguard}},
      {"State:Listen udp", {}},
      {"proto:tcp family:6", {kSsh, kPostgres6}},
  });
}

TEST(Filter, Ports) {
  expect_all({
      {"80", {kHttp}},
      {"80 443", {kHttp, kHttps}},
      {"22-80", {kHttp, kSsh, kDns}},
      {"80-80", {kHttp}},
      {"1-65535 raw", {kRaw}},
      {"port:443", {kHttps}},
      {"port:22-53", {kSsh, kDns}},
      {"tcp/80", {kHttp}},
      {"udp/80", {}},
      {"TCP:443", {kHttps}},
      {"443/tcp", {kHttps}},
      {":22", {kSsh}},
      {"udp/50-60", {kDns}},
      {"raw/1", {kRaw}},
      {"8080", {kUnseen}},
  });
}

TEST(Filter, EndpointsHoldTogetherAndAreAlternatives) {
  expect_all({
      {"tcp/80 udp/53", {kHttp, kDns}},
      {"tcp/53 udp/80", {}},
      {"tcp/80 443", {kHttp, kHttps}},
      {"udp tcp/80", {}},
      {"10.0.0.5:53", {kDns}},
      {"10.0.0.5:80", {}},
      {"127.0.0.1:5432 [::1]:5432", {kPostgres4, kPostgres6}},
      {"[::]:22", {kSsh}},
      {"udp/[::]:53", {}},
      {"udp/10.0.0.5:53", {kDns}},
      {"tcp/10.0.0.5:53", {}},
      {"*:80", {kHttp}},
      {"*:5432", {}},
      {"any:22 22", {kSsh}},
      {"Any:80 any:5432", {kHttp}},
  });
}

TEST(Filter, Addresses) {
  expect_all({
      {"127.0.0.1", {kPostgres4}},
      {"::1", {kPostgres6}},
      {"[::1]", {kPostgres6}},
      {"127.0.0.0/8", {kPostgres4}},
      {"10.0.0.0/8", {kDns, kUnseen}},
      {"10.0.0.7", {kUnseen}},
      {"::ffff:10.0.0.7", {kUnseen}},
      {"::ffff:10.0.0.5", {kDns}},
      {"::ffff:10.0.0.0/104", {kDns, kUnseen}},
      {"::ffff:0.0.0.0/96 udp", {kDns, kWireguard}},
      {"::/0 tcp", {kSsh, kPostgres6}},
      {"0.0.0.0", {kHttp, kHttps, kRedis, kRaw, kWireguard}},
      {"0.0.0.0/0 udp", {kDns, kWireguard}},
      {"address:any", {kHttp, kHttps, kSsh, kRedis, kRaw, kWireguard}},
      {"addr:*", {kHttp, kHttps, kSsh, kRedis, kRaw, kWireguard}},
      {"10.0.0.5 80", {}},
      {"10.0.0.5 53", {kDns}},
      {"10.0.0.5%eth0", {kDns}},
      {"10.0.0.5%eth1", {}},
      {"10.0.0.5%eth0:53", {kDns}},
      {"udp/10.0.0.0/8", {kDns}},
      {"tcp/10.0.0.0/8", {}},
      {"cgroup:/system.slice/1", {}},
      {"ip:10.0.0.0/24", {kDns, kUnseen}},
      {"interface:eth0", {kDns}},
      {"if:w*", {kWireguard}},
      {"dev:*", {kDns, kWireguard}},
  });
}

TEST(Filter, WordsLookAtNamesOfProcessesProgramsUnitsAndContainers) {
  expect_all({
      {"nginx", {kHttp, kHttps, kRaw}},
      {"NGIN", {kHttp, kHttps, kRaw}},
      {"ssh.service", {kSsh}},
      {"app.service", {kUnseen}},
      {"cache", {kRedis}},
      {"3f2a9c", {kRedis}},
      {"3f2", {}},
      {"f2a9c0", {}},
      {"bin/sshd", {}},
      {"sbin", {}},
      {"postgresql", {kPostgres4, kPostgres6}},
      {"www-data", {}},
      {"ngin?", {kHttp, kHttps, kRaw}},
      {"gin*", {}},
      {"/usr/sbin/nginx", {kHttp, kHttps, kRaw}},
      {"nginx sshd", {kHttp, kHttps, kSsh, kRaw}},
      {"nginx 80", {kHttp}},
      {"nginx 22", {}},
  });
}

TEST(Filter, Fields) {
  expect_all({
      {"user:www-data", {kHttp, kHttps}},
      {"user:33 tcp", {kHttp, kHttps}},
      {"user:max", {kUnseen}},
      {"uid:1000", {kUnseen}},
      {"user:postgres", {kPostgres4, kPostgres6}},
      {"user:postgre", {}},
      {"unit:ssh", {kSsh}},
      {"unit:ssh.service", {kSsh}},
      {"unit:ss", {}},
      {"service:ss*", {kSsh}},
      {"unit:postgresql@15-main", {kPostgres4, kPostgres6}},
      {"container:cache", {kRedis}},
      {"container:3f2a", {kRedis}},
      {"container:3f2", {}},
      {"container:docker.io/library/redis:7.2", {kRedis}},
      {"container:redis:7.2", {kRedis}},
      {"container:redis", {kRedis}},
      {"container:library", {}},
      {"container:redis:7", {}},
      {"container:cache-0", {kRedis}},
      {"container:prod/cache-0", {kRedis}},
      {"container:prod", {}},
      {"container:*", {kRedis}},
      {"name:sshd", {kSsh}},
      {"name:ssh", {}},
      {"process:ss??", {kSsh}},
      {"pid:812", {kSsh}},
      {"pid:902", {kHttp, kHttps}},
      {"pid:81", {}},
      {"exe:/usr/sbin/sshd", {kSsh}},
      {"exe:sshd", {kSsh}},
      {"exe:/usr/sbin/*", {kHttp, kHttps, kSsh, kDns, kRaw}},
      {"cmdline:lan.conf", {kDns}},
      {"cmd:dnsmasq.pid", {kDns}},
      {"cmdline:LAN*", {}},
      {"cmdline:*LAN*", {kDns}},
      {"cgroup:/system.slice/dnsmasq.service", {kDns}},
      {"cgroup:system.slice udp", {kDns}},
      {"cgroup:/system.slice/dns", {}},
      {"cgroup:/system.slice/d*", {kDns}},
      {"inode:1001", {kHttp}},
      {"netns:blue", {kRedis}},
      {"ns:4026532281", {kRedis}},
      {"netns:net:[4026532281]", {kRedis}},
      {"namespace:bl*", {kRedis}},
      {"netns:host udp", {kDns, kWireguard}},
  });
}

TEST(Filter, CombinesAndNegates) {
  expect_all({
      {"tcp 80 443 not user:www-data", {}},
      {"tcp not 80 not 443 not loopback", {kSsh, kRedis}},
      {"not tcp not udp", {kUnseen, kRaw}},
      {"NOT tcp/80 tcp scope:all", {kHttps, kSsh, kRedis}},
      {"80 not 80", {}},
      // What could not be read is left in by `not`.
      {"not nginx 8080", {kUnseen}},
      {"not name:nginx not udp not loopback not netns:blue", {kSsh, kUnseen}},
      {"not 10.0.0.0/8 udp", {kWireguard}},
  });
}

TEST(Filter, TheKernelsShortNamesAreMetByLongOnes) {
  HostBuilder build;
  build.process(5, "systemd-resolve", "/usr/lib/systemd/systemd-resolved");
  build.process(6, "systemd-resolve", "/x").exe.reset();
  build.host.processes[1].command_line.reset();
  build.listener(Protocol::Udp, "127.0.0.53", 53, {5}, "lo");
  build.listener(Protocol::Udp, "127.0.0.54", 53, {6}, "lo");
  const auto both = Positions{0, 1};
  for (const char* line : {"name:systemd-resolved", "systemd-resolved", "SYSTEMD-RESOLVED",
                           "name:systemd-resolve", "name:systemd-r*"}) {
    EXPECT_EQ(select(build.host, *parse(line)), both) << line;
  }
  EXPECT_EQ(select(build.host, *parse("name:systemd-resolv")), Positions{});
  EXPECT_EQ(select(build.host, *parse("name:systemd-resolxed")), Positions{});
}

TEST(Filter, KeepsWhatWasWritten) {
  const auto filter = parse("tcp not user:Root TCP/80");
  ASSERT_TRUE(filter);
  ASSERT_EQ(filter->terms.size(), 3U);
  EXPECT_EQ(filter->terms[1].written, "user:Root");
  EXPECT_TRUE(filter->terms[1].negated);
  EXPECT_FALSE(filter->terms[2].negated);
  EXPECT_EQ(filter->terms[2].written, "TCP/80");
  EXPECT_EQ(filter->terms[2].field, Field::Port);
  EXPECT_TRUE(filter->terms[2].has_protocol);
}

struct Refused {
  const char* line;
  const char* what;
  const char* why;
  const char* hint;
};

TEST(Filter, RefusesWithReasonAndHint) {
  const char* ports = "a port is a number from 1 to 65535";
  const std::vector<Refused> cases = {
      {"0", "0", ports, "a range is written 8000-9000"},
      {"70000", "70000", ports, "for a process, write pid:70000"},
      {"99999999999999999999", "99999999999999999999", ports, ""},
      {"tcp/0", "tcp/0", ports, ""},
      {"10.0.0.5:65536", "10.0.0.5:65536", ports, ""},
      {"0-100", "0-100", ports, ""},
      {"10-20-30", "10-20-30", ports, ""},
      {"8000-", "8000-", ports, ""},
      {"port:http", "port:http", ports, ""},
      {"9000-8000", "9000-8000", "the range ends before it begins", "did you mean 8000-9000?"},
      {"udp/9-8", "udp/9-8", "the range ends before it begins", "did you mean 8-9?"},
      {"usr:root", "usr:root", "unknown field 'usr'", "did you mean user:?"},
      {"prot:tcp", "prot:tcp", "unknown field 'prot'", "did you mean proto:?"},
      {"zzzzzz:1", "zzzzzz:1", "unknown field 'zzzzzz'", "fields are proto, family, port"},
      {"scope:everything", "scope:everything",
       "unknown value 'everything', one of loopback, one-address, one-interface, all", ""},
      {"scope:lopback", "scope:lopback", "unknown value 'lopback'", "did you mean loopback?"},
      {"proto:tpc", "proto:tpc", "unknown value 'tpc'", "did you mean tcp?"},
      {"tpc/80", "tpc/80", "unknown value 'tpc'", "did you mean tcp?"},
      {"15/main", "15/main", "unknown value 'main'", ""},
      {"family:ipv5", "family:ipv5", "unknown value 'ipv5'", "did you mean ipv4?"},
      {"reachable:anywere", "reachable:anywere",
       "unknown value 'anywere', one of anywhere, some, loopback, none", "did you mean anywhere?"},
      {"reachable-from:any", "reachable-from:any", "not an address or prefix",
       "clients are written"},
      {"reachable-from:10.0.0.0/33", "reachable-from:10.0.0.0/33", "not an address or prefix", ""},
      {"state:open", "state:open", "unknown value 'open', one of listen, unconn", ""},
      {"user:", "user:", "a value is missing", "the name or number"},
      {"pid:abc", "pid:abc", "not a number from 1 to", ""},
      {"pid:0", "pid:0", "not a number", ""},
      {"inode:-1", "inode:-1", "not a number", ""},
      {"10.0.0.300", "10.0.0.300", "not an address", "addresses are written"},
      {"10.0.0.0/33", "10.0.0.0/33", "not a prefix", "addresses are written"},
      {"[::1", "[::1", "not an address", ""},
      {"1::2::3", "1::2::3", "not an address", ""},
      {"address:home", "address:home", "not an address or prefix", ""},
      {"tcp/", "tcp/", "no port or address", ""},
      {"tcp/nginx", "tcp/nginx", "no port or address", ""},
      {"not", "not", "nothing follows it", ""},
      {"tcp not", "not", "nothing follows it", ""},
      {"not not tcp", "not", "not follows not", ""},
      {"tcp or udp", "or", "filters have no such word", "alternatives"},
      {"AND", "AND", "filters have no such word", ""},
      {"tcp 70000 usr:x", "70000", ports, ""},
  };
  for (const Refused& c : cases) {
    const auto filter = parse(c.line);
    ASSERT_FALSE(filter) << c.line;
    EXPECT_EQ(filter.error().what, c.what) << c.line;
    EXPECT_EQ(filter.error().why.find(c.why), 0U) << c.line << ": " << filter.error().why;
    EXPECT_NE(filter.error().hint.find(c.hint), std::string::npos)
        << c.line << ": " << filter.error().hint;
    EXPECT_EQ(filter.error().code, 0);
  }
  EXPECT_FALSE(parse_filter(std::vector<std::string>{""}));
}

TEST(Filter, ReachIsAskedOfWhoKnowsIt) {
  const Host host = example_host();
  std::vector<OpenTo> asked;
  const ReachTest odd = [&asked](std::size_t listener, const Term& term) {
    if (term.field == Field::ReachableFrom) return term.prefix.text() == "203.0.113.9/32";
    asked.push_back(term.open_to);
    return listener % 2 == 1;
  };
  const auto chosen_by = [&](std::string_view line, const ReachTest& test) {
    return select(host, *parse(line), test);
  };
  const Positions tcp = chosen_by("tcp", {});
  Positions odd_ones;
  Positions even_ones;
  for (const std::size_t i : tcp) (i % 2 == 1 ? odd_ones : even_ones).push_back(i);
  ASSERT_FALSE(odd_ones.empty());
  EXPECT_EQ(chosen_by("tcp reachable:anywhere", odd), odd_ones);
  EXPECT_EQ(asked.front(), OpenTo::Anywhere);
  EXPECT_EQ(chosen_by("tcp not reachable:none", odd), even_ones);
  EXPECT_EQ(asked.back(), OpenTo::Nobody);
  EXPECT_EQ(chosen_by("tcp reachable-from:203.0.113.9", odd), tcp);
  EXPECT_EQ(chosen_by("tcp reachable-from:203.0.113.0/24", odd), Positions{});
  // Where nobody knows, no term holds.
  EXPECT_EQ(chosen_by("reachable:loopback", {}), Positions{});
  EXPECT_EQ(chosen_by("tcp not reachable:loopback", {}), tcp);
}

TEST(Filter, EveryFieldWordIsUnderstoodAndHasHelp) {
  std::set<std::string> seen;
  for (const FieldWord& field : field_words()) {
    EXPECT_TRUE(seen.insert(field.word).second) << field.word;
    EXPECT_FALSE(std::string(field.help).empty());
    const auto filter = parse(std::string(field.word) + ":");
    ASSERT_FALSE(filter);
    EXPECT_EQ(filter.error().why, "a value is missing") << field.word;
  }
  EXPECT_EQ(seen.size(), kFieldCount - 1);
}

TEST(SelectText, ComparesWithoutCase) {
  EXPECT_TRUE(contains_text("Nginx", "GIN"));
  EXPECT_TRUE(contains_text("x", ""));
  EXPECT_FALSE(contains_text("", "x"));
  EXPECT_TRUE(same_text("A*c", "abC"));
  EXPECT_FALSE(same_text("abc", "abcd"));
  EXPECT_EQ(last_part("/a/b"), "b");
  EXPECT_EQ(last_part("b"), "b");
  EXPECT_EQ(without_unit_type("ssh.service"), "ssh");
  EXPECT_EQ(without_unit_type("a.b.scope"), "a.b");
  EXPECT_EQ(without_unit_type("redis.conf"), "redis.conf");
  EXPECT_EQ(without_unit_type(".service"), ".service");
}

}  // namespace
}  // namespace hark::host
