#include "host/doors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "host/fake_source.h"

namespace hark::host {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::uint64_t kOwn = 4026531833;
constexpr std::uint64_t kInside = 4026532177;
const std::string kId(64, 'a');
const Container kWeb{.runtime = "docker", .id = kId, .name = "web", .image = "nginx:1"};

std::string netns_link(std::uint64_t inode) {
  return "net:[" + std::to_string(inode) + "]";
}

/// A host with the container web: process 900, in a namespace of its own.
class Doors : public ::testing::Test {
 protected:
  Doors() {
    source_.file("/proc/900/cgroup", "0::/system.slice/docker-" + kId + ".scope\n");
    source_.link("/proc/900/ns/net", netns_link(kInside));
    source_.folder("/var/lib/docker/containers", {kId});
    source_.file("/var/lib/docker/containers/" + kId + "/config.v2.json",
                 R"({"ID":")" + kId +
                     R"(","Name":"/web","Config":{"Image":"nginx:1"},
                     "NetworkSettings":{"Networks":{"b":{"IPAddress":"172.17.0.2"},
                     "c":{"GlobalIPv6Address":"fd00::2"}}}})");
    source_.namespaces(PartsBuilder()
                           .pid(1)
                           .inode(ProcessPart::NetnsInode, kOwn)
                           .pid(899)
                           .inode(ProcessPart::NetnsInode, kInside)
                           .pid(900)
                           .inode(ProcessPart::NetnsInode, kInside)
                           .done());
    FoundNetns inside;
    inside.ref = {kInside, {"/proc/77/root/run/user/1000/netns/netns-1", "/run/netns/blue"}};
    inside.netns.name = "blue";
    namespaces_.push_back(std::move(inside));
  }

  /// What a process is: `words` parted by blanks; `exe` may be "".
  Rare<Door> door(const std::string& exe, const std::string& words, const std::string& name = "x") {
    Process process;
    process.pid = 50;
    process.name = name;
    if (!exe.empty()) process.exe = exe;
    process.command_line.emplace();
    for (const std::string_view word : split(words, ' ')) process.command_line->emplace_back(word);
    std::vector<Process> processes = {process};
    ContainerNames names(source_);
    find_doors(source_, names, namespaces_, processes);
    return processes.front().door;
  }

  FakeSource source_;
  std::vector<FoundNetns> namespaces_;
};

Listener tcp(std::uint16_t port) {
  Listener out;
  out.port = port;
  return out;
}

TEST_F(Doors, DockerProxy) {
  for (const char* words :
       {"docker-proxy -proto tcp -host-ip 0.0.0.0 -host-port 8080 -container-ip 172.17.0.2 "
        "-container-port 80 -use-listen-fd",
        "/usr/bin/docker-proxy -use-listen-fd --host-port=8080 --container-ip=172.17.0.2 "
        "-container-port=80",
        "anything -host-port 8080 -container-ip 172.17.0.2 -container-port 80 -host-ip :: -proto "
        "tcp"}) {
    const auto found = door("/usr/libexec/docker/docker-proxy", words);
    ASSERT_TRUE(found) << words;
    EXPECT_EQ(found->kind, "docker-proxy");
    EXPECT_EQ(found->container, kWeb) << words;
    EXPECT_EQ(door_port(*found, tcp(8080)), 80) << words;
    EXPECT_EQ(door_target(*found, 80), "172.17.0.2:80");
    EXPECT_EQ(door_port(*found, tcp(8081)), 0);
  }
  const auto six = door("/docker-proxy",
                        "d -proto udp -host-port 53 -container-ip fd00::2 "
                        "-container-port 5353");
  EXPECT_EQ(six->container, kWeb);
  EXPECT_EQ(door_target(*six, 5353), "[fd00::2]:5353");
  Listener udp = tcp(53);
  EXPECT_EQ(door_port(*six, udp), 0) << "the other protocol";
  udp.protocol = Protocol::Udp;
  EXPECT_EQ(door_port(*six, udp), 5353);
}

TEST_F(Doors, DockerProxyToNobodyKnown) {
  const auto found =
      door("/docker-proxy", "d -host-port 1 -container-ip 172.17.0.9 -container-port 2");
  ASSERT_TRUE(found);
  EXPECT_FALSE(found->container);
  EXPECT_EQ(door_target(*found, door_port(*found, tcp(1))), "172.17.0.9:2");
}

