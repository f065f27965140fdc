#include "host/host.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace hark::host {
namespace {

TEST(Host, ScopeNamesAreTheContracts) {
  EXPECT_EQ(name_of(Scope::Loopback), "loopback");
  EXPECT_EQ(name_of(Scope::OneAddress), "one-address");
  EXPECT_EQ(name_of(Scope::OneInterface), "one-interface");
  EXPECT_EQ(name_of(Scope::All), "all");
}

TEST(Host, TimesAreWrittenInUtc) {
  EXPECT_EQ(rfc3339(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(rfc3339(999), "1970-01-01T00:00:00Z");
  EXPECT_EQ(rfc3339(1'795'356'198'123), "2026-11-22T14:03:18Z");
  EXPECT_EQ(rfc3339(4'102'444'800'000), "2100-01-01T00:00:00Z");
  EXPECT_EQ(rfc3339(951'782'400'000), "2000-02-29T00:00:00Z");
}

TEST(Host, ListenersStandByNamespacePortProtocolAddressDeviceAndInode) {
  const auto listener = [](std::uint32_t netns, std::uint16_t port, Protocol protocol,
                           const char* address, std::uint32_t device, std::uint32_t inode) {
    Listener out;
    out.netns = NetnsId{netns};
    out.port = port;
    out.protocol = protocol;
    out.address = *IpAddress::parse(address);
    out.interface_index = device;
    out.socket.inode = inode;
    return out;
  };
  // Each differs from the one before in one thing, and everything behind that thing is smaller.
  const std::vector<Listener> sorted = {
      listener(0, 22, Protocol::Tcp, "0.0.0.0", 9, 9), listener(0, 80, Protocol::Tcp, "::", 9, 9),
      listener(0, 80, Protocol::Udp, "0.0.0.0", 9, 9), listener(0, 80, Protocol::Udp, "::", 1, 9),
      listener(0, 80, Protocol::Udp, "::", 2, 1),      listener(0, 80, Protocol::Udp, "::", 2, 2),
      listener(1, 1, Protocol::Tcp, "0.0.0.0", 0, 0)};
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    for (std::size_t j = 0; j < sorted.size(); ++j) {
      EXPECT_EQ(listed_before(sorted[i], sorted[j]), i < j) << i << " " << j;
    }
  }
}

}  // namespace
}  // namespace hark::host
