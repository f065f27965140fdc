// Who reaches a listener: the words of the list, its filters and why without a source, against
// connections that clients of another namespace really try to make.
#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <map>
#include <set>
#include <thread>

#include "base/unique_fd.h"
#include "run_in.h"
#include "scene.h"

namespace hark::netns {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

constexpr uid_t kNobody = 65534;
constexpr int kTimeoutMs = 500;

sockaddr_in place(const char* address, std::uint16_t port) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_port = htons(port);
  ::inet_pton(AF_INET, address, &out.sin_addr);
  return out;
}

/// Connects, in the namespace at `path`, and tells whether that succeeds.
bool connects(const std::string& path, const char* from, const char* to, std::uint16_t port) {
  bool out = false;
  std::thread([&] {
    const UniqueFd netns(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    ASSERT_EQ(::setns(netns.get(), CLONE_NEWNET), 0);
    const UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    const sockaddr_in source = place(from, 0);
    const sockaddr_in target = place(to, port);
    ASSERT_EQ(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&source), sizeof source), 0);
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&target), sizeof target) != 0) {
      pollfd waiting{.fd = fd.get(), .events = POLLOUT, .revents = 0};
      if (::poll(&waiting, 1, kTimeoutMs) != 1) return;
    }
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    out = error == 0;
  }).join();
  return out;
}

class Reach : public NetnsTest {
 protected:
  [[nodiscard]] Place root() const { return {.netns_of = scene_.pid()}; }
  [[nodiscard]] Place user() const { return {.netns_of = scene_.pid(), .uid = kNobody}; }

  [[nodiscard]] std::set<int> ports_of(const json& listing) const {
    std::set<int> out;
    for (const json& one : listing["listeners"]) out.insert(one["port"].get<int>());
    return out;
  }
  [[nodiscard]] std::map<int, std::string> words_of(const json& listing) const {
    std::map<int, std::string> out;
    for (const json& one : listing["listeners"]) {
      out[one["port"].get<int>()] = one["reachable_from"].get<std::string>();
    }
    return out;
  }

  Scene scene_{"reach"};
};

TEST_F(Reach, WordsOfTheList) {
  const json listing = list_in(root(), {"--netns", "self"});
  auto words = words_of(listing);
  EXPECT_EQ(words[80], "anywhere");
  EXPECT_EQ(words[81], "10.9.0.8/30 via re0; others dropped");
  EXPECT_EQ(words[82], "this host only; others dropped by the policy of inet f in");
  EXPECT_EQ(words[83], "this host only");
  EXPECT_THAT(words[84], StartsWith("this host only; others rejected by inet f in handle "));
  EXPECT_EQ(words[85], "anywhere but 10.9.0.9");
  for (const json& one : listing["listeners"]) {
    EXPECT_FALSE(one["reach"].is_null());
    for (const json& of : one["reach"]) EXPECT_FALSE(of["sources"]["addresses"].empty());
  }
}

TEST_F(Reach, FiltersAgreeWithRealConnections) {
  const std::string client =
      "/run/netns/hark-" + scene_.truth()["id"].get<std::string>() + "-client";
  for (const char* from : {"10.9.0.9", "10.9.0.99"}) {
    std::set<int> real;
    for (std::uint16_t port = 80; port <= 85; ++port) {
      if (connects(client, from, "10.9.0.5", port)) real.insert(port);
    }
    const auto told = list_in(root(), {"--netns", "self", "reachable-from:" + std::string(from)});
    EXPECT_EQ(ports_of(told), real) << from;
  }
  EXPECT_THAT(ports_of(list_in(root(), {"--netns", "self", "reachable:anywhere"})),
              ElementsAre(80));
  EXPECT_THAT(ports_of(list_in(root(), {"--netns", "self", "reachable:loopback"})),
              ElementsAre(82, 83, 84));
  EXPECT_THAT(ports_of(list_in(root(), {"--netns", "self", "not", "reachable:loopback"})),
              ElementsAre(80, 81, 85));
}

TEST_F(Reach, WhyWithoutASourceIsATable) {
  const Finished some = run_hark(root(), {"why", "81"});
  EXPECT_EQ(some.status, 0);
  EXPECT_THAT(some.out,
              StartsWith("tcp/81 is reachable from 10.9.0.8/30 via re0; others dropped."));
  EXPECT_THAT(some.out, HasSubstr("ip saddr @lan tcp dport 81 accept"));
  EXPECT_THAT(some.out,
              HasSubstr("\n  anywhere else via re0  no answer  dropped by the policy of"));
  const json object = json::parse(run_hark(root(), {"why", "81", "--in", "re0", "--json"}).out);
  std::set<std::string> answered;
  for (const json& one : object["answers"]) {
    EXPECT_EQ(one["sources"]["interface"], "re0");
    if (one["outcome"] != "answered") continue;
    for (const json& prefix : one["sources"]["addresses"])
      answered.insert(prefix.get<std::string>());
  }
  EXPECT_THAT(answered, ElementsAre("10.9.0.8/30"));
  EXPECT_EQ(run_hark(root(), {"why", "82", "--in", "re0"}).status, 1);
}

TEST_F(Reach, AnOrdinaryUserIsToldThatRulesAreUnread) {
  const json listing = list_in(user(), {"--netns", "self"});
  auto words = words_of(listing);
  EXPECT_EQ(words[80], "unknown: rules unread");
  EXPECT_EQ(words[83], "this host only");
  std::set<std::string> gaps;
  for (const json& gap : listing["gaps"]) gaps.insert(gap["code"].get<std::string>());
  EXPECT_EQ(gaps.count("nftables-not-read"), 1U);
  for (const json& one : listing["listeners"]) {
    if (one["port"] == 80) {
      EXPECT_TRUE(one["reach"].is_null());
    }
  }
}

TEST_F(Reach, NoReachReadsNone) {
  const json listing = list_in(user(), {"--netns", "self", "--no-reach"});
  for (const json& gap : listing["gaps"]) EXPECT_NE(gap["code"], "nftables-not-read");
  for (const json& one : listing["listeners"]) EXPECT_TRUE(one["reach"].is_null());
  EXPECT_EQ(run_hark(root(), {"list", "--no-reach", "reachable:none"}).status, 2);
}

TEST_F(Reach, ThePictureIsDrawn) {
  const Finished drawn = run_hark(root(), {"why", "82", "--in", "re0", "--graph", "--ascii"});
  EXPECT_EQ(drawn.status, 1);
  EXPECT_THAT(drawn.out, HasSubstr("+- inet f in (priority 0) <- decides\n"));
  EXPECT_THAT(run_hark(root(), {"why", "82", "--graph", "-o", "x.png"}).err, HasSubstr(".svg"));
}

}  // namespace
}  // namespace hark::netns
