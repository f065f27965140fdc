// docs/findings.md has a section for every code of a finding, and for no other.
#include <gtest/gtest.h>

#include <set>

#include "diagnose/finding.h"
#include "program.h"

namespace hark::test {
namespace {

TEST(findings_page, has_a_section_for_each_code_and_no_other) {
  // Units and containers start again and again alike: some codes are of two families.
  std::set<std::string> codes;
  for (const diagnose::Family& family : diagnose::families()) {
    std::set<std::string> own;
    for (const std::string_view code : family.codes) {
      EXPECT_TRUE(own.emplace(code).second) << code << " stands twice in " << family.name;
    }
    codes.merge(own);
  }
  std::set<std::string> sections;
  for (const std::string& line : lines_of(read_source("docs/findings.md"))) {
    if (!line.starts_with("## ")) continue;
    EXPECT_TRUE(sections.insert(line.substr(3)).second) << line;
  }
  EXPECT_EQ(sections, codes);
}

}  // namespace
}  // namespace hark::test
