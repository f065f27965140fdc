// hark test: what it says that it saw, and what it had predicted, against servers, rules and routes
// that a scene made, as root and as an ordinary user.
#include <arpa/inet.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <functional>
#include <span>
#include <thread>

#include "run_in.h"
#include "scene.h"
#include "talkers.h"

namespace hark::netns {
namespace {

using nlohmann::json;
using testing::HasSubstr;

constexpr uid_t kNobody = 65534;

/// hark and hark-test where any user may start them.
class Programs {
 public:
  Programs() {
    char name[] = "/tmp/hark-connect-XXXXXX";
    EXPECT_NE(::mkdtemp(name), nullptr);
    folder_ = name;
    std::filesystem::permissions(folder_, std::filesystem::perms(0755));
    const std::filesystem::path built = HARK_PROGRAM;
    for (const auto& from : {built, built.parent_path() / "hark-test"}) {
      std::error_code error;
      std::filesystem::create_hard_link(from, folder_ / from.filename(), error);
      if (error) std::filesystem::copy_file(from, folder_ / from.filename());
    }
  }
  Programs(const Programs&) = delete;
  Programs& operator=(const Programs&) = delete;
  ~Programs() { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::string hark() const { return folder_ / "hark"; }
  [[nodiscard]] std::string file(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
    return folder_ / name;
  }

 private:
  std::filesystem::path folder_;
};

enum class Agrees : std::uint8_t { Yes, No, Open };

struct Row {
  const char* target;
  const char* outcome;
  const char* error;  ///< its name; nullptr: none
  const char* icmp;
  const char* phase;
  Agrees root = Agrees::Yes;
};

// Of UDP an empty answer is one. Where the prediction is Open to root, the outcome is decided in
// another namespace.
constexpr Row kHere[] = {
    {"127.0.0.1:83", "answered", nullptr, nullptr, "first-byte"},
    {"[::1]:83", "answered", nullptr, nullptr, "first-byte"},
    {"10.8.0.1:84", "answered", "ECONNRESET", nullptr, "first-byte"},
    {"10.8.0.1:85", "answered", nullptr, nullptr, "application"},
    {"udp/127.0.0.1:86", "answered", nullptr, nullptr, "application"},
    {"udp/127.0.0.1:87", "silent", nullptr, nullptr, "connect"},
    {"127.0.0.1:80", "refused", "ECONNREFUSED", nullptr, "connect"},
    {"udp/127.0.0.1:80", "refused", "ECONNREFUSED", "port-unreachable", "connect"},
    {"udp/[::1]:80", "refused", "ECONNREFUSED", "port-unreachable", "connect"},
    {"10.8.0.1:81", "hangs", nullptr, nullptr, "first-byte"},
    {"127.0.0.1:82", "silent", "ETIMEDOUT", nullptr, "connect"},
    {"127.0.0.1:90", "silent", "ETIMEDOUT", nullptr, "connect"},
    {"127.0.0.1:91", "refused", "ECONNREFUSED", nullptr, "connect"},
    {"127.0.0.1:92", "rejected", "EHOSTUNREACH", "host-unreachable", "connect"},
    {"127.0.0.1:93", "rejected", "EHOSTUNREACH", "admin-prohibited", "connect"},
    {"[::1]:92", "rejected", "EHOSTUNREACH", "address-unreachable", "connect"},
    {"[::1]:93", "rejected", "EACCES", "admin-prohibited", "connect"},
    {"udp/127.0.0.1:90", "silent", nullptr, nullptr, "connect"},
    {"udp/127.0.0.1:91", "refused", "ECONNREFUSED", "port-unreachable", "connect"},
};

/// This host's own part of the way ends it.
constexpr Row kWayOut[] = {
    {"10.8.0.2:70", "silent", "ETIMEDOUT", nullptr, "connect"},
    {"10.8.0.2:71", "refused", "ECONNREFUSED", nullptr, "connect"},
    {"10.8.0.2:72", "rejected", "EHOSTUNREACH", "admin-prohibited", "connect"},
    {"udp/10.8.0.2:70", "rejected", "EPERM", nullptr, "connect"},
    {"udp/10.8.0.2:72", "rejected", "EHOSTUNREACH", "host-unreachable", "connect"},
    {"10.8.1.1:80", "rejected", "EINVAL", nullptr, "route"},
    {"10.8.2.1:80", "rejected", "EHOSTUNREACH", nullptr, "route"},
    {"10.8.3.1:80", "rejected", "EACCES", nullptr, "route"},
    {"10.8.4.1:80", "rejected", "ENETUNREACH", nullptr, "route"},
    {"[fd08:1::1]:80", "rejected", "EINVAL", nullptr, "route"},
    {"[fd08:2::1]:80", "rejected", "EHOSTUNREACH", nullptr, "route"},
    {"[fd08:3::1]:80", "rejected", "EACCES", nullptr, "route"},
    {"[fd08:4::1]:80", "rejected", "ENETUNREACH", nullptr, "route"},
    {"udp/10.8.4.1:80", "rejected", "ENETUNREACH", nullptr, "route"},
};

constexpr Row kFar[] = {
    {"10.8.0.2:83", "answered", nullptr, nullptr, "first-byte", Agrees::Open},
    {"10.8.0.2:84", "answered", "ECONNRESET", nullptr, "first-byte", Agrees::Open},
    {"[fd08::2]:85", "answered", nullptr, nullptr, "application", Agrees::Open},
    {"udp/[fd08::2]:86", "answered", nullptr, nullptr, "application", Agrees::Open},
    {"http://10.8.0.2:83", "hangs", nullptr, nullptr, "first-byte", Agrees::Open},
    {"tls://10.8.0.2:83", "hangs", nullptr, nullptr, "tls", Agrees::Open},
    {"10.8.0.2:80", "refused", "ECONNREFUSED", nullptr, "connect", Agrees::Open},
    {"10.8.0.2:90", "silent", "ETIMEDOUT", nullptr, "connect", Agrees::Open},
    {"10.8.0.2:91", "refused", "ECONNREFUSED", nullptr, "connect", Agrees::Open},
    {"10.8.0.2:200", "rejected", "ENETUNREACH", "net-unreachable", "connect", Agrees::Open},
    {"10.8.0.2:201", "rejected", "EHOSTUNREACH", "host-unreachable", "connect", Agrees::Open},
    {"10.8.0.2:202", "rejected", "ENOPROTOOPT", "protocol-unreachable", "connect", Agrees::Open},
    {"10.8.0.2:203", "refused", "ECONNREFUSED", "port-unreachable", "connect", Agrees::Open},
    {"10.8.0.2:204", "rejected", "ENETUNREACH", "net-prohibited", "connect", Agrees::Open},
    {"10.8.0.2:205", "rejected", "EHOSTUNREACH", "host-prohibited", "connect", Agrees::Open},
    {"10.8.0.2:206", "rejected", "EHOSTUNREACH", "admin-prohibited", "connect", Agrees::Open},
    {"[fd08::2]:200", "rejected", "ENETUNREACH", "no-route", "connect", Agrees::Open},
    {"[fd08::2]:201", "rejected", "EACCES", "admin-prohibited", "connect", Agrees::Open},
    {"[fd08::2]:202", "rejected", "EHOSTUNREACH", "address-unreachable", "connect", Agrees::Open},
    {"[fd08::2]:203", "refused", "ECONNREFUSED", "port-unreachable", "connect", Agrees::Open},
    {"[fd08::2]:204", "rejected", "EACCES", "policy-fail", "connect", Agrees::Open},
    {"[fd08::2]:205", "rejected", "EACCES", "reject-route", "connect", Agrees::Open},
    {"udp/10.8.0.2:201", "rejected", "EHOSTUNREACH", "host-unreachable", "connect", Agrees::Open},
    {"udp/10.8.0.2:80", "refused", "ECONNREFUSED", "port-unreachable", "connect", Agrees::Open},
};

/// Nobody answers ARP, or neighbour discovery: known after three seconds.
constexpr Row kNobodyThere[] = {
    {"10.8.0.9:80", "no-neighbour", "EHOSTUNREACH", nullptr, "connect", Agrees::Open},
    {"[fd08::9]:80", "no-neighbour", "EHOSTUNREACH", nullptr, "connect", Agrees::Open},
    {"udp/10.8.0.9:80", "no-neighbour", "EHOSTUNREACH", nullptr, "connect", Agrees::Open},
};

json text_or_null(const char* text) {
  return text == nullptr ? json(nullptr) : json(text);
}

class Connect : public NetnsTest {
 protected:
  [[nodiscard]] Place root() const { return {.netns_of = scene_.pid()}; }
  [[nodiscard]] Place user() const { return {.netns_of = scene_.pid(), .uid = kNobody}; }
  [[nodiscard]] std::string start() const {
    return "/proc/" + std::to_string(scene_.pid()) + "/ns/net";
  }
  [[nodiscard]] std::string far() const {
    return "/run/netns/hark-" + scene_.truth()["id"].get<std::string>() + "-far";
  }

