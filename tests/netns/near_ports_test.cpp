// What `hark why` says of ports that a listener has left, or that a socket has without listening,
// where the kernel is asked itself.
#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "base/unique_fd.h"
#include "run_in.h"
#include "scene.h"

namespace hark::netns {
namespace {

using nlohmann::json;

constexpr std::uint16_t kLeft = 8080;        // its listener is gone, its connections are not
constexpr std::uint16_t kBound = 8081;       // bound, and no more
constexpr std::uint16_t kEphemeral = 40000;  // as kLeft, where clients have their ports

sockaddr_in at(std::uint16_t port) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_port = htons(port);
  out.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return out;
}

bool bound(int fd, std::uint16_t port) {
  const sockaddr_in address = at(port);
  return ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

/// Two connections, of which one is closed, and then no listener. Sockets stay open on purpose.
bool leave_connections(std::uint16_t port) {
  const sockaddr_in address = at(port);
  const UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!bound(listener.get(), port) || ::listen(listener.get(), 4) != 0) return false;
  for (const bool closes : {false, true}) {
    const int client = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::connect(client, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      return false;
    }
    const int server = ::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC);
    if (server < 0) return false;
    if (closes) ::close(server);
  }
  return true;
}

/// Lives until its parent closes the pipe. 0: all is up.
[[noreturn]] void live(int ready, int until) {
  char byte = 1;
  const bool up = ::unshare(CLONE_NEWNET) == 0 && std::system("ip link set lo up") == 0 &&
                  leave_connections(kLeft) && leave_connections(kEphemeral) &&
                  bound(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), kBound);
  if (up) byte = 0;
  if (::write(ready, &byte, 1) == 1) static_cast<void>(::read(until, &byte, 1));
  ::_exit(0);
}

class NearPorts : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(::geteuid(), 0U) << "needs root";
    int ready[2];
    int until[2];
    ASSERT_EQ(::pipe2(ready, O_CLOEXEC), 0);
    ASSERT_EQ(::pipe2(until, O_CLOEXEC), 0);
    child_ = ::fork();
    if (child_ == 0) {
      ::close(until[1]);
      live(ready[1], until[0]);
    }
    until_ = UniqueFd(until[1]);
    ::close(until[0]);
    ::close(ready[1]);
    const UniqueFd from(ready[0]);
    char byte = 1;
    ASSERT_EQ(::read(from.get(), &byte, 1), 1);
    ASSERT_EQ(byte, 0);
  }
  void TearDown() override {
    until_ = UniqueFd();
    if (child_ > 0) ::waitpid(child_, nullptr, 0);
  }

  /// `near` of the answer.
  [[nodiscard]] json near_of(std::uint16_t port) const {
    const Finished done = run_hark({.netns_of = child_},
                                   {"why", std::to_string(port), "--from", "127.0.0.1", "--json"});
    EXPECT_EQ(done.status, 1) << done.err;
    const json said = json::parse(done.out, nullptr, false);
    return said.is_object() ? said["near"] : json();
  }

 private:
  pid_t child_ = -1;
  UniqueFd until_;
};

TEST_F(NearPorts, ConnectionsThatAListenerLeft) {
  const json near = near_of(kLeft);
  ASSERT_FALSE(near.empty());
  EXPECT_EQ(near[0]["relation"], "gone");
  EXPECT_EQ(near[0]["listener"], nullptr);
  EXPECT_EQ(
      near[0]["text"],
      "tcp 8080: nobody listens any more, but connections of that port are left: 1 established, "
      "1 closing");
}

TEST_F(NearPorts, ASocketThatDoesNotListen) {
  const json near = near_of(kBound);
  ASSERT_FALSE(near.empty());
  EXPECT_EQ(near[0]["relation"], "bound-not-listening");
  EXPECT_EQ(near[0]["text"],
            "tcp 8081: a socket of root is bound to 127.0.0.1:8081 and does not listen");
}

TEST_F(NearPorts, OfPortsThatClientsGetConnectionsSayNothing) {
  for (const json& one : near_of(kEphemeral)) EXPECT_NE(one["relation"], "gone") << one;
}

}  // namespace
}  // namespace hark::netns
