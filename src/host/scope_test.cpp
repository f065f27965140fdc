#include "host/scope.h"

#include <gtest/gtest.h>

namespace hark::host {
namespace {

TEST(ScopeOf, Table) {
  struct Case {
    const char* address;
    const char* interface;
    Scope scope;
  };
  const Case kCases[] = {
      {"127.0.0.1", "", Scope::Loopback},
      {"127.0.0.53", "lo", Scope::Loopback},
      {"::1", "", Scope::Loopback},
      {"::ffff:127.1.2.3", "", Scope::Loopback},
      {"0.0.0.0", "lo", Scope::Loopback},
      {"::", "lo", Scope::Loopback},
      {"10.0.0.5", "lo", Scope::Loopback},
      {"0.0.0.0", "", Scope::All},
      {"::", "", Scope::All},
      {"::ffff:0.0.0.0", "", Scope::All},
      {"0.0.0.0", "eth0", Scope::OneInterface},
      {"::", "eth0", Scope::OneInterface},
      {"10.0.0.5", "", Scope::OneAddress},
      {"10.0.0.5", "eth0", Scope::OneAddress},
      {"8.8.8.8", "", Scope::OneAddress},
      {"fe80::1", "eth0", Scope::OneAddress},
      {"2001:db8::1", "", Scope::OneAddress},
      {"::ffff:10.0.0.5", "", Scope::OneAddress},
      {"224.0.0.251", "", Scope::OneAddress},
      {"128.0.0.1", "", Scope::OneAddress},
      {"126.255.255.255", "", Scope::OneAddress},
      {"::2", "", Scope::OneAddress},
  };
  for (const Case& c : kCases) {
    EXPECT_EQ(scope_of(*IpAddress::parse(c.address), c.interface), c.scope)
        << c.address << " " << c.interface;
  }
}

}  // namespace
}  // namespace hark::host
