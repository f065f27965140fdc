// hark diff of a host that is busy and stays what it is, and of one that is really changed.
#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "run_in.h"
#include "scene.h"

namespace hark::netns {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr uid_t kSomebody = 61'001;

/// What a server does; its sockets are of one process.
struct Server {
  const char* name = "web";
  const char* address = "0.0.0.0";
  std::uint16_t port = 80;
  int type = SOCK_STREAM;
  uid_t uid = 0;
  const char* device = nullptr;
  bool v6only = true;
  bool busy = false;  ///< workers that share the port come and go, and so do clients
};

int bound_socket(const Server& server) {
  const bool inet6 = std::string(server.address).find(':') != std::string::npos;
  const int fd = socket(inet6 ? AF_INET6 : AF_INET, server.type, 0);
  const int yes = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof yes);
  if (server.device != nullptr) {
    const std::string device = server.device;
    setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device.c_str(),
               static_cast<socklen_t>(device.size()));
  }
  sockaddr_storage to{};
  socklen_t size = sizeof(sockaddr_in);
  if (inet6) {
    const int v6only = server.v6only ? 1 : 0;
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof v6only);
    auto& six = reinterpret_cast<sockaddr_in6&>(to);
    six.sin6_family = AF_INET6;
    six.sin6_port = htons(server.port);
    inet_pton(AF_INET6, server.address, &six.sin6_addr);
    size = sizeof(sockaddr_in6);
  } else {
    auto& four = reinterpret_cast<sockaddr_in&>(to);
    four.sin_family = AF_INET;
    four.sin_port = htons(server.port);
    inet_pton(AF_INET, server.address, &four.sin_addr);
  }
  if (bind(fd, reinterpret_cast<sockaddr*>(&to), size) != 0) _exit(2);
  if (server.type == SOCK_STREAM && listen(fd, 16) != 0) _exit(3);
  return fd;
}

/// One after the other, each for a moment: a worker with a socket of its own on the same port, a
/// helper that inherits the listener, connections that are accepted and such that are not, UDP
/// sockets of a client.
[[noreturn]] void be_busy(const Server& server, int listener) {
  for (unsigned round = 0;; ++round) {
    const pid_t worker = fork();
    if (worker == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (round % 3 == 0) (void)bound_socket(server);
      if (round % 3 == 1) execl("/bin/true", "helper", nullptr);
      _exit(0);
    }
    std::array<int, 8> others{};
    for (std::size_t i = 0; i < others.size(); ++i) {
      const bool stream = i % 2 == 0;
      others[i] = socket(AF_INET, stream ? SOCK_STREAM | SOCK_NONBLOCK : SOCK_DGRAM, 0);
      sockaddr_in to{};
      to.sin_family = AF_INET;
      to.sin_port = stream ? htons(server.port) : 0;
      to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      const auto* const address = reinterpret_cast<const sockaddr*>(&to);
      if (stream) {
        (void)connect(others[i], address, sizeof to);
      } else {
        (void)bind(others[i], address, sizeof to);
      }
    }
    const int flags = fcntl(listener, F_GETFL);
    fcntl(listener, F_SETFL, flags | O_NONBLOCK);
    for (int i = 0; i < 3; ++i) {
      const int taken = accept(listener, nullptr, nullptr);
      if (taken >= 0) close(taken);
    }
    for (const int other : others) close(other);
    waitpid(worker, nullptr, 0);
  }
}

/// Runs in the namespace of another process until the object goes.
class Running {
 public:
  Running(pid_t netns_of, const Server& server) {
    std::array<int, 2> ready{};
    EXPECT_EQ(pipe2(ready.data(), O_CLOEXEC), 0);
    pid_ = fork();
    if (pid_ == 0) serve(netns_of, server, ready[1]);
    close(ready[1]);
    char byte = 0;
    EXPECT_EQ(read(ready[0], &byte, 1), 1) << server.name << " does not come up";
    close(ready[0]);
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  void stop() const {
    kill(pid_, SIGSTOP);
    waitpid(pid_, nullptr, WUNTRACED);
  }

 private:
  [[noreturn]] static void serve(pid_t netns_of, const Server& server, int ready) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_NAME, server.name);
    const std::string path = "/proc/" + std::to_string(netns_of) + "/ns/net";
    if (setns(open(path.c_str(), O_RDONLY | O_CLOEXEC), CLONE_NEWNET) != 0) _exit(1);
    const int fd = bound_socket(server);
    if (server.uid != 0 && setuid(server.uid) != 0) _exit(4);
    if (write(ready, "r", 1) != 1) _exit(5);
    if (server.busy) be_busy(server, fd);
    for (;;) pause();
  }

  pid_t pid_ = -1;
};