TEST_F(Doors, ACommandLineThatTellsNothing) {
  for (const char* words :
       {"", "docker-proxy", "docker-proxy -container-ip", "d -container-ip x",
        "d -container-port 99999 -host-port 0 -proto sctp", "d -", "d --", "d -="}) {
    const auto found = door("/docker-proxy", words);
    ASSERT_TRUE(found) << words;
    EXPECT_EQ(*found, (Door{.kind = "docker-proxy"})) << words;
  }
}

TEST_F(Doors, TheProgramCountsNotWhatItCallsItself) {
  EXPECT_FALSE(door("/usr/bin/nc", "docker-proxy -container-ip 172.17.0.2", "docker-proxy"));
  EXPECT_TRUE(door("/usr/bin/docker-proxy", "nc", "nc"));
  EXPECT_TRUE(door("", "x", "docker-proxy")) << "the executable may not be read";
  EXPECT_FALSE(door("", "docker-proxy", "nc"));
  EXPECT_FALSE(door("/usr/bin/podman", "podman system service"));
  EXPECT_TRUE(door("/usr/bin/podman", "containers-rootlessport"));
}

TEST_F(Doors, TheCommandLineIsReadIfItIsNotThere) {
  Process process;
  process.pid = 50;
  process.name = "docker-proxy";
  source_.file("/proc/50/cmdline", std::string("d\0-container-ip\000172.17.0.2\0", 27));
  std::vector<Process> processes = {process, Process{}};
  processes[1].name = "nginx";
  ContainerNames names(source_);
  find_doors(source_, names, namespaces_, processes);
  EXPECT_EQ(processes[0].door->container, kWeb);
  EXPECT_FALSE(processes[1].door);
  EXPECT_FALSE(source_.reads().contains("/proc/0/cmdline")) << "only a door's is needed";
}

TEST_F(Doors, Slirp4netns) {
  for (const char* words :
       {"/usr/bin/slirp4netns --disable-host-loopback --mtu=65520 --enable-sandbox -c -e 3 -r 4 "
        "--netns-type=path /run/user/1000/netns/netns-1 tap0",
        "slirp4netns --netns-type path -cr4 /run/user/1000/netns/netns-1 tap0",
        "slirp4netns --mtu 65520 -r 3 -a /tmp/x.sock 900 tap0", "slirp4netns -- 900 tap0"}) {
    const auto found = door("/usr/bin/slirp4netns", words);
    ASSERT_TRUE(found) << words;
    EXPECT_EQ(found->kind, "slirp4netns");
    EXPECT_EQ(found->container, kWeb) << words;
    EXPECT_EQ(door_port(*found, tcp(80)), 0);
  }
  source_.link("/proc/50/ns/net", netns_link(kOwn));
  source_.link("/proc/77/ns/net", netns_link(kOwn));
  source_.file("/proc/1/cgroup", "0::/system.slice/docker-" + kId + ".scope\n");
  EXPECT_FALSE(door("/slirp4netns", "s 77 tap0")->container)
      << "a container in the namespace of the door itself";
  EXPECT_FALSE(door("/slirp4netns", "s --netns-type=path netns-1 tap0")->container)
      << "the end of another path";
}

TEST_F(Doors, PastaIsToldByTheNameItWasCalledBy) {
  const auto pasta = door("/usr/bin/passt.avx2", "/usr/bin/pasta -t 8080:80 900");
  ASSERT_TRUE(pasta);
  EXPECT_EQ(pasta->kind, "pasta");
  EXPECT_EQ(pasta->container, kWeb);
  EXPECT_EQ(door_port(*pasta, tcp(8080)), 80);
  EXPECT_EQ(door_target(*pasta, 80), ":80");
  const auto passt = door("/usr/bin/passt.avx2", "passt -t 2222:22 900");
  ASSERT_TRUE(passt);
  EXPECT_EQ(passt->kind, "passt");
  EXPECT_FALSE(passt->container) << "a virtual machine";
  EXPECT_EQ(door_port(*passt, tcp(2222)), 22);
}

