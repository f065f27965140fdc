#include "host/container_names.h"

#include <gtest/gtest.h>

#include "host/cgroup_names.h"
#include "host/fake_source.h"

namespace hark::host {
namespace {

const std::string kId(64, 'a');
const std::string kOther(64, 'b');
constexpr const char* kUsersCgroup = "/user.slice/user-1000.slice/user@1000.service/user.slice/";

std::string docker_state(const std::string& id, const std::string& name,
                         const std::string& address = "") {
  return R"({"ID":")" + id + R"(","Name":"/)" + name +
         R"(","Config":{"Image":"web:1"},"NetworkSettings":{"Networks":{"b":{"IPAddress":")" +
         address + R"("}}}})";
}

std::string crio_bundle(const std::string& name) {
  return R"({"annotations":{"io.kubernetes.container.name":")" + name +
         R"(","io.kubernetes.cri-o.ImageName":"q/api:2","io.kubernetes.pod.name":"api-0",
         "io.kubernetes.pod.namespace":"prod"}})";
}

std::string storage_list(const std::string& id, const std::string& name) {
  return R"([{"id":")" + id + R"(","names":[")" + name +
         R"("],"metadata":"{\"image-name\":\"pg:16\"}"}])";
}

class Names : public ::testing::Test {
 protected:
  Container named(const std::string& cgroup) {
    auto container = container_of_cgroup(cgroup);
    if (!container) return {.runtime = "none", .id = {}, .name = {}};
    names_.fill(*container, cgroup);
    return *container;
  }

  FakeSource source_;
  ContainerNames names_{source_};
};

TEST_F(Names, OfDocker) {
  source_.file("/var/lib/docker/containers/" + kId + "/config.v2.json", docker_state(kId, "web"));
  const Container one = named("/system.slice/docker-" + kId + ".scope");
  EXPECT_EQ(one, (Container{.runtime = "docker", .id = kId, .name = "web", .image = "web:1"}));
  EXPECT_FALSE(names_.gap());
}

TEST_F(Names, OfDockerWhereItsConfigurationSays) {
  source_.file("/etc/docker/daemon.json", R"({"data-root":"/srv/docker"})");
  source_.file("/srv/docker/containers/" + kId + "/config.v2.json", docker_state(kId, "web"));
  EXPECT_EQ(named("/docker/" + kId).name, "web");
  source_.file("/etc/docker/daemon.json", R"({"data-root":"relative"})");
  EXPECT_EQ(ContainerNames(source_).docker_with_address({}, "/"), std::nullopt);
}

TEST_F(Names, OfAUsersOwnDocker) {
  source_.file("/etc/passwd", "ann:x:1000:1000::/home/ann:/bin/sh\n");
  source_.file("/home/ann/.local/share/docker/containers/" + kId + "/config.v2.json",
               docker_state(kId, "hers"));
  source_.file("/var/lib/docker/containers/" + kOther + "/config.v2.json",
               docker_state(kOther, "systems"));
  EXPECT_EQ(named(kUsersCgroup + ("docker-" + kId + ".scope")).name, "hers");
  EXPECT_EQ(named(kUsersCgroup + ("docker-" + kOther + ".scope")).name, "systems");
  EXPECT_EQ(named("/system.slice/docker-" + kId + ".scope").name, "") << "not below her slice";
}

TEST_F(Names, OfPodman) {
  const std::string root = "/var/lib/containers/storage/";
  source_.file(root + "overlay-containers/containers.json", storage_list(kId, "db"));
  source_.file(root + "vfs-containers/volatile-containers.json", storage_list(kOther, "tmp"));
  const Container db = named("/machine.slice/libpod-" + kId + ".scope/container");
  EXPECT_EQ(db, (Container{.runtime = "podman", .id = kId, .name = "db", .image = "pg:16"}));
  EXPECT_EQ(named("/machine.slice/libpod-" + kOther + ".scope").name, "tmp");
  EXPECT_EQ(source_.reads().at(root + "overlay-containers/containers.json"), 1);
}

TEST_F(Names, OfAUsersPodman) {
  source_.file("/etc/passwd", "ann:x:1000:1000::/home/ann:/bin/sh\nbob:x:1001:1:::\n");
  source_.file("/home/ann/.local/share/containers/storage/overlay-containers/containers.json",
               storage_list(kId, "hers"));
  EXPECT_EQ(named(kUsersCgroup + ("libpod-" + kId + ".scope/container")).name, "hers");
  EXPECT_EQ(named("/user.slice/user-1001.slice/libpod-" + kId + ".scope").name, "");
}

