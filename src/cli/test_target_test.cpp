#include "cli/test_target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

}  // namespace
}  // namespace hark::cli
