// Each file of the folder scenes is a host, built by bash in namespaces of its own, and says in
// lines that begin with #@ what is to be so there:
//
//   tools A B                        the scene is built once with each, as $TOOL
//   listen NETNS ADDRESS PORT        a server that tells every client "NETNS:PORT"
//   proxy ADDRESS PORT TO TO-PORT    a docker-proxy of the host
//   published PORT ADDRESSES LEADS   hark lists these and no others; LEADS parted by commas, - for
//                                    an address of the host itself. "8080/6": of IPv6
//   service PORT NAME                what Kubernetes calls it
//   nobody NETNS tcp|udp PORT        hark doctor misses a listener there, and at no other port that
//                                    is published
//   denied PORT                      the input chain would deny who is let in
//   try NETNS SOURCE INTERFACE ADDRESS PORT [AT]   a real connect, from NETNS; hark why must say
//   the
//                                    same of a packet that comes to AT, which is h where it is not
//                                    said, by INTERFACE; and where it is answered, by whom
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <future>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "base/unique_fd.h"
#include "endpoint.h"

namespace hark {
namespace {

using Json = nlohmann::json;
using Words = std::vector<std::string>;

constexpr int kConnectMs = 1500;

Words words_of(const std::string& line) {
  std::istringstream in(line);
  Words out;
  for (std::string word; in >> word;) out.push_back(word);
  return out;
}

/// What a program said; -1: it failed.
struct Said {
  int status = -1;
  std::string text;
};

Said run(const Words& command) {
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0) return {};
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::dup2(pipe[1], 1);
    std::vector<char*> argv;
    for (const std::string& word : command) argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    ::execvp(argv[0], argv.data());
    ::_exit(127);
  }
  ::close(pipe[1]);
  const UniqueFd from(pipe[0]);
  Said out;
  std::array<char, 65536> buffer{};
  for (ssize_t got = 0; (got = ::read(from.get(), buffer.data(), buffer.size())) > 0;) {
    out.text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  out.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return out;
}

void enter(const std::string& netns) {
  const UniqueFd to(::open(("/run/netns/" + netns).c_str(), O_RDONLY | O_CLOEXEC));
  if (::setns(to.get(), CLONE_NEWNET) != 0) ::_exit(3);
}

/// The host of one scene: what was built, and who listens in it.
class Host {
 public:
  Host(const std::string& file, const std::string& tool) {
    Words lines;
    std::ifstream in(std::string(HARK_SCENES) + "/scenes/" + file);
    for (std::string line; std::getline(in, line);) {
      if (line.starts_with("#@ ")) facts_.push_back(words_of(line.substr(3)));
    }
    ::unsetenv("TOOL");
    if (!tool.empty()) ::setenv("TOOL", tool.c_str(), 1);
    // A file system of this scene's own holds its namespaces, and ends with it.
    mounted_ = ::mount("none", "/run/netns", "tmpfs", 0, nullptr) == 0;
    EXPECT_TRUE(mounted_) << std::strerror(errno);
    const std::string folder = HARK_SCENES;
    const Said built =
        run({"bash", "-c", ". " + folder + "/lib.sh; . " + folder + "/scenes/" + file});
    EXPECT_EQ(built.status, 0) << built.text;
    for (const Words& fact : facts_) {
      if (fact[0] == "listen") listen(fact[1], fact[2], fact[3]);
      if (fact[0] == "proxy") proxy(fact);
    }
  }
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;
  ~Host() {
    for (const pid_t pid : servers_) {
      ::kill(pid, SIGKILL);
      ::waitpid(pid, nullptr, 0);
    }
    for (const auto& one : std::filesystem::directory_iterator("/run/netns")) {
      ::umount2(one.path().c_str(), MNT_DETACH);
    }
    if (mounted_) ::umount2("/run/netns", MNT_DETACH);
  }

  [[nodiscard]] std::vector<Words> facts(const std::string& kind) const {
    std::vector<Words> out;
    for (const Words& fact : facts_) {
      if (fact[0] == kind) out.push_back(fact);
    }
    return out;
  }

