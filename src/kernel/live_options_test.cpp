#include "kernel/live_options.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <map>

#include "base/option_parts.h"
#include "base/parts.h"
#include "base/unique_fd.h"
#include "kernel/live.h"

namespace hark::kernel {
namespace {

UniqueFd open_socket(int family, int type) {
  return UniqueFd(::socket(family, type | SOCK_CLOEXEC, 0));
}

SocketHolder holder_of(const UniqueFd& fd) {
  struct stat status {};
  ::fstat(fd.get(), &status);
  return {.pid = static_cast<std::uint32_t>(::getpid()),
          .fd = static_cast<std::uint32_t>(fd.get()),
          .inode = static_cast<std::uint32_t>(status.st_ino)};
}

int error_of(const SocketHolder& holder) {
  const auto answer = make_live()->socket_options(holder);
  return answer ? 0 : answer.error().code;
}

/// The ints of the answer; of an option that was refused the errno, negative.
std::map<OptionPart, std::int32_t> values_of(ByteView parts) {
  std::map<OptionPart, std::int32_t> out;
  PartReader reader(parts);
  while (const auto part = reader.next()) {
    if (part->tag == static_cast<std::uint16_t>(OptionPart::Filter)) continue;
    out[static_cast<OptionPart>(part->tag)] =
        part->error != 0 ? -part->error : ByteReader(part->bytes).value<std::int32_t>();
  }
  EXPECT_FALSE(reader.broken());
  return out;
}

std::size_t filter_size(ByteView parts) {
  PartReader reader(parts);
  while (const auto part = reader.next()) {
    if (part->tag == static_cast<std::uint16_t>(OptionPart::Filter)) return part->bytes.size();
  }
  ADD_FAILURE() << "no answer about a filter";
  return 0;
}

void set(const UniqueFd& fd, int level, int name, int value) {
  ASSERT_EQ(::setsockopt(fd.get(), level, name, &value, sizeof value), 0) << name;
}

TEST(LiveOptions, AreThoseThatWereSet) {
  const UniqueFd fd = open_socket(AF_INET6, SOCK_DGRAM);
  set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
  set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
  set(fd, IPPROTO_IP, IP_MINTTL, 255);
  set(fd, SOL_SOCKET, SO_BROADCAST, 1);
  const auto parts = make_live()->socket_options(holder_of(fd));
  ASSERT_TRUE(parts) << reason(parts.error());
  auto values = values_of(*parts);
  EXPECT_EQ(values[OptionPart::PacketInfo6], 1);
  EXPECT_EQ(values[OptionPart::PacketInfo], 0);
  EXPECT_EQ(values[OptionPart::OldPacketInfo6], 0);
  EXPECT_EQ(values[OptionPart::V6Only], 1);
  EXPECT_EQ(values[OptionPart::MinTtl], 255);
  EXPECT_EQ(values[OptionPart::MinHopCount], 0);
  EXPECT_EQ(values[OptionPart::Broadcast], 1);
  EXPECT_EQ(values[OptionPart::Mark], 0);
  EXPECT_FALSE(values.contains(OptionPart::DeferAccept));
  EXPECT_EQ(filter_size(*parts), 0U);
}

TEST(LiveOptions, AreAskedOfTheProtocolThatHasThem) {
  const UniqueFd fd = open_socket(AF_INET, SOCK_STREAM);
  set(fd, IPPROTO_IP, IP_PKTINFO, 1);
  const auto parts = make_live()->socket_options(holder_of(fd));
  ASSERT_TRUE(parts) << reason(parts.error());
  auto values = values_of(*parts);
  EXPECT_EQ(values[OptionPart::PacketInfo], 1);
  EXPECT_EQ(values[OptionPart::DeferAccept], 0);
  EXPECT_FALSE(values.contains(OptionPart::V6Only));
}

TEST(LiveOptions, AFilterComesWhole) {
  const UniqueFd fd = open_socket(AF_INET, SOCK_DGRAM);
  std::array<sock_filter, 2> filter = {sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
                                       sock_filter BPF_STMT(BPF_RET | BPF_K, 7)};
  const sock_fprog program{.len = filter.size(), .filter = filter.data()};
  ASSERT_EQ(::setsockopt(fd.get(), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program), 0);
  const auto parts = make_live()->socket_options(holder_of(fd));
  ASSERT_TRUE(parts) << reason(parts.error());
  EXPECT_EQ(filter_size(*parts), sizeof filter);
}

TEST(LiveOptions, AnotherFileInItsPlaceIsStale) {
  const UniqueFd fd = open_socket(AF_INET, SOCK_DGRAM);
  SocketHolder holder = holder_of(fd);
  EXPECT_EQ(error_of(holder), 0);
  ++holder.inode;
  EXPECT_EQ(error_of(holder), ESTALE);
  const UniqueFd local = open_socket(AF_UNIX, SOCK_STREAM);
  EXPECT_EQ(error_of(holder_of(local)), ESTALE);
  const UniqueFd file(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(error_of(holder_of(file)), ESTALE);
}

TEST(LiveOptions, WhatIsGoneIsNotThere) {
  const UniqueFd fd = open_socket(AF_INET, SOCK_DGRAM);
  SocketHolder holder = holder_of(fd);
  holder.fd = 0x7fffffff;
  EXPECT_EQ(error_of(holder), EBADF);
  holder.pid = 0x7fffffff;
  EXPECT_EQ(error_of(holder), ESRCH);
}

TEST(WouldChangeClass, WhereMoreThanOneCgroupHasAClass) {
  constexpr const char* kMounted = "12:pids:/a\n5:net_cls,net_prio:/\n0::/x\n";
  const auto would = [](std::string_view own, std::string_view all) {
    return would_change_class(own, all);
  };
  const std::string head = "#subsys_name\thierarchy\tnum_cgroups\tenabled\n";
  EXPECT_FALSE(would(kMounted, head + "net_cls\t5\t1\t1\nnet_prio\t5\t1\t1\n"));
  EXPECT_TRUE(would(kMounted, head + "net_cls\t5\t2\t1\nnet_prio\t5\t2\t1\n"));
  EXPECT_TRUE(would("5:net_prio:/\n", head + "net_cls\t0\t40\t1\nnet_prio\t5\t3\t1\n"));
  // Where it is not mounted all are in the first.
  EXPECT_FALSE(would("0::/x\n", head + "net_cls\t0\t40\t1\nnet_prio\t0\t40\t1\n"));
  EXPECT_FALSE(would("", ""));
  EXPECT_TRUE(would(kMounted, ""));
  EXPECT_FALSE(would("1:name=net_cls:/\n", ""));
}

TEST(YamaRefuses, WithoutTheRightOrAtItsHighest) {
  constexpr const char* kRoot = "Name:\thark\nCapEff:\t000001ffffffffff\n";
  constexpr const char* kUser = "Name:\thark\nCapEff:\t0000000000000000\n";
  constexpr const char* kTracer = "Name:\thark\nCapEff:\t0000000000080000\n";
  EXPECT_FALSE(yama_refuses("", kUser));
  EXPECT_FALSE(yama_refuses("0\n", kUser));
  EXPECT_TRUE(yama_refuses("1\n", kUser));
  EXPECT_TRUE(yama_refuses("2\n", ""));
  EXPECT_FALSE(yama_refuses("1\n", kRoot));
  EXPECT_FALSE(yama_refuses("2\n", kTracer));
  EXPECT_TRUE(yama_refuses("3\n", kRoot));
}

}  // namespace
}  // namespace hark::kernel