TEST_F(Names, OfContainerd) {
  const std::string tasks = "/run/containerd/io.containerd.runtime.v2.task";
  source_.file(tasks + "/default/" + kId + "/config.json",
               R"({"annotations":{"nerdctl/name":"web"}})");
  EXPECT_EQ(named("/default/" + kId).name, "web");
  source_.folder(tasks, {".x", "buildkit", "default"});
  source_.file(tasks + "/buildkit/" + kOther + "/config.json",
               R"({"annotations":{"nerdctl/name":"builder"}})");
  EXPECT_EQ(named("/system.slice/containerd-" + kOther + ".scope").name, "builder");
}

TEST_F(Names, OfKubernetesWhicheverRuntimeHasIt) {
  source_.file("/run/k3s/containerd/io.containerd.runtime.v2.task/k8s.io/" + kId + "/config.json",
               R"({"annotations":{"io.kubernetes.cri.container-name":"api",
                   "io.kubernetes.cri.sandbox-name":"api-0"}})");
  const Container one = named("/kubepods/burstable/pod1c3f0f2e-0000-4000-8000-000000000000/" + kId);
  EXPECT_EQ(one.runtime, "containerd");
  EXPECT_EQ(one.name, "api");
  EXPECT_EQ(one.pod, "api-0");
  source_.file("/run/containers/storage/overlay-containers/" + kOther + "/userdata/config.json",
               crio_bundle("api"));
  const Container other =
      named("/kubepods/besteffort/pod1c3f0f2e-0000-4000-8000-000000000000/" + kOther);
  EXPECT_EQ(other, (Container{.runtime = "cri-o",
                              .id = kOther,
                              .name = "api",
                              .image = "q/api:2",
                              .pod = "api-0",
                              .pod_namespace = "prod"}));
}

TEST_F(Names, WhatThePathTellsIsNotLookedUp) {
  EXPECT_EQ(named("/lxc.payload.web").name, "web");
  EXPECT_EQ(named("/machine.slice/machine-deb.scope").name, "deb");
  named("/kubepods/besteffort/pod1c3f0f2e-0000-4000-8000-000000000000");
  EXPECT_TRUE(source_.reads().empty());
}

TEST_F(Names, EachContainerIsLookedUpOnce) {
  const std::string path = "/var/lib/docker/containers/" + kId + "/config.v2.json";
  for (int i = 0; i < 5; ++i) EXPECT_EQ(named("/docker/" + kId).name, "");
  EXPECT_EQ(source_.reads().at(path), 1);
  EXPECT_FALSE(names_.gap()) << "a container without a file was removed, or is another root's";
}

TEST_F(Names, OneGapForAllThatMayNotBeRead) {
  for (const std::string& id : {kId, kOther}) {
    source_.refuse("/var/lib/docker/containers/" + id + "/config.v2.json", EACCES);
    const Container one = named("/docker/" + id);
    EXPECT_EQ(one, (Container{.runtime = "docker", .id = id, .name = {}}));
    named("/docker/" + id);
  }
  const auto gap = names_.gap();
  ASSERT_TRUE(gap);
  EXPECT_EQ(gap->code, "container-names");
  EXPECT_EQ(gap->what, "state files of 2 containers: Permission denied");
  EXPECT_EQ(gap->remedy, "run as root to see them");
}

TEST_F(Names, AConfigurationThatMayNotBeReadMayNameAnotherPlace) {
  source_.refuse("/etc/docker/daemon.json", EACCES);
  EXPECT_EQ(named("/docker/" + kId).name, "");
  EXPECT_TRUE(names_.gap());
}

TEST_F(Names, AFileElsewhereMakesARefusalHarmless) {
  source_.refuse("/var/lib/docker/containers/" + kId + "/config.v2.json", EACCES);
  source_.file("/var/snap/docker/common/var-lib-docker/containers/" + kId + "/config.v2.json",
               docker_state(kId, "web"));
  EXPECT_EQ(named("/docker/" + kId).name, "web");
  EXPECT_FALSE(names_.gap());
}

TEST_F(Names, WhatIsNotUnderstoodIsAGap) {
  source_.file("/var/lib/docker/containers/" + kId + "/config.v2.json", "secret");
  EXPECT_EQ(named("/docker/" + kId).name, "");
  ASSERT_TRUE(names_.gap());
  EXPECT_EQ(names_.gap()->what, "state file of 1 container: malformed");
  EXPECT_EQ(names_.gap()->remedy, "");
}

