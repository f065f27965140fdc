#include <gtest/gtest.h>

#include "decode/mountinfo.h"
#include "decode/testing.h"

namespace hark::decode {
namespace {

std::vector<MountRecord> decoded(std::string_view text) {
  const auto mounts = decode_mountinfo(as_bytes(text));
  EXPECT_TRUE(mounts) << text;
  return mounts ? *mounts : std::vector<MountRecord>{};
}

TEST(Mountinfo, NamesWithBlanksAndOddities) {
  const auto mounts = decode_mountinfo(testdata("mountinfo"));
  ASSERT_TRUE(mounts) << mounts.error().why;
  ASSERT_EQ(mounts->size(), 9U);
  EXPECT_EQ(mounts->at(0).mount_point, "/proc");
  EXPECT_EQ(mounts->at(0).options, "rw,relatime");
  EXPECT_EQ(mounts->at(1).source, "");  // mounted without one
  EXPECT_EQ(mounts->at(1).super_options, "rw");
  EXPECT_EQ(mounts->at(2).mount_point, "/tmp/mi/with blank");
  EXPECT_EQ(mounts->at(2).source, "so urce");
  EXPECT_EQ(mounts->at(3).mount_point, "/tmp/mi/back\\slash");
  EXPECT_EQ(mounts->at(5).mount_point, "/tmp/mi/shared");  // with a tag before the dash
  EXPECT_EQ(mounts->at(5).type, "tmpfs");
  EXPECT_EQ(mounts->at(6).root, "net:[4026531833]");
  EXPECT_EQ(mounts->at(6).type, "nsfs");
  EXPECT_EQ(netns_inode(mounts->at(6).root), 4026531833U);
  EXPECT_EQ(mounts->at(7).mount_point, "/tmp/mi/nl\nx");
  EXPECT_EQ(hidepid_level(*mounts), 2U);
}

TEST(Mountinfo, EveryBeginningIsAnErrorOrEndsBetweenLines) {
  const auto count = [](const std::vector<MountRecord>& mounts) { return mounts.size(); };
  EXPECT_EQ(accepted_beginnings(testdata("mountinfo"), decode_mountinfo, count), 9U);
}

TEST(Mountinfo, OptionalFieldsEndWithADash) {
  const auto mounts = decoded(
      "1 0 0:1 / / rw - rootfs none rw\n"
      "2 0 8:1 /sub / rw shared:1 master:2 propagate_from:3 unbindable - ext4 /dev/sda1 ro,x\n"
      "3 0 0:5 / /odd rw - fuse.x a#b rw,opt=a b - c\n");
  ASSERT_EQ(mounts.size(), 3U);
  EXPECT_EQ(mounts[1].root, "/sub");
  EXPECT_EQ(mounts[1].type, "ext4");
  EXPECT_EQ(mounts[2].super_options, "rw,opt=a b - c");
}

TEST(Mountinfo, OnlyWholeOctalNumbersAreEscapes) {
  const auto mounts = decoded("1 0 0:1 / \\040\\011\\134040\\400\\08\\ rw - t \\12 rw\n");
  EXPECT_EQ(mounts.at(0).mount_point, " \t\\040\\400\\08\\");
  EXPECT_EQ(mounts.at(0).source, "\\12");
}

TEST(Mountinfo, MalformedLinesAreErrorsWithTheirNumber) {
  for (const std::string_view line :
       {"\n", "1 0 0:1 / / rw\n", "1 0 0:1 / / rw -\n", "1 0 0:1 / / rw - t\n",
        "1 0 0:1 / / rw - t s\n", "1 0 0:1 / / rw t s rw\n", "x 0 0:1 / / rw - t s rw\n",
        "1 x 0:1 / / rw - t s rw\n", "1 0 01 / / rw - t s rw\n", "1 0 0:1  / rw - t s rw\n",
        "1 0 0:1 /  rw - t s rw\n", "1 0 0:1 / / rw - t s rw"}) {
    const std::string text = "1 0 0:1 / / rw - t s rw\n" + std::string(line);
    const auto mounts = decode_mountinfo(as_bytes(text));
    ASSERT_FALSE(mounts) << line;
    EXPECT_TRUE(mounts.error().why.starts_with("line 2: ")) << mounts.error().why;
  }
}

TEST(Mountinfo, NetnsInodes) {
  EXPECT_EQ(netns_inode("net:[4026532177]"), 4026532177U);
  for (const std::string_view text : {"", "net:[]", "net:[1", "net:1]", "net:[-1]", "net:[1]]",
                                      "mnt:[1]", "xnet:[1]", "net:[4294967296]", "net:[ 1]"}) {
    EXPECT_FALSE(netns_inode(text)) << text;
  }
}

TEST(Mountinfo, HidepidOfTheMountOnTop) {
  struct Case {
    std::string_view options;
    unsigned level;
  };
  constexpr Case kCases[] = {
      {"rw", 0},
      {"rw,hidepid=0", 0},
      {"rw,hidepid=off", 0},
      {"rw,gid=5,hidepid=1", 1},
      {"rw,hidepid=noaccess", 1},
      {"rw,hidepid=2,gid=5", 2},
      {"rw,hidepid=invisible", 2},
      {"rw,hidepid=ptraceable", 2},
      {"rw,hidepid=4", 2},
      {"rw,nohidepid=2", 0},
  };
  for (const Case& c : kCases) {
    const std::string text =
        "1 0 0:1 / /proc rw - proc proc rw,hidepid=1\n2 0 0:2 / /proc rw - "
        "proc proc " +
        std::string(c.options) + "\n3 0 0:3 / /x/proc rw - proc proc rw,hidepid=2\n";
    EXPECT_EQ(hidepid_level(decoded(text)), c.level) << c.options;
  }
  EXPECT_EQ(hidepid_level({}), 0U);
}

}  // namespace
}  // namespace hark::decode
