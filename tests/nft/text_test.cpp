// The text of every rule against `nft -a list ruleset`: rules.txt has one a line, "table
// chain|rule". nft prints some rules in a form that says less than it should, or is wrong: lines
// that begin with ~ are loaded and must have a text, and are not compared.
#include "base/text.h"

#include <gmock/gmock.h>

#include <map>

#include "nft_space.h"
#include "reach/nft_text.h"

namespace hark::nft_test {
namespace {

struct Line {
  std::string where;
  std::string rule;
  bool compared = true;
};

std::vector<Line> lines() {
  std::vector<Line> out;
  const std::string text = file_text("rules.txt");
  for (std::string_view line : split(text, '\n')) {
    if (line.empty() || line.front() == '#') continue;
    Line one;
    one.compared = line.front() != '~';
    if (!one.compared) line.remove_prefix(1);
    one.where = next_piece(line, '|');
    one.rule = line;
    out.push_back(std::move(one));
  }
  return out;
}

/// nft tells chains without a name on lines of their own; here they stand in one.
std::string in_one_line(const std::string& listing) {
  std::string out;
  bool inside = false, first = true;
  for (std::string_view line : split(listing, '\n')) {
    const bool opens = line.starts_with("\t\t") && line.ends_with("{");
    if (inside && line.starts_with("\t\t}")) {
      inside = false;
      out += " }" + std::string(line.substr(3)) + '\n';
    } else if (inside) {
      line.remove_prefix(std::min<std::size_t>(3, line.size()));
      out += (first ? " " : "; ") + std::string(line.substr(0, line.find(" # handle ")));
      first = false;
    } else {
      out += line;
      inside = opens;
      first = true;
      if (!opens) out += '\n';
    }
  }
  return out;
}

/// What nft prints of rules, by "family table handle".
std::map<std::string, std::string> listed(NftSpace& space) {
  std::map<std::string, std::string> out;
  std::string table;
  const std::string listing = in_one_line(space.run({"nft", "-a", "list", "ruleset"}).text);
  for (std::string_view line : split(listing, '\n')) {
    if (line.starts_with("table ")) {
      line.remove_prefix(6);
      const std::string family(next_piece(line, ' '));
      table = family + ' ' + std::string(next_piece(line, ' '));
    }
    const auto handle = line.rfind(" # handle ");
    if (!line.starts_with("\t\t") || handle == std::string_view::npos) continue;
    out[table + ' ' + std::string(line.substr(handle + 10))] =
        std::string(line.substr(2, handle - 2));
  }
  return out;
}

/// Loads all lines at once or, where this kernel lacks something, those that it takes.
void load(NftSpace& space, const std::vector<Line>& all) {
  std::string script;
  for (const Line& line : all) script += "add rule " + line.where + ' ' + line.rule + '\n';
  if (space.run({"nft", "-f", "-"}, script).status == 0) return;
  for (const Line& line : all) {
    const Said said =
        space.run({"nft", "-f", "-"}, "add rule " + line.where + ' ' + line.rule + '\n');
    if (said.status != 0) std::printf("not loaded: %s\n", line.rule.c_str());
  }
}

TEST(NftText, EveryRuleReadsAsNftPrintsIt) {
  NftSpace space;
  ASSERT_EQ(space.run({"ip", "link", "set", "lo", "up"}).status, 0);
  space.load(file_text("base.nft"));
  std::vector<Line> equal, other;
  for (Line& line : lines()) (line.compared ? equal : other).push_back(std::move(line));
  load(space, equal);
  const std::map<std::string, std::string> theirs = listed(space);
  const host::NftRuleset ruleset = space.read();
  const reach::RuleTextHelp help{
      .link_name = [](std::uint32_t index) { return std::string(index == 1 ? "lo" : ""); }};
  std::size_t compared = 0;
  for (const decode::nft::Rule& rule : ruleset.rules) {
    if (rule.chain.starts_with("__chain")) continue;
    const std::string key = std::string(decode::nft::name_of(rule.family)) + ' ' + rule.table +
                            ' ' + std::to_string(rule.handle);
    const auto found = theirs.find(key);
    ASSERT_NE(found, theirs.end()) << key;
    const std::string comment = rule.comment.empty() ? "" : " comment \"" + rule.comment + '"';
    EXPECT_EQ(reach::rule_text(ruleset, rule, help) + comment, found->second) << key;
    ++compared;
  }
  EXPECT_GE(compared, 80U);
  RecordProperty("compared", static_cast<int>(compared));

  load(space, other);
  for (const decode::nft::Rule& rule : space.read().rules) {
    const std::string text = reach::rule_text(ruleset, rule, help);
    EXPECT_FALSE(text.empty()) << rule.handle;
    EXPECT_EQ(text.find("[unknown"), std::string::npos) << text;
  }
}

TEST(NftText, WhatIptablesWrites) {
  NftSpace space;
  const char* rules =
      "*filter\n:INPUT DROP [0:0]\n:OTHER - [0:0]\n"
      "-A INPUT -i lo -j ACCEPT\n"
      "-A INPUT -s 10.0.0.0/8 -p tcp --dport 22 -j ACCEPT\n"
      "-A INPUT -p icmp --icmp-type echo-request -j ACCEPT\n"
      "-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT\n"
      "-A INPUT ! -i eth+ -j OTHER\n"
      "-A OTHER -p udp -m multiport --dports 53,67 -j REJECT\n"
      "COMMIT\n";
  const Said said = space.run({"iptables-nft-restore"}, rules);
  ASSERT_EQ(said.status, 0) << said.text;
  const host::NftRuleset ruleset = space.read();
  const reach::RuleTextHelp help{
      .match_words = [](const decode::nft::XtMatch& it) { return "-m " + it.name; }};
  std::vector<std::string> texts;
  for (const decode::nft::Rule& rule : ruleset.rules) {
    texts.push_back(reach::rule_text(ruleset, rule, help));
  }
  EXPECT_THAT(texts,
              testing::ElementsAre(
                  "iifname \"lo\" counter packets 0 bytes 0 accept",
                  "ip saddr 10.0.0.0/8 tcp dport 22 counter packets 0 bytes 0 accept",
                  "meta l4proto icmp -m icmp counter packets 0 bytes 0 accept",
                  "-m conntrack counter packets 0 bytes 0 accept",
                  "iifname != \"eth*\" counter packets 0 bytes 0 jump OTHER",
                  "meta l4proto udp -m multiport counter packets 0 bytes 0 xt target \"REJECT\""));
}

// Forms that nft 1.0.6 does not write: said in words of the bytecode, nothing taken for known.
TEST(NftText, WhatNftHasNoWordsFor) {
  using namespace decode::nft;
  const Meta mark{.key = static_cast<std::uint32_t>(MetaKey::Mark), .dreg = Reg{0}};
  const Bytes five(4, std::byte{5});
  const auto text = [](std::vector<Operation> operations) {
    Rule rule{.family = TableFamily::Ip, .table = "t", .chain = "c", .expressions = {}};
    for (Operation& operation : operations) rule.expressions.push_back({"", std::move(operation)});
    return reach::rule_text({}, rule);
  };
  const Ct other{.key = static_cast<std::uint32_t>(CtKey::Mark), .dreg = Reg{1}};
  EXPECT_EQ(
      text({mark, other,
            Bitwise{.sreg = 0, .sreg2 = Reg{1}, .dreg = 0, .length = 4, .op = Bitwise::Op::Or},
            Cmp{0, CmpOp::Eq, five}}),
      "meta mark | ct mark == 0x05050505");
  EXPECT_EQ(text({Cmp{3, CmpOp::Neq, five}}), "[register 3] != 0x5050505");
  EXPECT_EQ(text({mark, Unknown{"expression foo"}, Cmp{0, CmpOp::Eq, five}}),
            "[unknown: expression foo] [register 0] == 0x5050505");
  EXPECT_EQ(text({mark, Inner{1}, Cmp{0, CmpOp::Eq, five}}),
            "[inside of a tunnel of type 1] [register 0] == 0x5050505");
  EXPECT_EQ(text({Payload{0, PayloadBase::Network, 12, 8},
                  Range{0, false, Bytes(8), Bytes(8, std::byte{1})}}),
            "@nh,96,64 0x0-0x101010101010101");
  EXPECT_EQ(text({Lookup{.set = "gone", .sreg = 2}}), "[register 2] @gone");
  EXPECT_EQ(text({Last{}, XtTarget{"LOG", 0, {}}}), "last used never xt target \"LOG\"");
}

}  // namespace
}  // namespace hark::nft_test
