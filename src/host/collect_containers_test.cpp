// collect() where containers run: their names, the doors that lead to them, who started what.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>

#include "host/collect.h"
#include "host/fake_source.h"

namespace hark::host {
namespace {

using kernel::NetTable;
using ::testing::Contains;
using ::testing::Field;
using ::testing::Not;

constexpr std::uint64_t kOwn = 4026531833;
constexpr std::uint64_t kInside = 4026532177;
const std::string kId(64, 'a');

std::string tcp_line(std::string_view address_port, unsigned inode) {
  return "   0: " + std::string(address_port) +
         " 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 " + std::to_string(inode) +
         " 1 0000000000000000 100 0 0 10 0\n";
}

std::string stat_line(std::uint32_t pid, const std::string& name, std::uint32_t parent,
                      std::uint64_t start, int tty = 0) {
  return std::to_string(pid) + " (" + name + ") S " + std::to_string(parent) + " 1 1 " +
         std::to_string(tty) + " -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 " + std::to_string(start) +
         " 0 0\n";
}

/// As /proc/PID/cmdline has them.
std::string nul_parted(std::string words) {
  std::ranges::replace(words, ' ', '\0');
  return words;
}

/// A process as read_processes tells of it, and its files of /proc.
struct Actor {
  std::uint32_t pid;
  std::string name;
  std::string cgroup;
  std::uint32_t socket;
  std::string command_line = {};
  std::uint32_t parent = 1;
};

/// A docker host: dockerd's proxy on 8080, web (pid 900) on 80 in a namespace of its own.
struct DockerHost : FakeSource {
  DockerHost() {
    file("/proc/self/mountinfo", "22 27 0:21 / /proc rw - proc proc rw\n");
    file("/proc/self/status", "Uid:\t0\t0\t0\t0\nCapEff:\t000001ffffffffff\n");
    link("/proc/self/ns/net", "net:[4026531833]");
    link("/proc/self/ns/mnt", "mnt:[4026531832]");
    link("/proc/self/ns/pid", "pid:[4026531836]");
    link("/proc/1/ns/net", "net:[4026531833]");
    file("/proc/900/cgroup", "0::/system.slice/docker-" + kId + ".scope\n");
    namespaces(PartsBuilder()
                   .pid(1)
                   .inode(ProcessPart::NetnsInode, kOwn)
                   .pid(812)
                   .inode(ProcessPart::NetnsInode, kOwn)
                   .pid(900)
                   .inode(ProcessPart::NetnsInode, kInside)
                   .done());
    file("/var/lib/docker/containers/" + kId + "/config.v2.json",
         R"({"ID":")" + kId +
             R"(","Name":"/web","Config":{"Image":"nginx:1.25"},"NetworkSettings":{"Networks":
             {"bridge":{"IPAddress":"172.17.0.2"}}}})");
    folder("/var/lib/docker/containers", {kId});
    table(kOwn, NetTable::Tcp, tcp_line("00000000:1F90", 635));
    table(kInside, NetTable::Tcp, tcp_line("00000000:0050", 700));
    actors({{812, "docker-proxy", "/system.slice/docker.service", 635,
             nul_parted("/usr/bin/docker-proxy -proto tcp -host-ip 0.0.0.0 -host-port 8080 "
                        "-container-ip 172.17.0.2 -container-port 80 ")},
            {900, "nginx", "/system.slice/docker-" + kId + ".scope", 700}});
  }

  void actors(const std::vector<Actor>& all) {
    PartsBuilder held;
    PartsBuilder facts;
    for (const Actor& one : all) {
      held.pid(one.pid).pairs(ProcessPart::Sockets, {{6, one.socket}});
      facts.pid(one.pid)
          .pairs(ProcessPart::Sockets, {{6, one.socket}})
          .text(ProcessPart::Stat, stat_line(one.pid, one.name, one.parent, 100))
          .text(ProcessPart::Cgroup, "0::" + one.cgroup + "\n")
          .text(ProcessPart::Cmdline, one.command_line);
      file("/proc/" + std::to_string(one.pid) + "/stat",
           stat_line(one.pid, one.name, one.parent, 100));
    }
    descriptors(held.done());
    processes(facts.done());
  }
};