class Diff : public NetnsTest {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    std::string folder = "/tmp/hark-diff-XXXXXX";
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    folder_ = folder;
    neighbour_ = fork();
    if (neighbour_ == 0) be_neighbour();
    ASSERT_EQ(waitpid(neighbour_, nullptr, WUNTRACED), neighbour_);
    shell("ip link add eth0 type veth peer name eth0 netns " + std::to_string(neighbour_) +
          " && ip addr add 10.0.0.5/24 dev eth0 && ip link set eth0 up");
    EXPECT_EQ(run_in({.netns_of = neighbour_}, "/bin/sh", {"-c", "ip link set eth0 up"}).status, 0);
    shell("ip route add default via 10.0.0.1");
  }
  void TearDown() override {
    kill(neighbour_, SIGKILL);
    waitpid(neighbour_, nullptr, 0);
    std::filesystem::remove_all(folder_);
  }

  /// Somebody at the other end of the wire.
  [[noreturn]] static void be_neighbour() {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (unshare(CLONE_NEWNET) != 0) _exit(1);
    raise(SIGSTOP);
    for (;;) pause();
  }

  void shell(const std::string& command) const {
    const Finished done = run_in({.netns_of = scene_.pid()}, "/bin/sh", {"-c", command});
    EXPECT_EQ(done.status, 0) << command << done.err;
  }
  void run(const Server& server) {
    running_.push_back(std::make_unique<Running>(scene_.pid(), server));
  }
  /// In the place of the one that was started at this position.
  void replace(std::size_t at, const Server& server) {
    running_[at].reset();
    running_[at] = std::make_unique<Running>(scene_.pid(), server);
  }
  void save() const {
    const Finished done =
        run_hark({.netns_of = scene_.pid()}, {"save", folder_ + "/old", "--netns", "self"});
    ASSERT_EQ(done.status, 0) << done.err;
  }
  [[nodiscard]] Finished diff(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> words = {"diff", folder_ + "/old", "--netns", "self", "--ascii"};
    words.insert(words.end(), more.begin(), more.end());
    return run_hark({.netns_of = scene_.pid()}, words);
  }

  Scene scene_{"empty"};
  pid_t neighbour_ = -1;
  std::string folder_;
  std::vector<std::unique_ptr<Running>> running_;
};

TEST_F(Diff, OfABusyHostThatStaysWhatItIsIsEmpty) {
  run({.name = "web", .port = 80, .busy = true});
  run({.name = "pool", .address = "127.0.0.1", .port = 8080, .busy = true});
  run({.name = "dns", .port = 53, .type = SOCK_DGRAM});
  run({.name = "statd", .port = 0});
  run({.name = "again", .port = 9000});
  save();
  for (int i = 0; i < 20; ++i) {
    replace(3, {.name = "statd", .port = 0});
    replace(4, {.name = "again", .port = 9000});
    const Finished done = diff({"--json"});
    ASSERT_EQ(done.status, 0) << i << done.out << done.err;
    ASSERT_THAT(done.out, HasSubstr("\"unchanged\": 5,")) << i;
  }
  EXPECT_THAT(diff().out, StartsWith("Nothing changed on "));
  EXPECT_EQ(diff({"--exact"}).status, 1) << "every fact was asked for";
}

/// Something that is really done to the host, and what of the answer shows it.
struct Done {
  std::function<void()> before, after;
  std::vector<const char*> said;
};