TEST_F(Doors, PastaFindsItsNamespace) {
  for (const char* words :
       {"pasta --config-net -t 8080-8080:80-80 -u none -T none -U none --no-map-gw --quiet --netns "
        "/run/user/1000/netns/netns-1",
        "pasta --netns=blue", "pasta -qf --runas 0 -I eth0 900"}) {
    const auto found = door("/usr/bin/pasta", words);
    EXPECT_EQ(found->container, kWeb) << words;
    EXPECT_EQ(found->netns, kInside) << words;
    EXPECT_EQ(found->netns_name, "blue") << words;
  }
  EXPECT_FALSE(door("/usr/bin/pasta", "pasta sleep 900")->container) << "a command";
}

/// A namespace is no container: nobody but its maker knows what runs there.
TEST_F(Doors, IntoANamespaceWithoutAContainer) {
  source_.file("/proc/900/cgroup", "0::/user.slice\n");
  const auto found = door("/usr/bin/pasta", "pasta -t 8080:80 --netns=blue");
  EXPECT_FALSE(found->container);
  EXPECT_EQ(found->netns_name, "blue");
  source_.link("/proc/50/ns/net", netns_link(kInside));
  EXPECT_EQ(door("/usr/bin/pasta", "pasta -t 8080:80 --netns=blue")->netns, 0U) << "its own";
}

TEST_F(Doors, ThroughAChildInTheNamespace) {
  source_.link("/proc/50/ns/net", netns_link(kOwn));
  source_.folder("/proc/50/task", {"50", "51"});
  source_.file("/proc/50/task/50/children", "");
  source_.file("/proc/50/task/51/children", "60 61 ");
  source_.link("/proc/60/ns/net", netns_link(kOwn));
  source_.link("/proc/61/ns/net", netns_link(kInside));
  const auto port = door("/usr/libexec/podman/rootlessport", "rootlessport");
  ASSERT_TRUE(port);
  EXPECT_EQ(port->kind, "rootlessport");
  EXPECT_EQ(port->container, kWeb);
  EXPECT_EQ(door("/usr/bin/pasta", "pasta -t auto sh")->container, kWeb);
  const auto kit = door("/usr/bin/rootlesskit",
                        "rootlesskit --net=slirp4netns --port-driver builtin -p "
                        "127.0.0.1:8080:80/tcp --debug dockerd -p 9:9/tcp");
  EXPECT_EQ(kit->container, kWeb);
  EXPECT_THAT(kit->ports, ElementsAre(DoorPorts{Protocol::Tcp, 8080, 8080, 80}));
}

TEST_F(Doors, AHostWithoutDoorsReadsNothing) {
  EXPECT_FALSE(door("/usr/sbin/nginx", "nginx: master", "nginx"));
  EXPECT_THAT(source_.reads(), IsEmpty());
}

struct SpecCase {
  const char* spec;
  std::vector<DoorPorts> ports;
};

TEST(PastaPorts, AsTheManualHasThem) {
  constexpr Protocol kTcp = Protocol::Tcp;
  const DoorPorts every{kTcp, 1, 65535, 1};
  const SpecCase cases[] = {
      {"none", {}},
      {"all", {every}},
      {"auto", {every}},
      {"22", {{kTcp, 22, 22, 22}}},
      {"22:23", {{kTcp, 22, 22, 23}}},
      {"22,25", {{kTcp, 22, 22, 22}, {kTcp, 25, 25, 25}}},
      {"22-80:32-90", {{kTcp, 22, 80, 32}}},
      {"192.0.2.1%eth0/22", {{kTcp, 22, 22, 22}}},
      {"::1/20-30,~25", {{kTcp, 20, 30, 20}}},
      {"~20000-20010", {every}},
      {"60000-65535:1-5536", {{kTcp, 60000, 65535, 1}}},
      {"1-65535:2-65535", {}},
      {"80-22,x,0,70000,22:x,:,-", {}},
      {"", {every}},
  };
  for (const SpecCase& one : cases) EXPECT_EQ(pasta_ports(one.spec, kTcp), one.ports) << one.spec;
}

TEST(RootlesskitPort, AsItsHelpHasIt) {
  struct Case {
    const char* spec;
    std::optional<DoorPorts> port;
  };
  const DoorPorts usual{Protocol::Tcp, 8080, 8080, 80};
  const Case cases[] = {
      {"127.0.0.1:8080:80/tcp", usual},
      {"8080:80/tcp", usual},
      {"8080:80/tcp4", usual},
      {"8080:10.0.2.100:80/tcp", usual},
      {"[::1]:8080:80/tcp6", usual},
      {"0.0.0.0:8080:[fd00::2]:80/tcp", usual},
      {"53:5353/udp", DoorPorts{Protocol::Udp, 53, 53, 5353}},
      {"8080:80/sctp", {}},
      {"8080:80", {}},
      {"80/tcp", {}},
      {"x:80/tcp", {}},
      {"8080:/tcp", {}},
      {"/", {}},
      {"", {}},
  };
  for (const Case& one : cases) EXPECT_EQ(rootlesskit_port(one.spec), one.port) << one.spec;
}

