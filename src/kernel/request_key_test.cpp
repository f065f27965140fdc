#include "kernel/request_key.h"

#include <gtest/gtest.h>

namespace hark::kernel {
namespace {

const NetnsRef kNetns{.inode = 4026531840, .paths = {"/run/netns/blue"}};

// The keys are part of the recording format: a change here breaks old recordings.
TEST(RequestKey, IsOneReadableLineForEachKind) {
  EXPECT_EQ(file_key("/proc/self/status"), "file /proc/self/status");
  EXPECT_EQ(link_key("/proc/1/ns/net"), "link /proc/1/ns/net");
  EXPECT_EQ(folder_key("/run/netns"), "folder /run/netns");
  EXPECT_EQ(descriptors_key(), "scan descriptors");
  EXPECT_EQ(namespaces_key(), "scan namespaces");
  EXPECT_EQ(processes_key(), "processes");
  EXPECT_EQ(cgroup_key(123), "cgroup 123");
  EXPECT_EQ(clock_key(), "clock");
  EXPECT_EQ(units_key(), "units");
  EXPECT_EQ(options_key({.pid = 7, .fd = 3, .inode = 77}), "socket-options 7 3 77");
}

TEST(RequestKey, OfANamespace) {
  EXPECT_EQ(net_file_key(kNetns, "/proc/sys/net/core/somaxconn"),
            "net-file netns 4026531840 /proc/sys/net/core/somaxconn");
  EXPECT_EQ(legacy_table_key(kNetns, Family::Inet, "nat"), "legacy-table netns 4026531840 ip nat");
  EXPECT_EQ(legacy_table_key({}, Family::Inet6, "raw"), "legacy-table netns 0 ip6 raw");
  using Kind = ProgramPlace::Kind;
  const auto key = [](Kind kind) {
    return programs_key({.kind = kind, .netns = kNetns, .number = 7, .cgroup = "/a b"});
  };
  EXPECT_EQ(key(Kind::Netns), "programs netns 4026531840");
  EXPECT_EQ(key(Kind::Link), "programs link 4026531840 7");
  EXPECT_EQ(key(Kind::Cgroup), "programs cgroup /a b");
  EXPECT_EQ(key(Kind::Program), "program 7");
}

TEST(RequestKey, NetTableNamesTheNamespaceOrTheProcess) {
  EXPECT_EQ(net_table_key({.netns = kNetns, .pid = 0}, NetTable::Tcp6),
            "net-table netns 4026531840 tcp6");
  EXPECT_EQ(net_table_key({.netns = {}, .pid = 812}, NetTable::Udplite),
            "net-table pid 812 udplite");
  // A pid beside a namespace with paths is not what is asked through.
  EXPECT_EQ(net_table_key({.netns = kNetns, .pid = 812}, NetTable::Raw),
            "net-table netns 4026531840 raw");
  EXPECT_EQ(net_table_key({}, NetTable::Udp), "net-table netns 0 udp");
}

TEST(RequestKey, NetlinkLeavesOutSequenceAndPort) {
  Bytes request;
  for (int i = 0; i < 20; ++i) request.push_back(static_cast<std::byte>(0xa0 + i));
  const std::string expected = "netlink 4026531840 4 a0a1a2a3a4a5a6a70000000000000000b0b1b2b3";
  EXPECT_EQ(netlink_key(kNetns, 4, request), expected);

  for (std::size_t i = 8; i < 16; ++i) request[i] = std::byte{7};
  EXPECT_EQ(netlink_key(kNetns, 4, request), expected);
  for (const std::size_t i : {0U, 7U, 16U, 19U}) {
    Bytes other = request;
    other[i] ^= std::byte{1};
    EXPECT_NE(netlink_key(kNetns, 4, other), expected) << i;
  }
}

TEST(RequestKey, NetlinkTakesRequestsShorterThanAHeader) {
  EXPECT_EQ(netlink_key({}, 0, {}), "netlink 0 0 ");
  const Bytes request(10, std::byte{0xff});
  EXPECT_EQ(netlink_key({}, 16, request), "netlink 0 16 ffffffffffffffff0000");
}

TEST(RequestKey, NetlinkGoesByInodeAndNotByPath) {
  const NetnsRef elsewhere{.inode = kNetns.inode, .paths = {"/proc/9/ns/net"}};
  const NetnsRef other{.inode = kNetns.inode + 1, .paths = kNetns.paths};
  EXPECT_EQ(netlink_key(kNetns, 0, {}), netlink_key(elsewhere, 0, {}));
  EXPECT_NE(netlink_key(kNetns, 0, {}), netlink_key(other, 0, {}));
}

TEST(RequestKey, NamesInErrors) {
  EXPECT_EQ(netlink_what(), "netlink request");
  EXPECT_EQ(path_what("/etc/passwd"), "/etc/passwd");
  EXPECT_EQ(net_table_what(NetTable::Tcp6), "/proc/net/tcp6");
  EXPECT_EQ(processes_what(), "/proc");
  EXPECT_EQ(cgroup_what(7), "cgroup 7");
  EXPECT_EQ(clock_what(), "clock");
  EXPECT_EQ(units_what(), "systemd");
  EXPECT_EQ(legacy_table_what(Family::Inet6, "nat"), "ip6tables table nat");
}

}  // namespace
}  // namespace hark::kernel
