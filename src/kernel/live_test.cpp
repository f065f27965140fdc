// Live against a made-up /proc, and against this machine where nothing may be assumed of it.
#include "kernel/live.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/parts.h"

namespace hark::kernel {
namespace {

using ::testing::ElementsAre;
namespace fs = std::filesystem;

/// A folder that looks like /proc as far as Live is concerned.
class MadeUpProc : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "hark-proc-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
  }
  void TearDown() override { fs::remove_all(root_); }

  void file(const std::string& path, const std::string& text) {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path, std::ios::binary) << text;
  }
  void link(const std::string& path, const std::string& target) {
    fs::create_directories((root_ / path).parent_path());
    fs::create_symlink(target, root_ / path);
  }
  [[nodiscard]] std::unique_ptr<Source> live() const { return make_live(root_.string()); }

  fs::path root_;
};

struct Said {
  ProcessPart tag{};
  int error = 0;
  std::string bytes;
  bool operator==(const Said&) const = default;
};

std::vector<Said> parts_of(const Result<Bytes>& answer) {
  std::vector<Said> out;
  if (!answer) return out;
  PartReader reader(*answer);
  while (const auto part = reader.next()) {
    out.push_back(
        {static_cast<ProcessPart>(part->tag), part->error, std::string(as_text(part->bytes))});
  }
  EXPECT_FALSE(reader.broken());
  return out;
}

std::string raw(std::uint32_t a) {
  return {reinterpret_cast<const char*>(&a), sizeof a};
}
std::string raw(std::uint32_t fd, std::uint32_t inode) {
  return raw(fd) + raw(inode);
}
std::string raw64(std::uint64_t a) {
  return {reinterpret_cast<const char*>(&a), sizeof a};
}

TEST_F(MadeUpProc, ScanFindsSocketsAndHeldNamespaces) {
  link("20/fd/0", "/dev/null");
  link("20/fd/3", "socket:[700]");
  link("20/fd/11", "socket:[701]");
  link("20/fd/12", "net:[4026532100]");
  link("20/fd/13", "socket:[nonsense]");
  link("3/fd/5", "socket:[700]");
  file("uptime", "1 2");
  const auto said = parts_of(live()->scan_descriptors({}));
  ASSERT_EQ(said.size(), 5U);
  EXPECT_EQ(said[0], (Said{ProcessPart::Pid, 0, raw(3)})) << "by pid, as numbers";
  EXPECT_EQ(said[1], (Said{ProcessPart::Sockets, 0, raw(5, 700)}));
  EXPECT_EQ(said[2], (Said{ProcessPart::Pid, 0, raw(20)}));
  EXPECT_EQ(said[3].tag, ProcessPart::Sockets);
  EXPECT_EQ(said[3].bytes.size(), 16U);
  EXPECT_EQ(said[4], (Said{ProcessPart::NetnsFds, 0, raw(12, 4026532100)}));
}

TEST_F(MadeUpProc, ScanSkipsKernelThreads) {
  file("2/stat", "2 (kthreadd) S 0 0 0 0 -1 2129984 0 0");
  file("2/task/2/children", "4 9 ");
  fs::create_directories(root_ / "4/fd");
  fs::create_directories(root_ / "9/fd");
  link("5/fd/1", "socket:[1]");
  const auto said = parts_of(live()->scan_descriptors({}));
  ASSERT_EQ(said.size(), 2U);
  EXPECT_EQ(said[0], (Said{ProcessPart::Pid, 0, raw(5)}));
}

TEST_F(MadeUpProc, ProcessTwoOfAnotherPidNamespaceIsNoKernelThread) {
  file("2/stat", "2 (nginx) S 1 1 1 0 -1 4194560 0 0");
  file("2/task/2/children", "4");
  link("2/fd/1", "socket:[1]");
  link("4/fd/1", "socket:[2]");
  EXPECT_EQ(parts_of(live()->scan_descriptors({})).size(), 4U);
}

TEST_F(MadeUpProc, ScanLooksIntoThreadsOfAnExitedLeader) {
  fs::create_directories(root_ / "30/fd");
  fs::create_directories(root_ / "30/task/30/fd");
  link("30/task/31/fd/7", "socket:[900]");
  const auto said = parts_of(live()->scan_descriptors({}));
  ASSERT_EQ(said.size(), 2U);
  EXPECT_EQ(said[1], (Said{ProcessPart::Sockets, 0, raw(7, 900)}));
  const std::vector<ProcessWanted> wanted = {{30, {{7, 900}}}};
  const auto details = parts_of(live()->read_processes(wanted, ProcessDetail::All));
  EXPECT_EQ(details.at(1), (Said{ProcessPart::Sockets, 0, raw(7, 900)}));
}