Host collected(FakeSource& source, const CollectRequest& request = {}) {
  auto host = collect(source, request);
  EXPECT_TRUE(host) << host.error().what << ": " << reason(host.error());
  return host ? std::move(*host) : Host{};
}

const Listener& on_port(const Host& host, std::uint16_t port) {
  for (const Listener& listener : host.listeners) {
    if (listener.port == port) return listener;
  }
  ADD_FAILURE() << "no listener on " << port;
  return host.listeners.front();
}

TEST(CollectContainers, NamesOfListenersProcessesAndNamespaces) {
  DockerHost source;
  const Host host = collected(source);
  const Container web{.runtime = "docker", .id = kId, .name = "web", .image = "nginx:1.25"};
  const Listener& inside = on_port(host, 80);
  EXPECT_EQ(inside.container, web);
  ASSERT_TRUE(inside.owners && inside.owners->size() == 1);
  EXPECT_EQ(host.at(inside.owners->front().process).container, web);
  EXPECT_EQ(host.at(inside.netns).name, "web");
  EXPECT_THAT(host.gaps, Not(Contains(Field(&Gap::code, "container-names"))));
  EXPECT_EQ(source.reads().at("/var/lib/docker/containers/" + kId + "/config.v2.json"), 1);
}

TEST(CollectContainers, ANamespaceIsAskedForByItsContainersName) {
  DockerHost source;
  const Host host = collected(source, {.netns = "web"});
  ASSERT_EQ(host.listeners.size(), 1U);
  EXPECT_EQ(host.listeners.front().port, 80);
}

/// A list has all of them; a question is about one, and is not guessed at.
TEST(CollectContainers, AQuestionIsNotAboutTwoContainers) {
  constexpr std::uint64_t kTwin = 4026532178;
  const std::string other(64, 'b');
  DockerHost source;
  source.file("/proc/901/cgroup", "0::/system.slice/docker-" + other + ".scope\n");
  source.namespaces(PartsBuilder()
                        .pid(900)
                        .inode(ProcessPart::NetnsInode, kInside)
                        .pid(901)
                        .inode(ProcessPart::NetnsInode, kTwin)
                        .done());
  source.file("/var/lib/docker/containers/" + other + "/config.v2.json",
              R"({"ID":")" + other + R"(","Name":"/web","Config":{"Image":"nginx:1.25"}})");
  source.folder("/var/lib/docker/containers", {kId, other});
  for (const char* asked : {"web", "container:web"}) {
    const auto two = collect(source, {.focus = asked});
    ASSERT_FALSE(two) << asked;
    EXPECT_EQ(two.error().what, "--netns " + std::string(asked));
    EXPECT_EQ(reason(two.error()), "2 network namespaces are called so");
    EXPECT_EQ(two.error().hint, "say --netns with 900 or 901");
    EXPECT_EQ(collected(source, {.netns = asked}).namespaces.size(), 2U);
  }
  const Host one = collected(source, {.focus = "container:" + other.substr(0, 12)});
  EXPECT_EQ(one.namespaces.size(), 3U);
}

TEST(CollectContainers, ANameThatARuntimeMadeUpIsNone) {
  DockerHost source;
  const auto mounted_as = [&](const std::string& name) {
    source.file("/proc/self/mountinfo",
                "22 27 0:21 / /proc rw - proc proc rw\n30 22 0:4 net:[4026532177] /run/netns/" +
                    name + " rw - nsfs nsfs rw\n");
    const Host host = collected(source);
    return host.at(on_port(host, 80).netns).name;
  };
  EXPECT_EQ(mounted_as("netns-1d15ff53-63d7-9dc1-ec0a-ea8687868b27"), "web");
  EXPECT_EQ(mounted_as("cni-1d15ff53-63d7-9dc1-ec0a-ea8687868b27"), "web");
  EXPECT_EQ(mounted_as("netns-1"), "netns-1");
  EXPECT_EQ(mounted_as("netns-1d15ff53-63d7-9dc1-ec0a-of-the-kitchen"),
            "netns-1d15ff53-63d7-9dc1-ec0a-of-the-kitchen");
}

