#include "host/socket_units.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host/units_fixture.h"

namespace hark::host {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct Case {
  const char* text;  ///< of the section Socket
  Protocol protocol;
  const char* address;
  std::uint16_t port;
  bool fits;
};

TEST(SocketUnits, Addresses) {
  using enum Protocol;
  for (const Case& c : {
           Case{"ListenStream=80", Tcp, "::", 80, true},
           Case{"ListenStream=80", Tcp, "0.0.0.0", 80, true},
           Case{"ListenStream=80", Tcp, "::1", 80, false},
           Case{"ListenStream=80", Tcp, "::", 81, false},
           Case{"ListenStream=80", Udp, "::", 80, false},
           Case{"ListenStream=80", Mptcp, "::", 80, false},
           Case{"ListenStream=80\nSocketProtocol=mptcp", Mptcp, "::", 80, true},
           Case{"ListenStream=80\nSocketProtocol=sctp", Tcp, "::", 80, false},
           Case{"ListenDatagram=53", Udp, "::", 53, true},
           Case{"ListenDatagram=53\nSocketProtocol=udplite", Udplite, "::", 53, true},
           Case{"ListenDatagram=53\nSocketProtocol=udplite", Udp, "::", 53, false},
           Case{"ListenSequentialPacket=53", Tcp, "::", 53, false},
           Case{"ListenStream=0.0.0.0:80", Tcp, "0.0.0.0", 80, true},
           Case{"ListenStream=0.0.0.0:80", Tcp, "::", 80, false},
           Case{"ListenStream=127.0.0.1:80", Tcp, "127.0.0.1", 80, true},
           Case{"ListenStream=[::1]:80", Tcp, "::1", 80, true},
           Case{"ListenStream=[::]:80", Tcp, "0.0.0.0", 80, false},
           Case{"ListenStream=/run/x\nListenStream=80", Tcp, "::", 80, true},
           Case{"ListenStream=80\nListenFIFO=\nListenStream=81", Tcp, "::", 80, false},
           Case{"ListenStream=80\nBindIPv6Only=both", Tcp, "::", 80, true},
           Case{"ListenStream=80\nBindIPv6Only=ipv6-only", Tcp, "::", 80, false},
           Case{"ListenStream=80\nBindIPv6Only=default", Tcp, "::", 80, true},
           Case{"ListenStream=80\nBindToDevice=eth0", Tcp, "::", 80, false},
           Case{"ListenStream=80\nPrivateNetwork=yes", Tcp, "::", 80, false},
           Case{"ListenStream=%i", Tcp, "::", 80, false},
       }) {
    SystemdHost box;
    box.unit(kUsr, "x.socket", "[Socket]\n" + std::string(c.text) + "\n");
    box.listener(c.protocol, c.address, c.port, {box.systemd()});
    box.look();
    EXPECT_EQ(box.sockets(), c.fits ? "x.socket" : "") << c.text << " " << c.address;
  }
}

TEST(SocketUnits, Devices) {
  SystemdHost box;
  box.unit(kUsr, "bound.socket", "[Socket]\nListenStream=80\nBindToDevice=eth0\n");
  box.unit(kUsr, "free.socket", "[Socket]\nListenStream=80\n");
  box.unit(kUsr, "local.socket", "[Socket]\nListenStream=[fe80::1]:81%eth0\n");
  const ProcessId manager = box.systemd();
  box.listener(Protocol::Tcp, "::", 80, {manager}).interface = "eth0";
  box.listener(Protocol::Tcp, "::", 80, {manager});
  box.listener(Protocol::Tcp, "fe80::1", 81, {manager}).interface = "eth0";
  box.listener(Protocol::Tcp, "fe80::1", 81, {manager}).interface = "eth1";
  Listener& unknown = box.listener(Protocol::Tcp, "::", 80, {manager});
  unknown.interface_known = false;
  box.look();
  EXPECT_EQ(box.sockets(0), "bound.socket");
  EXPECT_EQ(box.sockets(1), "free.socket");
  EXPECT_EQ(box.sockets(2), "local.socket");
  EXPECT_EQ(box.sockets(3), "");
  EXPECT_EQ(box.sockets(4), "bound.socket free.socket") << "either may be it";
}

TEST(SocketUnits, FamiliesOfOnePort) {
  SystemdHost box;
  box.unit(kUsr, "four.socket", "[Socket]\nListenStream=0.0.0.0:80\n");
  box.unit(kUsr, "six.socket", "[Socket]\nListenStream=80\nBindIPv6Only=ipv6-only\n");
  const ProcessId manager = box.systemd();
  box.listener(Protocol::Tcp, "0.0.0.0", 80, {manager});
  box.listener(Protocol::Tcp, "::", 80, {manager}).v6only = true;
  box.look();
  EXPECT_EQ(box.sockets(0), "four.socket");
  EXPECT_EQ(box.sockets(1), "six.socket");
}

TEST(SocketUnits, Namespaces) {
  SystemdHost box;
  box.unit(kUsr, "here.socket", "[Socket]\nListenStream=80\n");
  box.unit(kUsr, "there.socket",
           "[Socket]\nListenStream=80\nNetworkNamespacePath=/run/netns/web\n");
  const ProcessId manager = box.systemd();
  box.listener(Protocol::Tcp, "::", 80, {manager});
  box.listener(Protocol::Tcp, "::", 80, {manager}).netns = NetnsId{1};
  box.look();
  EXPECT_EQ(box.sockets(0), "here.socket");
  EXPECT_EQ(box.sockets(1), "there.socket");
}

std::vector<std::string> services(const std::string& name, std::string_view text) {
  SystemdHost box;
  box.unit(kUsr, name, "[Socket]\n" + std::string(text) + "\n");
  box.source.folder(kUsr, {name});
  UnitFiles files(box.source, {kUsr});
  return services_of(files.load(name));
}

TEST(SocketUnits, Services) {
  EXPECT_THAT(services("a.socket", ""), ElementsAre("a.service"));
  EXPECT_THAT(services("a.socket", "Accept=yes"), ElementsAre("a@.service"));
  EXPECT_THAT(services("a.socket", "Accept=no"), ElementsAre("a.service"));
  EXPECT_THAT(services("a.socket", "Service=b.service"), ElementsAre("b.service"));
  EXPECT_THAT(services("a.socket", "Service=b.target"), IsEmpty());
  EXPECT_THAT(services("a@x.socket", ""), ElementsAre("a@x.service"));
  EXPECT_THAT(services("a@x.socket", "Service=b-%i.service"), ElementsAre("b-x.service"));
}

}  // namespace
}  // namespace hark::host
