#include <gtest/gtest.h>
#include <linux/netfilter/nf_tables.h>

#include <map>

#include "decode/nft_messages.h"
#include "decode/nft_ruleset.h"
#include "decode/testing.h"

namespace hark::decode::nft {
namespace {

/// The rules of nft-ruleset.nft, by their comments.
std::map<std::string, Rule> golden_rules() {
  std::map<std::string, Rule> out;
  const auto rules = decode_rules(testdata("nft-rules.bin"));
  EXPECT_TRUE(rules) << reason(rules.error());
  if (!rules) return out;
  for (const Rule& rule : *rules) out[rule.comment] = rule;
  return out;
}

Set golden_set(const std::string& name) {
  const auto sets = decode_sets(testdata("nft-sets.bin"));
  EXPECT_TRUE(sets);
  if (sets) {
    for (const Set& set : *sets) {
      if (set.name == name) return set;
    }
  }
  ADD_FAILURE() << "no set " << name;
  return {};
}

std::vector<Element> golden_elements(const std::string& name) {
  const auto elements =
      decode_elements(testdata("nft-elements-" + name + ".bin"), golden_set(name));
  EXPECT_TRUE(elements) << reason(elements.error());
  return elements ? *elements : std::vector<Element>{};
}

TEST(NftRules, EveryExpressionIsReadAsItWasWritten) {
  struct Case {
    const char* rule;
    std::size_t position;
    Operation expected;
  };
  const Bytes one = from_hex("0a000001");
  const std::vector<Case> cases = {
      {"cmp", 0, Payload{0, PayloadBase::Network, 12, 4}},
      {"cmp", 1, Cmp{0, CmpOp::Eq, one}},
      {"cmp", 2, Immediate{.verdict = VerdictTo{Verdict::Accept, ""}}},
      {"range", 1, Range{0, true, from_hex("0a000003"), from_hex("0a000009")}},
      {"range", 2, Immediate{.verdict = VerdictTo{Verdict::Drop, ""}}},
      {"lookup", 1, Lookup{.set = "iv4", .sreg = 0}},
      {"lookup", 2, Immediate{.verdict = VerdictTo{Verdict::Goto, "other"}}},
      {"vmap", 0, Meta{.key = NFT_META_L4PROTO, .dreg = Reg{0}}},
      {"vmap", 3, Lookup{.set = "v1", .sreg = 0, .verdict = true}},
      {"map", 1, Lookup{.set = "m1", .sreg = 0, .dreg = Reg{0}}},
      {"map", 2, Meta{.key = NFT_META_MARK, .sreg = Reg{0}}},
      {"bitwise", 1,
       Bitwise{.sreg = 0,
               .dreg = 0,
               .length = 4,
               .mask = from_hex("ff000000"),
               .xored = from_hex("00000000")}},
      {"ct", 1, Ct{.key = NFT_CT_MARK, .sreg = Reg{0}}},
      {"direction", 0, Ct{.key = NFT_CT_SRC_IP, .direction = std::uint8_t{0}, .dreg = Reg{0}}},
      {"byteorder", 1, Byteorder{0, 0, false, 4, 4}},
      {"byteorder", 2, Cmp{0, CmpOp::Gte, from_hex("00000001")}},
      {"write", 0, Immediate{.dreg = 0, .data = from_hex("0578")}},
      {"write", 1, Exthdr{.sreg = Reg{0}, .type = 2, .offset = 2, .length = 2, .op = 1}},
      {"strip", 0, Exthdr{.type = 8, .op = 1}},
      {"present", 0, Exthdr{.dreg = Reg{0}, .type = 2, .length = 1, .op = 1, .present = true}},
      {"fib", 0,
       Fib{0, NFT_FIB_RESULT_OIF, NFTA_FIB_F_SADDR | NFTA_FIB_F_IIF | NFTA_FIB_F_PRESENT}},
      {"rt", 0, Rt{0, NFT_RT_CLASSID}},
      {"socket", 0, Socket{0, NFT_SOCKET_MARK, 0}},
      {"osf", 0, Osf{.dreg = 0, .ttl = 1}},
      {"xfrm", 0, Xfrm{0, NFT_XFRM_KEY_REQID, 0, 0}},
      {"limit", 0, Limit{10, 60, 7, 0, true}},
      {"bytes", 0, Limit{10ULL << 20U, 1, 0, 1, false}},
      {"quota", 0, Quota{500, 0, true}},
      {"connlimit", 0, Connlimit{20, true}},
      {"connlimit", 1, Reject{0, 3}},
      {"counter", 0, Counter{5, 100}},
      {"objref", 0, ObjectRef{.type = 1, .name = "c1"}},
      {"objmap", 1, ObjectRef{.map = "mo", .sreg = 0}},
      {"log", 0, Log{.prefix = "x", .group = 5, .snaplen = 80, .qthreshold = 3}},
      {"level", 0, Log{.level = 7, .flags = 0x2f}},
      {"reset", 2, Reject{1, 0}},
      {"reject", 0, Reject{0, 1}},
      {"dynset", 1,
       Dynset{.set = "dyn4",
              .op = 0,
              .sreg_key = 0,
              .timeout_ms = 300'000,
              .expressions = {{"limit", Limit{3, 1, 5, 0, false}}}}},
      {"numgen", 0, Numgen{0, 10, true, 3}},
      {"hash", 1, Hash{.sreg = 4, .dreg = 0, .length = 4, .modulus = 4, .seed = 0xdeadU}},
      {"symhash", 0, Hash{.symmetric = true, .dreg = 0, .modulus = 2}},
      {"synproxy", 4, Synproxy{1460, 7, 0x0b}},
      {"dup", 2, Dup{Reg{0}, Reg{4}}},
      {"payload", 3, PayloadSet{0, PayloadBase::Transport, 6, 2}},
      {"nat", 8,
       Nat{.destination = true,
           .family = 2,
           .address_min = Reg{0},
           .address_max = Reg{4},
           .port_min = Reg{8},
           .port_max = Reg{12},
           .flags = 0x0b}},
      {"redirect", 5, Redirect{Reg{0}, Reg{0}, 0x06}},
      {"masquerade", 0, Masquerade{{}, {}, 0x04}},
      {"notrack", 0, Notrack{}},
      {"tproxy", 4, Tproxy{2, Reg{0}, Reg{4}}},
      {"fwd", 2, Fwd{Reg{0}, Reg{4}, 2}},
  };
  const auto rules = golden_rules();
  for (const Case& one_case : cases) {
    const auto rule = rules.find(one_case.rule);
    ASSERT_NE(rule, rules.end()) << one_case.rule;
    ASSERT_LT(one_case.position, rule->second.expressions.size()) << one_case.rule;
    const Operation& found = rule->second.expressions[one_case.position].operation;
    const auto* unknown = std::get_if<Unknown>(&found);
    EXPECT_EQ(unknown, nullptr) << one_case.rule << ": " << (unknown ? unknown->why : "");
    EXPECT_EQ(found, one_case.expected) << one_case.rule << ' ' << one_case.position;
  }
}

TEST(NftRules, StandInTheirOrder) {
  const auto rules = decode_rules(testdata("nft-rules.bin"));
  ASSERT_TRUE(rules);
  EXPECT_EQ(rules->size(), 41U);
  EXPECT_EQ(rules->front().comment, "cmp");
  EXPECT_EQ(rules->front().table, "g");
  EXPECT_EQ(rules->front().chain, "in");
  EXPECT_LT(rules->at(0).handle, rules->at(1).handle);
}

TEST(NftChains, HooksPoliciesAndComments) {
  const auto chains = decode_chains(testdata("nft-chains.bin"));
  ASSERT_TRUE(chains);
  ASSERT_EQ(chains->size(), 6U);
  EXPECT_EQ(chains->at(0).name, "other");
  EXPECT_FALSE(chains->at(0).hook);
  EXPECT_EQ(chains->at(0).comment, "a chain comment");
  EXPECT_EQ(chains->at(1).hook, (Hook{.number = 1, .priority = 5, .devices = {}}));
  EXPECT_FALSE(chains->at(1).accepts);
  EXPECT_EQ(chains->at(2).type, "nat");
  EXPECT_EQ(chains->at(2).hook->priority, -100);
  EXPECT_EQ(chains->at(5).hook->devices, std::vector<std::string>{"lo"});
  EXPECT_STREQ(hook_name(chains->at(5).family, chains->at(5).hook->number), "egress");
}

TEST(NftTables, FamiliesAndFlags) {
  const auto tables = decode_tables(testdata("nft-tables.bin"));
  ASSERT_TRUE(tables);
  std::map<std::string, bool> dormant;
  for (const Table& table : *tables) dormant[table.name] = table.dormant;
  EXPECT_EQ(dormant, (std::map<std::string, bool>{{"g", false}, {"n", false}, {"dor", true}}));
}

TEST(NftObjects, AndTheirState) {
  const auto objects = decode_objects(testdata("nft-objects.bin"));
  ASSERT_TRUE(objects);
  std::map<std::string, Operation> by_name;
  for (const Object& object : *objects) by_name[object.name] = object.operation;
  EXPECT_EQ(by_name["c1"], Operation(Counter{3, 180}));
  EXPECT_EQ(by_name["l1"], Operation(Limit{10, 1, 7, 0, false}));
  EXPECT_EQ(by_name["q1"], Operation(Quota{100ULL << 20U, 20, true}));
  EXPECT_EQ(by_name["sp"], Operation(Synproxy{1460, 7, 0x0f}));
  EXPECT_EQ(by_name["h1"], Operation(Unknown{"object of type ct helper"}));
}

TEST(NftSets, AreDescribed) {
  const Set tree = golden_set("iv4");
  EXPECT_TRUE(tree.interval());
  EXPECT_FALSE(tree.map());
  EXPECT_EQ(tree.key_length, 4U);
  EXPECT_EQ(tree.count, 2U);
  EXPECT_EQ(golden_set("conciv").fields, (std::vector<std::uint32_t>{4, 2}));
  EXPECT_EQ(golden_set("dyn4").timeout_ms, 60'000U);
  EXPECT_EQ(golden_set("dyn4").size, 1000U);
  EXPECT_EQ(golden_set("v1").data_type, kDataVerdict);
  EXPECT_EQ(golden_set("mo").object_type, static_cast<std::uint32_t>(ObjectType::Counter));
  EXPECT_TRUE(golden_set("__map0").anonymous());
  EXPECT_EQ(set_type_name(golden_set("conciv").key_type), "ipv4_addr . inet_service");
}

TEST(NftElements, OfEveryKind) {
  const auto tree = golden_elements("iv4");
  ASSERT_EQ(tree.size(), 4U);
  std::size_t ends = 0;
  for (const Element& element : tree) ends += element.interval_end ? 1U : 0U;
  EXPECT_EQ(ends, 2U);
  const auto ranges = golden_elements("conciv");
  ASSERT_EQ(ranges.size(), 1U);
  EXPECT_EQ(ranges[0].key, from_hex("0a000000 00500000"));
  EXPECT_EQ(ranges[0].key_end, from_hex("0a0000ff 005a0000"));
  const auto verdicts = golden_elements("v1");
  ASSERT_EQ(verdicts.size(), 2U);
  for (const Element& element : verdicts) {
    const bool ssh = element.key == from_hex("0016");
    const VerdictTo expected =
        ssh ? VerdictTo{Verdict::Accept, ""} : VerdictTo{Verdict::Jump, "other"};
    EXPECT_EQ(element.verdict, expected);
    EXPECT_FALSE(element.data);
  }
  const auto any = golden_elements("vany");
  ASSERT_EQ(any.size(), 2U);
  EXPECT_NE(any[0].catch_all, any[1].catch_all);
  EXPECT_EQ(golden_elements("m1").at(0).data, from_hex("05000000"));
  EXPECT_EQ(golden_elements("mo").at(0).object, "c1");
}

TEST(NftGeneration, IsANumber) {
  EXPECT_EQ(decode_generation(testdata("nft-generation.bin")), 2U);
  EXPECT_FALSE(decode_generation({}));
}

TEST(NftMessages, EveryBeginningIsAnErrorOrEndsBetweenMessages) {
  const auto size = [](const auto& records) { return records.size(); };
  EXPECT_EQ(accepted_beginnings(testdata("nft-rules.bin"), decode_rules, size), 41U);
  EXPECT_EQ(accepted_beginnings(testdata("nft-chains.bin"), decode_chains, size), 6U);
  EXPECT_EQ(accepted_beginnings(testdata("nft-sets.bin"), decode_sets, size), 9U);
  EXPECT_EQ(accepted_beginnings(testdata("nft-objects.bin"), decode_objects, size), 5U);
}

TEST(NftMessages, OfAnotherKindAreErrors) {
  EXPECT_FALSE(decode_rules(testdata("nft-chains.bin")));
  EXPECT_FALSE(decode_tables(testdata("nft-rules.bin")));
  const Set other = golden_set("conciv");
  EXPECT_FALSE(decode_elements(testdata("nft-elements-iv4.bin"), other)) << "of another set";
  Set longer = golden_set("iv4");
  longer.key_length = 16;
  EXPECT_FALSE(decode_elements(testdata("nft-elements-iv4.bin"), longer));
  Set values = golden_set("v1");
  values.data_type = 0;
  EXPECT_FALSE(decode_elements(testdata("nft-elements-v1.bin"), values));
}

}  // namespace
}  // namespace hark::decode::nft
