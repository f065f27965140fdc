// hark test --via over a real ssh: this namespace, and one across a link that is another host to
// it.
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "base/unique_fd.h"
#include "cli/test_via.h"
#include "server.h"

namespace hark::servers {
namespace {

using nlohmann::json;
using testing::HasSubstr;

/// 10.9.0.1 here, 10.9.0.2 in the namespace "far". Names of namespaces live below a /run/netns of
/// our own, and ssh has its configuration from us: both end with this process.
void make_far(const Folder& folder) {
  ASSERT_EQ(::unshare(CLONE_NEWNS), 0);
  ASSERT_EQ(::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
  ASSERT_EQ(run({"mkdir", "-p", "/run/netns", "/run/sshd"}), 0);
  ASSERT_EQ(::mount("none", "/run/netns", "tmpfs", 0, nullptr), 0);
  const std::vector<std::string> commands = {
      "ip netns add far",
      "ip link add near0 type veth peer name far0 netns far",
      "ip addr add 10.9.0.1/24 dev near0",
      "ip link set near0 up",
      "ip -n far addr add 10.9.0.2/24 dev far0",
      "ip -n far link set far0 up",
      "ip -n far link set lo up",
      "nft add table inet filter",
      "nft 'add chain inet filter input { type filter hook input priority 0 ; }'",
      "nft add rule inet filter input iifname near0 tcp dport 7001 drop"};
  for (const std::string& command : commands) ASSERT_EQ(run({"sh", "-c", command}), 0) << command;
  ASSERT_EQ(run({"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder.path("host")}), 0);
  ASSERT_EQ(run({"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder.path("user")}), 0);
  write_file(folder.path("sshd"), "HostKey " + folder.path("host") +
                                      "\nPidFile none\nUsePAM no\nStrictModes no\n"
                                      "PermitRootLogin prohibit-password\nAuthorizedKeysFile " +
                                      folder.path("user.pub") + "\n");
  write_file(
      folder.path("ssh"),
      "Host bare\n Port 22\nHost full\n Port 2222\nHost *\n HostName 10.9.0.2\n IdentityFile " +
          folder.path("user") +
          "\n StrictHostKeyChecking no\n UserKnownHostsFile /dev/null\n"
          " LogLevel ERROR\n");
  ASSERT_EQ(::mount(folder.path("ssh").c_str(), "/etc/ssh/ssh_config", nullptr, MS_BIND, nullptr),
            0);
}

std::vector<std::string> sshd(const Folder& folder, const std::string& port,
                              const std::string& path) {
  return {"ip",
          "netns",
          "exec",
          "far",
          "/usr/sbin/sshd",
          "-D",
          "-e",
          "-f",
          folder.path("sshd"),
          "-p",
          port,
          "-o",
          "SetEnv=PATH=" + path + "/usr/bin:/bin"};
}

/// The outcomes of an address by place.
std::string outcomes(const json& answer, const std::string& to) {
  std::string out;
  for (const json& attempt : answer["attempts"]) {
    if (attempt["to"] != to) continue;
    out += attempt["via"].get<std::string>() + '=' + attempt["outcome"].get<std::string>() + ' ';
  }
  return out;
}

TEST_F(ServersTest, ViaSshAndNamespaces) {
  NEEDS("sshd");
  NEEDS("redis-server");
  const Folder folder;
  ASSERT_NO_FATAL_FAILURE(make_far(folder));
  ASSERT_EQ(run({"ln", "-s", HARK_TEST_PROGRAM, folder.path("hark")}), 0);
  Server bare(sshd(folder, "22", ""), folder.path("bare.log"));
  Server full(sshd(folder, "2222", folder.path(":").substr(0, folder.path(":").size() - 1) + ":"),
              folder.path("full.log"));
  std::vector<std::unique_ptr<Server>> stores;
  for (const char* const port : {"7000", "7001"}) {
    stores.push_back(
        std::make_unique<Server>(std::vector<std::string>{"redis-server", "--port", port,
                                                          "--protected-mode", "no", "--save", ""},
                                 folder.path(port)));
  }
  for (const std::uint16_t port : {std::uint16_t{7000}, std::uint16_t{7001}})
    stores[port - 7000U]->wait_for(port);
  bare.wait_for(22, "10.9.0.2");
  full.wait_for(2222, "10.9.0.2");

  const std::vector<std::string> places = {"--via",    "ssh:bare", "--via",
                                           "ssh:full", "--via",    "netns:far"};
  std::vector<std::string> arguments = {"--json", "--timeout", "1", "10.9.0.1:7000", "7001"};
  arguments.insert(arguments.end(), places.begin(), places.end());
  const json answer = json::parse(hark_test(arguments, 1), nullptr, false);
  ASSERT_TRUE(answer.is_object());
  EXPECT_EQ(outcomes(answer, "10.9.0.1:7000"),
            "here=answered ssh:bare=answered ssh:full=answered netns:far=answered ");
  EXPECT_EQ(outcomes(answer, "10.9.0.1:7001"),
            "here=answered ssh:bare=silent ssh:full=silent netns:far=silent ");
  EXPECT_TRUE(answer["vantages"][1]["bare"]);
  EXPECT_FALSE(answer["vantages"][2]["bare"]);
  ASSERT_EQ(answer["causes"].size(), 3U);
  for (const json& cause : answer["causes"]) {
    EXPECT_EQ(cause["from"], "10.9.0.2");
    EXPECT_EQ(cause["cause"]["code"], "input-drop") << cause.dump();
  }

  const std::string nobody =
      hark_test({"10.9.0.1:7000", "--via", "ssh:bare", "--via", "netns:nowhere"}, 3);
  EXPECT_THAT(nobody, HasSubstr("netns:nowhere: hark: --netns nowhere: "));
  EXPECT_EQ(hark_test({"10.9.0.1:7000", "--via", "ssh:-oProxyCommand=x"}, 2), "");
}

/// A tool of a bare host, by the path of its program.
std::string program_of(const std::string& tool) {
  const Folder folder;
  const std::string out = folder.path("where");
  // What stands in PATH may be a script of a version manager.
  const std::string ask = tool == "python3" ? "python3 -c 'import sys; print(sys.executable)'"
                                            : "readlink -f \"$(command -v " + tool + ")\"";
  EXPECT_EQ(run({"sh", "-c", ask + " > " + out}), 0) << tool << ": packages.txt has it";
  std::string path = read_file(out);
  while (path.ends_with('\n')) path.pop_back();
  return path;
}

/// The script for bare hosts, with each of the tools that it knows as the only one: what it says of
/// each target is the same, whoever tries.
TEST_F(ServersTest, EachToolOfABareHost) {
  const std::vector<std::string> commands = {
      "nft add table inet bare",
      "nft 'add chain inet bare input { type filter hook input priority 0 ; }'",
      "nft add rule inet bare input tcp dport 7003 drop", "ip addr add 10.78.0.1/32 dev lo",
      "ip route add unreachable 10.78.1.0/24"};
  for (const std::string& command : commands) ASSERT_EQ(run({"sh", "-c", command}), 0) << command;
  const UniqueFd listening(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in6 any{};
  any.sin6_family = AF_INET6;
  any.sin6_port = htons(7002);
  ASSERT_EQ(::bind(listening.get(), reinterpret_cast<const sockaddr*>(&any), sizeof any), 0);
  ASSERT_EQ(::listen(listening.get(), 64), 0);
  const std::vector<std::string> targets = {"127.0.0.1:7002", "[::1]:7002",   "127.0.0.1:7004",
                                            "127.0.0.1:7003", "10.78.1.1:80", "10.79.0.1:80"};
  const std::string expected =
      "hark\t127.0.0.1:7002\tanswered\t-\t-\n"
      "hark\t[::1]:7002\tanswered\t-\t-\n"
      "hark\t127.0.0.1:7004\trefused\tECONNREFUSED\t-\n"
      "hark\t127.0.0.1:7003\tsilent\tETIMEDOUT\t-\n"
      "hark\t10.78.1.1:80\trejected\tEHOSTUNREACH\t-\n"
      "hark\t10.79.0.1:80\trejected\tENETUNREACH\t-\n";
  for (const std::vector<std::string>& tools :
       std::vector<std::vector<std::string>>{{"bash", "timeout"}, {"python3"}, {"nc"}, {"curl"}}) {
    SCOPED_TRACE(tools.front());
    const Folder folder;
    ASSERT_EQ(run({"mkdir", folder.path("bin")}), 0);
    for (const std::string& tool : tools) {
      ASSERT_EQ(run({"ln", "-s", program_of(tool), folder.path("bin/" + tool)}), 0);
    }
    write_file(folder.path("script"), cli::place_script(targets, 1000));
    ASSERT_EQ(run({"sh", "-c",
                   "env -i PATH=" + folder.path("bin") + " /bin/sh -s < " + folder.path("script") +
                       " > " + folder.path("out")}),
              0);
    EXPECT_EQ(read_file(folder.path("out")), expected);
  }
  const Folder empty;
  write_file(empty.path("script"), cli::place_script({"127.0.0.1:7002"}, 1000));
  EXPECT_EQ(run({"sh", "-c",
                 "env -i PATH=/nowhere SSH_CONNECTION='10.9.0.1 40000 10.9.0.2 22' "
                 "/bin/sh -s < " +
                     empty.path("script") + " > " + empty.path("out")}),
            0);
  EXPECT_EQ(read_file(empty.path("out")), "hark\t127.0.0.1:7002\tunknown\t-\t10.9.0.2\n");
}

}  // namespace
}  // namespace hark::servers
