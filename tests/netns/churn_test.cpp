// Hark beside processes that fork, exec, listen and end all the time: what stays is always told in
// full, and nobody is called the owner of what he never had.
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
#include <iterator>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "run_in.h"
#include "scene.h"

namespace hark::netns {
namespace {

using nlohmann::json;

constexpr int kFirstPort = 20'000;  ///< of those that come and go
constexpr int kPorts = 40;

int listen_on(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  const int yes = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) _exit(1);
  if (listen(fd, 1) != 0) _exit(1);
  return fd;
}

/// Opens and closes a listener, opens files where it was, hands it to children that outlive it for
/// a moment and to programs that it becomes, until it is killed.
[[noreturn]] void churn(int port) {
  prctl(PR_SET_NAME, "churn");
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (unsigned round = 0;; ++round) {
    const int fd = listen_on(port);
    const pid_t child = fork();
    if (child == 0) {
      if (round % 3 == 0) execl("/bin/true", "churn", nullptr);
      _exit(0);
    }
    close(fd);
    std::array<int, 8> others{};
    for (int& other : others) other = open("/dev/null", O_RDONLY);
    for (const int other : others) close(other);
    waitpid(child, nullptr, 0);
  }
}

class Churn : public NetnsTest {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    const std::string path = "/proc/" + std::to_string(scene_.pid()) + "/ns/net";
    const int netns = open(path.c_str(), O_RDONLY);
    for (int i = 0; i < 6; ++i) {
      const pid_t pid = fork();
      if (pid == 0) {
        if (setns(netns, CLONE_NEWNET) != 0) _exit(1);
        churn(kFirstPort + i * (kPorts / 6));
      }
      children_.push_back(pid);
    }
    close(netns);
    // So many that two threads share the survey of their descriptors (kernel/work_pair.h).
    for (int i = 0; i < kIdle; ++i) {
      const pid_t pid = fork();
      if (pid == 0) {
        for (;;) pause();
      }
      children_.push_back(pid);
    }
  }
  void TearDown() override {
    for (const pid_t pid : children_) kill(pid, SIGKILL);
    for (const pid_t pid : children_) waitpid(pid, nullptr, 0);
  }
  static constexpr int kIdle = 200;
  Scene scene_{"every_row"};
  std::vector<pid_t> children_;
};

bool comes_and_goes(int port) {
  return port >= kFirstPort && port < kFirstPort + kPorts;
}

/// The rows that stay, word by word; and the names of owners of those that come and go.
struct Seen {
  std::vector<std::vector<std::string>> stays;
  std::set<std::string> owners;
};

/// Words of a line: "tcp", "tcp", port, address, inode, name, pid.
constexpr std::size_t kPortWord = 2;
constexpr std::size_t kNameWord = 5;

Seen look(pid_t netns_of, const std::string& rung) {
  const Finished finished = run_hark(
      {.netns_of = netns_of}, {"--search", rung, "--netns", "self", "-a", "-w", "--no-header",
                               "--columns", "protocol,port,address,inode,name,pid"});
  EXPECT_EQ(finished.status, 0) << finished.err;
  Seen out;
  std::istringstream lines(finished.out);
  for (std::string line; std::getline(lines, line) && !line.empty();) {
    std::istringstream from(line);
    std::vector<std::string> words{std::istream_iterator<std::string>(from), {}};
    if (words.size() <= kPortWord) continue;
    if (!comes_and_goes(std::atoi(words[kPortWord].c_str()))) {
      out.stays.push_back(std::move(words));
    } else if (words.size() > kNameWord) {
      std::istringstream names(words[kNameWord]);
      for (std::string name; std::getline(names, name, ',');) out.owners.insert(name);
    }
  }
  return out;
}

// A thousand runs in all.
TEST_F(Churn, WhatStaysIsCompleteAndNobodyIsAccused) {
  const auto right = look(scene_.pid(), "proc").stays;
  ASSERT_GT(right.size(), 40U);
  const std::map<std::string, int> runs = {
      {"survey", 700}, {"tasks", 120}, {"files", 120}, {"proc", 60}};
  std::size_t met = 0;
  for (const auto& [rung, times] : runs) {
    for (int i = 0; i < times; ++i) {
      const Seen seen = look(scene_.pid(), rung);
      ASSERT_EQ(seen.stays, right) << rung << " run " << i;
      ASSERT_THAT(seen.owners, testing::Each(testing::AnyOf("churn", "true", "?", "-")))
          << rung << " run " << i;
      met += seen.owners.count("churn");
    }
  }
  EXPECT_GT(met, 10U) << "the churn has been seen";
  for (const pid_t pid : children_) EXPECT_EQ(kill(pid, 0), 0) << "the churn has ended";
}

}  // namespace
}  // namespace hark::netns
