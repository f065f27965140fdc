#include "kernel/module_guard.h"

#include <gtest/gtest.h>
#include <linux/netlink.h>

#include <filesystem>
#include <fstream>

namespace hark::kernel {
namespace {

namespace fs = std::filesystem;

class AKernel : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "hark-modules-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    root = pattern;
    file("proc/modules", "nf_tables 425984 12 nft_ct, Live 0x0\nnfnetlink 20480 4 - Live 0x0\n");
    file("proc/sys/kernel/modprobe", "/sbin/modprobe\n");
    file("proc/sys/kernel/modules_disabled", "0\n");
    file("proc/sys/kernel/osrelease", "6.1.0\n");
    file("proc/self/net/netlink",
         "sk               Eth Pid        Groups\n"
         "0000000000000000 0   0          00000000 0        0\n"
         "0000000000000000 12  0          00000000 0        0\n");
    file("lib/modules/6.1.0/modules.builtin", "kernel/net/netfilter/nf_conntrack_netlink.ko\n");
  }
  void TearDown() override { fs::remove_all(root); }
  void file(const std::string& path, const std::string& text) {
    fs::create_directories((root / path).parent_path());
    std::ofstream(root / path, std::ios::binary) << text;
  }
  [[nodiscard]] bool would_load(int protocol, unsigned subsystem = 0) const {
    nlmsghdr header{};
    header.nlmsg_type = static_cast<std::uint16_t>(subsystem << 8U);
    Bytes request;
    append_value(request, header);
    return ModuleGuard((root / "proc").string(), root.string()).would_load(protocol, request);
  }
  fs::path root;
};

constexpr unsigned kConntrack = 1;
constexpr unsigned kIpset = 6;
constexpr unsigned kTables = 10;

TEST_F(AKernel, LoadsWhatIsNeitherLoadedNorBuiltIn) {
  EXPECT_FALSE(would_load(NETLINK_NETFILTER, kTables));
  EXPECT_FALSE(would_load(NETLINK_NETFILTER, kConntrack));
  EXPECT_TRUE(would_load(NETLINK_NETFILTER, kIpset));
  EXPECT_TRUE(would_load(NETLINK_NETFILTER, 11));
  EXPECT_TRUE(would_load(NETLINK_XFRM));
  EXPECT_FALSE(would_load(NETLINK_ROUTE));
}

TEST_F(AKernel, WithoutAListOfBuiltInsTellsItsFunctions) {
  fs::remove_all(root / "lib");
  EXPECT_TRUE(would_load(NETLINK_NETFILTER, kConntrack));
  file("proc/kallsyms", "0000000000000000 t ctnetlink_dump_table\n");
  EXPECT_FALSE(would_load(NETLINK_NETFILTER, kConntrack));
  EXPECT_TRUE(would_load(NETLINK_NETFILTER, kIpset));
}

TEST_F(AKernel, ThatMayLoadNothingMayBeAskedEverything) {
  file("proc/sys/kernel/modules_disabled", "1\n");
  EXPECT_FALSE(would_load(NETLINK_XFRM));
  file("proc/sys/kernel/modules_disabled", "0\n");
  EXPECT_TRUE(would_load(NETLINK_XFRM));
  file("proc/sys/kernel/modprobe", "\n");
  EXPECT_FALSE(would_load(NETLINK_XFRM));
  file("proc/sys/kernel/modprobe", "/sbin/modprobe\n");
  fs::remove(root / "proc/modules");
  EXPECT_FALSE(would_load(NETLINK_XFRM));
  EXPECT_FALSE(would_load(NETLINK_NETFILTER, kIpset));
}

}  // namespace
}  // namespace hark::kernel
