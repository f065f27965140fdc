#include "cli/peer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hark::cli {
namespace {

using testing::HasSubstr;

TEST(parse_peer, every_form) {
  struct Case {
    const char* text;
    const char* address;
    const char* zone;
    std::optional<std::uint16_t> port;
  };
  for (const Case& c : {
           Case{"10.0.0.9", "10.0.0.9", "", {}},
           Case{"10.0.0.9:40000", "10.0.0.9", "", 40000},
           Case{"fd00::9", "fd00::9", "", {}},
           Case{"[fd00::9]", "fd00::9", "", {}},
           Case{"[fd00::9]:1", "fd00::9", "", 1},
           Case{"fe80::9%eth0", "fe80::9", "eth0", {}},
           Case{"[fe80::9%eth0]:65535", "fe80::9", "eth0", 65535},
       }) {
    const auto peer = parse_peer("--from", c.text);
    ASSERT_TRUE(peer) << c.text << ": " << peer.error().why;
    EXPECT_EQ(peer->address, IpAddress::parse(c.address)) << c.text;
    EXPECT_EQ(peer->zone, c.zone) << c.text;
    EXPECT_EQ(peer->port, c.port) << c.text;
    EXPECT_EQ(peer->name, "");
  }
}

TEST(parse_peer, names_are_left_to_the_resolver) {
  for (const auto& [text, name] : {std::pair{"db.lan", "db.lan"}, std::pair{"db", "db"},
                                   std::pair{"db.lan:80", "db.lan"}, std::pair{"3com", "3com"}}) {
    const auto peer = parse_peer("--from", text);
    ASSERT_TRUE(peer) << text;
    EXPECT_EQ(peer->name, name);
    EXPECT_FALSE(peer->address);
  }
  EXPECT_EQ(parse_peer("--from", "db.lan:80")->port, 80);
}

TEST(parse_peer, errors_name_the_option_and_the_forms) {
  for (const char* text : {"10.0.0.300", "10.0.0.0/8", "10.0.0.9:0", "10.0.0.9:65536",
                           "10.0.0.9:", "10.0.0.9:http", "[fd00::9", "[fd00::9]40", "fe80::9%",
                           "1.2.3", "-x", ".lan", "a b", "\x1b[31m", "::1::2"}) {
    const auto peer = parse_peer("--to", text);
    ASSERT_FALSE(peer) << text;
    EXPECT_EQ(peer.error().what, "--to " + std::string(text));
    EXPECT_THAT(peer.error().hint, HasSubstr("written 10.0.0.9")) << text;
  }
  EXPECT_EQ(parse_peer("--from", "").error().what, "--from");
  EXPECT_FALSE(parse_peer("--from", std::string(300, 'a')));
}

}  // namespace
}  // namespace hark::cli
