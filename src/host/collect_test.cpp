// collect() over a host that answers from /proc/net alone: what is joined, what becomes a gap.
#include "host/collect.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>

#include "host/fake_source.h"

namespace hark::host {
namespace {

using kernel::NetTable;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;

constexpr std::uint64_t kOwn = 4026531833;
constexpr std::uint64_t kOther = 4026532177;
constexpr const char* kRootStatus = "Name:\thark\nUid:\t0\t0\t0\t0\nCapEff:\t000001ffffffffff\n";
constexpr const char* kUserStatus =
    "Name:\thark\nUid:\t1000\t1000\t1000\t1000\nCapEff:\t0000000000000000\n";

std::string tcp_line(std::string_view address_port, unsigned uid, unsigned inode) {
  const bool v6 = address_port.size() > 13;
  return "   0: " + std::string(address_port) + (v6 ? " 000000000000000000000000" : " ") +
         "00000000:0000 0A 00000000:00000000 00:00000000 00000000 " + std::to_string(uid) + " 0 " +
         std::to_string(inode) + " 1 0000000000000000 100 0 0 10 0\n";
}
std::string udp_line(std::string_view address_port, unsigned inode) {
  return "   0: " + std::string(address_port) +
         " 00000000:0000 07 00000000:00000000 00:00000000 00000000 0 0 " + std::to_string(inode) +
         " 2 0000000000000000 0\n";
}

/// A machine with one namespace, this process and process 1 in it.
struct Machine : FakeSource {
  explicit Machine(const char* status = kRootStatus) {
    file("/proc/sys/kernel/hostname", "box\n");
    file("/proc/sys/kernel/osrelease", "6.1.0\n");
    file("/proc/self/mountinfo", "22 27 0:21 / /proc rw - proc proc rw\n");
    file("/proc/self/status", status);
    file("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:33::/:/bin/false\n");
    link("/proc/self/ns/net", "net:[4026531833]");
    link("/proc/self/ns/mnt", "mnt:[4026531832]");
    link("/proc/self/ns/pid", "pid:[4026531836]");
    link("/proc/1/ns/net", "net:[4026531833]");
    namespaces(PartsBuilder().pid(1).inode(ProcessPart::NetnsInode, kOwn).done());
    descriptors(PartsBuilder().pid(1).done());
    processes({});
  }
};

/// nginx (812) holding one socket by two descriptors.
void add_nginx(FakeSource& source, std::uint32_t inode) {
  source.descriptors(PartsBuilder()
                         .pid(1)
                         .pid(812)
                         .pairs(ProcessPart::Sockets, {{6, inode}, {7, 999}, {9, inode}})
                         .done());
  source.processes(
      PartsBuilder()
          .pid(812)
          .pairs(ProcessPart::Sockets, {{6, inode}, {9, inode}})
          .text(ProcessPart::Stat,
                "812 (ngi) nx) S 1 1 1 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 12345 0 0\n")
          .text(ProcessPart::Status, "Uid:\t33\t33\t33\t33\nCapEff:\t0000000000000000\n")
          .text(ProcessPart::Cmdline, std::string_view("nginx:\0master\0", 14))
          .text(ProcessPart::Cgroup, "0::/system.slice/nginx.service\n")
          .text(ProcessPart::Exe, "/usr/sbin/nginx (deleted)")
          .done());
}

Host collected(FakeSource& source, const CollectRequest& request = {}) {
  auto host = collect(source, request);
  EXPECT_TRUE(host) << host.error().what << ": " << reason(host.error());
  return host ? std::move(*host) : Host{};
}

TEST(Collect, JoinsASocketWithItsHolder) {
  Machine source;
  source.table(kOwn, NetTable::Tcp, tcp_line("00000000:0050", 33, 635));
  add_nginx(source, 635);
  const Host host = collected(source);
  EXPECT_EQ(host.name, "box");
  EXPECT_EQ(host.kernel, "6.1.0");
  ASSERT_EQ(host.listeners.size(), 1U);
  const Listener& listener = host.listeners.front();
  EXPECT_EQ(listener.port, 80);
  EXPECT_EQ(listener.socket.user, "www-data");
  EXPECT_EQ(listener.unit, "nginx.service");
  ASSERT_TRUE(listener.owners);
  ASSERT_EQ(listener.owners->size(), 1U);
  EXPECT_THAT(listener.owners->front().fds, ElementsAre(6, 9));
  const Process& process = host.at(listener.owners->front().process);
  EXPECT_EQ(process.name, "ngi) nx");
  EXPECT_EQ(process.exe, "/usr/sbin/nginx");
  EXPECT_TRUE(process.exe_deleted);
  EXPECT_EQ(process.user, "www-data");
  EXPECT_EQ(process.started_at_ms, 600'000 + 123'450);
  EXPECT_THAT(*process.command_line, ElementsAre("nginx:", "master"));
  EXPECT_EQ(host.at(listener.netns).name, "host");
  ASSERT_EQ(source.wanted().size(), 1U) << "only holders of listeners are looked into";
  EXPECT_EQ(source.wanted().front().sockets.size(), 2U);
}

TEST(Collect, NobodyHoldsItOnlyWhereAllWasSeen) {
  Machine source;
  source.table(kOwn, NetTable::Tcp, tcp_line("00000000:0050", 0, 635));
  EXPECT_TRUE(collected(source).listeners.front().owners->empty());

  source.descriptors(PartsBuilder().pid(1).failed(ProcessPart::Sockets, EACCES).done());
  const Host host = collected(source);
  EXPECT_FALSE(host.listeners.front().owners) << "process 1 may hold it";
  EXPECT_THAT(host.gaps, Contains(Field(&Gap::code, "unreadable-processes")));

  Machine as_user(kUserStatus);
  as_user.table(kOwn, NetTable::Tcp, tcp_line("00000000:0050", 0, 635));
  as_user.descriptors(PartsBuilder().pid(1).failed(ProcessPart::Sockets, EACCES).done());
  EXPECT_THAT(collected(as_user).gaps, Contains(Field(&Gap::code, "other-users-processes")));
}

TEST(Collect, AnotherPidNamespaceHidesHolders) {
  Machine source;
  source.link("/proc/self/ns/pid", "pid:[4026532200]");
  source.table(kOwn, NetTable::Tcp, tcp_line("00000000:0050", 0, 635));
  const Host host = collected(source);
  EXPECT_FALSE(host.listeners.front().owners);
  EXPECT_THAT(host.gaps, Contains(Field(&Gap::code, "pid-namespace")));
}

TEST(Collect, HidepidMattersWithoutTheCapabilityOnly) {
  const char* hidden = "22 27 0:21 / /proc rw - proc proc rw,hidepid=invisible\n";
  Machine root;
  root.file("/proc/self/mountinfo", hidden);
  EXPECT_TRUE(collected(root).gaps.empty());
  Machine user(kUserStatus);
  user.file("/proc/self/mountinfo", hidden);
  EXPECT_THAT(collected(user).gaps, Contains(Field(&Gap::code, "hidepid")));
}

TEST(Collect, OwnersAreReadOnlyIfAsked) {
  Machine source;
  source.table(kOwn, NetTable::Tcp, tcp_line("00000000:0050", 0, 635));
  add_nginx(source, 635);
  const Host host = collected(source, {.identity = true, .owners = false, .netns = "all"});
  EXPECT_FALSE(host.listeners.front().owners);
  EXPECT_TRUE(host.processes.empty());
  EXPECT_TRUE(source.wanted().empty());
  EXPECT_THAT(host.gaps, Contains(Field(&Gap::code, "owners-not-asked")));
}

/// Adds namespace "blue", mounted in /run/netns, with process 50 in it.
void add_blue(FakeSource& source) {
  source.file("/proc/self/mountinfo",
              "22 27 0:21 / /proc rw - proc proc rw\n"
              "30 22 0:4 net:[4026532177] /run/netns/blue rw shared:1 - nsfs nsfs rw\n");
  source.namespaces(PartsBuilder()
                        .pid(1)
                        .inode(ProcessPart::NetnsInode, kOwn)
                        .pid(50)
                        .inode(ProcessPart::NetnsInode, kOther)
                        .done());
}

TEST(Collect, NamespacesAreNamedAndChosen) {
  Machine source;
  add_blue(source);
  source.table(kOwn, NetTable::Tcp, tcp_line("00000000:0050", 0, 1));
  source.table(kOther, NetTable::Tcp, tcp_line("00000000:0051", 0, 2));
  const Host all = collected(source);
  ASSERT_EQ(all.namespaces.size(), 2U);
  EXPECT_TRUE(all.namespaces[0].own);
  EXPECT_EQ(all.namespaces[1].name, "blue");
  EXPECT_EQ(all.namespaces[1].inode, kOther);
  EXPECT_EQ(all.listeners.size(), 2U);
  for (const char* asked : {"blue", "50", "/run/netns/blue", "/var/run/netns/blue",
                            "net:[4026532177]", "/proc/50/ns/net"}) {
    source.link("/proc/50/ns/net", "net:[4026532177]");
    const Host one = collected(source, {.identity = true, .owners = true, .netns = asked});
    ASSERT_EQ(one.listeners.size(), 1U) << asked;
    EXPECT_EQ(one.listeners.front().port, 81) << asked;
  }
  for (const char* asked : {"self", "host", "1"}) {
    const Host one = collected(source, {.identity = true, .owners = true, .netns = asked});
    ASSERT_EQ(one.listeners.size(), 1U) << asked;
    EXPECT_EQ(one.listeners.front().port, 80) << asked;
  }
}

TEST(Collect, AnUnknownNamespaceIsAnErrorWithTheNearest) {
  Machine source;
  add_blue(source);
  const auto host = collect(source, {.identity = true, .owners = true, .netns = "bleu"});
  ASSERT_FALSE(host);
  EXPECT_EQ(host.error().what, "--netns bleu");
  EXPECT_THAT(host.error().hint, HasSubstr("blue"));
  EXPECT_FALSE(collect(source, {.identity = true, .owners = true, .netns = "4711"}));
  EXPECT_FALSE(collect(source, {.identity = true, .owners = true, .netns = "/etc/passwd"}));
}

TEST(Collect, ANamespaceThatMayNotBeEnteredIsReadThroughAProcess) {
  Machine source(kUserStatus);
  add_blue(source);
  source.refuse_netns(kOther, EPERM);
  source.table_of_process(50, NetTable::Tcp6,
                          tcp_line("00000000000000000000000000000000:0051", 0, 2));
  const Host host = collected(source);
  ASSERT_EQ(host.listeners.size(), 1U);
  EXPECT_EQ(host.at(host.listeners.front().netns).seen_through_pid, 50U);
  EXPECT_FALSE(host.listeners.front().v6only) << "no table tells";
  EXPECT_FALSE(host.listeners.front().interface_known);
  EXPECT_THAT(host.gaps, Contains(Field(&Gap::code, "netns-not-entered")));
}

TEST(Collect, NamespacesWithoutNamesAreToldApartByTheirTables) {
  Machine source(kUserStatus);
  source.namespaces(PartsBuilder()
                        .pid(1)
                        .failed(ProcessPart::NetnsInode, EACCES)
                        .inode(ProcessPart::NetProcInode, 11)
                        .pid(40)
                        .inode(ProcessPart::NetnsInode, kOwn)
                        .inode(ProcessPart::NetProcInode, 11)
                        .pid(50)
                        .failed(ProcessPart::NetnsInode, EACCES)
                        .inode(ProcessPart::NetProcInode, 22)
                        .pid(51)
                        .failed(ProcessPart::NetnsInode, EACCES)
                        .inode(ProcessPart::NetProcInode, 22)
                        .done());
  source.table_of_process(50, NetTable::Tcp, tcp_line("00000000:0051", 0, 2));
  const Host host = collected(source);
  ASSERT_EQ(host.namespaces.size(), 2U) << "process 1 shares ours, 50 and 51 share one";
  EXPECT_EQ(host.namespaces[0].name, "host");
  EXPECT_FALSE(host.namespaces[1].inode);
  EXPECT_EQ(host.listeners.size(), 1U);
}

TEST(Collect, ANamespaceThatWentAwayMeanwhileIsLeftOut) {
  Machine source;
  add_blue(source);
  source.refuse_netns(kOther, ESTALE);
  const Host host = collected(source);
  EXPECT_EQ(host.namespaces.size(), 1U);
  EXPECT_TRUE(host.gaps.empty());
}

TEST(Collect, ANamespaceHeldByADescriptorOnlyIsFound) {
  Machine source;
  source.descriptors(PartsBuilder().pid(1).pairs(ProcessPart::NetnsFds, {{5, 4026532177}}).done());
  source.table(kOther, NetTable::Tcp, tcp_line("00000000:0051", 0, 2));
  const Host host = collected(source);
  ASSERT_EQ(host.namespaces.size(), 2U);
  ASSERT_EQ(host.listeners.size(), 1U);
  EXPECT_EQ(host.at(host.listeners.front().netns).inode, kOther);
}

TEST(Collect, DatagramPortsOfTheLocalRangeAreProbableClients) {
  Machine source;
  source.table(kOwn, NetTable::Udp, udp_line("00000000:0035", 1) + udp_line("00000000:C000", 2));
  const Host host = collected(source);
  ASSERT_EQ(host.listeners.size(), 2U);
  EXPECT_FALSE(host.listeners[0].probable_client);
  EXPECT_TRUE(host.listeners[1].probable_client);
}

TEST(Collect, WithoutProcTheSocketsOfOurOwnNamespaceRemain) {
  FakeSource source;
  source.table(0, NetTable::Tcp, tcp_line("00000000:0050", 0, 635));
  const Host host = collected(source);
  ASSERT_EQ(host.listeners.size(), 1U);
  EXPECT_FALSE(host.listeners.front().owners);
  EXPECT_THAT(host.gaps, Contains(Field(&Gap::code, "no-proc")));
}

TEST(Collect, MalformedTablesAreGapsNotRows) {
  Machine source;
  source.table(kOwn, NetTable::Tcp, "   0: nonsense\n");
  const Host host = collected(source);
  EXPECT_TRUE(host.listeners.empty());
  EXPECT_THAT(host.gaps, Contains(Field(&Gap::code, "sockets-not-read")));
}

TEST(Collect, GapsAreInOrderAndOnce) {
  Machine source(kUserStatus);
  add_blue(source);
  source.refuse_netns(kOther, EPERM);
  source.descriptors(PartsBuilder().pid(1).failed(ProcessPart::Sockets, EACCES).done());
  const Host host = collected(source);
  EXPECT_TRUE(std::ranges::is_sorted(host.gaps));
  EXPECT_EQ(std::ranges::adjacent_find(host.gaps), host.gaps.end());
}

}  // namespace
}  // namespace hark::host
