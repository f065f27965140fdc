#include "host/container_ends.h"

#include <gtest/gtest.h>

#include "host/fake_source.h"

namespace hark::host {
namespace {

const std::string kId(64, 'a');
const std::string kOther(64, 'b');
constexpr const char* kContainers = "/var/lib/docker/containers";
constexpr const char* kV2 = "30 1 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
constexpr const char* kV1 =
    "30 1 0:26 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
    "31 1 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n";

struct Place : FakeSource {
  Place() { host.namespaces.push_back({.inode = 1, .name = "host", .own = true, .entered = true}); }
  void docker(const std::string& id, const std::string& more) {
    ids.push_back(id);
    folder(kContainers, ids);
    file(std::string(kContainers) + "/" + id + "/config.v2.json",
         R"({"ID":")" + id + R"(","Name":"/web",)" + more + "}");
  }
  void podman() {
    file("/var/lib/containers/storage/overlay-containers/containers.json",
         R"([{"id":")" + kId + R"(","names":["db"]}])");
  }
  std::vector<ContainerEnd> ends(const std::vector<std::string>& killed = {}) {
    std::vector<OomKill> kills;
    for (const std::string& cgroup : killed) {
      kills.push_back({.pid = 7, .program = "x", .cgroup = cgroup, .unit = ""});
    }
    return read_container_ends(*this, host, kills);
  }
  Host host;
  std::vector<std::string> ids;
};

TEST(ContainerEnds, OfDockerThatItStartedAgain) {
  Place place;
  place.docker(kId, R"("State":{"Restarting":true,"Pid":0,"ExitCode":1},"RestartCount":3)");
  place.docker(kOther, R"("State":{"Pid":7})");
  const auto ends = place.ends();
  ASSERT_EQ(ends.size(), 1U);
  EXPECT_EQ(ends[0].container.id, kId);
  EXPECT_EQ(ends[0].container.name, "web");
  EXPECT_EQ(ends[0].runs, false);
  EXPECT_TRUE(ends[0].restarting);
  EXPECT_EQ(ends[0].restarts, 3U);
  EXPECT_EQ(ends[0].exit_status, 1U);
  place.host.namespaces[0].own = false;
  EXPECT_TRUE(place.ends().empty()) << "another namespace is asked about";
}

TEST(ContainerEnds, OfDockerWhomTheKernelKilled) {
  Place place;
  place.docker(kId, R"("State":{"Pid":0,"FinishedAt":"1970-01-01T00:00:01Z"})");
  const std::string scope = "/system.slice/docker-" + kId + ".scope";
  const auto ends = place.ends({"/system.slice/nginx.service", scope, scope + "/init.scope",
                                "/system.slice/docker-" + kOther + ".scope"});
  ASSERT_EQ(ends.size(), 1U) << "the other one was removed";
  EXPECT_EQ(ends[0].kills.size(), 2U);
  EXPECT_EQ(ends[0].runs, false);
  EXPECT_EQ(ends[0].ended_at_ms, 1000);
}

TEST(ContainerEnds, TheCgroupTellsWhetherAnythingRuns) {
  const std::string cgroup = "/machine.slice/libpod-" + kId + ".scope";
  struct Case {
    const char* mounts;
    std::string file;
    const char* text;
    std::optional<bool> runs;
  };
  const Case cases[] = {
      {kV2, "", "", false},
      {kV2, "/sys/fs/cgroup" + cgroup + "/cgroup.events", "populated 1\nfrozen 0\n", true},
      {kV2, "/sys/fs/cgroup" + cgroup + "/cgroup.events", "populated 0\nfrozen 0\n", false},
      {kV1, "", "", false},
      {kV1, "/sys/fs/cgroup/memory" + cgroup + "/cgroup.procs", "77\n", true},
      {kV1, "/sys/fs/cgroup/memory" + cgroup + "/cgroup.procs", "", std::nullopt},
      {"", "", "", std::nullopt},
  };
  for (const Case& one : cases) {
    Place place;
    place.podman();
    place.file("/proc/self/mountinfo", one.mounts);
    if (!one.file.empty()) place.file(one.file, one.text);
    const auto ends = place.ends({cgroup + "/container"});
    ASSERT_EQ(ends.size(), one.runs ? 1U : 0U) << one.mounts << one.file;
    if (!one.runs) continue;
    EXPECT_EQ(ends[0].container.name, "db");
    EXPECT_EQ(ends[0].runs, one.runs) << one.mounts << one.file;
  }
}

TEST(ContainerEnds, OfPodmanByItsDatabase) {
  Place place;
  place.podman();
  place.file("/var/lib/containers/storage/libpod/bolt_state.db",
             R"([{"config":{"id":")" + kId + R"(","name":"db"},"state":{"pid":7,"exitCode":2,
                 "restartCount":5,"startedTime":"1970-01-01T00:00:03Z",
                 "finishedTime":"1970-01-01T01:00:02+01:00"}}])");
  auto ends = place.ends();
  ASSERT_EQ(ends.size(), 1U) << "it was started again";
  EXPECT_EQ(ends[0].container.name, "db");
  EXPECT_EQ(ends[0].runs, true);
  EXPECT_EQ(ends[0].restarts, 5U);
  EXPECT_EQ(ends[0].ended_at_ms, 2000);
  place.file("/var/lib/containers/storage/libpod/bolt_state.db",
             R"([{"config":{"id":")" + kId + R"(","name":"db"},"state":{"pid":7,
                 "finishedTime":"1970-01-01T00:00:02Z"}}])");
  EXPECT_TRUE(place.ends().empty());
  place.file("/proc/self/mountinfo", kV2);
  ends = place.ends({"/machine.slice/libpod-" + kId + ".scope/container"});
  ASSERT_EQ(ends.size(), 1U);
  EXPECT_EQ(ends[0].runs, false) << "as its cgroup says, whatever podman has not seen yet";
  EXPECT_EQ(ends[0].ended_at_ms, 2000);
}