/// Where a listener of a program with this command line leads.
struct Forwarder {
  const char* exe;
  const char* words;
  std::uint16_t port;
  const char* leads;  ///< empty: it is no door, or says nothing of that port
};

TEST_F(Doors, ForwardersSayWhereTo) {
  constexpr Forwarder kForwarders[] = {
      {"/usr/bin/socat", "socat -d TCP-LISTEN:8080,fork,reuseaddr TCP:10.0.0.5:5432", 8080,
       "10.0.0.5:5432"},
      {"/usr/bin/socat1", "socat UNIX-CONNECT:/run/app.sock TCP4-LISTEN:81,bind=127.0.0.1", 81,
       "/run/app.sock"},
      {"/usr/bin/socat", "socat TCP6-LISTEN:443 TCP6:[fd00::2]:443,nodelay", 443, "[fd00::2]:443"},
      {"/usr/bin/socat", "socat TCP-L:7 EXEC:/bin/cat", 7, "exec:/bin/cat"},
      {"/usr/bin/socat", "socat - TCP:10.0.0.5:80", 80, ""},
      {"/usr/lib/systemd/systemd-socket-proxyd", "systemd-socket-proxyd 10.0.0.5:5432", 5432,
       "10.0.0.5:5432"},
      {"/usr/lib/systemd/systemd-socket-proxyd", "p -c 9 --exit-idle-time 5s web", 81, "web:80"},
      {"/usr/lib/systemd/systemd-socket-proxyd", "p /run/app.sock", 81, "/run/app.sock"},
      {"/usr/bin/kubectl", "kubectl -n shop port-forward svc/web 8080:80", 8080, "shop/svc/web:80"},
      {"/usr/bin/kubectl", "kubectl port-forward pod/a 5000 6000:60", 6000, "pod/a:60"},
      {"/usr/bin/kubectl", "kubectl port-forward --address 0.0.0.0 pod/a 5000", 5000, "pod/a:5000"},
      {"/usr/bin/kubectl", "kubectl proxy --port 8001", 8001, ""},
      {"/usr/bin/ssh", "ssh -fN -L 8080:db:5432 bastion", 8080, "db:5432 through bastion"},
      {"/usr/bin/ssh", "ssh bastion -L127.0.0.1:81:/run/x.sock -p 22", 81,
       "/run/x.sock through bastion"},
      {"/usr/bin/ssh", "ssh -D [::1]:1080 -L [::1]:82:[fd00::2]:80 me@b", 82,
       "[fd00::2]:80 through me@b"},
      {"/usr/bin/ssh", "ssh -D 1080 me@b", 1080, "wherever SOCKS clients ask, through me@b"},
      {"/usr/bin/ssh", "ssh bastion run -L 9:x:9", 9, "what lies beyond bastion"},
  };
  for (const Forwarder& one : kForwarders) {
    const auto found = door(one.exe, one.words);
    EXPECT_EQ(found ? door_words(*found, tcp(one.port)) : "", one.leads) << one.words;
  }
}

TEST_F(Doors, SessionsOfSshd) {
  const auto leads = [&](const std::string& title) {
    Process process;
    process.pid = 50;
    process.exe = "/usr/sbin/sshd";
    process.command_line = {title};
    std::vector<Process> processes = {process};
    ContainerNames names(source_);
    find_doors(source_, names, namespaces_, processes);
    const auto& found = processes.front().door;
    return found ? door_words(*found, tcp(6010)) : std::string();
  };
  EXPECT_EQ(leads("sshd: alice@pts/0"), "the ssh client of alice");
  EXPECT_EQ(leads("sshd-session: bob"), "the ssh client of bob");
  EXPECT_EQ(leads("sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups"), "");
  EXPECT_EQ(leads("sshd: alice [priv]"), "");
}

}  // namespace
}  // namespace hark::host