  /// What the server there says; empty: nobody answered.
  static std::string connect(const std::string& netns, const std::string& address,
                             const std::string& port) {
    std::array<int, 2> pipe{};
    if (::pipe2(pipe.data(), O_CLOEXEC) != 0) return {};
    const pid_t pid = ::fork();
    if (pid == 0) {
      enter(netns);
      const Endpoint to(address, port);
      const UniqueFd socket(::socket(to.family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
      (void)::connect(socket.get(), to.get(), to.size());
      pollfd wait{socket.get(), POLLIN, 0};
      std::array<char, 64> said{};
      const ssize_t got =
          ::poll(&wait, 1, kConnectMs) == 1 ? ::read(socket.get(), said.data(), said.size()) : 0;
      if (got > 0) (void)!::write(pipe[1], said.data(), static_cast<std::size_t>(got));
      ::_exit(0);
    }
    ::close(pipe[1]);
    const UniqueFd from(pipe[0]);
    std::array<char, 64> said{};
    const ssize_t got = ::read(from.get(), said.data(), said.size());
    ::waitpid(pid, nullptr, 0);
    return got > 0 ? std::string(said.data(), static_cast<std::size_t>(got)) : std::string();
  }

 private:
  /// A process that serves until it is killed, and writes a byte when it is ready.
  template <typename Serve>
  void start(const std::string& netns, const std::string& what, const Serve& serve) {
    std::array<int, 2> ready{};
    ASSERT_EQ(::pipe2(ready.data(), O_CLOEXEC), 0);
    const pid_t pid = ::fork();
    if (pid == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      enter(netns);
      serve(ready[1]);
      ::_exit(3);
    }
    ::close(ready[1]);
    const UniqueFd from(ready[0]);
    char byte = 0;
    EXPECT_EQ(::read(from.get(), &byte, 1), 1) << what;
    servers_.push_back(pid);
  }

  void listen(const std::string& netns, const std::string& address, const std::string& port) {
    const std::string name = netns + ":" + port;
    start(netns, name, [&](int ready) {
      const int socket = listening_socket(Endpoint(address, port));
      if (socket < 0) return;
      (void)!::write(ready, "x", 1);
      for (;;) {
        const int client = ::accept(socket, nullptr, nullptr);
        (void)!::write(client, name.data(), name.size());
        ::close(client);
      }
    });
  }

  void proxy(const Words& fact) {
    start("h", "docker-proxy " + fact[2], [&](int ready) {
      ::dup2(ready, 1);
      ::execl(HARK_DOCKER_PROXY, "docker-proxy", "-proto", "tcp", "-host-ip", fact[1].c_str(),
              "-host-port", fact[2].c_str(), "-container-ip", fact[3].c_str(), "-container-port",
              fact[4].c_str(), nullptr);
    });
  }

  std::vector<Words> facts_;
  std::vector<pid_t> servers_;
  bool mounted_ = false;
};

Json hark(const Words& arguments) {
  Words command = {HARK_PROGRAM};
  command.insert(command.end(), arguments.begin(), arguments.end());
  command.emplace_back("--json");
  const Said said = run(command);
  Json out = Json::parse(said.text, nullptr, false);
  EXPECT_FALSE(out.is_discarded()) << said.status << " " << said.text;
  return out.is_discarded() ? Json::object() : out;
}

std::string port_of(const Json& published) {
  std::string out = published["ports"][0];
  if (published["protocol"] == "udp") out += "/udp";
  if (published["family"] == "inet6") out += "/6";
  return out;
}

/// "172.17.0.2:80", "-:3128", parted by commas.
std::string leads_of(const Json& published) {
  std::vector<std::string> all;
  for (const Json& lead : published["leads_to"]) {
    const Json& port = lead["port"].is_null() ? published["port"] : lead["port"];
    std::string address = lead["address"].is_null() ? "-" : lead["address"].get<std::string>();
    if (published["family"] == "inet6") address = "[" + address + "]";
    all.push_back(address + ":" + std::to_string(port.get<int>()));
  }
  std::ranges::sort(all);
  std::string out;
  for (const std::string& one : all) out += (out.empty() ? "" : ",") + one;
  return out;
}

/// Other scenes, built at the same time elsewhere, have a host of that name, too.
ino_t inode_of(const std::string& netns) {
  struct stat facts {};
  EXPECT_EQ(::stat(("/run/netns/" + netns).c_str(), &facts), 0) << netns;
  return facts.st_ino;
}

/// Of the scene's host, by port.
std::map<std::string, Json> listed() {
  std::map<std::string, Json> out;
  const ino_t host = inode_of("h");
  const Json list = hark({"list"});
  for (const Json& one : list.value("published", Json::array())) {
    if (one["netns"]["inode"] == host) out[port_of(one)] = one;
  }
  return out;
}

/// Of hark doctor: "c1 udp 53", where rules send clients on to nobody. Namespaces of other scenes
/// have no names here.
std::vector<std::string> missed() {
  constexpr std::string_view kBegin = "namespace ";
  std::vector<std::string> out;
  const Json report = hark({"doctor"});
  for (const Json& one : report.value("findings", Json::array())) {
    const std::string text = one["text"];
    if (one["code"] != "declared-port-missing" || !text.starts_with(kBegin)) continue;
    const std::string name = text.substr(kBegin.size(), text.find(':') - kBegin.size());
    if (name == "net") continue;
    EXPECT_EQ(one["severity"], "risk") << text;
    out.push_back(name + " " + one["subject"].get<std::string>());
  }
  std::ranges::sort(out);
  return out;
}

struct Case {
  std::string file;
  std::string tool;
};
std::vector<Case> all_cases() {
  std::vector<Case> out;
  for (const auto& one :
       std::filesystem::directory_iterator(std::string(HARK_SCENES) + "/scenes")) {
    const std::string file = one.path().filename();
    Words tools = {""};
    std::ifstream in(one.path());
    for (std::string line; std::getline(in, line);) {
      if (!line.starts_with("#@ tools ")) continue;
      tools = words_of(line.substr(9));
    }
    for (const std::string& tool : tools) out.push_back({file, tool});
  }
  std::ranges::sort(out, {}, [](const Case& one) { return one.file + one.tool; });
  return out;
}

/// "h:8080", as its server tells.
std::string name_of(const Json& listener) {
  if (listener.is_null()) return {};
  const std::string netns = listener["netns"]["name"];
  return netns + ":" + std::to_string(listener["port"].get<int>());
}

/// Where the door leads that a client came to, as it is seen by who came through: "h:8080>c1:80".
void expect_door(const Host& host, const Json& listener, const std::string& behind) {
  const Json& door = listener["owners"][0]["door"];
  EXPECT_EQ(door.value("kind", ""), "docker-proxy");
  for (const Words& fact : host.facts("proxy")) {
    if (listener["port"] != std::stoi(fact[2])) continue;
    EXPECT_EQ(door.value("to", ""), fact[3] + ":" + fact[4]);
  }
  EXPECT_NE(behind, "");
}

void try_one(const Host& host, const Words& fact, const std::map<std::string, Json>& published,
             std::string owner) {
  const std::string& address = fact[4];
  const bool six = address.find(':') != std::string::npos;
  const std::string at = fact.size() > 6 ? fact[6] : "h";
  SCOPED_TRACE(fact[1] + " asks " + address + " port " + fact[5]);
  const Json why = hark({"why", "--netns", "net:[" + std::to_string(inode_of(at)) + "]",
                         (six ? "[" + address + "]" : address) + ":" + fact[5], "--from", fact[2],
                         "--in", fact[3], "--to", address});
  ASSERT_FALSE(why["answers"].empty());
  const Json& answer = why["answers"][0];
  const std::string outcome = answer["outcome"];
  EXPECT_EQ(outcome == "answered", !owner.empty())
      << outcome << ", but real: " << owner << "; " << answer["text"];
  if (owner.empty() || outcome != "answered") return;
  const std::size_t through = owner.find('>');
  if (through != std::string::npos) {
    expect_door(host, answer["delivers_to"], owner.substr(through + 1));
    owner.resize(through);
  }
  const auto port = published.find(fact[5] + (six ? "/6" : ""));
  if (port == published.end() || through != std::string::npos) {
    EXPECT_EQ(name_of(answer["delivers_to"]), owner);
    return;
  }
  bool is_one = false;
  for (const Json& lead : port->second["leads_to"]) {
    if (lead["listener"].is_null()) continue;
    EXPECT_EQ(lead["somebody_listens"], true);
    is_one = is_one || owner == name_of(lead["listener"]);
  }
  EXPECT_TRUE(is_one) << owner << " answers: " << port->second["leads_to"].dump();
}

class Published : public ::testing::TestWithParam<Case> {
 protected:
  static void SetUpTestSuite() {
    // What is mounted here nobody else sees, and it ends with this process.
    ASSERT_EQ(::unshare(CLONE_NEWNS), 0) << "needs root";
    ASSERT_EQ(::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
    if (::mkdir("/run/netns", 0755) != 0) {
      ASSERT_EQ(errno, EEXIST);
    }
  }
};

TEST_P(Published, IsWhatAnswers) {
  const Host host(GetParam().file, GetParam().tool);
  const std::map<std::string, Json> published = listed();

  std::map<std::string, std::string> expected;
  for (const Words& fact : host.facts("published")) expected[fact[1]] = fact[2] + " " + fact[3];
  std::map<std::string, std::string> found;
  for (const auto& [port, one] : published) {
    found[port] = one["addresses"][0].get<std::string>() + " " + leads_of(one);
  }
  EXPECT_EQ(found, expected);
  for (const Words& fact : host.facts("service")) {
    EXPECT_EQ(published.at(fact[1])["leads_to"][0]["service"], fact[2]);
  }
  std::vector<std::string> denied;
  for (const auto& [port, one] : published) {
    if (!one["input_denies"].is_null()) denied.push_back(port);
  }
  std::vector<std::string> deniable;
  for (const Words& fact : host.facts("denied")) deniable.push_back(fact[1]);
  EXPECT_EQ(denied, deniable);

  std::vector<std::string> nobody;
  for (const Words& fact : host.facts("nobody"))
    nobody.push_back(fact[1] + " " + fact[2] + " " + fact[3]);
  EXPECT_EQ(missed(), nobody);

  // Who is not answered waits, so all ask at once.
  const std::vector<Words> tries = host.facts("try");
  std::vector<std::future<std::string>> owners;
  for (const Words& fact : tries) {
    owners.push_back(std::async(std::launch::async, Host::connect, fact[1], fact[4], fact[5]));
  }
  for (std::size_t i = 0; i < tries.size(); ++i) {
    try_one(host, tries[i], published, owners[i].get());
  }
}

INSTANTIATE_TEST_SUITE_P(Scenes, Published, ::testing::ValuesIn(all_cases()), [](const auto& one) {
  std::string name = one.param.file + one.param.tool;
  std::erase_if(name, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; });
  return name;
});

}  // namespace
}  // namespace hark
