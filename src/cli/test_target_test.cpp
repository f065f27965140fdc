#include "cli/test_target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/test_plan.h"

namespace hark::cli {
namespace {

using probe::Scheme;
using testing::HasSubstr;

std::string told(const TestTarget& target) {
  if (target.listeners) return "listeners of " + target.listeners->written;
  const char* schemes[] = {"", "http ", "https ", "tls "};
  std::string out = schemes[static_cast<std::size_t>(target.scheme)];
  out += std::string(name_of(target.protocol)) + " ";
  out += target.address ? target.address->text() : target.name;
  if (!target.zone.empty()) out += "%" + target.zone;
  return out + " " + std::to_string(target.port) + " " + target.path;
}

struct Row {
  const char* word;
  const char* expected;  ///< what it is; of an error a part of it, after "!"
};

constexpr Row kRows[] = {
    {"8080", "listeners of 8080"},
    {"tcp/8080", "listeners of tcp/8080"},
    {"udp/53", "listeners of udp/53"},
    {"nginx", "listeners of nginx"},
    {"ssh.service", "listeners of ssh.service"},
    {"pid:812", "listeners of pid:812"},
    {"container:80", "listeners of container:80"},
    {"*:80", "listeners of *:80"},
    {"udp/[::]:53", "listeners of udp/[::]:53"},
    {"0.0.0.0:80", "listeners of 0.0.0.0:80"},
    {"10.0.0.5:443", "tcp 10.0.0.5 443 "},
    {"udp/10.0.0.5:53", "udp 10.0.0.5 53 "},
    {"UDP/ns.lan:53", "udp ns.lan 53 "},
    {"[::1]:80", "tcp ::1 80 "},
    {"[fe80::1%eth0]:80", "tcp fe80::1%eth0 80 "},
    {"[::ffff:10.0.0.5]:80", "tcp 10.0.0.5 80 "},
    {"db.lan:5432", "tcp db.lan 5432 "},
    {"tcp/container:80", "tcp container 80 "},
    {"http://web", "http tcp web 80 "},
    {"http://web:8080/a?b#c", "http tcp web 8080 /a?b"},
    {"https://[::1]?q", "https tcp ::1 443 /?q"},
    {"HTTPS://10.0.0.5", "https tcp 10.0.0.5 443 "},
    {"tls://mail:993", "tls tcp mail 993 "},
    {"", "!empty"},
    {"ftp://x", "!no scheme"},
    {"http://", "!host is missing"},
    {"http://me:secret@web/", "!logs in nowhere"},
    {"tls://web/path", "!no path"},
    {"web:0", "!1 to 65535"},
    {"web:http", "!1 to 65535"},
    {"10.0.0.300:80", "!not an address"},
    {"udplite/10.0.0.5:80", "!only TCP and UDP"},
    {"8000-9000", "!no range"},
};

TEST(TestTarget, WordsAreWhatAPersonMeans) {
  for (const Row& row : kRows) {
    const auto target = parse_test_target(row.word);
    const std::string expected = row.expected;
    if (expected.starts_with('!')) {
      ASSERT_FALSE(target) << row.word;
      EXPECT_THAT(target.error().what + ": " + reason(target.error()) + target.error().hint,
                  HasSubstr(expected.substr(1)))
          << row.word;
    } else {
      ASSERT_TRUE(target) << row.word << ": " << reason(target.error());
      EXPECT_EQ(told(*target), expected) << row.word;
    }
  }
}

TEST(TestTarget, AFileHasOneALine) {
  const auto targets =
      parse_test_targets("# servers\n8080\n\n  db.lan:5432   # behind\nhttp://a/#b\r\n", "list");
  ASSERT_TRUE(targets);
  ASSERT_EQ(targets->size(), 3U);
  EXPECT_EQ((*targets)[1].name, "db.lan");
  EXPECT_EQ((*targets)[2].name, "a");
  const auto broken = parse_test_targets("8080\nweb:x\n", "list");
  ASSERT_FALSE(broken);
  EXPECT_THAT(broken.error().what, HasSubstr("list:2"));
  const auto two = parse_test_targets("8080 8081\n", "list");
  ASSERT_FALSE(two);
  EXPECT_EQ(two.error().what, "list:1");
}

/// A host with 127.0.0.1, ::1, 10.0.0.5 and fe80::5 on eth0, and what listens on it.
class TestPlanning : public testing::Test {
 protected:
  TestPlanning() {
    host_.namespaces.push_back({.inode = 1, .name = "host", .own = true, .entered = true});
    network_.netns = host::NetnsId{0};
    network_.links = {{.index = 1, .name = "lo", .flags = 9}, {.index = 2, .name = "eth0"}};
    own("::1", 1);
    own("127.0.0.1", 1);
    own("fe80::5", 2);
    own("10.0.0.5", 2);
  }