TEST(CollectContainers, AContainerIsNotTakenForTheHost) {
  DockerHost source;
  source.file("/var/lib/docker/containers/" + kId + "/config.v2.json",
              R"({"ID":")" + kId + R"(","Name":"/host"})");
  const Host host = collected(source);
  EXPECT_EQ(host.at(on_port(host, 80).netns).name, "docker:host");
  EXPECT_EQ(collected(source, {.netns = "host"}).listeners.size(), 1U);
}

TEST(CollectContainers, TheNamespaceOfAPodHasThePodsName) {
  DockerHost source;
  source.file("/var/lib/docker/containers/" + kId + "/config.v2.json",
              R"({"ID":")" + kId + R"(","Name":"/k8s_x","Config":{"Labels":{
                 "io.kubernetes.container.name":"api","io.kubernetes.pod.name":"api-0"}}})");
  const Host host = collected(source);
  EXPECT_EQ(host.at(on_port(host, 80).netns).name, "api-0");
  EXPECT_EQ(on_port(host, 80).container->name, "api");
}

TEST(CollectContainers, WithoutTheRightTheIdStays) {
  DockerHost source;
  source.refuse("/var/lib/docker/containers/" + kId + "/config.v2.json", EACCES);
  source.refuse("/var/lib/docker/containers", EACCES);
  const Host host = collected(source);
  EXPECT_EQ(on_port(host, 80).container->id, kId);
  EXPECT_EQ(on_port(host, 80).container->name, "");
  EXPECT_EQ(host.at(on_port(host, 80).netns).name, kId.substr(0, 12));
  EXPECT_THAT(host.gaps, Contains(Field(&Gap::code, "container-names")));
}

TEST(CollectContainers, TheProxyIsADoorAndNotInTheContainer) {
  DockerHost source;
  const Host host = collected(source);
  const Listener& outside = on_port(host, 8080);
  EXPECT_EQ(outside.unit, "docker.service");
  EXPECT_FALSE(outside.container);
  ASSERT_TRUE(outside.owners && outside.owners->size() == 1);
  const Process& proxy = host.at(outside.owners->front().process);
  EXPECT_FALSE(proxy.container);
  ASSERT_TRUE(proxy.door);
  EXPECT_EQ(proxy.door->kind, "docker-proxy");
  ASSERT_TRUE(proxy.door->container);
  EXPECT_EQ(proxy.door->container->name, "web");
  EXPECT_FALSE(host.at(on_port(host, 80).owners->front().process).door);
}

TEST(CollectContainers, ParentsAreReadForDetailsOnly) {
  DockerHost source;
  source.file("/proc/1/stat", stat_line(1, "systemd", 0, 1));
  const auto parents = [&source](bool details) {
    const Host host = collected(source, {.details = details});
    return host.at(on_port(host, 80).owners->front().process).started_by;
  };
  EXPECT_FALSE(parents(false));
  EXPECT_FALSE(source.reads().contains("/proc/1/stat"));
  const std::vector<Ancestor> expected = {
      {.pid = 1, .name = "systemd", .role = AncestorRole::ServiceManager}};
  EXPECT_EQ(parents(true), expected);
}

TEST(CollectContainers, AHostWithoutContainersReadsNoState) {
  DockerHost source;
  source.actors({{812, "nginx", "/system.slice/nginx.service", 635}});
  source.file("/proc/900/cgroup", "0::/system.slice/x.service\n");
  (void)collected(source);
  for (const auto& [path, count] : source.reads()) {
    EXPECT_TRUE(path.starts_with("/proc/") || path == "/etc/passwd") << path;
  }
}

}  // namespace
}  // namespace hark::host