TEST(ContainerEnds, OfAUsersOwnPodman) {
  Place place;
  place.file("/etc/passwd", "ann:x:1000:1000::/home/ann:/bin/sh\n");
  place.file("/home/ann/.local/share/containers/storage/db.sql",
             R"([{"config":{"id":")" + kId + R"(","name":"hers"},"state":{"restartCount":1}}])");
  EXPECT_TRUE(place.ends().empty()) << "nothing of hers is among the owners";
  Process process;
  process.cgroup = "/user.slice/user-1000.slice/user@1000.service/app.slice/x.scope";
  place.host.processes.push_back(std::move(process));
  const auto ends = place.ends();
  ASSERT_EQ(ends.size(), 1U);
  EXPECT_EQ(ends[0].container.name, "hers");
}

TEST(ContainerEnds, APodsContainerIsReplaced) {
  Place place;
  place.file("/proc/self/mountinfo", kV2);
  place.file("/run/containers/storage/overlay-containers/" + kId + "/userdata/config.json",
             R"({"annotations":{"io.kubernetes.container.name":"api",
                 "io.kubernetes.pod.name":"api-0","io.kubernetes.pod.namespace":"prod"}})");
  const std::string cgroup = "/kubepods.slice/crio-" + kId + ".scope";
  EXPECT_TRUE(place.ends({cgroup}).empty()) << "the new one may be anywhere";
  Process process;
  process.container = Container{.runtime = "cri-o",
                                .id = kOther,
                                .name = "api",
                                .image = {},
                                .pod = "api-0",
                                .pod_namespace = "prod"};
  place.host.processes.push_back(std::move(process));
  const auto ends = place.ends({cgroup});
  ASSERT_EQ(ends.size(), 1U);
  EXPECT_EQ(ends[0].runs, true);
}

}  // namespace
}  // namespace hark::host
