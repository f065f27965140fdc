#include <gtest/gtest.h>

#include "decode/cgroup.h"
#include "decode/testing.h"

namespace hark::decode {
namespace {

std::vector<CgroupLine> decoded(std::string_view text) {
  const auto lines = decode_cgroup_file(as_bytes(text));
  EXPECT_TRUE(lines) << text;
  return lines ? *lines : std::vector<CgroupLine>{};
}

TEST(Cgroup, LinesOfBothVersions) {
  const auto lines = decode_cgroup_file(testdata("cgroup"));
  ASSERT_TRUE(lines) << lines.error().why;
  ASSERT_EQ(lines->size(), 10U);
  EXPECT_EQ(lines->front().hierarchy, 9U);
  EXPECT_EQ(lines->front().controllers, "name=systemd");
  EXPECT_EQ(lines->front().path, "/");
  EXPECT_EQ(lines->back().hierarchy, 0U);
  EXPECT_EQ(lines->back().controllers, "");
  EXPECT_EQ(lines->back().path, "/hark decode.slice/a:b.service");
  EXPECT_EQ(telling_path(*lines), "/hark decode.slice/a:b.service");
}

TEST(Cgroup, ARemovedGroupKeepsItsName) {
  const auto lines = decode_cgroup_file(testdata("cgroup-deleted"));
  ASSERT_TRUE(lines) << lines.error().why;
  EXPECT_EQ(lines->back().path, "/hark decode.slice/a:b.service");
  EXPECT_EQ(decoded("0::/ (deleted) (deleted)\n").at(0).path, "/ (deleted)");
}

TEST(Cgroup, EveryBeginningIsAnErrorOrEndsBetweenLines) {
  const auto count = [](const std::vector<CgroupLine>& lines) { return lines.size(); };
  EXPECT_EQ(accepted_beginnings(testdata("cgroup"), decode_cgroup_file, count), 10U);
  EXPECT_EQ(accepted_beginnings(testdata("cgroup-deleted"), decode_cgroup_file, count), 10U);
}

TEST(Cgroup, TheTellingPath) {
  struct Case {
    std::string_view text;
    std::string_view path;
  };
  constexpr Case kCases[] = {
      {"", "/"},
      {"0::/\n", "/"},
      {"0::/system.slice/ssh.service\n", "/system.slice/ssh.service"},
      {"4:memory:/docker/0123456789abcdef\n1:name=systemd:/a\n0::/b\n", "/b"},
      {"4:memory:/docker/0123456789abcdef\n1:name=systemd:/a\n0::/\n", "/a"},
      {"4:memory:/docker/0123456789abcdef\n1:name=systemd:/\n0::/\n", "/docker/0123456789abcdef"},
      {"4:memory:/x\n3:cpu,cpuacct:/longer\n2:pids:/yyyyyy\n", "/longer"},
      {"1:cpu:/../../x\n", "/../../x"},
  };
  for (const Case& c : kCases) EXPECT_EQ(telling_path(decoded(c.text)), c.path) << c.text;
}

TEST(Cgroup, MalformedLinesAreErrorsWithTheirNumber) {
  for (const std::string_view line : {"\n", "x\n", "0:\n", "0:/\n", "0::\n", "0::x\n", ":name:/\n",
                                      "-1::/\n", "99999999999::/\n", "0::/x"}) {
    const std::string text = "1:cpu:/\n" + std::string(line);
    const auto lines = decode_cgroup_file(as_bytes(text));
    ASSERT_FALSE(lines) << line;
    EXPECT_TRUE(lines.error().why.starts_with("line 2: ")) << lines.error().why;
  }
  EXPECT_FALSE(decode_cgroup_file(as_bytes(std::string_view("0::/a\0b\n", 8))));
}

}  // namespace
}  // namespace hark::decode
