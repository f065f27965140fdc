#include "host/bind_facts.h"

#include <gmock/gmock.h>

#include "base/option_parts.h"
#include "base/parts.h"
#include "host/fake_source.h"

namespace hark::host {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::uint64_t kNetns = 77;
constexpr const char* kStatus = "Name:\thark\nUid:\t1000\t1000\t1000\t1000\nCapEff:\t";

class Facts : public ::testing::Test {
 protected:
  kernel::NetnsRef netns_{.inode = kNetns, .paths = {}};
  FakeSource source_;

  void setting(const char* name, const char* text) {
    source_.net_file(kNetns, std::string("/proc/sys/net/") + name, text);
  }

  static Bytes bound(const std::vector<BindEntry>& sockets) {
    Bytes out;
    append_part(out, static_cast<std::uint16_t>(BoundPart::Sockets),
                std::as_bytes(std::span(sockets)));
    return out;
  }

  static BindEntry socket(std::uint16_t port, std::uint32_t inode, std::uint8_t state = 10) {
    BindEntry out;
    out.port = port;
    out.inode = inode;
    out.family = 2;
    out.state = state;
    out.address = {10, 0, 0, 1};
    return out;
  }

  void dumps(std::uint16_t first, std::uint16_t last) {
    for (const Family family : {Family::Inet, Family::Inet6}) {
      source_.answer(kNetns, 4, decode::bound_request(family, Protocol::Tcp, first, last), {});
    }
  }
};

TEST_F(Facts, SettingsOfTheNamespace) {
  setting("ipv4/ip_unprivileged_port_start", "80\n");
  setting("ipv4/ip_local_port_range", "20000\t30000\n");
  setting("ipv4/ip_local_reserved_ports", "8080,9148-9200\n");
  setting("ipv4/ip_nonlocal_bind", "1\n");
  setting("ipv6/bindv6only", "0\n");
  const BindSettings settings = read_bind_settings(source_, netns_);
  EXPECT_EQ(settings.first_free, 80);
  EXPECT_EQ(settings.local_ports, (decode::PortRange{20000, 30000}));
  EXPECT_THAT(settings.reserved,
              ElementsAre(decode::PortRange{8080, 8080}, decode::PortRange{9148, 9200}));
  EXPECT_EQ(settings.nonlocal4, true);
  EXPECT_EQ(settings.nonlocal6, std::nullopt);
  EXPECT_EQ(settings.v6only, false);
  EXPECT_TRUE(settings.has_ipv6);
  EXPECT_FALSE(read_bind_settings(source_, {.inode = 1, .paths = {}}).has_ipv6);
}

TEST_F(Facts, WhoWouldBind) {
  source_.file("/etc/passwd", "root:x:0:0::/root:/bin/sh\nada:x:1000:1000::/:/bin/sh\n");
  source_.file("/proc/self/status", std::string(kStatus) + "0000000000000000\n");
  const auto own = read_bind_user(source_, "");
  ASSERT_TRUE(own);
  EXPECT_EQ(own->uid, 1000U);
  EXPECT_EQ(own->name, "ada");
  EXPECT_EQ(own->low_ports, false);
  EXPECT_EQ(read_bind_user(source_, "root")->low_ports, true);
  EXPECT_EQ(read_bind_user(source_, "61001")->low_ports, false);
  const auto nobody = read_bind_user(source_, "adaa");
  ASSERT_FALSE(nobody);
  EXPECT_EQ(nobody.error().hint, "did you mean ada");
}

TEST_F(Facts, RightsInAUserNamespaceAreNotRightsOverEveryNetwork) {
  source_.file("/proc/self/status", std::string(kStatus) + "0000000000000400\n");
  source_.file("/proc/self/uid_map", "         0          0 4294967295\n");
  EXPECT_EQ(read_bind_user(source_, "")->low_ports, true);
  source_.file("/proc/self/uid_map", "         0       1000          1\n");
  EXPECT_EQ(read_bind_user(source_, "")->low_ports, std::nullopt);
}

TEST_F(Facts, TheKernelsTablesAreBelievedWhereSockDiagAgrees) {
  dumps(7980, 8180);
  source_.bound({.netns = netns_, .protocol = Protocol::Tcp, .port = 8080},
                bound({socket(8080, 0, 6)}));
  const PortSockets agreed = read_port_sockets(source_, netns_, Protocol::Tcp, 8080);
  EXPECT_TRUE(agreed.exact);
  EXPECT_EQ(agreed.sockets.size(), 1U);
  source_.bound({.netns = netns_, .protocol = Protocol::Tcp, .port = 8080},
                bound({socket(8080, 635)}));
  const PortSockets denied = read_port_sockets(source_, netns_, Protocol::Tcp, 8080);
  EXPECT_FALSE(denied.exact);
  EXPECT_THAT(denied.sockets, IsEmpty());
  EXPECT_FALSE(denied.error);
}

TEST_F(Facts, WithoutAnAnswerThereIsAnError) {
  const PortSockets none = read_port_sockets(source_, netns_, Protocol::Tcp, 8080);
  ASSERT_TRUE(none.error);
  EXPECT_EQ(none.error->code, ENOENT);
}

TEST_F(Facts, SocketsWhoseOwnersAreWanted) {
  PortSockets found;
  for (const BindEntry& one :
       {socket(8080, 635), socket(8080, 636, 7), socket(8080, 0, 6), socket(8081, 637, 7)}) {
    auto dump = decode::decode_bound_sockets(bound({one}), Protocol::Tcp);
    ASSERT_TRUE(dump);
    found.sockets.push_back(dump->sockets.front());
  }
  std::vector<Listener> listed(1);
  listed[0].socket.inode = 635;
  const std::vector<Listener> more = more_to_own(found, 8080, NetnsId{0}, listed);
  ASSERT_EQ(more.size(), 1U);
  EXPECT_EQ(more[0].socket.inode, 636U);
}

TEST_F(Facts, FlagsComeFromTheHolderWhereTheKernelDoesNotTellThem) {
  Host host;
  host.namespaces.emplace_back();
  host.processes.emplace_back().pid = 812;
  Listener& listener = host.listeners.emplace_back();
  listener.socket.inode = 635;
  listener.owners.emplace().push_back({.process = ProcessId{0}, .fds = {6}});
  Bytes options;
  const std::int32_t one = 1;
  append_part(options, static_cast<std::uint16_t>(OptionPart::ReuseAddress),
              std::as_bytes(std::span(&one, 1)));
  source_.options({.pid = 812, .fd = 6, .inode = 635}, options);
  PortSockets found;
  found.sockets.resize(2);
  for (decode::BoundRecord& record : found.sockets) record.socket.local_port = 8080;
  found.sockets[0].socket.inode = 635;
  const BindFacts facts =
      join_bind_facts(source_, netns_, host, NetnsId{0}, 8080, std::move(found), {});
  EXPECT_EQ(facts.sockets[0].listener, 0U);
  EXPECT_EQ(facts.sockets[0].bound.reuse, true);
  EXPECT_EQ(facts.sockets[0].bound.reuseport, std::nullopt);
  EXPECT_EQ(facts.sockets[1].bound.reuse, std::nullopt);
  EXPECT_EQ(facts.refused.sockets, 0U);
}

TEST_F(Facts, SecurityModulesAreAGap) {
  EXPECT_THAT(join_bind_facts(source_, netns_, {}, NetnsId{0}, 80, {}, {}).gaps, IsEmpty());
  source_.file("/proc/self/attr/current", "unconfined\n");
  EXPECT_THAT(join_bind_facts(source_, netns_, {}, NetnsId{0}, 80, {}, {}).gaps, IsEmpty());
  source_.file("/proc/self/attr/current", "docker-default (enforce)\n");
  EXPECT_EQ(join_bind_facts(source_, netns_, {}, NetnsId{0}, 80, {}, {}).gaps.at(0).code,
            "apparmor-not-asked");
  source_.file("/sys/fs/selinux/enforce", "1");
  EXPECT_EQ(join_bind_facts(source_, netns_, {}, NetnsId{0}, 80, {}, {}).gaps.at(0).code,
            "selinux-not-asked");
}

}  // namespace
}  // namespace hark::host
