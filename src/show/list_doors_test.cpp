// What a row says of doors, and of who started a process.
#include <gtest/gtest.h>

#include "show/list_facts.h"
#include "show/list_rows.h"
#include "show/test_host.h"

namespace hark::show {
namespace {

using testing::HostBuilder;

host::Door door_to_web() {
  return {.kind = "docker-proxy",
          .address = IpAddress::parse("172.17.0.2"),
          .ports = {{Protocol::Tcp, 8080, 8080, 80}},
          .container = host::Container{"docker", "0123456789abcdef", "web"}};
}

TEST(Doors, Words) {
  HostBuilder b;
  const auto dockerd = b.process(800, "dockerd", "docker.service");
  const auto proxy = b.process(812, "docker-proxy", "docker.service");
  b.owned(Protocol::Tcp, "0.0.0.0", 8080, {proxy});
  b.at(proxy).door = door_to_web();
  const auto who = [&](bool ascii = true) {
    return who_words(b.host(), {{0}, {8080}, false}, ascii);
  };
  EXPECT_EQ(who(), "docker-proxy (812) -> web (172.17.0.2:80)");
  EXPECT_EQ(who(false), "docker-proxy (812) " + testing::utf8(0x2192) + " web (172.17.0.2:80)");
  b.host().listeners[0].owners->insert(b.host().listeners[0].owners->begin(), {dockerd, {9}});
  EXPECT_EQ(who(), "docker-proxy (812 +1) -> web (172.17.0.2:80)") << "not its maker";
  host::Door& door = *b.at(proxy).door;
  door.container->name = "we -> b";
  EXPECT_EQ(who(), "docker-proxy (812 +1) -> \"we -> b\" (172.17.0.2:80)");
  door.container.reset();
  EXPECT_EQ(who(), "docker-proxy (812 +1) -> 172.17.0.2:80");
  door.ports.clear();
  EXPECT_EQ(who(), "docker-proxy (812 +1) -> 172.17.0.2");
  door.container = host::Container{"docker", "0123456789abcdef", ""};
  door.address.reset();
  EXPECT_EQ(who(), "docker-proxy (812 +1) -> 0123456789ab");
  door.ports = {{Protocol::Tcp, 8080, 8080, 80}};
  EXPECT_EQ(who(), "docker-proxy (812 +1) -> 0123456789ab (port 80)");
  door.container.reset();
  EXPECT_EQ(who(), "docker-proxy (812 +1)  docker.service") << "it is not known where it leads";
  door.netns = 7;
  EXPECT_EQ(who(), "docker-proxy (812 +1) -> net:[7] (port 80)")
      << "a namespace that is no container";
  door.netns_name = "blue";
  EXPECT_EQ(who(), "docker-proxy (812 +1) -> blue (port 80)");
}

TEST(Doors, ToDifferentPlacesStayApart) {
  HostBuilder b;
  const auto door = [&](std::uint32_t pid, std::uint16_t port, const char* address,
                        std::uint16_t target, const char* bound = "0.0.0.0") {
    const auto proxy = b.process(pid, "docker-proxy", "docker.service");
    b.owned(Protocol::Tcp, bound, port, {proxy});
    b.at(proxy).door = door_to_web();
    b.at(proxy).door->address = IpAddress::parse(address);
    b.at(proxy).door->ports = {{Protocol::Tcp, port, port, target}};
  };
  door(1, 443, "172.17.0.2", 443);
  door(2, 80, "172.17.0.2", 80);
  door(3, 8080, "172.17.0.2", 80);
  door(4, 8081, "172.17.0.3", 81);
  door(5, 8080, "172.17.0.2", 80, "::");
  for (auto& process : b.host().processes) {
    process.door->container->id = process.pid == 4 ? "other" : "same";
  }
  std::string rows;
  for (const ListRow& row : fold(b.host(), b.all(), {}, false)) {
    rows += port_words(b.host(), row) + "|" + who_words(b.host(), row, true) + "\n";
  }
  EXPECT_EQ(rows,
            "80,443|docker-proxy (2 +1) -> web (172.17.0.2:80,443)\n"
            "8080|docker-proxy (3 +1) -> web (172.17.0.2:80)\n"
            "8081|docker-proxy (4) -> web (172.17.0.3:81)\n");
}

TEST(StartedBy, Words) {
  using Role = host::AncestorRole;
  host::Process p;
  EXPECT_EQ(started_by_words(p), std::nullopt);
  p.started_by.emplace();
  EXPECT_EQ(started_by_words(p), "");
  p.started_by = {{.pid = 9, .name = "node"}, {.pid = 8, .name = "make"}};
  EXPECT_EQ(started_by_words(p), "node");
  p.started_by->push_back({.pid = 7, .name = "bash", .role = Role::Shell});
  p.started_by->push_back({.pid = 6, .name = "sshd"});
  p.started_by->push_back({.pid = 1, .name = "systemd", .role = Role::ServiceManager});
  EXPECT_EQ(started_by_words(p), "bash, systemd");
  p.started_by = {{.role = Role::Outside}};
  EXPECT_EQ(started_by_words(p), "outside this pid namespace");
}

}  // namespace
}  // namespace hark::show
