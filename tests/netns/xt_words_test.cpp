// Rules that iptables writes, read back from the kernel, in hark's words and in iptables-save's.
//
// rules/iptables4 and rules/iptables6 have one rule for about every match and target that iptables
// 1.8.9 can make on the kernel of CI; each is written twice, as a legacy table and into nf_tables.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netlink.h>
#include <sched.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <map>
#include <memory>
#include <thread>

#include "base/text.h"
#include "base/unique_fd.h"
#include "decode/nft_ruleset.h"
#include "decode/xt_table.h"
#include "kernel/live_legacy_table.h"
#include "kernel/live_netlink.h"
#include "reach/xt.h"
#include "scene.h"

namespace hark::netns {
namespace {

/// What a command prints; a test that needs it fails if it cannot be run.
std::string output_of(const std::string& command) {
  std::FILE* pipe = popen((command + " 2>&1").c_str(), "re");
  if (pipe == nullptr) return {};
  std::string out;
  std::array<char, 4096> buffer{};
  while (const std::size_t size = std::fread(buffer.data(), 1, buffer.size(), pipe))
    out.append(buffer.data(), size);
  EXPECT_EQ(pclose(pipe), 0) << command << ": " << out;
  return out;
}

std::string rules_of(Family family) {
  return std::string(HARK_SOURCE_DIR) + "/tests/netns/rules/iptables" +
         (family == Family::Inet ? "4" : "6");
}

std::string tool_of(Family family, const char* kind) {
  return std::string(family == Family::Inet ? "iptables-" : "ip6tables-") + kind;
}

/// Rules of iptables-save by table and chain.
using Saved = std::map<std::pair<std::string, std::string>, std::vector<std::string>>;
Saved saved_by(const std::string& tool) {
  Saved out;
  std::string table;
  const std::string text = output_of(tool + "-save");
  for (const std::string_view line : split(text, '\n')) {
    if (line.starts_with('*')) table = line.substr(1);
    if (!line.starts_with("-A ")) continue;
    std::string_view rest = line.substr(3);
    out[{table, std::string(next_word(rest))}].emplace_back(line);
  }
  return out;
}

/// Runs `body` in a network namespace that ends with it.
template <typename Body>
void in_new_namespace(const Body& body) {
  std::thread([&] {
    ASSERT_EQ(unshare(CLONE_NEWNET), 0) << errno;
    body();
  }).join();
}

void compare_legacy(Family family) {
  const std::string tool = tool_of(family, "legacy");
  output_of(tool + "-restore < " + rules_of(family));
  const Saved saved = saved_by(tool);
  std::size_t rules = 0;
  for (const char* name : {"filter", "nat", "mangle", "raw"}) {
    const UniqueFd fd(kernel::open_for_tables(family));
    Bytes bytes;
    if (!saved.contains({name, "PREROUTING"}) && !saved.contains({name, "INPUT"})) continue;
    ASSERT_EQ(kernel::read_legacy_table(fd.get(), family, name, bytes), 0) << name;
    const ByteView all(bytes);
    const auto table = decode::xt::decode_table(family, all.first(sizeof(ipt_getinfo)),
                                                all.subspan(sizeof(ipt_getinfo)));
    ASSERT_TRUE(table) << table.error().why;
    EXPECT_EQ(table->name, name);
    for (std::size_t i = 0; i < table->chains.size(); ++i) {
      const auto lines = saved.find({name, table->chains[i].name});
      const std::size_t count = lines == saved.end() ? 0 : lines->second.size();
      ASSERT_EQ(table->chains[i].rules.size(), count) << table->chains[i].name;
      for (std::size_t j = 0; j < count; ++j)
        EXPECT_EQ(reach::legacy_rule_text(*table, i, j, nullptr), lines->second[j]);
      rules += count;
    }
  }
  EXPECT_GE(rules, family == Family::Inet ? 120 : 30);
}

/// The words of every match and target are in its rule's line.
void compare_nft(Family family) {
  const std::string tool = tool_of(family, "nft");
  output_of(tool + "-restore < " + rules_of(family));
  Saved saved = saved_by(tool);
  kernel::NetlinkSocket socket{UniqueFd(kernel::open_netlink(NETLINK_NETFILTER))};
  const auto answer = socket.ask(decode::nft::rules_request());
  ASSERT_TRUE(answer);
  const auto rules = decode::nft::decode_rules(*answer);
  ASSERT_TRUE(rules);
  std::map<std::pair<std::string, std::string>, std::size_t> position;
  std::size_t words = 0;
  for (const auto& rule : *rules) {
    const std::pair key(rule.table, rule.chain);
    const std::size_t at = position[key]++;
    ASSERT_LT(at, saved[key].size()) << rule.table << " " << rule.chain;
    const std::string line = saved[key][at] + " ";
    for (const auto& expression : rule.expressions) {
      std::string text;
      if (const auto* match = std::get_if<decode::nft::XtMatch>(&expression.operation))
        text = reach::words_of(*match, family, nullptr);
      if (const auto* target = std::get_if<decode::nft::XtTarget>(&expression.operation))
        text = reach::words_of(*target, family, nullptr);
      if (text.empty()) continue;
      EXPECT_NE(line.find(" " + text + " "), std::string::npos) << line << "\n" << text;
      ++words;
    }
  }
  EXPECT_GE(words, family == Family::Inet ? 80 : 25);
}

using XtWords = NetnsTest;

TEST_F(XtWords, LegacyTables) {
  in_new_namespace([] { compare_legacy(Family::Inet); });
}
TEST_F(XtWords, LegacyTablesOfIpv6) {
  in_new_namespace([] { compare_legacy(Family::Inet6); });
}
TEST_F(XtWords, RulesInNfTables) {
  in_new_namespace([] { compare_nft(Family::Inet); });
}
TEST_F(XtWords, RulesInNfTablesOfIpv6) {
  in_new_namespace([] { compare_nft(Family::Inet6); });
}

}  // namespace
}  // namespace hark::netns