  [[nodiscard]] Finished hark(const Place& place, std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "test");
    return run_in(place, programs_.hark(), arguments);
  }

  void check(const Place& place, std::span<const Row> rows, const char* timeout,
             const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments = {"--json", "--timeout", timeout};
    arguments.insert(arguments.end(), more.begin(), more.end());
    for (const Row& row : rows) arguments.emplace_back(row.target);
    const Finished ran = hark(place, arguments);
    EXPECT_EQ(ran.status, 1) << ran.err;
    const json object = json::parse(ran.out, nullptr, false);
    ASSERT_TRUE(object.is_object()) << ran.out << ran.err;
    ASSERT_EQ(object["attempts"].size(), rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const Row& row = rows[i];
      const json& seen = object["attempts"][i];
      SCOPED_TRACE(std::string(row.target) + ": " + seen.dump().substr(0, 900));
      EXPECT_EQ(seen["target"], row.target);
      EXPECT_EQ(seen["outcome"], row.outcome);
      EXPECT_EQ(seen["errno"], text_or_null(row.error));
      EXPECT_EQ(seen["icmp"], text_or_null(row.icmp));
      EXPECT_EQ(seen["phase"], row.phase);
      EXPECT_NE(seen["agrees"], json(false));
      if (place.uid == 0 && row.root == Agrees::Yes) {
        EXPECT_EQ(seen["agrees"], json(true)) << seen["predicted"].dump();
      }
    }
  }

