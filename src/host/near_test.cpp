#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/text.h"
#include "host/near_words.h"
#include "host/select_fixture.h"

namespace hark::host {
namespace {

std::vector<Near> near(const Host& host, std::string_view line) {
  std::vector<std::string> words;
  while (!line.empty()) words.emplace_back(next_word(line));
  const auto filter = parse_filter(words);
  EXPECT_TRUE(filter) << words.front();
  return near_misses(host, *filter);
}

struct Case {
  const char* line;
  const char* relation;  ///< of the nearest
  std::size_t listener;
  const char* text;
};

TEST(NearMisses, TheNearestIsToldFirst) {
  const Host host = example_host();
  const std::vector<Case> cases = {
      {"udp/80", "other-protocol", kHttp,
       "tcp 80: nginx (901 +1) listens on every IPv4 address, but you asked for udp/80"},
      {"udp 80", "other-protocol", kHttp,
       "tcp 80: nginx (901 +1) listens on every IPv4 address, but you asked for udp"},
      {"tcp/8080", "other-protocol", kUnseen,
       "mptcp 8080: app.service listens on ::ffff:10.0.0.7 only, but you asked for tcp/8080"},
      {"ipv4 22", "other-family", kSsh,
       "tcp 22: sshd (812) listens on every address, but you asked for ipv4"},
      {"10.0.0.5:80", "other-address", kHttp,
       "tcp 80: nginx (901 +1) listens on every IPv4 address, but you asked for 10.0.0.5:80"},
      {"10.0.0.0/8 5432", "other-address", kPostgres4,
       "tcp 5432: postgres (733) listens on this host only (127.0.0.1), but you asked for "
       "10.0.0.0/8"},
      {"scope:all postgres", "other-address", kPostgres4,
       "tcp 5432: postgres (733) listens on this host only (127.0.0.1), but you asked for "
       "scope:all"},
      {"80 netns:blue", "other-namespace", kHttp,
       "tcp 80: nginx (901 +1) listens on every IPv4 address, but you asked for netns:blue"},
      {"6379 netns:host", "other-namespace", kRedis,
       "tcp 6379: redis-server (699) listens on every IPv4 address in namespace blue, but you "
       "asked "
       "for netns:host"},
      {"22 state:unconn", "other-state", kSsh,
       "tcp 22: sshd (812) listens on every address, but you asked for state:unconn"},
      {"nginx 8443", "other-port", kHttp,
       "tcp 80: nginx (901 +1) listens on every IPv4 address, but you asked for 8443"},
      {"apache2 80", "other-name", kHttp,
       "tcp 80: nginx (901 +1) listens on every IPv4 address, but you asked for apache2"},
      {"5432 not loopback", "other-address", kPostgres4,
       "tcp 5432: postgres (733) listens on this host only (127.0.0.1), but you asked for not "
       "loopback"},
      {"81", "other-port", kHttp,
       "tcp 80: nginx (901 +1) listens on every IPv4 address, but you asked for 81"},
      {"5433", "other-port", kPostgres4,
       "tcp 5432: postgres (733) listens on this host only (127.0.0.1), but you asked for 5433"},
      {"6739", "other-port", kRedis,
       "tcp 6379: redis-server (699) listens on every IPv4 address in namespace blue, but you "
       "asked for 6739"},
      {"8443", "other-port", kHttps,
       "tcp 443: nginx (901 +1) listens on every IPv4 address, but you asked for 8443"},
      {"tcp/81", "other-port", kHttp,
       "tcp 80: nginx (901 +1) listens on every IPv4 address, but you asked for tcp/81"},
      {"ngnix", "other-name", kHttp,
       "no ngnix, but a process nginx; tcp 80: nginx (901 +1) listens on every IPv4 address"},
      {"udp ngnix", "other-name", kHttp,
       "no ngnix, but a process nginx; tcp 80: nginx (901 +1) listens on every IPv4 address"},
      {"www-data", "other-name", kHttp,
       "no www-data, but a user www-data (user:www-data); tcp 80: nginx (901 +1) listens on "
       "every IPv4 address"},
      {"blue", "other-name", kRedis,
       "no blue, but a namespace blue (netns:blue); tcp 6379: redis-server (699) listens on "
       "every IPv4 address in namespace blue"},
      {"unit:sshd", "other-name", kSsh,
       "no unit sshd, but a process sshd (name:sshd); tcp 22: sshd (812) listens on every "
       "address"},
      {"name:ssh", "other-name", kSsh,
       "no process ssh, but a unit ssh.service (unit:ssh.service); tcp 22: sshd (812) listens on "
       "every address"},
      {"name:sshdd", "other-name", kSsh,
       "no process sshdd, but a process sshd; tcp 22: sshd (812) listens on every address"},
      {"unit:postgresql", "other-name", kPostgres4,
       "no unit postgresql, but a unit postgresql@15-main.service; tcp 5432: postgres (733) "
       "listens on this host only (127.0.0.1)"},
      {"container:cach", "other-name", kRedis,
       "no container cach, but a container cache; tcp 6379: redis-server (699) listens on every "
       "IPv4 address in namespace blue"},
      {"interface:eth1", "other-name", kDns,
       "no interface eth1, but an interface eth0; udp 53: dnsmasq (950) listens on 10.0.0.5 "
       "only"},
      {"51821", "other-port", kWireguard,
       "udp 51820: a socket that no process holds listens on every IPv4 address of wg0, but you "
       "asked "
       "for 51821"},
  };
  for (const Case& c : cases) {
    const std::vector<Near> found = near(host, c.line);
    ASSERT_FALSE(found.empty()) << c.line;
    EXPECT_EQ(found[0].relation, c.relation) << c.line;
    EXPECT_EQ(found[0].listener, c.listener) << c.line;
    EXPECT_EQ(found[0].text, c.text) << c.line;
  }
}

TEST(NearMisses, NothingNearIsNothingSaid) {
  const Host host = example_host();
  for (const char* line : {"udplite", "30000", "zzzzzzzz", "pid:4", "x", "udplite ipv6", "z*",
                           "not tcp not udp not raw not mptcp", "interface:zzzzzz"}) {
    EXPECT_TRUE(near(host, line).empty()) << line << ": " << near(host, line)[0].text;
  }
  EXPECT_TRUE(near(Host{}, "80").empty());
}

TEST(NearMisses, AtMostFiveOnceAServiceNeverWhatWasSelected) {
  HostBuilder build;
  for (std::uint32_t pid = 1; pid <= 9; ++pid) build.process(pid, "nginx", "/usr/sbin/nginx");
  for (std::uint32_t pid = 1; pid <= 9; ++pid) {
    const auto port = static_cast<std::uint16_t>(8000 + pid);
    build.listener(Protocol::Tcp, "0.0.0.0", port, {pid});
    build.listener(Protocol::Tcp, "::", port, {pid});
  }
  const std::vector<Near> found = near(build.host, "ngnix");
  ASSERT_EQ(found.size(), 1U);  // one name, one answer
  const std::vector<Near> ports = near(build.host, "udp nginx");
  ASSERT_EQ(ports.size(), 5U);
  for (std::size_t i = 0; i < ports.size(); ++i) EXPECT_EQ(ports[i].listener, 2 * i);
  for (const Near& miss : near(build.host, "8001")) EXPECT_GT(*miss.listener, 1U);
}

TEST(NearMisses, NameDistances) {
  EXPECT_EQ(name_distance("nginx", NameKind::Process, "NGINX"), 0U);
  EXPECT_EQ(name_distance("ssh", NameKind::Unit, "ssh.service"), 0U);
  EXPECT_EQ(name_distance("ngnix", NameKind::Process, "nginx"), 1U);
  EXPECT_EQ(name_distance("postgersql", NameKind::Process, "postgresql"), 1U);
  EXPECT_EQ(name_distance("dns", NameKind::Process, "systemd-dnsd"), 1U);
  EXPECT_EQ(name_distance("ab", NameKind::Process, "ac"), std::nullopt);
  EXPECT_EQ(name_distance("ab", NameKind::Process, "ab"), 0U);
  EXPECT_EQ(name_distance("nginx", NameKind::Process, "apache"), std::nullopt);
}

TEST(NearMisses, AHundredThousandListenersAreBounded) {
  HostBuilder build;
  build.host.listeners.reserve(100'000);
  build.process(1, "worker", "/usr/bin/worker");
  for (unsigned i = 0; i < 100'000; ++i) {
    Listener& listener =
        build.listener(Protocol::Tcp, "0.0.0.0", static_cast<std::uint16_t>(1 + i % 60'000), {1});
    listener.unit = "service-" + std::to_string(i) + ".service";
  }
  EXPECT_EQ(near(build.host, "udp servixe-12345 loopback netns:blue not 80 65001").size(), 5U);
}

}  // namespace
}  // namespace hark::host
