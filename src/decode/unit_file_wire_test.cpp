#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "decode/unit_file.h"

namespace hark::decode {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<UnitSetting> decoded(std::string_view text) {
  const auto settings = decode_unit_file(as_bytes(text));
  EXPECT_TRUE(settings) << settings.error().why << "\n" << text;
  return settings ? *settings : std::vector<UnitSetting>{};
}

/// "Section.Key=value|" for each setting.
std::string words(std::string_view text) {
  constexpr std::array<const char*, 4> kNames = {"Unit", "Socket", "Service", "Install"};
  std::string out;
  for (const UnitSetting& one : decoded(text)) {
    out += std::string(kNames[static_cast<std::size_t>(one.section)]) + "." + one.key + "=" +
           one.value + "|";
  }
  return out;
}

TEST(UnitFile, LinesAndSections) {
  struct Case {
    const char* text;
    const char* words;
  };
  for (const Case& c : {
           Case{"", ""},
           Case{"[Unit]\nDescription=A b  c\n", "Unit.Description=A b  c|"},
           Case{"[Unit]\n  Description  =\t x \t\n", "Unit.Description=x|"},
           Case{"[Unit]\r\nDescription=x\r\n", "Unit.Description=x|"},
           Case{"\xef\xbb\xbf[Unit]\nDescription=x", "Unit.Description=x|"},
           Case{"A=1\n[Unit]\n#B=2\n  ;C=3\n\nD=4\n", "Unit.D=4|"},
           Case{"[X-Mine]\nA=1\n[Socket]\nListenStream=80\n", "Socket.ListenStream=80|"},
           Case{"[Service]\nno equals sign\nType=simple\n[Install]\nAlias=\n",
                "Service.Type=simple|Install.Alias=|"},
           Case{"[Service]\nExecStart=/bin/a \\\n  b \\\n  c\nType=x\n",
                "Service.ExecStart=/bin/a    b    c|Service.Type=x|"},
           Case{"[Service]\nExecStart=/bin/a \\\n# comment \\\n; another\n  b\n",
                "Service.ExecStart=/bin/a    b|"},
           Case{"[Service]\nExecStart=/bin/a \\\\\nType=x\n",
                "Service.ExecStart=/bin/a \\\\|Service.Type=x|"},
           Case{"[Service]\nExecStart=/bin/a \\", "Service.ExecStart=/bin/a|"},
           Case{"[Service]\nEnvironment=A=1=2\n", "Service.Environment=A=1=2|"},
       }) {
    EXPECT_EQ(words(c.text), c.words) << c.text;
  }
}

TEST(UnitFile, WhatSystemdRefuses) {
  EXPECT_FALSE(decode_unit_file(as_bytes("[Unit\nDescription=x\n")));
  EXPECT_FALSE(decode_unit_file(as_bytes("[Unit]\n[Serv\\\n\nx")));
  EXPECT_FALSE(decode_unit_file(Bytes(kLargestUnitFile + 1)));
  EXPECT_TRUE(decode_unit_file(Bytes(kLargestUnitFile)));
}

TEST(UnitFile, EveryPrefixIsTakenOrRefused) {
  const std::string text = "[Socket]\nListenStream=80\\\n#x\n 81\n[Service]\nExecStart=/bin/true\n";
  for (std::size_t size = 0; size <= text.size(); ++size) {
    const auto settings = decode_unit_file(as_bytes(std::string_view(text).substr(0, size)));
    if (settings) {
      EXPECT_LE(settings->size(), 2U);
    }
  }
}

TEST(UnitFile, LaterSettingsAndResets) {
  const auto settings = decoded(
      "[Unit]\nDescription=one\nDescription=two\n[Socket]\nListenStream=1\nListenStream=\n"
      "ListenStream=2\nListenStream=3\nService=a.service\nService=\n");
  EXPECT_EQ(last_value(settings, UnitSection::Unit, "Description"), "two");
  EXPECT_EQ(last_value(settings, UnitSection::Socket, "Service"), std::nullopt);
  EXPECT_EQ(last_value(settings, UnitSection::Service, "Description"), std::nullopt);
  EXPECT_THAT(all_values(settings, UnitSection::Socket, "ListenStream"), ElementsAre("2", "3"));
  EXPECT_THAT(all_values(settings, UnitSection::Unit, "ListenStream"), IsEmpty());
}

TEST(UnitFile, Names) {
  const auto name = split_unit_name("foo-bar@a@b.socket");
  ASSERT_TRUE(name);
  EXPECT_EQ(name->prefix, "foo-bar");
  EXPECT_EQ(name->instance, "a@b");
  EXPECT_EQ(name->type, "socket");
  EXPECT_EQ(split_unit_name("a.service")->instance, std::nullopt);
  EXPECT_EQ(split_unit_name("a@.service")->instance, "");
  for (const char* bad : {"", "a", ".service", "@.service", "a.b", "a/b.service", "a b.service",
                          "a.socket.d", "a\n.service"}) {
    EXPECT_FALSE(split_unit_name(bad)) << bad;
  }
  EXPECT_FALSE(split_unit_name(std::string(256, 'a') + ".service"));
  EXPECT_EQ(template_of("foo@8080.socket"), "foo@.socket");
  EXPECT_EQ(template_of("foo.socket"), "foo.socket");
}

TEST(UnitFile, Specifiers) {
  const std::string unit = "foo-bar@a\\x2db-c.socket";
  EXPECT_EQ(without_specifiers("%i %I %j %n %N %p %P %%", unit),
            "a\\x2db-c a-b/c bar foo-bar@a\\x2db-c.socket foo-bar@a\\x2db-c foo-bar foo/bar %");
  EXPECT_EQ(without_specifiers("127.0.0.1:%i", "x@80.socket"), "127.0.0.1:80");
  EXPECT_EQ(without_specifiers("%H", unit), std::nullopt) << "a host's name is not known here";
  EXPECT_EQ(without_specifiers("100%", unit), "100%");
  EXPECT_EQ(without_specifiers("[fe80::1]:80%eth0", unit), "[fe80::1]:80%eth0");
  EXPECT_EQ(without_specifiers("x", "no name"), std::nullopt);
}

TEST(UnitFile, ListenAddresses) {
  const auto any = parse_listen_address("8080");
  ASSERT_TRUE(any);
  EXPECT_FALSE(any->address);
  EXPECT_EQ(any->port, 8080);
  const auto v4 = parse_listen_address("127.0.0.1:53");
  ASSERT_TRUE(v4);
  EXPECT_EQ(v4->address, IpAddress::parse("127.0.0.1"));
  EXPECT_EQ(v4->port, 53);
  const auto v6 = parse_listen_address("[fe80::1]:80%eth0");
  ASSERT_TRUE(v6);
  EXPECT_EQ(v6->address, IpAddress::parse("fe80::1"));
  EXPECT_EQ(v6->device, "eth0");
  for (const char* none : {"",
                           "0",
                           "65536",
                           "/run/x.sock",
                           "@abstract",
                           "vsock:2:80",
                           "vsock::80",
                           "::1",
                           "::1:80",
                           "[::1]",
                           "[::1]:",
                           "[::1]:0",
                           "[127.0.0.1]:80",
                           "1.2.3:80",
                           "localhost:80",
                           ":80",
                           "[]:80",
                           "[::1]:80%",
                           "1.2.3.4:0x50",
                           "1.2.3.4:80 5.6.7.8:80",
                           "+80",
                           "-1"}) {
    EXPECT_FALSE(parse_listen_address(none)) << none;
  }
}

TEST(UnitFile, Programs) {
  EXPECT_EQ(program_of_command("/usr/sbin/sshd -D $OPTS"), "/usr/sbin/sshd");
  EXPECT_EQ(program_of_command("-@/bin/a name"), "/bin/a");
  EXPECT_EQ(program_of_command("+!!:/bin/a"), "/bin/a");
  EXPECT_EQ(program_of_command("\"/opt/a b/c\" d"), "/opt/a b/c");
  EXPECT_EQ(program_of_command("'/opt/x'"), "/opt/x");
  for (const char* none : {"", " ", "-", "\"/open", "/a\\x20b", "''"}) {
    EXPECT_FALSE(program_of_command(none)) << none;
  }
}

}  // namespace
}  // namespace hark::decode