  /// What the command prints in the namespace "start" where SIGINT ends it once `then` returns.
  [[nodiscard]] json interrupted(std::vector<std::string> words,
                                 const std::function<void()>& then) const {
    const std::string out = programs_.file("out", "");
    pid_t pid = -1;
    std::thread([&] {
      const UniqueFd netns(::open(start().c_str(), O_RDONLY | O_CLOEXEC));
      ASSERT_EQ(::setns(netns.get(), CLONE_NEWNET), 0);
      posix_spawn_file_actions_t actions;
      ::posix_spawn_file_actions_init(&actions);
      ::posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, out.c_str(), O_WRONLY, 0);
      std::vector<char*> pointers;
      for (std::string& word : words) pointers.push_back(word.data());
      pointers.push_back(nullptr);
      EXPECT_EQ(::posix_spawn(&pid, pointers[0], &actions, nullptr, pointers.data(), environ), 0);
      ::posix_spawn_file_actions_destroy(&actions);
    }).join();
    if (pid <= 0) return nullptr;
    then();
    ::kill(pid, SIGINT);
    int status = 0;
    EXPECT_EQ(::waitpid(pid, &status, 0), pid);
    EXPECT_EQ(WEXITSTATUS(status), 130);
    std::ifstream file(out);
    return json::parse(file, nullptr, false);
  }

