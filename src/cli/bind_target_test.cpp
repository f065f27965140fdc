#include "cli/bind_target.h"

#include <gmock/gmock.h>

namespace hark::cli {
namespace {

using testing::HasSubstr;

std::string told(const std::string& word) {
  const auto target = parse_bind_target(word);
  if (!target) return "error: " + target.error().why;
  std::string out(name_of(target->protocol));
  out += " " + (target->address        ? target->address->text()
                : target->name.empty() ? "*"
                                       : target->name);
  if (!target->zone.empty()) out += "%" + target->zone;
  return out + " " + std::to_string(target->port);
}

TEST(parse_bind_target, takes_what_people_write) {
  EXPECT_EQ(told("8080"), "tcp * 8080");
  EXPECT_EQ(told(":8080"), "tcp * 8080");
  EXPECT_EQ(told("*:80"), "tcp * 80");
  EXPECT_EQ(told("any:80"), "tcp * 80");
  EXPECT_EQ(told("0"), "tcp * 0");
  EXPECT_EQ(told("udp/53"), "udp * 53");
  EXPECT_EQ(told("UDP/10.0.0.5:53"), "udp 10.0.0.5 53");
  EXPECT_EQ(told("mptcp/443"), "tcp * 443");
  EXPECT_EQ(told("udplite/[::]:53"), "udplite :: 53");
  EXPECT_EQ(told("0.0.0.0:65535"), "tcp 0.0.0.0 65535");
  EXPECT_EQ(told("[::1]:80"), "tcp ::1 80");
  EXPECT_EQ(told("[fe80::1%eth0]:80"), "tcp fe80::1%eth0 80");
  EXPECT_EQ(told("[fe80::1]%eth0:80"), "tcp fe80::1%eth0 80");
  EXPECT_EQ(told("127.0.0.53%lo:53"), "tcp 127.0.0.53%lo 53");
  EXPECT_EQ(told("*%eth0:67"), "tcp *%eth0 67");
  EXPECT_EQ(told("localhost:80"), "tcp localhost 80");
}

TEST(parse_bind_target, says_what_is_wrong) {
  EXPECT_THAT(told(""), HasSubstr("empty"));
  EXPECT_THAT(told("10.0.0.5"), HasSubstr("port is missing"));
  EXPECT_THAT(told("nginx"), HasSubstr("port is missing"));
  EXPECT_THAT(told("::1"), HasSubstr("brackets"));
  EXPECT_THAT(told("::1:80"), HasSubstr("brackets"));
  EXPECT_THAT(told("fd00:0:0:0:0:0:0:1:80"), HasSubstr("brackets"));
  EXPECT_THAT(told("65536"), HasSubstr("is no port"));
  EXPECT_THAT(told("10.0.0.5:http"), HasSubstr("\"http\" is no port"));
  EXPECT_THAT(told("10.0.0.5:"), HasSubstr("\"\" is no port"));
  EXPECT_THAT(told("10.0.0.300:80"), HasSubstr("is no address"));
  EXPECT_THAT(told("[10.0.0.5]:80"), HasSubstr("is no IPv6 address"));
  EXPECT_THAT(told("[nonsense]:80"), HasSubstr("is no IPv6 address"));
  EXPECT_THAT(told("[::1:80"), HasSubstr("no address"));
  EXPECT_THAT(told("[::1]x:80"), HasSubstr("no address"));
  EXPECT_THAT(told("10.0.0.0/8:80"), HasSubstr("no protocol"));
  EXPECT_THAT(told("tcp/10.0.0.0/8:80"), HasSubstr("no prefix"));
  EXPECT_THAT(told("raw/1"), HasSubstr("no protocol"));
  EXPECT_THAT(told("sctp/80"), HasSubstr("no protocol"));
  EXPECT_THAT(told("10.0.0.5%:80"), HasSubstr("behind the %"));
  EXPECT_THAT(told("-a:80"), HasSubstr("is no address"));
}

}  // namespace
}  // namespace hark::cli
