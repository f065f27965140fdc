#include "host/target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host/scope.h"

namespace hark::host {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

IpAddress ip(std::string_view text) {
  return IpAddress::parse(text).value();
}

TEST(parse_target, every_form_of_an_endpoint) {
  struct Case {
    const char* word;
    std::uint16_t port;
    std::optional<Protocol> protocol;
    std::optional<IpAddress> address;
    std::optional<Family> family;
  };
  for (const Case& c : {
           Case{"8080", 8080, {}, {}, {}},
           Case{"tcp/8080", 8080, Protocol::Tcp, {}, {}},
           Case{"mptcp/8080", 8080, Protocol::Tcp, {}, {}},
           Case{"udp/53", 53, Protocol::Udp, {}, {}},
           Case{"10.0.0.5:443", 443, {}, ip("10.0.0.5"), Family::Inet},
           Case{"[::1]:80", 80, {}, ip("::1"), Family::Inet6},
           Case{"[::ffff:10.0.0.5]:80", 80, {}, ip("10.0.0.5"), Family::Inet},
           Case{"udp/[::]:53", 53, Protocol::Udp, {}, Family::Inet6},
           Case{"0.0.0.0:80", 80, {}, {}, Family::Inet},
           Case{"*:80", 80, {}, {}, {}},
       }) {
    const auto target = parse_target(c.word);
    ASSERT_TRUE(target) << c.word << ": " << target.error().why;
    EXPECT_TRUE(target->endpoint) << c.word;
    EXPECT_EQ(target->port, c.port) << c.word;
    EXPECT_EQ(target->protocol, c.protocol) << c.word;
    EXPECT_EQ(target->address, c.address) << c.word;
    EXPECT_EQ(target->family, c.family) << c.word;
  }
  EXPECT_EQ(parse_target("[fe80::1%eth0]:80")->device, "eth0");
}

TEST(parse_target, names_mean_listeners) {
  for (const char* word :
       {"postgres", "pid:812", "ssh.service", "container:web", "user:root", "exe:/usr/bin/x"}) {
    const auto target = parse_target(word);
    ASSERT_TRUE(target) << word;
    EXPECT_FALSE(target->endpoint) << word;
  }
}

TEST(parse_target, what_cannot_be_asked_says_what_is_missing) {
  struct Case {
    const char* word;
    const char* why;
    const char* hint;
  };
  for (const Case& c : {
           Case{"10.0.0.5", "which port?", "10.0.0.5:443"},
           Case{"::1", "which port?", "[::1]:443"},
           Case{"::1:80", "which port?", "stands in brackets: [::1]:80"},
           Case{"fe80::1:beef", "which port?", "[fe80::1:beef]:443"},
           Case{"8000-9000", "one port at a time", "for example 8000"},
           Case{"raw/1", "only TCP and UDP", "tcp/1"},
           Case{"udplite/9", "only TCP and UDP", "tcp/9"},
           Case{"tcp", "names no port", "8080"},
           Case{"loopback", "names no port", "8080"},
           Case{"99999", "a port is a number from 1 to 65535", ""},
           Case{"0", "a port is a number from 1 to 65535", ""},
           Case{"10.0.0.300:80", "not an address", ""},
           Case{"prt:80", "", ""},
           Case{"", "selects nothing", ""},
       }) {
    const auto target = parse_target(c.word);
    ASSERT_FALSE(target) << c.word;
    EXPECT_THAT(target.error().why, HasSubstr(c.why)) << c.word;
    EXPECT_THAT(target.error().hint, HasSubstr(c.hint)) << c.word;
  }
}

/// Our own namespace and another one, with a few listeners.
class Listeners : public testing::Test {
 protected:
  Listeners() {
    host_.namespaces.push_back({.inode = 1, .name = "host", .own = true});
    host_.namespaces.push_back({.inode = 2, .name = "web"});
    for (const auto& [pid, name] : {std::pair{10U, "nginx"}, std::pair{20U, "nginx-exporter"}}) {
      Process process;
      process.pid = pid;
      process.name = name;
      host_.processes.push_back(process);
    }
  }
  std::size_t add(Protocol protocol, std::string_view address, std::uint16_t port,
                  std::uint32_t process = 0, std::uint32_t netns = 0) {
    Listener one;
    one.protocol = protocol;
    one.address = ip(address);
    one.port = port;
    one.netns = NetnsId{netns};
    one.scope = scope_of(one.address, "");
    if (one.address.family == Family::Inet6) one.v6only = false;
    one.owners.emplace({Owner{ProcessId{process}, {3}}});
    host_.listeners.push_back(std::move(one));
    return host_.listeners.size() - 1;
  }
  [[nodiscard]] std::vector<std::size_t> found(const char* word, std::uint32_t netns = 0) const {
    return listeners_of(host_, NetnsId{netns}, parse_target(word).value());
  }
  Host host_;
};

TEST_F(Listeners, of_an_endpoint_are_those_that_could_get_its_packets) {
  const auto wild = add(Protocol::Tcp, "::", 80);
  const auto four = add(Protocol::Tcp, "10.0.0.5", 80);
  const auto udp = add(Protocol::Udp, "0.0.0.0", 80);
  add(Protocol::Raw, "0.0.0.0", 80);
  add(Protocol::Tcp, "0.0.0.0", 81);
  add(Protocol::Tcp, "0.0.0.0", 80, 0, 1);
  EXPECT_THAT(found("80"), ElementsAre(wild, four, udp));
  EXPECT_THAT(found("tcp/80"), ElementsAre(wild, four));
  EXPECT_THAT(found("udp/80"), ElementsAre(udp));
  EXPECT_THAT(found("tcp/10.0.0.5:80"), ElementsAre(wild, four));
  EXPECT_THAT(found("tcp/10.0.0.6:80"), ElementsAre(wild));
  EXPECT_THAT(found("tcp/[::]:80"), ElementsAre(wild));
  EXPECT_THAT(found("tcp/0.0.0.0:80"), ElementsAre(wild, four));
  host_.listeners[wild].v6only = true;
  EXPECT_THAT(found("tcp/0.0.0.0:80"), ElementsAre(four));
}

TEST_F(Listeners, of_a_word_are_the_whole_names_before_parts) {
  const auto nginx = add(Protocol::Tcp, "0.0.0.0", 80, 0);
  const auto exporter = add(Protocol::Tcp, "0.0.0.0", 9113, 1);
  EXPECT_THAT(found("nginx"), ElementsAre(nginx));
  EXPECT_THAT(found("NGIN"), ElementsAre(nginx, exporter));
  EXPECT_THAT(found("pid:20"), ElementsAre(exporter));
  EXPECT_THAT(found("apache"), IsEmpty());
  EXPECT_THAT(found("nginx", 1), IsEmpty());
}

TEST_F(Listeners, near_targets_name_another_namespace) {
  add(Protocol::Tcp, "0.0.0.0", 80, 0, 1);
  add(Protocol::Tcp, "0.0.0.0", 808, 1, 0);
  const auto near = near_targets(host_, NetnsId{0}, parse_target("80").value());
  ASSERT_EQ(near.size(), 2U);
  EXPECT_EQ(near[0].relation, "other-namespace");
  EXPECT_THAT(near[0].text, HasSubstr("in namespace web"));
  EXPECT_EQ(near[1].relation, "other-port");
  // One digit too few, and two swapped.
  EXPECT_EQ(near_targets(host_, NetnsId{0}, parse_target("tcp/88").value()).front().relation,
            "other-port");
  EXPECT_EQ(near_targets(host_, NetnsId{0}, parse_target("udp/808").value()).front().relation,
            "other-protocol");
}

}  // namespace
}  // namespace hark::host
