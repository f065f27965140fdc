// hark check: errors of the file, standard input, and what other programs read.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <vector>

#include "program.h"

namespace hark::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::StartsWith;

std::string host(const std::string& name) {
  return std::string(HARK_SOURCE_DIR) + "/tests/host/hosts/" + name + "/host.hark";
}

/// Is it well-formed: each element ended by its own name, no character that XML has not? Bare
/// ampersands and brackets in text would break it.
bool is_xml(const std::string& text) {
  std::vector<std::string> open;
  std::size_t at = text.find("?>") + 2;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < ' ' && c != '\n') return false;
    if (c == '&' && text.find(';', i) > i + 5) return false;
  }
  while ((at = text.find('<', at)) != std::string::npos) {
    const std::size_t end = text.find('>', at);
    if (end == std::string::npos || text.find('<', at + 1) < end) return false;
    const std::string tag = text.substr(at + 1, end - at - 1);
    const std::string name = tag.substr(0, tag.find(' '));
    if (tag.starts_with('/')) {
      if (open.empty() || "/" + open.back() != tag) return false;
      open.pop_back();
    } else if (!tag.ends_with('/')) {
      if (std::ranges::count(tag, '"') % 2 != 0) return false;
      open.push_back(name);
    }
    at = end;
  }
  return open.empty();
}

TEST(check, tells_errors_of_the_file_and_nothing_else) {
  const Folder folder;
  const std::string file = folder.path("policy.toml");
  write_text(file, "[[expect]]\nprot = 'tcp/80'\nreach = 'anywere'\n");
  const Ran ran = run_hark({"check", file});
  EXPECT_EQ(ran.status, 2);
  EXPECT_EQ(ran.out, "");
  EXPECT_EQ(ran.err.substr(0, ran.err.find(" An interface")),
            file + ":2:1: no key prot in [[expect]]: did you mean port?\n" + file +
                ":3:9: no reach anywere: did you mean anywhere?");
  Setting input;
  input.input = "a =\n";
  const Ran piped = run_hark({"check", "-"}, input);
  EXPECT_EQ(piped.status, 2);
  EXPECT_THAT(piped.err, StartsWith("standard input:1:4: "));
  input.input = "default = '\x1b[31m'\n";
  EXPECT_EQ(run_hark({"check", "-"}, input).err.find('\x1b'), std::string::npos);
}

TEST(check, reads_a_policy_from_standard_input) {
  Setting input;
  input.input = "default = 'allow'\n[[expect]]\nport = 'tcp/80'\n";
  const Ran met = run_hark({"-r", host("ufw"), "check", "-"}, input);
  EXPECT_EQ(met.status, 0) << met.err;
  EXPECT_EQ(met.out, "Everything is as the policy expects: 2 listeners.\n");
  input.input = "default = 'allow'\n[[expect]]\nport = 'tcp/81'\n";
  const Ran missing = run_hark({"-r", host("ufw"), "check", "-", "--json"}, input);
  EXPECT_EQ(missing.status, 1);
  const json object = json::parse(missing.out);
  EXPECT_EQ(object["schema"], "hark.check/1");
  ASSERT_EQ(object["results"].size(), 1U);
  EXPECT_EQ(object["results"][0]["status"], "missing");
  EXPECT_FALSE(object["results"][0]["near"].empty());
  EXPECT_TRUE(object["results"][0]["listener"].is_null());
}

// Names that would break quoting, in every form that other programs read.
TEST(check, other_programs_can_read_it_whatever_names_there_are) {
  const Folder folder;
  const std::string file = folder.path("a policy & <more>.toml");
  write_text(file,
             "[[expect]]\nport = 'tcp/80'\nreach = 'none'\nwhy = '<&\"'\nowner='\"a\" & <b>'\n");
  for (const char* name : {"hostile", "every-row"}) {
    const std::vector<std::string> words = {"-r", host(name), "check", file, "--netns", "all"};
    const auto in = [&](const char* format) {
      auto all = words;
      all.insert(all.end(), {"--format", format});
      return run_hark(all);
    };
    const Ran junit = in("junit");
    EXPECT_EQ(junit.status, 1);
    EXPECT_TRUE(is_xml(junit.out)) << junit.out;
    EXPECT_THAT(junit.out, HasSubstr("<failure type=\"unexpected\""));
    const Ran sarif = in("sarif");
    EXPECT_EQ(sarif.status, 1);
    const json object = json::parse(sarif.out, nullptr, false);
    ASSERT_TRUE(object.is_object()) << sarif.out;
    EXPECT_EQ(object["version"], "2.1.0");
    const json& run = object["runs"][0];
    EXPECT_EQ(run["tool"]["driver"]["name"], "hark");
    ASSERT_FALSE(run["results"].empty());
    for (const json& one : run["results"]) {
      const std::size_t rule = one["ruleIndex"];
      EXPECT_EQ(run["tool"]["driver"]["rules"][rule]["id"], one["ruleId"]);
      const json& place = one["locations"][0]["physicalLocation"];
      EXPECT_THAT(place["artifactLocation"]["uri"].get<std::string>(),
                  testing::EndsWith("/a%20policy%20%26%20%3Cmore%3E.toml"));
      EXPECT_GE(place["region"]["startLine"], 1);
      EXPECT_FALSE(one["message"]["text"].get<std::string>().empty());
    }
  }
}

}  // namespace
}  // namespace hark::test
