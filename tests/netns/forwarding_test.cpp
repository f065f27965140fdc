// hark why of a port that leads into another namespace: live and from a recording.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "base/unique_fd.h"
#include "run_in.h"
#include "scene.h"

namespace hark::netns {
namespace {

using nlohmann::json;

class Forwarding : public NetnsTest {};

UniqueFd new_namespace() {
  if (unshare(CLONE_NEWNET) != 0) return {};
  return UniqueFd(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
}

UniqueFd listener(const char* address, std::uint16_t port) {
  UniqueFd out(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in own{};
  own.sin_family = AF_INET;
  own.sin_port = htons(port);
  inet_pton(AF_INET, address, &own.sin_addr);
  EXPECT_EQ(bind(out.get(), reinterpret_cast<const sockaddr*>(&own), sizeof own), 0);
  EXPECT_EQ(listen(out.get(), 8), 0);
  return out;
}

constexpr const char* kHost[] = {
    "ip link set lo up",
    "ip link add eth0 type veth peer name far",
    "ip address add 10.1.0.1/24 dev eth0",
    "ip link set eth0 up",
    "ip link set far up",
    "ip link add br0 type bridge",
    "ip address add 172.18.0.1/24 dev br0",
    "ip link set br0 up",
    "ip link set v0 master br0 up",
    "sysctl -qw net.ipv4.ip_forward=1",
    "nft add table ip nat",
    "nft 'add chain ip nat pre { type nat hook prerouting priority -100; }'",
    "nft 'add rule ip nat pre tcp dport 8080 dnat to 172.18.0.2:80'",
    "nft 'add rule ip nat pre tcp dport 8081 dnat to 172.18.0.2:81'",
};
constexpr const char* kContainer[] = {
    "ip link set lo up",
    "ip link set eth0 up",
    "ip address add 172.18.0.2/24 dev eth0",
    "ip route add default via 172.18.0.1",
};

json answer_of(const std::string& text) {
  const json out = json::parse(text, nullptr, false);
  if (!out.is_object() || !out.contains("answers") || out["answers"].size() != 1) {
    ADD_FAILURE() << text;
    return json::object();
  }
  return out["answers"][0];
}

/// In a thread: its namespace is nobody else's.
void ask_live_and_recorded() {
  const UniqueFd container = new_namespace();
  const UniqueFd host = new_namespace();
  ASSERT_TRUE(container.valid() && host.valid());
  const std::string path =
      "/proc/" + std::to_string(getpid()) + "/fd/" + std::to_string(container.get());
  ASSERT_EQ(said_by("ip link add v0 type veth peer name eth0 netns " + path), "");
  for (const char* command : kHost) ASSERT_EQ(said_by(command), "") << command;
  ASSERT_EQ(setns(container.get(), CLONE_NEWNET), 0);
  for (const char* command : kContainer) ASSERT_EQ(said_by(command), "") << command;
  const UniqueFd open_to_all = listener("0.0.0.0", 80);
  const UniqueFd open_to_itself = listener("127.0.0.1", 81);
  // As in every container somebody lives there.
  const pid_t inhabitant = fork();
  if (inhabitant == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (true) pause();
  }
  ASSERT_EQ(setns(host.get(), CLONE_NEWNET), 0);
  struct stat about {};
  fstat(container.get(), &about);

  const std::string hark = HARK_PROGRAM;
  std::array<char, 32> file{"/tmp/hark-forwarding-XXXXXX"};
  const UniqueFd made(mkstemp(file.data()));
  said_by(hark + " save --force " + file.data());
  for (const std::string& source : {std::string(), std::string(" -r ") + file.data()}) {
    const auto why = [&](const char* port) {
      return answer_of(said_by(hark + source + " why --json --from 10.1.0.2 --in eth0 " + port));
    };
    const json answered = why("8080");
    EXPECT_EQ(answered["outcome"], "answered") << source << answered;
    if (!answered["delivers_to"].is_object()) continue;
    EXPECT_EQ(answered["delivers_to"]["netns"]["inode"], about.st_ino) << source;
    EXPECT_EQ(answered["path"].back()["stage"], "handshake");
    const json refused = why("8081");
    EXPECT_EQ(refused["outcome"], "refused") << source;
    EXPECT_EQ(refused["cause"]["code"], "bound-other-addr") << source << refused;
  }
  unlink(file.data());
  kill(inhabitant, SIGKILL);
  waitpid(inhabitant, nullptr, 0);
}

TEST_F(Forwarding, IsFollowedLiveAndFromARecording) {
  std::thread(ask_live_and_recorded).join();
}

}  // namespace
}  // namespace hark::netns