TEST_F(Diff, OfEachRealChangeSaysItInWords) {
  const auto nothing = [] {};
  const Server web{};
  const std::vector<Done> rows = {
      {[&] { run({.name = "redis", .address = "127.0.0.1", .port = 6379}); },
       [&] { replace(0, {.name = "redis", .port = 6379}); },
       {"OPENED   tcp 6379", "was this host only, is now reachable from anywhere: bind changed",
        "127.0.0.1 -> 0.0.0.0"}},
      {[&] { run(web); },
       [&] { replace(0, {.address = "127.0.0.1"}); },
       {"CLOSED   tcp 80", "was reachable from anywhere, is now this host only: bind changed"}},
      {nothing, [&] { run(web); }, {"NEW      tcp 80", "reachable from anywhere"}},
      {nothing, [&] { run({.name = "dns", .port = 53, .type = SOCK_DGRAM}); }, {"NEW      udp 53"}},
      {[&] { run(web); },
       [&] { running_.clear(); },
       {"GONE     tcp 80", "is gone; it was: every IPv4 address, reachable from anywhere"}},
      {[&] { run(web); },
       [&] { replace(0, {.port = 81}); },
       {"MOVED    tcp 81", "has moved here from tcp 80; reachable from anywhere, as before"}},
      {[&] { run(web); },
       [&] { replace(0, {.name = "evil"}); },
       {"CHANGED  tcp 80", "was web (", "is now evil ("}},
      {[&] { run(web); },
       [&] { replace(0, {.uid = kSomebody}); },
       {"CHANGED  tcp 80", "of root, is now web (", "of 61001"}},
      {[&] { run(web); },
       [&] { replace(0, {.device = "eth0"}); },
       {"tcp 80", "bind changed 0.0.0.0 -> 0.0.0.0%eth0"}},
      {[&] { run({.address = "::", .v6only = true}); },
       [&] { replace(0, {.address = "::", .v6only = false}); },
       {"tcp 80", "takes IPv4 as well now"}},
      {[&] { run(web); }, [&] { running_[0]->stop(); }, {"CHANGED  tcp 80", "(stopped)"}},
      {[&] { run(web); },
       [&] {
         shell(
             "nft add table inet t && nft 'add chain inet t in { type filter hook input priority "
             "0; }' && nft add rule inet t in iif eth0 tcp dport 80 drop");
       },
       {"CLOSED   tcp 80", "is now this host only", "dropped by inet t in",
        "bound as before: rules, routes or interfaces have changed"}},
      {[&] { run(web); },
       [&] { shell("nft flush table inet t"); },
       {"OPENED   tcp 80", "is now reachable from anywhere"}},
      {[&] { run(web); },
       [&] { shell("nft add rule inet t in iif eth0 tcp dport 80 ip saddr != 192.0.2.0/24 drop"); },
       {"CLOSED   tcp 80", "is now reachable from 192.0.2.0/24 via eth0; others dropped"}},
      {nothing,
       [&] {
         shell(
             "nft flush ruleset; sysctl -qw net.ipv4.ip_forward=1; nft add table ip n && nft 'add "
             "chain ip n pre { type nat hook prerouting priority dstnat; }' && nft add rule ip n "
             "pre tcp dport 9000 dnat to 10.0.0.77:80");
       },
       {"NEW      tcp 9000", "leads to 10.0.0.77:80"}},
      {nothing,
       [&] {
         shell(
             "nft flush chain ip n pre; nft add rule ip n pre tcp dport 9000 dnat to "
             "10.0.0.78:80");
       },
       {"CHANGED  tcp 9000", "leads to 10.0.0.78:80", "led to 10.0.0.77:80"}},
      {nothing, [&] { shell("nft flush ruleset"); }, {"GONE     tcp 9000"}},
  };
  for (const Done& row : rows) {
    running_.clear();
    row.before();
    save();
    row.after();
    const Finished done = diff({"--wide"});
    EXPECT_EQ(done.status, 1) << done.out << done.err;
    for (const char* words : row.said) EXPECT_THAT(done.out, HasSubstr(words));
    EXPECT_THAT(done.out, HasSubstr("\n\n1 change on "));
  }
}

}  // namespace
}  // namespace hark::netns
