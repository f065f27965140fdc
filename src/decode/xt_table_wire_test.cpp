#include <linux/netfilter_ipv4/ip_tables.h>

#include "decode/testing.h"
#include "decode/xt_table.h"
#include "decode/xt_words.h"

namespace hark::decode::xt {
namespace {

using Jump = Rule::Jump;

struct Captured {
  Bytes all;
  [[nodiscard]] ByteView info() const { return ByteView(all).first(sizeof(ipt_getinfo)); }
  [[nodiscard]] ByteView entries() const { return ByteView(all).subspan(sizeof(ipt_getinfo)); }
};

Captured captured(const std::string& name) {
  return {testdata(name)};
}

std::optional<Table> decoded(const std::string& name) {
  const Captured from = captured(name);
  auto table = decode_table(Family::Inet, from.info(), from.entries());
  EXPECT_TRUE(table) << table.error().why;
  if (!table) return std::nullopt;
  return std::move(*table);
}

TEST(XtTable, HasChainsAndPolicies) {
  const auto table = decoded("iptables-filter.bin");
  ASSERT_TRUE(table);
  EXPECT_EQ(table->name, "filter");
  std::vector<std::string> names;
  for (const Chain& chain : table->chains) names.push_back(chain.name);
  EXPECT_EQ(names, (std::vector<std::string>{"INPUT", "FORWARD", "OUTPUT", "log", "ssh"}));
  ASSERT_EQ(table->at_hook(1), table->chains.data());
  EXPECT_EQ(table->at_hook(0), nullptr);
  EXPECT_EQ(table->at_hook(4), nullptr);
  EXPECT_EQ(table->chains[0].policy, Jump::Drop);
  EXPECT_EQ(table->chains[1].policy, Jump::Accept);
  EXPECT_EQ(table->chains[3].policy, Jump::Return);
  EXPECT_EQ(table->chains[0].rules.size(), 8U);
  EXPECT_TRUE(table->chains[1].rules.empty());
}

TEST(XtTable, ResolvesJumpsAndGotos) {
  const auto table = decoded("iptables-filter.bin");
  ASSERT_TRUE(table);
  const auto& input = table->chains[0].rules;
  EXPECT_EQ(input[2].jump, Jump::Chain);
  EXPECT_EQ(table->chains[input[2].chain].name, "ssh");
  EXPECT_FALSE(input[2].go_to);
  EXPECT_EQ(input[7].jump, Jump::Chain);
  EXPECT_EQ(table->chains[input[7].chain].name, "log");
  EXPECT_TRUE(input[7].go_to);
  EXPECT_EQ(table->chains[4].rules[1].jump, Jump::Return);
  EXPECT_EQ(table->chains[3].rules[1].jump, Jump::Continue);
  EXPECT_EQ(input[5].jump, Jump::Target);
  EXPECT_EQ(input[5].target.name, "REJECT");
}

TEST(XtTable, ReadsTheHeaderOfARule) {
  const auto table = decoded("iptables-filter.bin");
  ASSERT_TRUE(table);
  const auto& input = table->chains[0].rules;
  EXPECT_EQ(input[0].in.text(), "lo");
  EXPECT_TRUE(input[0].in.matches("lo"));
  EXPECT_FALSE(input[0].in.matches("lo0"));
  EXPECT_TRUE(input[5].not_source);
  EXPECT_EQ(input[5].source.text(), "10.0.0.0/8");
  EXPECT_TRUE(input[5].source.matches(address("10.255.0.1")));
  EXPECT_FALSE(input[5].source.matches(address("11.0.0.1")));
  EXPECT_EQ(input[5].protocol, 17);
  ASSERT_EQ(input[3].matches.size(), 2U);
  EXPECT_EQ(words_of(input[3].matches[0], {}), "-m multiport --dports 80,8000:8100");
  EXPECT_EQ(words_of(input[3].matches[1], {}), "-m comment --comment \"the web\"");
}

TEST(XtTable, AWildcardEndsWhereItsMaskDoes) {
  DeviceMatch device;
  for (std::size_t i = 0; i < 4; ++i) {
    device.name[i] = "veth"[i];
    device.mask[i] = 0xff;
  }
  EXPECT_EQ(device.text(), "veth+");
  EXPECT_TRUE(device.matches("veth12"));
  EXPECT_FALSE(device.matches("vet"));
  EXPECT_TRUE(DeviceMatch{}.any());
}

TEST(XtTable, EveryBeginningIsRefused) {
  for (const char* name : {"iptables-filter.bin", "iptables-nat.bin"}) {
    const Captured from = captured(name);
    for (std::size_t size = 0; size < from.all.size(); ++size) {
      const Bytes cut(from.all.begin(), from.all.begin() + static_cast<std::ptrdiff_t>(size));
      const ByteView view(cut);
      const std::size_t info = std::min(size, sizeof(ipt_getinfo));
      EXPECT_FALSE(decode_table(Family::Inet, view.first(info), view.subspan(info))) << size;
    }
  }
}

TEST(XtTable, AJumpIntoTheMiddleOfAChainIsRefused) {
  Captured from = captured("iptables-filter.bin");
  const auto table = decoded("iptables-filter.bin");
  ASSERT_TRUE(table);
  // The verdict of the jump to "ssh": the only number in the bytes that leads there.
  std::size_t changed = 0;
  for (std::size_t at = sizeof(ipt_getinfo); at + 40 <= from.all.size(); at += 8) {
    xt_standard_target target{};
    std::memcpy(&target, from.all.data() + at, sizeof target);
    if (target.target.u.target_size != 40 || target.target.u.user.name[0] != '\0') continue;
    if (target.verdict <= 0) continue;
    Captured broken = from;
    const std::int32_t elsewhere = target.verdict + 8;
    std::memcpy(broken.all.data() + at + offsetof(xt_standard_target, verdict), &elsewhere,
                sizeof elsewhere);
    EXPECT_FALSE(decode_table(Family::Inet, broken.info(), broken.entries())) << at;
    ++changed;
  }
  EXPECT_GE(changed, 2U);
}

TEST(XtBlob, AnotherSizeOrRevisionIsNotKnown) {
  nft::XtMatch match{"mark", 1, Bytes(16)};
  ASSERT_TRUE(read(match));
  match.info.resize(12);
  EXPECT_FALSE(read(match));
  EXPECT_EQ(words_of(match, {}), "-m mark [revision 1]");
  match = {"mark", 2, Bytes(16)};
  EXPECT_FALSE(read(match));
}

/// No field may reach behind the end of its structure.
TEST(XtBlob, FieldsLieInsideTheirStructures) {
  std::size_t fields = 0;
  for (const auto layouts : {common_match_layouts(), rare_match_layouts(), target_layouts()}) {
    for (const Layout& layout : layouts) {
      EXPECT_EQ(layout.size % 8, 0U) << layout.name;
      for (const FieldPlace& field : layout.fields) {
        EXPECT_LE(static_cast<std::size_t>(field.offset) + field.size, layout.size) << layout.name;
        ++fields;
      }
    }
  }
  EXPECT_GE(fields, 250U);
}

TEST(XtWords, QuoteWhatAShellWouldSplit) {
  EXPECT_EQ(quoted("plain-1"), "plain-1");
  EXPECT_EQ(quoted("a b"), "\"a b\"");
  EXPECT_EQ(quoted("it's \"x\""), "\"it\\'s \\\"x\\\"\"");
}

}  // namespace
}  // namespace hark::decode::xt
