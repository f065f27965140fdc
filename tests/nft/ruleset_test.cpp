// What hark reads of a namespace's nf_tables against what was put there.
#include <gmock/gmock.h>

#include <algorithm>

#include "decode/nft_ruleset.h"
#include "host/rulesets.h"
#include "kernel/live.h"
#include "kernel/recorder.h"
#include "kernel/replay.h"
#include "nft_space.h"

namespace hark::nft_test {
namespace {

using namespace decode::nft;
using testing::ElementsAre;
using testing::IsEmpty;

class NftRulesets : public testing::Test {
 protected:
  void SetUp() override {
    space_.load(file_text("base.nft"));
    ruleset_ = space_.read();
  }
  [[nodiscard]] const Set& set(const std::string& name) {
    for (const Set& candidate : ruleset_.sets) {
      if (candidate.name == name) return candidate;
    }
    ADD_FAILURE() << "no set " << name;
    return ruleset_.sets.emplace_back();
  }
  [[nodiscard]] const std::vector<Element>& elements(const std::string& name) {
    const Set& found = set(name);
    EXPECT_TRUE(found.elements) << name;
    static const std::vector<Element> kNone;
    return found.elements ? *found.elements : kNone;
  }
  NftSpace space_;
  host::NftRuleset ruleset_;
};

Bytes bytes(std::initializer_list<unsigned> values) {
  Bytes out;
  for (const unsigned value : values) out.push_back(static_cast<std::byte>(value));
  return out;
}

const Element* with_key(const std::vector<Element>& elements, const Bytes& key, bool end = false) {
  for (const Element& element : elements) {
    if (element.key == key && element.interval_end == end) return &element;
  }
  return nullptr;
}

TEST_F(NftRulesets, TablesAndChainsOfEveryFamily) {
  std::vector<std::string> tables;
  for (const Table& table : ruleset_.tables) {
    tables.push_back(std::string(name_of(table.family)) + ' ' + table.name +
                     (table.dormant ? " dormant" : ""));
  }
  EXPECT_THAT(tables, testing::UnorderedElementsAre("ip t4", "ip6 t6", "inet ti", "arp ta",
                                                    "bridge tb", "netdev tn", "ip dor dormant"));
  std::size_t base = 0;
  for (const Chain& chain : ruleset_.chains) {
    if (!chain.hook) continue;
    ++base;
    EXPECT_NE(hook_name(chain.family, chain.hook->number), nullptr) << chain.name;
    EXPECT_NE(chain.handle, 0U);
    if (chain.table == "t4" && chain.name == "in") {
      EXPECT_FALSE(chain.accepts);
      EXPECT_EQ(chain.type, "filter");
    }
    if (chain.name == "raw" && chain.table == "t4") {
      EXPECT_EQ(chain.hook->priority, -300);
    }
    if (chain.table == "tn") {
      EXPECT_THAT(chain.hook->devices, ElementsAre("lo"));
    }
    if (chain.name == "eg") {
      EXPECT_STREQ(hook_name(chain.family, chain.hook->number), "egress");
    }
  }
  EXPECT_EQ(base, 19U);
  const auto third = std::find_if(ruleset_.chains.begin(), ruleset_.chains.end(),
                                  [](const Chain& chain) { return chain.name == "third"; });
  ASSERT_NE(third, ruleset_.chains.end());
  EXPECT_EQ(third->comment, "a chain comment");
  EXPECT_TRUE(ruleset_.settled);
}

TEST_F(NftRulesets, AHashAndItsCount) {
  EXPECT_EQ(elements("hash4").size(), 3U);
  EXPECT_NE(with_key(elements("hash4"), bytes({192, 168, 7, 9})), nullptr);
  EXPECT_EQ(set("hash4").key_length, 4U);
  EXPECT_EQ(set("hash4").key_type, static_cast<std::uint32_t>(DataType::Ipv4Address));
  if (set("hash4").count) {
    EXPECT_EQ(*set("hash4").count, 3U);
  }
}

TEST_F(NftRulesets, IntervalsOfATree) {
  const auto& tree = elements("iv4");
  EXPECT_TRUE(set("iv4").interval());
  EXPECT_NE(with_key(tree, bytes({10, 0, 0, 0})), nullptr);
  EXPECT_NE(with_key(tree, bytes({11, 0, 0, 0}), true), nullptr);
  EXPECT_NE(with_key(tree, bytes({192, 168, 1, 10}), true), nullptr);
  EXPECT_NE(with_key(tree, bytes({224, 0, 0, 0})), nullptr);
  // The last one goes to the end: nothing ends it.
  for (const Element& element : tree) {
    EXPECT_TRUE(!element.interval_end || element.key < bytes({224, 0, 0, 0}));
  }
}

TEST_F(NftRulesets, ConcatenatedRanges) {
  EXPECT_THAT(set("conciv").fields, ElementsAre(4U, 2U));
  const Element* element = with_key(elements("conciv"), bytes({10, 0, 0, 0, 0, 80, 0, 0}));
  ASSERT_NE(element, nullptr);
  EXPECT_EQ(element->key_end, bytes({10, 0, 0, 255, 0, 90, 0, 0}));
}

TEST_F(NftRulesets, TimeoutsCountersAndLimitsOfElements) {
  const Element* timed = with_key(elements("to4"), bytes({10, 9, 9, 9}));
  ASSERT_NE(timed, nullptr);
  EXPECT_EQ(timed->timeout_ms, 1'800'000U);
  ASSERT_TRUE(timed->expires_in_ms);
  EXPECT_LE(*timed->expires_in_ms, 1'200'000U);
  EXPECT_EQ(set("to4").timeout_ms, 3'600'000U);
  const Element* counted = with_key(elements("pcnt"), bytes({10, 1, 1, 1}));
  ASSERT_NE(counted, nullptr);
  ASSERT_EQ(counted->expressions.size(), 1U);
  EXPECT_EQ(counted->expressions[0].operation, Operation(Counter{.packets = 5, .bytes = 10}));
  const Element* limited = with_key(elements("plim"), bytes({10, 1, 1, 2}));
  ASSERT_NE(limited, nullptr);
  ASSERT_EQ(limited->expressions.size(), 1U);
  EXPECT_EQ(limited->expressions[0].operation,
            Operation(Limit{.rate = 5, .unit_s = 3600, .burst = 5}));
}

TEST_F(NftRulesets, CatchAll) {
  const auto any = [](const Element& element) { return element.catch_all; };
  EXPECT_EQ(std::count_if(elements("cany").begin(), elements("cany").end(), any), 1);
  const auto& map = elements("vany");
  const auto found = std::find_if(map.begin(), map.end(), any);
  ASSERT_NE(found, map.end());
  EXPECT_EQ(found->verdict, (VerdictTo{.verdict = Verdict::Drop}));
  EXPECT_THAT(found->key, IsEmpty());
}

TEST_F(NftRulesets, MapsOfEveryKind) {
  const Element* mark = with_key(elements("m1"), bytes({10, 0, 0, 1}));
  ASSERT_NE(mark, nullptr);
  EXPECT_EQ(mark->data, bytes({5, 0, 0, 0}));
  const Element* target = with_key(elements("m2"), bytes({0, 80}));
  ASSERT_NE(target, nullptr);
  EXPECT_EQ(target->data, bytes({10, 0, 0, 9, 0x1f, 0x90, 0, 0}));
  const Element* object = with_key(elements("mo"), bytes({10, 0, 0, 1}));
  ASSERT_NE(object, nullptr);
  EXPECT_EQ(object->object, "c1");
  const Element* jump = with_key(elements("v1"), bytes({0, 80}));
  ASSERT_NE(jump, nullptr);
  EXPECT_EQ(jump->verdict, (VerdictTo{Verdict::Jump, "other"}));
  EXPECT_EQ(set("v1").data_type, kDataVerdict);
}

TEST_F(NftRulesets, Objects) {
  std::vector<std::string> names;
  for (const Object& object : ruleset_.objects) {
    names.push_back(object.name);
    if (object.name == "c1") {
      EXPECT_EQ(object.operation, Operation(Counter{3, 180}));
    }
    if (object.name == "q1") {
      EXPECT_EQ(object.operation, Operation(Quota{100ULL << 20U, 20, true}));
    }
    if (object.name == "l1") {
      EXPECT_EQ(object.operation, Operation(Limit{10, 1, 7, 0, false}));
    }
    if (object.name == "h1") {
      EXPECT_EQ(object.operation, Operation(Unknown{"object of type ct helper"}));
    }
  }
  EXPECT_THAT(names, testing::UnorderedElementsAre("c1", "q1", "l1", "sp", "h1", "to1", "ex1"));
}

TEST_F(NftRulesets, AKeyIsAskedFor) {
  const auto live = kernel::make_live();
  constexpr int kNetlinkNetfilter = 12;
  const auto ask = [&](const std::string& name, const Bytes& key) {
    return live->netlink(space_.ref(), kNetlinkNetfilter, element_request(set(name), key));
  };
  const auto inside = ask("iv4", bytes({10, 200, 3, 4}));
  ASSERT_TRUE(inside) << reason(inside.error());
  const auto found = decode_elements(*inside, set("iv4"));
  ASSERT_TRUE(found) << reason(found.error());
  EXPECT_NE(with_key(*found, bytes({10, 0, 0, 0})), nullptr);
  const auto outside = ask("iv4", bytes({12, 0, 0, 1}));
  ASSERT_FALSE(outside);
  EXPECT_EQ(outside.error().code, ENOENT);
  EXPECT_TRUE(ask("conciv", bytes({10, 0, 0, 77, 0, 85, 0, 0})));
  EXPECT_FALSE(ask("conciv", bytes({10, 0, 0, 77, 0, 91, 0, 0})));
}

TEST_F(NftRulesets, SetsThatWereNotReadAreAskedKeyByKey) {
  const auto live = kernel::make_live();
  const auto unread = [&](const std::string& name) -> Set& {
    const auto found = std::ranges::find(ruleset_.sets, name, &Set::name);
    found->elements.reset();
    return *found;
  };
  const auto ask = [&](const Set& in, const Bytes& key) {
    return host::ask_element(*live, space_.ref(), ruleset_, {in.family, in.table, in.name, key});
  };
  Set& ranges = unread("iv4");
  ASSERT_TRUE(ask(ranges, bytes({10, 200, 3, 4})));
  ASSERT_TRUE(ask(ranges, bytes({12, 0, 0, 1})));
  EXPECT_FALSE(ask(ranges, bytes({12, 0, 0, 1}))) << "it is known";
  ASSERT_EQ(ranges.asked.size(), 2U);
  ASSERT_TRUE(ranges.asked[0].found);
  EXPECT_EQ(ranges.asked[0].found->key, bytes({10, 0, 0, 0}));
  EXPECT_FALSE(ranges.asked[1].found);
  Set& verdicts = unread("v1");
  ASSERT_TRUE(ask(verdicts, bytes({0, 80})));
  ASSERT_TRUE(verdicts.asked[0].found);
  EXPECT_EQ(verdicts.asked[0].found->verdict, (VerdictTo{Verdict::Jump, "other"}));
  Set& rest = unread("vany");
  ASSERT_TRUE(ask(rest, bytes({10, 9, 9, 9})));
  ASSERT_TRUE(rest.asked[0].found);
  EXPECT_TRUE(rest.asked[0].found->catch_all);
}

TEST_F(NftRulesets, ADynamicSetFillsAndGenerationsCount) {
  const std::uint32_t before = ruleset_.generation;
  EXPECT_EQ(elements("dyn4").size(), 0U);
  space_.load("add element ip t4 dyn4 { 10.7.7.7 }\n");
  ruleset_ = space_.read();
  EXPECT_GT(ruleset_.generation, before);
  EXPECT_NE(with_key(elements("dyn4"), bytes({10, 7, 7, 7})), nullptr);
}

TEST_F(NftRulesets, ARecordingGivesTheSame) {
  const auto live = kernel::make_live();
  kernel::Recorder recorder(*live);
  auto first = host::read_nft(recorder, space_.ref());
  ASSERT_TRUE(first) << reason(first.error());
  kernel::Recording recording;
  recording.answers = recorder.take_answers();
  kernel::Replay replay(std::move(recording));
  const auto again = host::read_nft(replay, {.inode = space_.ref().inode, .paths = {}});
  ASSERT_TRUE(again) << reason(again.error());
  EXPECT_EQ(*again, *first);
  EXPECT_FALSE(first->sets.empty());
}

}  // namespace
}  // namespace hark::nft_test