TEST_F(MadeUpProc, ScanTellsNamespaces) {
  link("7/ns/net", "net:[4026531833]");
  link("7/ns/mnt", "mnt:[4026531832]");
  const auto said = parts_of(live()->scan_namespaces());
  EXPECT_THAT(said, ElementsAre(Said{ProcessPart::Pid, 0, raw(7)},
                                Said{ProcessPart::NetnsInode, 0, raw64(4026531833)},
                                Said{ProcessPart::MntnsInode, 0, raw64(4026531832)}));
}

TEST_F(MadeUpProc, DetailsAreOfTheProcessThatStillHoldsTheSocket) {
  link("8/fd/3", "socket:[5]");
  link("8/fd/4", "socket:[66]");
  file("8/stat", "8 (a) S");
  file("8/cmdline", std::string("a\0b\0", 4));
  const std::vector<ProcessWanted> wanted = {{8, {{3, 5}, {4, 6}, {9, 7}}}, {99, {{1, 1}}}};
  const auto said = parts_of(live()->read_processes(wanted, ProcessDetail::All));
  ASSERT_EQ(said.size(), 7U) << "process 99 is gone and left out";
  EXPECT_EQ(said[1], (Said{ProcessPart::Sockets, 0, raw(3, 5)})) << "4 and 9 hold others by now";
  EXPECT_EQ(said[2], (Said{ProcessPart::Stat, 0, "8 (a) S"}));
  EXPECT_EQ(said[3], (Said{ProcessPart::Status, ENOENT, ""}));
  EXPECT_EQ(said[4], (Said{ProcessPart::Cmdline, 0, std::string("a\0b\0", 4)}));
  EXPECT_EQ(said[6], (Said{ProcessPart::Exe, ENOENT, ""}));
}

TEST_F(MadeUpProc, ManyProcessesStayInOrder) {
  for (int pid = 1; pid <= 300; ++pid) {
    link(std::to_string(pid) + "/fd/1", "socket:[" + std::to_string(1000 + pid) + "]");
  }
  const auto said = parts_of(live()->scan_descriptors({}));
  ASSERT_EQ(said.size(), 600U);
  for (std::uint32_t pid = 1; pid <= 300; ++pid) {
    EXPECT_EQ(said[2 * (pid - 1)].bytes, raw(pid));
    EXPECT_EQ(said[2 * (pid - 1) + 1].bytes, raw(1, 1000 + pid));
  }
}

TEST_F(MadeUpProc, WithoutProcEverythingSaysSo) {
  const auto source = make_live((root_ / "nowhere").string());
  EXPECT_EQ(source->scan_descriptors({}).error().code, ENOENT);
  EXPECT_EQ(source->read_processes({}, ProcessDetail::All).error().code, ENOENT);
  EXPECT_EQ(source->cgroup_path(1).error().code, ENODEV);
}

