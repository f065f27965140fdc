#include <gtest/gtest.h>
#include <linux/filter.h>

#include <cerrno>
#include <span>

#include "base/parts.h"
#include "decode/socket_options.h"
#include "decode/testing.h"

namespace hark::decode {
namespace {

std::uint16_t tag(OptionPart part) {
  return static_cast<std::uint16_t>(part);
}

void append(Bytes& parts, OptionPart part, std::int32_t value) {
  append_part(parts, tag(part), std::as_bytes(std::span(&value, 1)));
}

Bytes with_filter(const std::vector<sock_filter>& filter) {
  Bytes parts;
  append_part(parts, tag(OptionPart::Filter), std::as_bytes(std::span(filter)));
  return parts;
}

std::optional<FilterEffect> effect(const std::vector<sock_filter>& filter) {
  const auto options = decode_socket_options(with_filter(filter));
  EXPECT_TRUE(options);
  return options ? filter_effect(*options) : std::nullopt;
}

TEST(SocketOptions, ComeInParts) {
  Bytes parts;
  append(parts, OptionPart::MinTtl, 255);
  append(parts, OptionPart::Mark, -1);
  append_failed_part(parts, tag(OptionPart::MinHopCount), ENOPROTOOPT);
  append_part(parts, 999, as_bytes("of a later hark"));
  append_part(parts, 0, {});
  const auto options = decode_socket_options(parts);
  ASSERT_TRUE(options);
  SocketOptions expected;
  expected.values[tag(OptionPart::MinTtl)] = 255;
  expected.values[tag(OptionPart::Mark)] = -1;
  EXPECT_EQ(*options, expected);
  EXPECT_EQ(options->value(OptionPart::MinTtl), 255);
  EXPECT_EQ(options->value(OptionPart::MinHopCount), std::nullopt);
  EXPECT_EQ(filter_effect(*options), std::nullopt);
}

TEST(SocketOptions, CutOffPartsAreErrors) {
  Bytes parts;
  append(parts, OptionPart::MinTtl, 255);
  parts.pop_back();
  EXPECT_FALSE(decode_socket_options(parts));
  parts.clear();
  append_part(parts, tag(OptionPart::Tos), as_bytes("abc"));
  EXPECT_FALSE(decode_socket_options(parts));
  parts.clear();
  append_part(parts, tag(OptionPart::Filter), as_bytes("1234567"));
  EXPECT_FALSE(decode_socket_options(parts));
  EXPECT_FALSE(decode_socket_options(with_filter(std::vector<sock_filter>(4097))));
  EXPECT_TRUE(decode_socket_options(with_filter(std::vector<sock_filter>(4096))));
}

TEST(SocketFilter, ConstantReturnsAreCertain) {
  const sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0);
  const sock_filter take = BPF_STMT(BPF_RET | BPF_K, 0xffffffff);
  const sock_filter length = BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0);
  const sock_filter branch = BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 100, 0, 1);
  EXPECT_EQ(effect({}), FilterEffect::None);
  EXPECT_EQ(effect({drop}), FilterEffect::DropsAll);
  EXPECT_EQ(effect({take}), FilterEffect::AcceptsAll);
  EXPECT_EQ(effect({length, branch, take, drop}), FilterEffect::Depends);
  EXPECT_EQ(effect({length, branch, drop, drop}), FilterEffect::DropsAll);
  EXPECT_EQ(effect({length, branch, take, take}), FilterEffect::AcceptsAll);
}

TEST(SocketFilter, WhatMayEndItEarlyKeepsItFromAcceptingAll) {
  const sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0);
  const sock_filter take = BPF_STMT(BPF_RET | BPF_K, 1);
  for (const sock_filter& one : {sock_filter BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 2),
                                 sock_filter BPF_STMT(BPF_LD | BPF_B | BPF_IND, 2),
                                 sock_filter BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
                                 sock_filter BPF_STMT(BPF_ALU | BPF_DIV | BPF_X, 0),
                                 sock_filter BPF_STMT(BPF_ALU | BPF_MOD | BPF_X, 0)}) {
    EXPECT_EQ(effect({one, take}), FilterEffect::Depends) << one.code;
    EXPECT_EQ(effect({one, drop}), FilterEffect::DropsAll) << one.code;
  }
  EXPECT_EQ(effect({BPF_STMT(BPF_LD | BPF_IMM, 7), take}), FilterEffect::AcceptsAll);
  EXPECT_EQ(effect({BPF_STMT(BPF_RET | BPF_A, 0)}), FilterEffect::Depends);
  EXPECT_EQ(effect({drop, BPF_STMT(BPF_LD | BPF_IMM, 7)}), FilterEffect::Depends);
}

TEST(SocketFilter, OneOfEbpfIsThereAndNotRead) {
  Bytes parts;
  append_failed_part(parts, tag(OptionPart::Filter), EACCES);
  EXPECT_EQ(filter_effect(*decode_socket_options(parts)), FilterEffect::Depends);
  parts.clear();
  append_failed_part(parts, tag(OptionPart::Filter), EAGAIN);
  EXPECT_EQ(filter_effect(*decode_socket_options(parts)), std::nullopt);
}

}  // namespace
}  // namespace hark::decode
