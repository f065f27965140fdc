#include "host/near_ports.h"

#include <gtest/gtest.h>

#include <array>

#include "base/unit_parts.h"
#include "host/fake_source.h"

namespace hark::host {
namespace {

constexpr const char* kFolder = "/etc/systemd/system";

/// Three units that are enabled: a socket of port 22, services of 8080 and 9090.
void add_units(FakeSource& source) {
  const std::string folder = kFolder;
  source.folder(folder, {"api.service", "multi-user.target.wants", "old.service",
                         "sockets.target.wants", "ssh.socket", "web.service"});
  source.folder(folder + "/multi-user.target.wants", {"api.service", "web.service"});
  source.folder(folder + "/sockets.target.wants", {"ssh.socket"});
  source.file(folder + "/ssh.socket", "[Socket]\nListenStream=22\nListenDatagram=10.0.0.5:22\n");
  source.file(folder + "/web.service", "[Service]\nExecStart=/usr/bin/web --listen 0.0.0.0:8080\n");
  source.file(folder + "/api.service",
              "[Service]\nExecStart=/usr/bin/api\nEnvironment=API_PORT=9090\n");
  source.file(folder + "/old.service", "[Service]\nExecStart=/usr/bin/web --port 8081\n");
}

std::vector<Near> near_of(FakeSource& source, Protocol protocol, std::uint16_t port,
                          const ServiceFacts& facts = {}) {
  return near_ports(source, {}, facts, {.protocol = protocol, .port = port});
}

TEST(NearPorts, AnEnabledUnitThatNamesThePortShouldBeThere) {
  FakeSource source;
  add_units(source);
  struct Case {
    Protocol protocol;
    std::uint16_t port;
    const char* text;
  };
  for (const Case& c : {
           Case{
               Protocol::Tcp, 22,
               "tcp 22: ssh.socket is enabled, and its ListenStream=22 says that it listens there"},
           Case{Protocol::Udp, 22,
                "udp 22: ssh.socket is enabled, and its ListenDatagram=10.0.0.5:22 says that it "
                "listens "
                "there"},
           Case{Protocol::Tcp, 8080,
                "tcp 8080: web.service is enabled, and its ExecStart= with 8080 says that it "
                "listens "
                "there"},
           Case{Protocol::Tcp, 9090,
                "tcp 9090: api.service is enabled, and its Environment= with 9090 says that it "
                "listens "
                "there"},
       }) {
    const std::vector<Near> found = near_of(source, c.protocol, c.port);
    ASSERT_EQ(found.size(), 1U) << c.text;
    EXPECT_EQ(found[0].relation, "should-be");
    EXPECT_EQ(found[0].listener, std::nullopt);
    EXPECT_EQ(found[0].text, c.text);
  }
}

TEST(NearPorts, UnitsThatAreNotEnabledAndOtherPortsSayNothing) {
  FakeSource source;
  add_units(source);
  for (const std::uint16_t port : std::array<std::uint16_t, 5>{8081, 80, 808, 2, 10}) {
    EXPECT_TRUE(near_of(source, Protocol::Tcp, port).empty()) << port;
  }
  FakeSource nothing;
  EXPECT_TRUE(near_of(nothing, Protocol::Tcp, 22).empty());
}

TEST(NearPorts, ASocketThatDoesNotListen) {
  FakeSource source;
  source.file("/etc/passwd", "www-data:x:33:33::/:/bin/false\n");
  ServiceFacts facts;
  facts.bound = {
      {.address = IpAddress::parse("10.0.0.5").value(), .port = 8080, .inode = 1, .uid = 33},
      {.address = IpAddress::parse("::").value(), .port = 8081, .inode = 2, .uid = 7}};
  const std::vector<Near> found = near_of(source, Protocol::Tcp, 8080, facts);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].relation, "bound-not-listening");
  EXPECT_EQ(found[0].text,
            "tcp 8080: a socket of www-data is bound to 10.0.0.5:8080 and does not listen");
  EXPECT_EQ(near_of(source, Protocol::Tcp, 8081, facts)[0].text,
            "tcp 8081: a socket of user 7 is bound to [::]:8081 and does not listen");
  EXPECT_TRUE(near_of(source, Protocol::Udp, 8080, facts).empty());
}

TEST(NamesPort, BehindAColonOrAWordThatSpeaksOfPorts) {
  for (const char* words :
       {"--listen 0.0.0.0:80", "--port 80", "--port=80", "PORT=80", "-p 80", "-p80 -d",
        "\"HTTP_PORT=80\"", "--bind-port '80'", "http://[::]:80/", ":80"}) {
    EXPECT_TRUE(names_port(std::string("/bin/x ") + words, 80)) << words;
  }
  for (const char* words : {"--workers 80", "--port 8080", "--port 180", "10.0.0.80", "--port 80.5",
                            "-p 80x", "80", "file80", "--timeout=80", "08:80:00"}) {
    EXPECT_FALSE(names_port(std::string("/bin/x ") + words, 80)) << words;
  }
}

}  // namespace
}  // namespace hark::host
