// What sets of ipset say of a packet's destination. The sets are those of src/decode/testdata, from
// a kernel.
#include "reach/aim_ipset.h"

#include <gtest/gtest.h>

#include <array>

#include "base/text.h"
#include "decode/testing.h"

namespace hark::reach {
namespace {

constexpr std::uint8_t kInvert = 1;
constexpr std::uint8_t kFirstSource = 2;
constexpr std::uint8_t kSecondSource = 4;

class Sets : public ::testing::Test {
 protected:
  Sets() {
    const auto headers = decode::decode_ipset_headers(decode::testdata("ipset-headers.bin"));
    for (const auto& header : *headers)
      network_.ip_sets.push_back({.name = header.name,
                                  .index = header.index.value_or(0),
                                  .type = header.type,
                                  .messages = decode::testdata("ipset-" + header.name + ".bin")});
  }

  /// struct xt_set_info_match_v4
  [[nodiscard]] decode::nft::XtMatch match(const std::string& name, std::uint8_t dimensions,
                                           std::uint8_t flags) const {
    std::uint16_t index = 0xffff;
    for (const auto& set : network_.ip_sets)
      if (set.name == name) index = set.index;
    Bytes info;
    append_value(info, index);
    append_value(info, dimensions);
    append_value(info, flags);
    info.resize(48);
    return {"set", 4, info};
  }

  static std::string words(const Aim& aim) {
    std::string out = aim.tcp && aim.udp ? "any" : aim.tcp ? "tcp" : "udp";
    for (const auto& range : aim.ports.ranges()) {
      out += " " + std::to_string(range.first) +
             (range.first == range.last ? "" : "-" + std::to_string(range.last));
    }
    if (aim.addresses) {
      for (const Prefix& one : prefixes_of(*aim.addresses)) out += " " + one.text();
    }
    if (aim.conditional) out += " perhaps";
    return aim.unread ? out + " unread" : out;
  }
  [[nodiscard]] std::string ask(const std::vector<decode::nft::XtMatch>& matches) const {
    std::vector<std::string> out;
    AimSets sets(network_);
    for (const Aim& aim : sets.ask({}, matches)) out.push_back(words(aim));
    return join(out, "; ");
  }
  [[nodiscard]] std::string ask(const char* name, std::uint8_t dimensions,
                                std::uint8_t flags = 0) const {
    return ask({match(name, dimensions, flags)});
  }

  host::Network network_;
};

TEST_F(Sets, OfADestination) {
  struct Case {
    const char* name;
    std::uint8_t dimensions;
    std::uint8_t flags;
    const char* says;
  };
  // An exception, and within that another element.
  constexpr auto kNets =
      "any 0-65535 10.0.0.0/16 10.1.2.0/24 10.2.0.0/15 10.4.0.0/14 10.8.0.0/13 10.16.0.0/12 "
      "10.32.0.0/11 10.64.0.0/10 10.128.0.0/9";
  const std::string all = std::string("any 0-65535 10.0.0.1/32 10.0.0.2/32; ") + kNets;
  const std::array<Case, 14> cases = {{
      {"ports", 1, 0, "any 22 80-81"},
      {"ports", 1, kInvert, "any 0-21 23-79 82-65535"},
      {"ports", 1, kFirstSource, "any 0-65535 perhaps"},
      {"services", 2, 0, "tcp 80 10.0.0.5/32; udp 53 10.0.0.5/32"},
      {"services", 1, 0, ""},
      {"services", 2, kFirstSource, "tcp 80 perhaps; udp 53 perhaps"},
      {"services", 2, kSecondSource, "any 0-65535 10.0.0.5/32 10.0.0.6/32 perhaps"},
      {"services", 2, kInvert, "any 0-65535 perhaps"},
      {"netports", 2, 0, "tcp 22 10.2.0.0/16"},
      {"nets", 1, 0, kNets},
      {"blocked", 1, 0, "any 0-65535 10.0.0.1/32 10.0.0.2/32"},
      {"blocked", 1, kInvert, "any 0-65535 perhaps"},
      {"subnets", 1, 0, "any 0-65535 192.168.7.0/24"},
      {"all", 2, 0, all.c_str()},
  }};
  for (const Case& one : cases) {
    EXPECT_EQ(ask(one.name, one.dimensions, one.flags), one.says)
        << one.name << " " << int{one.dimensions} << " " << int{one.flags};
  }
}

TEST_F(Sets, ThatAreNotThereMayHoldAnything) {
  EXPECT_EQ(ask("nowhere", 1), "any 0-65535 perhaps unread");
  EXPECT_EQ(ask({match("ports", 1, 0), {"comment", 0, {}}}), "any 22 80-81");
  EXPECT_EQ(ask({match("ports", 1, 0), match("services", 2, 0)}), "tcp 80 10.0.0.5/32");
}

}  // namespace
}  // namespace hark::reach
