#include "host/hidden_owner.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "host/fake_source.h"
#include "host/select_fixture.h"

namespace hark::host {
namespace {

/// A host with two listeners, of one of which the owner could not be read, and three processes.
struct Scene {
  HostBuilder build;
  FakeSource source;

  Scene() {
    build.process(901, "nginx", "/usr/sbin/nginx");
    build.listener(Protocol::Tcp, "0.0.0.0", 80, {901});
    build.listener(Protocol::Tcp, "0.0.0.0", 22, {}).owners.reset();
    source.folder("/proc", {"812", "901", "950", "cpuinfo", "self"});
    process("812", "sshd", std::string("sshd: /usr/sbin/sshd -D\0", 24),
            "0::/system.slice/ssh.service\n");
    process("901", "nginx", "nginx", "0::/\n");
    process("950", "open", "open", "0::/\n");
    source.refuse("/proc/812/fd", EACCES);
    source.folder("/proc/901/fd", {"0"});
    source.link("/proc/901/fd/0", "/dev/null");
    source.folder("/proc/950/fd", {});
  }

  void process(const std::string& pid, const std::string& name, const std::string& cmdline,
               const std::string& cgroup) {
    source.file("/proc/" + pid + "/comm", name + "\n");
    source.file("/proc/" + pid + "/cmdline", cmdline);
    source.file("/proc/" + pid + "/cgroup", cgroup);
  }

  std::optional<std::string> hidden(const std::string& word) {
    const auto target = parse_target(word);
    EXPECT_TRUE(target) << word;
    return hidden_owner(source, build.host, NetnsId{0}, *target);
  }
};

TEST(HiddenOwner, AProcessOfThatNameThatCouldNotBeLookedInto) {
  Scene scene;
  for (const char* word :
       {"sshd", "SSH", "name:sshd", "pid:812", "cmdline:-D", "exe:/usr/sbin/sshd"}) {
    EXPECT_EQ(scene.hidden(word), "process sshd (812) could not be looked into") << word;
  }
}

TEST(HiddenOwner, DescriptorsThatCanOnlyBeCounted) {
  Scene scene;
  scene.source.folder("/proc/950/fd", {"3"});
  EXPECT_EQ(scene.hidden("open"), std::nullopt);  // closed meanwhile
  scene.source.file("/proc/950/fd/3", "");        // there, and does not say what it leads to
  EXPECT_EQ(scene.hidden("open"), "process open (950) could not be looked into");
}

TEST(HiddenOwner, NobodyOfThatNameIsNobody) {
  Scene scene;
  // The process 901 was looked into: what it holds is known.
  for (const char* word : {"ghost", "nginx", "pid:4", "pid:901", "open"}) {
    EXPECT_EQ(scene.hidden(word), std::nullopt) << word;
  }
}

TEST(HiddenOwner, OnlyWhereAnOwnerIsNotKnown) {
  Scene scene;
  EXPECT_EQ(scene.hidden("8080"), std::nullopt);
  EXPECT_EQ(scene.hidden("user:sshd"), std::nullopt);
  scene.build.host.listeners[1].owners.emplace();
  EXPECT_EQ(scene.hidden("sshd"), std::nullopt);
}

TEST(HiddenOwner, ProcessesThatAreNotShownCouldBeAnybody) {
  Scene scene;
  scene.build.host.gaps.push_back({"hidepid", "processes of other users", "", ""});
  EXPECT_EQ(scene.hidden("ghost"), "processes of other users could not be seen");
  Scene recording;
  recording.source.refuse("/proc", ENOENT);
  EXPECT_EQ(recording.hidden("ghost"), "the names of processes are not known");
}

}  // namespace
}  // namespace hark::host