TEST_F(Names, DockerByAddress) {
  source_.folder("/var/lib/docker/containers", {kId, kOther, "..", "gone"});
  source_.file("/var/lib/docker/containers/" + kId + "/config.v2.json",
               docker_state(kId, "web", "172.17.0.2"));
  source_.file("/var/lib/docker/containers/" + kOther + "/config.v2.json",
               docker_state(kOther, "db", "172.17.0.3"));
  const auto db = names_.docker_with_address(*IpAddress::parse("172.17.0.3"), "/");
  ASSERT_TRUE(db);
  EXPECT_EQ(*db, (Container{.runtime = "docker", .id = kOther, .name = "db", .image = "web:1"}));
  EXPECT_FALSE(names_.docker_with_address(*IpAddress::parse("172.17.0.4"), "/"));
  EXPECT_EQ(source_.reads().at("/var/lib/docker/containers/" + kId + "/config.v2.json"), 1);
  EXPECT_FALSE(names_.gap());
}

TEST_F(Names, DockerByAddressWithoutTheRight) {
  source_.refuse("/var/lib/docker/containers", EACCES);
  EXPECT_FALSE(names_.docker_with_address(*IpAddress::parse("172.17.0.3"), "/"));
  ASSERT_TRUE(names_.gap());
  EXPECT_EQ(names_.gap()->what, "state file of 1 container: Permission denied");
}

TEST_F(Names, GoneWhereTheRuntimeKnowsItNoMore) {
  const auto is_gone = [this](const std::string& cgroup) {
    auto container = container_of_cgroup(cgroup);
    ContainerNames(source_).fill(*container, cgroup);
    return container->gone;
  };
  const std::string docker = "/system.slice/docker-" + kId + ".scope";
  EXPECT_FALSE(is_gone(docker)) << "no docker that we know of";
  source_.folder("/var/lib/docker/containers", {});
  EXPECT_FALSE(is_gone(docker)) << "one that has never run";
  source_.folder("/var/lib/docker/containers", {kOther});
  EXPECT_TRUE(is_gone(docker));
  EXPECT_FALSE(is_gone("/docker/" + kOther + "/docker/" + kId)) << "its runtime is in a container";
  EXPECT_FALSE(is_gone(kUsersCgroup + ("docker-" + kId + ".scope"))) << "its runtime is a user's";
  EXPECT_FALSE(is_gone("/kubepods/besteffort/pod1c3f0f2e-0000-4000-8000-000000000000/" + kId));
  source_.file("/run/docker.pid", "812\n");
  source_.file("/proc/812/cmdline", std::string("dockerd\0-H\0fd://\0", 17));
  EXPECT_TRUE(is_gone(docker));
  source_.file("/proc/812/cmdline", std::string("dockerd\0--data-root=/srv\0", 25));
  EXPECT_FALSE(is_gone(docker)) << "its lists are elsewhere";
  const std::string podman = "/machine.slice/libpod-" + kId + ".scope/container";
  EXPECT_FALSE(is_gone(podman));
  source_.file("/var/lib/containers/storage/overlay-containers/containers.json",
               storage_list(kOther, "db"));
  EXPECT_TRUE(is_gone(podman));
}

struct UserCase {
  const char* cgroup;
  std::optional<std::uint32_t> uid;
};

TEST(ContainerFiles, UserOfACgroup) {
  const UserCase cases[] = {{"/user.slice/user-1000.slice/session-3.scope", 1000},
                            {"/x/user.slice/user-7.slice", 7},
                            {"/user.slice/user-0.slice/x", {}},
                            {"/user.slice/user-1000.slice2/x", {}},
                            {"/user.slice/user-x.slice", {}},
                            {"/system.slice/a.service", {}},
                            {"", {}}};
  for (const UserCase& one : cases) EXPECT_EQ(user_of_cgroup(one.cgroup), one.uid) << one.cgroup;
}

TEST(ContainerFiles, EveryFileHasAForm) {
  EXPECT_EQ(state_form_of(docker_config_file("")), StateForm::DockerDaemon);
  EXPECT_EQ(state_form_of(docker_config_file("/home/a")), StateForm::DockerDaemon);
  EXPECT_EQ(state_form_of(docker_state_file("/d", "x")), StateForm::DockerContainer);
  for (const std::string& path : podman_databases("/home/a")) {
    EXPECT_EQ(state_form_of(path), StateForm::PodmanDatabase) << path;
  }
  for (const auto& path : storage_lists("")) {
    EXPECT_EQ(state_form_of(path), StateForm::StorageList) << path;
  }
  for (const auto& path : crio_bundle_files("x")) {
    EXPECT_EQ(state_form_of(path), StateForm::Bundle) << path;
  }
  for (const auto& folder : containerd_task_folders()) {
    EXPECT_EQ(state_form_of(containerd_bundle_file(folder, "n", "x")), StateForm::Bundle);
  }
  EXPECT_EQ(state_form_of("/etc/passwd"), std::nullopt);
}

}  // namespace
}  // namespace hark::host