  void own(const char* address, std::uint32_t link) {
    host::InterfaceAddress one;
    one.address = *IpAddress::parse(address);
    one.link = link;
    network_.addresses.push_back(one);
  }

  host::Listener& listen(const char* address, std::uint16_t port) {
    host::Listener one;
    one.protocol = Protocol::Tcp;
    one.address = *IpAddress::parse(address);
    one.port = port;
    one.netns = host::NetnsId{0};
    one.v6only = one.address.family == Family::Inet6 ? std::optional(false) : std::nullopt;
    host_.listeners.push_back(one);
    return host_.listeners.back();
  }

  /// What is tried for a word: "127.0.0.1:80 10.0.0.5:80"; else why nothing is.
  std::string plan(const std::string& word) {
    show::TestReport report{host_, network_};
    TestPlan planner(report, names_, choices_);
    const auto target = parse_test_target(word);
    if (!target) return reason(target.error());
    planner.add(*target, {});
    std::string out;
    for (const show::TestedAttempt& one : report.attempts) {
      if (!out.empty()) out += ' ';
      if (one.attempt.asked.protocol == Protocol::Udp) out += "udp/";
      out += one.attempt.asked.address.text();
      if (one.attempt.scope != 0) out += "%" + std::to_string(one.attempt.scope);
      out += ":" + std::to_string(one.attempt.asked.port);
    }
    return out.empty() ? report.targets.front().trouble : out;
  }

  host::Host host_;
  host::Network network_;
  ResolvedNames names_;
  TestChoices choices_;
};

TEST_F(TestPlanning, ListenersMeanTheirAddresses) {
  listen("0.0.0.0", 80);
  listen("0.0.0.0", 80);
  listen("::", 81);
  listen("10.0.0.5", 82);
  listen("::", 83).v6only = true;
  EXPECT_EQ(plan("80"), "127.0.0.1:80 10.0.0.5:80") << "each once";
  EXPECT_EQ(plan("81"), "127.0.0.1:81 ::1:81 10.0.0.5:81");
  EXPECT_EQ(plan("82"), "10.0.0.5:82");
  EXPECT_EQ(plan("83"), "::1:83");
  EXPECT_EQ(plan("84"), "127.0.0.1:84 ::1:84 10.0.0.5:84") << "what a client gets is the answer";
  EXPECT_EQ(plan("udp/80"), "udp/127.0.0.1:80 udp/::1:80 udp/10.0.0.5:80");
  EXPECT_EQ(plan("nginx"), "nobody of that name listens here");
  EXPECT_EQ(plan("web.lan"),
            "nobody of that name listens here; a host needs its port, as in web.lan:443");
  choices_.source = IpAddress::parse("::1");
  EXPECT_EQ(plan("81"), "::1:81");
}

TEST_F(TestPlanning, NamesMeanTheirAddresses) {
  names_["web.lan"] = {
      .addresses = std::vector{*IpAddress::parse("fd00::1"), *IpAddress::parse("10.0.0.9")},
      .elapsed_ms = 3};
  names_["gone.lan"] = {.addresses = fail(plain_error("gone.lan", "no such name")),
                        .elapsed_ms = 3};
  EXPECT_EQ(plan("http://web.lan"), "fd00::1:80 10.0.0.9:80");
  EXPECT_EQ(plan("gone.lan:80"), "no such name");
  choices_.source = IpAddress::parse("10.0.0.5");
  EXPECT_EQ(plan("web.lan:80"), "10.0.0.9:80");
}

TEST_F(TestPlanning, LinkLocalAddressesNeedTheirLink) {
  EXPECT_EQ(plan("[fe80::9%eth0]:22"), "fe80::9%2:22");
  EXPECT_EQ(plan("[fe80::9%eth7]:22"), "there is no interface eth7");
  EXPECT_THAT(plan("[fe80::9]:22"), HasSubstr("needs its interface"));
  choices_.interface = "eth0";
  EXPECT_EQ(plan("[fe80::9]:22"), "fe80::9%2:22");
}

}  // namespace
}  // namespace hark::cli
