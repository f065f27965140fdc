#include "base/protocol.h"

#include <gtest/gtest.h>

namespace hark {
namespace {

TEST(Protocol, EachHasItsWordAndComesBackFromIt) {
  struct Case {
    Protocol protocol;
    std::string_view name;
  };
  constexpr Case kCases[] = {
      {Protocol::Tcp, "tcp"},         {Protocol::Mptcp, "mptcp"}, {Protocol::Udp, "udp"},
      {Protocol::Udplite, "udplite"}, {Protocol::Raw, "raw"},
  };
  for (const Case& c : kCases) {
    EXPECT_EQ(name_of(c.protocol), c.name);
    EXPECT_EQ(protocol_named(c.name), c.protocol) << c.name;
  }
}

TEST(Protocol, OtherWordsAreNone) {
  for (const std::string_view name : {"", "TCP", "tcp ", "tc", "tcp6", "sctp"}) {
    EXPECT_FALSE(protocol_named(name)) << name;
  }
}

}  // namespace
}  // namespace hark