  Programs programs_;
  Scene scene_{"test"};
  Talkers here_{start(),
                {{83, Talkers::Manner::Mute},
                 {84, Talkers::Manner::Reset},
                 {85, Talkers::Manner::Banner},
                 {86, Talkers::Manner::Echo},
                 {87, Talkers::Manner::Deaf},
                 {88, Talkers::Manner::Banner, "::ffff:127.0.0.1"}}};
  Talkers there_{far(),
                 {{83, Talkers::Manner::Mute},
                  {84, Talkers::Manner::Reset},
                  {85, Talkers::Manner::Banner},
                  {86, Talkers::Manner::Echo}}};
};

TEST_F(Connect, SaysWhatItSeesAndPredictsIt) {
  std::vector<Row> rows;
  for (const std::span<const Row> some :
       {std::span<const Row>(kHere), std::span<const Row>(kWayOut), std::span<const Row>(kFar),
        std::span<const Row>(kNobodyThere)}) {
    rows.insert(rows.end(), some.begin(), some.end());
  }
  // Whoever is second knows that nobody is there.
  for (const Place& place : {user(), root()}) {
    SCOPED_TRACE(place.uid == 0 ? "root" : "an ordinary user");
    check(place, rows, "4");
  }
}

TEST_F(Connect, APortMeansEveryAddressThatItIsBoundTo) {
  const Finished ran = hark(root(), {"--json", "85"});
  EXPECT_EQ(ran.status, 0) << ran.err;
  std::vector<std::string> to;
  const json object = json::parse(ran.out);
  for (const json& one : object["attempts"]) to.push_back(one["to"]);
  EXPECT_THAT(to, testing::ElementsAre("127.0.0.1:85", "[::1]:85", "10.8.0.1:85", "[fd08::1]:85"));
  const Finished bad = hark(root(), {"--json", "--source", "10.99.0.1", "10.8.0.1:85"});
  const json refused = json::parse(bad.out)["attempts"][0];
  EXPECT_EQ(refused["errno"], "EADDRNOTAVAIL");
  EXPECT_EQ(refused["agrees"], true);
  const Finished text = hark(user(), {"88", "--timeout", "2"});
  EXPECT_EQ(text.status, 0) << text.err;
  EXPECT_THAT(text.out, HasSubstr("tcp 127.0.0.1:88"));
  EXPECT_THAT(text.out, HasSubstr("ssh"));
  const Finished closed = hark(root(), {"tcp/84444"});
  EXPECT_EQ(closed.status, 2);
  const Finished nobody = hark(root(), {"8444"});
  EXPECT_EQ(nobody.status, 1);
  EXPECT_THAT(nobody.out, HasSubstr("nobody listens on tcp/8444"));
}

TEST_F(Connect, OfANameOneAddressSuffices) {
  const std::string hosts = programs_.file("hosts", "fd08::1 twins.test\n127.0.0.1 twins.test\n");
  const auto with_hosts = [&](std::vector<std::string> words) {
    const std::vector<std::string> before = {
        "-m",  "sh",
        "-c",  "mount --bind " + hosts + " /etc/hosts && exec \"$@\"",
        "sh",  programs_.hark(),
        "test"};
    words.insert(words.begin(), before.begin(), before.end());
    return run_in(root(), "/usr/bin/unshare", words);
  };
  const Finished ran = with_hosts({"--json", "twins.test:88"});
  EXPECT_EQ(ran.status, 0) << ran.err;
  const json attempts = json::parse(ran.out)["attempts"];
  ASSERT_EQ(attempts.size(), 2U) << ran.out;
  for (const json& one : attempts) {
    const bool answers = one["address"] == "127.0.0.1";
    EXPECT_EQ(one["outcome"], answers ? "answered" : "refused");
    EXPECT_EQ(one["first_choice"], answers);
    EXPECT_EQ(one["agrees"], true);
    EXPECT_FALSE(one["times_ms"]["resolve"].is_null());
  }
  const Finished none = with_hosts({"--json", "nosuch.test:88", "127.0.0.1:88"});
  EXPECT_EQ(none.status, 1) << none.err;
  EXPECT_EQ(json::parse(none.out)["attempts"][0]["phase"], "resolve");
}

TEST_F(Connect, ConnectsFromInsideOfANamespace) {
  const std::string name = "hark-" + scene_.truth()["id"].get<std::string>() + "-far";
  const Finished ran =
      hark({}, {"--json", "--netns", name, "--timeout", "1", "10.8.0.1:85", "10.8.0.2:83"});
  EXPECT_EQ(ran.status, 0) << ran.err;
  const json attempts = json::parse(ran.out)["attempts"];
  EXPECT_EQ(attempts[0]["from"], "10.8.0.2");
  EXPECT_EQ(attempts[1]["agrees"], true);
  EXPECT_EQ(attempts[1]["accepted"], true);
}

/// A thousand, with descriptors for a few at once.
TEST_F(Connect, TargetsComeFromAFileInItsOrder) {
  constexpr Row kSome[] = {{"10.8.0.1:85", "answered", nullptr, nullptr, "application"},
                           {"udp/127.0.0.1:80", "refused", nullptr, nullptr, "connect"},
                           {"127.0.0.1:80", "refused", nullptr, nullptr, "connect"},
                           {"10.8.4.1:80", "rejected", nullptr, nullptr, "route"},
                           {"udp/127.0.0.1:86", "answered", nullptr, nullptr, "application"}};
  constexpr std::size_t kMany = 1000;
  std::string text = "# many\n127.0.0.1:90\n";
  for (std::size_t i = 1; i < kMany; ++i) text += std::string(kSome[i % 5].target) + "\n";
  const Finished ran = run_in(root(), "/usr/bin/prlimit",
                              {"--nofile=128:128", programs_.hark(), "test", "--json", "--timeout",
                               "2", "--file", programs_.file("targets", text)});
  const json object = json::parse(ran.out, nullptr, false);
  ASSERT_TRUE(object.is_object()) << ran.err;
  const json& attempts = object["attempts"];
  ASSERT_EQ(attempts.size(), kMany);
  EXPECT_EQ(attempts[0]["outcome"], "silent");
  for (std::size_t i = 1; i < kMany; ++i) {
    EXPECT_EQ(attempts[i]["target"], kSome[i % 5].target) << i;
    EXPECT_EQ(attempts[i]["outcome"], kSome[i % 5].outcome) << i;
  }
}

/// A client whose socket is bound to a link: what it sees, and what was predicted of it.
TEST_F(Connect, ASocketMayBeBoundToALink) {
  struct Bound {
    const char* link;
    Row row;
  };
  constexpr Bound kBound[] = {
      {"te0", {"10.8.0.1:85", "answered", nullptr, nullptr, "application"}},
      {"te0", {"[fd08::1]:85", "answered", nullptr, nullptr, "application"}},
      {"te0", {"10.8.0.2:83", "answered", nullptr, nullptr, "first-byte", Agrees::Open}},
      {"te0", {"[fd08::2]:85", "answered", nullptr, nullptr, "application", Agrees::Open}},
      {"te0", {"10.8.0.2:80", "refused", "ECONNREFUSED", nullptr, "connect", Agrees::Open}},
      {"te0", {"10.8.0.2:71", "refused", "ECONNREFUSED", nullptr, "connect"}},
      {"te0", {"udp/10.8.0.2:70", "rejected", "EPERM", nullptr, "connect"}},
      {"te0", {"10.8.0.1:80", "refused", "ECONNREFUSED", nullptr, "connect"}},
      {"te0", {"[::1]:85", "rejected", "ENETUNREACH", nullptr, "route"}},
      {"lo", {"127.0.0.1:85", "answered", nullptr, nullptr, "application"}},
      // Its answer comes by the link that has the address.
      {"lo", {"10.8.0.1:85", "silent", "ETIMEDOUT", nullptr, "connect"}},
      {"lo", {"[fd08::1]:85", "rejected", "ENETUNREACH", nullptr, "route"}},
      {"none", {"10.8.0.1:85", "rejected", "ENODEV", nullptr, "route", Agrees::Open}}};
  for (const char* link : {"te0", "lo", "none"}) {
    SCOPED_TRACE(link);
    std::vector<Row> rows;
    for (const Bound& one : kBound) {
      if (std::string_view(one.link) == link) rows.push_back(one.row);
    }
    check(root(), rows, "4", {"--interface", link});
  }
}

TEST_F(Connect, WithoutHarkTestItSaysSo) {
  std::filesystem::remove(std::filesystem::path(programs_.hark()).parent_path() / "hark-test");
  const Finished ran = hark(root(), {"85"});
  EXPECT_EQ(ran.status, 3);
  EXPECT_EQ(ran.out, "");
  EXPECT_THAT(ran.err, HasSubstr("hark-test is not installed"));
}

TEST_F(Connect, InterruptedItTellsWhatIsKnown) {
  const json object = interrupted(
      {programs_.hark(), "test", "--json", "--timeout", "60", "10.8.0.1:85", "127.0.0.1:90"},
      // The first target is done with, the second will be silent.
      [&] { here_.wait_for_goodbyes(1); });
  ASSERT_TRUE(object.is_object());
  EXPECT_EQ(object["interrupted"], true);
  EXPECT_EQ(object["attempts"][0]["outcome"], "answered");
  EXPECT_TRUE(object["attempts"][1]["phase"].is_null());
}

TEST_F(Connect, InterruptedItTellsWhatPlacesSaid) {
  const std::string name = "hark-" + scene_.truth()["id"].get<std::string>() + "-far";
  const json object = interrupted({programs_.hark(), "test", "--json", "--timeout", "60",
                                   "10.8.0.1:85", "127.0.0.1:90", "--via", "netns:" + name},
                                  [&] { here_.wait_for_goodbyes(1); });
  ASSERT_TRUE(object.is_object());
  ASSERT_EQ(object["attempts"].size(), 2U) << object;
  EXPECT_EQ(object["attempts"][0]["outcome"], "answered");
  EXPECT_EQ(object["vantages"][1]["trouble"], "interrupted before it was asked");
}

/// A name server that does not answer holds nobody up.
TEST_F(Connect, InterruptedWhileANameIsResolved) {
  const std::string servers = programs_.file("resolv.conf", "nameserver 127.0.0.1\n");
  const std::string switches = programs_.file("nsswitch.conf", "hosts: files dns\n");
  UniqueFd name_server;
  std::thread([&] {
    const UniqueFd netns(::open(start().c_str(), O_RDONLY | O_CLOEXEC));
    ASSERT_EQ(::setns(netns.get(), CLONE_NEWNET), 0);
    name_server = UniqueFd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  }).join();
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(53);
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::bind(name_server.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at), 0);
  const std::string script = "mount --bind " + servers + " /etc/resolv.conf && mount --bind " +
                             switches + " /etc/nsswitch.conf && exec \"$@\"";
  const json object =
      interrupted({"/usr/bin/unshare", "-m", "sh", "-c", script, "sh", programs_.hark(), "test",
                   "--json", "slow.test:80", "127.0.0.1:85"},
                  [&] {
                    std::array<char, 512> question{};
                    ::recv(name_server.get(), question.data(), question.size(), 0);
                  });
  ASSERT_TRUE(object.is_object());
  EXPECT_EQ(object["interrupted"], true);
  // Not that the resolver did not answer: it was not waited for.
  EXPECT_THAT(object.dump(), HasSubstr("interrupted"));
  EXPECT_THAT(object.dump(), testing::Not(HasSubstr("did not answer in time")));
}

}  // namespace
}  // namespace hark::netns
