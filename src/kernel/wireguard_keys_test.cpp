#include "kernel/wireguard_keys.h"

#include <gtest/gtest.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/wireguard.h>

namespace hark::kernel {
namespace {

void attribute(Bytes& to, std::uint16_t type, std::string_view value) {
  nlattr head{};
  head.nla_type = type;
  head.nla_len = static_cast<std::uint16_t>(sizeof head + value.size());
  append_value(to, head);
  append(to, value);
  to.resize((to.size() + 3) / 4 * 4);
}

Bytes message(std::uint8_t command, const Bytes& attributes) {
  nlmsghdr head{};
  head.nlmsg_type = 40;
  head.nlmsg_len = static_cast<std::uint32_t>(sizeof head + sizeof(genlmsghdr) + attributes.size());
  genlmsghdr what{};
  what.cmd = command;
  Bytes out;
  append_value(out, head);
  append_value(out, what);
  append(out, attributes);
  return out;
}

bool holds(const Bytes& bytes, std::string_view text) {
  return as_text(bytes).find(text) != std::string_view::npos;
}

Bytes device() {
  Bytes peer;
  attribute(peer, WGPEER_A_PRESHARED_KEY, "the preshared key");
  Bytes out;
  attribute(out, WGDEVICE_A_LISTEN_PORT, "PO");
  attribute(out, WGDEVICE_A_IFNAME, "wg0");
  attribute(out, WGDEVICE_A_PRIVATE_KEY, "the private key of this device!!");
  attribute(out, WGDEVICE_A_PEERS | NLA_F_NESTED, as_text(peer));
  return out;
}

TEST(WireguardKeys, AreTakenOutAndTheRestStays) {
  const Bytes request = message(WG_CMD_GET_DEVICE, {});
  Bytes answer = message(0, device());
  append(answer, message(0, device()));
  const std::size_t size = answer.size();
  blank_wireguard_keys(request, answer);
  EXPECT_EQ(answer.size(), size);
  EXPECT_TRUE(holds(answer, "PO"));
  EXPECT_TRUE(holds(answer, "wg0"));
  EXPECT_FALSE(holds(answer, "private"));
  EXPECT_FALSE(holds(answer, "preshared"));
}

TEST(WireguardKeys, OtherCommandsAreLeftAlone) {
  Bytes answer = message(3, device());
  const Bytes before = answer;
  blank_wireguard_keys(message(3, {}), answer);
  EXPECT_EQ(answer, before);
}

TEST(WireguardKeys, WhatCannotBeReadIsTakenOutWhole) {
  const Bytes request = message(WG_CMD_GET_DEVICE, {});
  const Bytes whole = message(0, device());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    blank_wireguard_keys(request, cut);
    EXPECT_EQ(cut.size(), size);
    EXPECT_FALSE(holds(cut, "private")) << size;
    EXPECT_FALSE(holds(cut, "preshared")) << size;
  }
  Bytes bad = device();
  bad[0] = std::byte{2};  // an attribute shorter than its head
  Bytes answer = message(0, bad);
  blank_wireguard_keys(request, answer);
  EXPECT_FALSE(holds(answer, "private"));
}

}  // namespace
}  // namespace hark::kernel
