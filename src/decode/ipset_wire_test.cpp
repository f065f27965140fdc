#include <algorithm>

#include "decode/ipset.h"
#include "decode/testing.h"

namespace hark::decode {
namespace {

IpSetContents contents(const std::string& name) {
  const Bytes bytes = testdata("ipset-" + name + ".bin");
  auto out = decode_ipset(bytes);
  EXPECT_TRUE(out) << name;
  if (!out) return {};
  EXPECT_EQ(out->header.name, name);
  return std::move(*out);
}

TEST(IpSet, ListsHeadersWithTheIndexesOfRules) {
  const auto headers = decode_ipset_headers(testdata("ipset-headers.bin"));
  ASSERT_TRUE(headers);
  ASSERT_EQ(headers->size(), 12U);
  const auto blocked = std::ranges::find(*headers, "blocked", &IpSetHeader::name);
  ASSERT_NE(blocked, headers->end());
  EXPECT_EQ(blocked->type, "hash:ip");
  EXPECT_EQ(blocked->family, Family::Inet);
  EXPECT_EQ(blocked->index, 0);
  EXPECT_EQ(blocked->timeout_s, 600U);
  EXPECT_EQ(std::ranges::find(*headers, "all", &IpSetHeader::name)->type, "list:set");
}

TEST(IpSet, AddressesAndTimeouts) {
  const IpSetContents set = contents("blocked");
  ASSERT_EQ(set.elements.size(), 2U);
  for (const IpSetElement& element : set.elements) {
    ASSERT_TRUE(element.address && element.timeout_s);
    EXPECT_EQ(element.length, 32);
    EXPECT_EQ(*element.timeout_s == 0, *element.address == address("10.0.0.2"));
  }
  EXPECT_EQ(contents("subnets").header.netmask, 24);
  EXPECT_EQ(contents("nets6").elements.at(0).address, address("fd00::"));
  EXPECT_EQ(contents("nets6").elements.at(0).length, 8);
}

TEST(IpSet, NetworksAndTheirExceptions) {
  const IpSetContents set = contents("nets");
  ASSERT_EQ(set.elements.size(), 3U);
  for (const IpSetElement& element : set.elements)
    EXPECT_EQ(element.nomatch, element.length == 16) << element.address->text();
}

TEST(IpSet, PortsAndSecondAddresses) {
  const IpSetContents services = contents("services");
  ASSERT_EQ(services.elements.size(), 3U);
  const auto icmp =
      std::ranges::find(services.elements, std::optional<std::uint8_t>(1), &IpSetElement::protocol);
  ASSERT_NE(icmp, services.elements.end());
  EXPECT_EQ(icmp->port, 8U << 8U);
  const IpSetElement pair = contents("pairs").elements.at(0);
  EXPECT_EQ(pair.address2, address("10.0.0.5"));
  EXPECT_EQ(pair.port, 80);
  EXPECT_EQ(pair.protocol, 6);
  EXPECT_EQ(contents("triples").elements.at(0).length2, 16);
  EXPECT_EQ(contents("netports").elements.at(0).length, 16);
}

TEST(IpSet, InterfacesBitmapsAndLists) {
  const IpSetContents ifaces = contents("ifaces");
  ASSERT_EQ(ifaces.elements.size(), 3U);
  for (const IpSetElement& element : ifaces.elements) {
    EXPECT_EQ(element.physdev, element.interface == "eth1");
    EXPECT_EQ(element.nomatch, element.interface == "veth");
  }
  const IpSetContents ports = contents("ports");
  EXPECT_EQ(ports.header.first_port, 1);
  EXPECT_EQ(ports.header.last_port, 1024);
  ASSERT_EQ(ports.elements.size(), 3U);
  EXPECT_EQ(ports.elements[2].port, 81);
  EXPECT_EQ(contents("range").header.last, address("10.0.0.255"));
  const IpSetContents all = contents("all");
  ASSERT_EQ(all.elements.size(), 2U);
  EXPECT_EQ(all.elements[0].set, "blocked");
}

TEST(IpSet, ACutAnswerHasFewerElements) {
  for (const char* name : {"blocked", "nets", "services", "ifaces", "all"}) {
    const Bytes whole = testdata(std::string("ipset-") + name + ".bin");
    EXPECT_EQ(accepted_beginnings(whole, decode_ipset,
                                  [](const IpSetContents& set) { return set.elements.size(); }),
              0U)
        << name;
  }
}

TEST(IpSet, MessagesOfAnotherSetAreRefused) {
  Bytes both = testdata("ipset-blocked.bin");
  append(both, ByteView(testdata("ipset-nets.bin")));
  EXPECT_FALSE(decode_ipset(both));
  EXPECT_FALSE(decode_ipset({}));
}

TEST(IpSet, RequestsAreAsTheToolSendsThem) {
  const Bytes request = ipset_elements_request("blocked");
  EXPECT_EQ(Bytes(request.begin() + 4, request.end()),
            from_hex("07 06 01 03 00 00 00 00 00 00 00 00"
                     "02 00 00 00 05 00 01 00 07 00 00 00"
                     "0c 00 02 00 62 6c 6f 63 6b 65 64 00"));
}

}  // namespace
}  // namespace hark::decode
