// What expressions may not be, and those that the machine of the recorded ones does not have.
#include <gtest/gtest.h>
#include <linux/netfilter/nf_tables.h>

#include "decode/netlink_attributes.h"
#include "decode/nft_expressions.h"
#include "decode/testing.h"

namespace hark::decode::nft {
namespace {

Bytes be32(std::uint32_t value) {
  Bytes out;
  for (unsigned shift = 32; shift != 0; shift -= 8) {
    out.push_back(static_cast<std::byte>(value >> (shift - 8) & 0xffU));
  }
  return out;
}
Bytes be16(std::uint16_t value) {
  const Bytes wide = be32(value);
  return {wide.begin() + 2, wide.end()};
}

/// Attributes one behind the other.
struct Attributes {
  Bytes bytes = {};
  Attributes& add(std::uint16_t type, const Bytes& value) {
    append_attribute(bytes, type, value);
    return *this;
  }
  Attributes& number(std::uint16_t type, std::uint32_t value) { return add(type, be32(value)); }
  Attributes& value(std::uint16_t type, const Bytes& data) {
    return add(type, Attributes{}.add(NFTA_DATA_VALUE, data).bytes);
  }
};

std::string why(const Operation& operation) {
  const auto* unknown = std::get_if<Unknown>(&operation);
  return unknown == nullptr ? "" : unknown->why;
}

Attributes cmp(std::uint32_t reg, std::uint32_t op, const Bytes& data) {
  return Attributes{}.number(NFTA_CMP_SREG, reg).number(NFTA_CMP_OP, op).value(NFTA_CMP_DATA, data);
}

TEST(NftRegisters, OldAndNewNames) {
  const Bytes four = from_hex("00000000");
  const auto sreg = [&](std::uint32_t wire) {
    const Operation it = decode_operation("cmp", cmp(wire, 0, four).bytes);
    const auto* found = std::get_if<Cmp>(&it);
    return found == nullptr ? -1 : int{found->sreg};
  };
  EXPECT_EQ(sreg(NFT_REG_1), 0);
  EXPECT_EQ(sreg(NFT_REG_2), 4);
  EXPECT_EQ(sreg(NFT_REG_4), 12);
  EXPECT_EQ(sreg(NFT_REG32_00), 0);
  EXPECT_EQ(sreg(NFT_REG32_15), 15);
  EXPECT_EQ(sreg(NFT_REG_VERDICT), -1);
  EXPECT_EQ(sreg(5), -1);
  EXPECT_EQ(sreg(7), -1);
  EXPECT_EQ(sreg(24), -1);
}

TEST(NftExpressions, WhatDoesNotFitIsUnknown) {
  const Bytes four = from_hex("00000000");
  EXPECT_EQ(why(decode_operation("foo", {})), "expression foo");
  EXPECT_EQ(why(decode_operation("cmp", cmp(NFT_REG_1, 6, four).bytes)), "comparison 6");
  EXPECT_EQ(why(decode_operation("cmp", cmp(NFT_REG32_15, 0, from_hex("0000000000")).bytes)),
            "registers that there are not");
  EXPECT_EQ(why(decode_operation("cmp", cmp(NFT_REG_1, 0, four).number(9, 1).bytes)),
            "attribute 9 of cmp");
  EXPECT_EQ(why(decode_operation("cmp", {})), "cmp without attribute 1");
  EXPECT_EQ(why(decode_operation("cmp", cmp(NFT_REG_1, 0, {}).bytes)),
            "content of attribute 3 of cmp");
  EXPECT_EQ(why(decode_operation("cmp", from_hex("0800"))), "cmp is cut off");
  EXPECT_EQ(why(decode_operation("cmp", Attributes{}.add(NFTA_CMP_SREG, be16(1)).bytes)),
            "content of attribute 1 of cmp");
  const auto meta = [](std::uint32_t key) {
    return Attributes{}.number(NFTA_META_KEY, key).number(NFTA_META_DREG, NFT_REG_1).bytes;
  };
  EXPECT_EQ(why(decode_operation("meta", meta(NFT_META_MARK))), "");
  EXPECT_EQ(why(decode_operation("meta", meta(99))), "meta key 99");
  EXPECT_EQ(why(decode_operation("meta", meta(36))), "meta key 36");
  EXPECT_EQ(why(decode_operation("lookup", Attributes{}
                                               .add(NFTA_LOOKUP_SET, to_bytes("s"))
                                               .number(NFTA_LOOKUP_SREG, NFT_REG_1)
                                               .number(NFTA_LOOKUP_FLAGS, 3)
                                               .bytes)),
            "content of attribute 5 of lookup");
}

TEST(NftExpressions, BitwiseOfLaterKernels) {
  const auto bitwise = [](std::uint32_t op) {
    return Attributes{}
        .number(NFTA_BITWISE_SREG, NFT_REG32_00)
        .number(NFTA_BITWISE_DREG, NFT_REG32_02)
        .number(NFTA_BITWISE_LEN, 4)
        .number(NFTA_BITWISE_OP, op);
  };
  constexpr std::uint16_t kSreg2 = 8;
  EXPECT_EQ(decode_operation("bitwise", bitwise(4).number(kSreg2, NFT_REG32_01).bytes),
            Operation(Bitwise{
                .sreg = 0, .sreg2 = Reg{1}, .dreg = 2, .length = 4, .op = Bitwise::Op::Or}));
  EXPECT_EQ(
      decode_operation("bitwise", bitwise(3).value(NFTA_BITWISE_DATA, from_hex("ff00ff00")).bytes),
      Operation(Bitwise{.sreg = 0,
                        .dreg = 2,
                        .length = 4,
                        .op = Bitwise::Op::And,
                        .mask = from_hex("ff00ff00")}));
  EXPECT_NE(why(decode_operation("bitwise", bitwise(5).bytes)), "");
  EXPECT_NE(why(decode_operation("bitwise", bitwise(6).number(kSreg2, NFT_REG32_01).bytes)), "");
  // The number of bits of a shift is in this machine's order.
  EXPECT_EQ(
      decode_operation("bitwise", bitwise(1).value(NFTA_BITWISE_DATA, from_hex("08000000")).bytes),
      Operation(
          Bitwise{.sreg = 0, .dreg = 2, .length = 4, .op = Bitwise::Op::ShiftLeft, .shift = 8}));
  EXPECT_NE(why(decode_operation("bitwise",
                                 bitwise(1).value(NFTA_BITWISE_DATA, from_hex("20000000")).bytes)),
            "");
}

TEST(NftExpressions, ThoseOfOtherKernels) {
  EXPECT_EQ(decode_operation("queue", Attributes{}
                                          .add(NFTA_QUEUE_NUM, be16(3))
                                          .add(NFTA_QUEUE_TOTAL, be16(5))
                                          .add(NFTA_QUEUE_FLAGS, be16(1))
                                          .bytes),
            Operation(Queue{3, 5, 1, {}}));
  EXPECT_EQ(decode_operation("queue", Attributes{}
                                          .number(NFTA_QUEUE_SREG_QNUM, NFT_REG32_01)
                                          .add(NFTA_QUEUE_FLAGS, be16(0))
                                          .bytes),
            Operation(Queue{0, 1, 0, Reg{1}}));
  EXPECT_EQ(
      decode_operation(
          "flow_offload",
          Attributes{}.add(NFTA_FLOW_TABLE_NAME, to_bytes(std::string_view("ft\0", 3))).bytes),
      Operation(FlowOffload{"ft"}));
  EXPECT_EQ(decode_operation("tunnel", Attributes{}
                                           .number(NFTA_TUNNEL_KEY, NFT_TUNNEL_ID)
                                           .number(NFTA_TUNNEL_DREG, NFT_REG_1)
                                           .number(NFTA_TUNNEL_MODE, 0)
                                           .bytes),
            Operation(Tunnel{0, 1, 0}));
  EXPECT_EQ(decode_operation("last", Attributes{}
                                         .number(NFTA_LAST_SET, 1)
                                         .add(NFTA_LAST_MSECS, from_hex("00000000000003e8"))
                                         .bytes),
            Operation(Last{.used_ms_ago = 1000}));
  EXPECT_EQ(decode_operation("last", Attributes{}.number(NFTA_LAST_SET, 0).bytes),
            Operation(Last{}));
  EXPECT_EQ(decode_operation("inner", Attributes{}
                                          .number(1, 0)
                                          .number(2, 1)
                                          .number(3, 15)
                                          .number(4, 8)
                                          .add(5, from_hex("00000000"))
                                          .bytes),
            Operation(Inner{1}));
  EXPECT_EQ(
      decode_operation(
          "match",
          Attributes{}.add(1, to_bytes("conntrack")).number(2, 3).add(3, from_hex("0102")).bytes),
      Operation(XtMatch{"conntrack", 3, from_hex("0102")}));
}

TEST(NftExpressions, VerdictsHaveAChainOnlyWhereTheyLeadThere) {
  const auto immediate = [](std::uint32_t code, std::string_view chain) {
    Attributes verdict;
    verdict.number(NFTA_VERDICT_CODE, code);
    if (!chain.empty()) verdict.add(NFTA_VERDICT_CHAIN, to_bytes(chain));
    return decode_operation(
        "immediate",
        Attributes{}
            .number(NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT)
            .add(NFTA_IMMEDIATE_DATA, Attributes{}.add(NFTA_DATA_VERDICT, verdict.bytes).bytes)
            .bytes);
  };
  const auto to = [](Verdict verdict, const std::string& chain) {
    return Operation(Immediate{.verdict = VerdictTo{verdict, chain}});
  };
  EXPECT_EQ(immediate(1, ""), to(Verdict::Accept, ""));
  EXPECT_EQ(immediate(static_cast<std::uint32_t>(NFT_JUMP), "c"), to(Verdict::Jump, "c"));
  EXPECT_EQ(immediate(static_cast<std::uint32_t>(NFT_RETURN), ""), to(Verdict::Return, ""));
  EXPECT_NE(why(immediate(static_cast<std::uint32_t>(NFT_JUMP), "")), "");
  EXPECT_NE(why(immediate(1, "c")), "");
  EXPECT_NE(why(immediate(77, "")), "");
}

TEST(NftExpressions, AnElementsExpressionsAreReadAndNoDeeper) {
  const auto named = [](std::string_view name, const Bytes& data) {
    return Attributes{}.add(NFTA_EXPR_NAME, to_bytes(name)).add(NFTA_EXPR_DATA, data).bytes;
  };
  const Bytes inner = Attributes{}
                          .add(NFTA_DYNSET_SET_NAME, to_bytes("s"))
                          .number(NFTA_DYNSET_OP, 0)
                          .number(NFTA_DYNSET_SREG_KEY, NFT_REG_1)
                          .bytes;
  Attributes outer{inner};
  outer.add(NFTA_DYNSET_EXPR, named("dynset", inner));
  const Operation found = decode_operation("dynset", outer.bytes);
  const auto* dynset = std::get_if<Dynset>(&found);
  ASSERT_NE(dynset, nullptr) << why(found);
  ASSERT_EQ(dynset->expressions.size(), 1U);
  EXPECT_EQ(why(dynset->expressions[0].operation), "dynset inside of an expression");
}

}  // namespace
}  // namespace hark::decode::nft