TEST_F(MadeUpProc, FoldersAndFiles) {
  file("x/b", "");
  file("x/a", std::string(100'000, 'z'));
  const auto source = live();
  EXPECT_THAT(*source->list_folder((root_ / "x").string()), ElementsAre("a", "b"));
  EXPECT_EQ(source->read_file((root_ / "x/a").string())->size(), 100'000U);
  ASSERT_EQ(::mkfifo((root_ / "x/fifo").c_str(), 0600), 0);
  EXPECT_EQ(source->read_file((root_ / "x/fifo").string()).error().code, EINVAL);
  ASSERT_EQ(::symlink("/dev/zero", (root_ / "x/device").c_str()), 0);
  EXPECT_EQ(source->read_file((root_ / "x/device").string()).error().code, EINVAL);
  EXPECT_EQ(source->read_file((root_ / "x/c").string()).error().code, ENOENT);
  EXPECT_EQ(source->read_link((root_ / "x/a").string()).error().code, EINVAL);
}

TEST_F(MadeUpProc, FoldersThatAProcessFilledAreBounded) {
  for (int i = 0; i < 4096; ++i) file("x/" + std::to_string(i), "");
  const auto source = live();
  const std::string seen = "/proc/" + std::to_string(::getpid()) + "/root" + (root_ / "x").string();
  EXPECT_EQ(source->list_folder(seen)->size(), 4096U);
  file("x/more", "");
  EXPECT_EQ(source->list_folder(seen).error().code, EFBIG);
  EXPECT_EQ(source->list_folder((root_ / "x").string())->size(), 4097U);
}

/// A netlink request: header and `body`.
Bytes request_of(std::uint16_t type, std::string_view body) {
  nlmsghdr header{};
  header.nlmsg_len = static_cast<std::uint32_t>(sizeof header + body.size());
  header.nlmsg_type = type;
  header.nlmsg_flags = NLM_F_REQUEST;
  Bytes out;
  append_value(out, header);
  append(out, body);
  return out;
}

TEST(Live, NetlinkErrorsAreTheKernels) {
  const auto source = make_live();
  ifinfomsg nobody{};
  nobody.ifi_index = 0x7ffffff0;
  const std::string_view body(reinterpret_cast<const char*>(&nobody), sizeof nobody);
  const auto answer = source->netlink({}, NETLINK_ROUTE, request_of(RTM_GETLINK, body));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ENODEV);
  EXPECT_EQ(source->netlink({}, NETLINK_ROUTE, {}).error().code, EINVAL);
}

TEST(Live, ARequestThatTheKernelPassesOverEnds) {
  // rtnetlink_rcv_msg answers nothing at all to a message without a family.
  const auto answer = make_live()->netlink({}, NETLINK_ROUTE, request_of(RTM_GETLINK, ""));
  ASSERT_TRUE(answer);
  EXPECT_TRUE(answer->empty());
}

TEST(Live, ANamespaceThatIsGoneIsStale) {
  const auto source = make_live();
  const NetnsRef nowhere{.inode = 1, .paths = {"/run/netns/there-is-no-such-namespace"}};
  EXPECT_EQ(source->netlink(nowhere, NETLINK_ROUTE, request_of(RTM_GETLINK, "")).error().code,
            ESTALE);
}

TEST_F(MadeUpProc, FilesOfANamespace) {
  file("sys/net/core/somaxconn", "4096\n");
  file("thread-self/net/ip_tables_names", "nat\nfilter\n");
  file("sys/net/ipv4/tcp_fastopen_key", "secret\n");
  file("sys/kernel/hostname", "box\n");
  const auto source = live();
  const auto said = [&](const std::string& path) {
    const auto text = source->read_net_file({}, path);
    return text ? std::string(as_text(*text)) : std::to_string(text.error().code);
  };
  EXPECT_EQ(said("/proc/sys/net/core/somaxconn"), "4096\n");
  EXPECT_EQ(said("/proc/net/ip_tables_names"), "nat\nfilter\n");
  EXPECT_EQ(said("/proc/sys/net/core/none"), std::to_string(ENOENT));
  for (const char* path : {"/proc/sys/kernel/hostname", "/proc/sys/net/../kernel/hostname",
                           "/proc/sys/net/ipv4/tcp_fastopen_key", "/etc/passwd", "/proc/sys/net/..",
                           "/proc/sys/net"}) {
    EXPECT_EQ(said(path), std::to_string(EINVAL)) << path;
  }
}

TEST_F(MadeUpProc, AnIptablesTableThatIsNotNamedIsNotAskedFor) {
  EXPECT_EQ(live()->legacy_table({}, Family::Inet, "filter").error().code, ENOENT);
  file("thread-self/net/ip_tables_names", "natter\n");
  EXPECT_EQ(live()->legacy_table({}, Family::Inet, "nat").error(),
            kernel_error(ENOENT, "iptables table nat"));
}

TEST_F(MadeUpProc, APlaceWithoutAPathGivesNoFacts) {
  const NetnsRef gone{.inode = 7, .paths = {""}};
  EXPECT_EQ(live()->read_net_file(gone, "/proc/sys/net/core/somaxconn").error().code, ESTALE);
  EXPECT_EQ(live()->legacy_table(gone, Family::Inet, "nat").error().code, ESTALE);
  EXPECT_EQ(live()
                ->attached_programs({.kind = ProgramPlace::Kind::Link, .netns = gone, .number = 1})
                .error()
                .code,
            ESTALE);
}

TEST(Live, AProgramThatIsNotThereIsAPartWithItsErrno) {
  const auto parts = make_live()->attached_programs(
      {.kind = ProgramPlace::Kind::Program, .netns = {}, .number = 0xffffffff, .cgroup = {}});
  ASSERT_TRUE(parts);
  PartReader reader(*parts);
  const auto part = reader.next();
  ASSERT_TRUE(part);
  // ENOENT; EPERM where the tests run without rights.
  EXPECT_TRUE(part->error == ENOENT || part->error == EPERM) << part->error;
}

}  // namespace
}  // namespace hark::kernel
