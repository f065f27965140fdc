#include "host/cgroup_names.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace hark::host {
namespace {

const std::string kId = "9ec39b91f3d70e1beff50a308f77067065ea6be0d91a3378375056cd4422cf3d";
const std::string kOther = "f75aff467357c5d0ddd47cb7ad87ed38746e018992586ff66198a5c11218f634";
const std::string kPod = "5759a1ae-36ca-48a8-b20a-b0b5c8a90fb8";
const std::string kPodSlice =
    "/kubepods.slice/kubepods-besteffort.slice/"
    "kubepods-besteffort-pod5759a1ae_36ca_48a8_b20a_b0b5c8a90fb8.slice";
const std::string kUser = "/user.slice/user-1000.slice/user@1000.service";

struct UnitCase {
  std::string path;
  std::string unit;
};

TEST(UnitOfCgroup, Systemd) {
  const std::vector<UnitCase> cases = {
      {"", ""},
      {"/", ""},
      {"/init.scope", "init.scope"},
      {"/system.slice", ""},
      {"/system.slice/nginx.service", "nginx.service"},
      {"/system.slice/nginx.service/worker-1", "nginx.service"},
      {"/system.slice/a.service/b.service", "a.service"},
      {"/a.slice/a-b.slice/a-b-c.slice/x.service", "x.service"},
      {"/system.slice/system-getty.slice/getty@tty1.service", "getty@tty1.service"},
      {"/system.slice/system-postgresql.slice/postgresql@15-main.service",
       "postgresql@15-main.service"},
      {"/system.slice/systemd-fsck@dev-disk-by\\x2duuid-1.service",
       "systemd-fsck@dev-disk-by\\x2duuid-1.service"},
      {"/system.slice/_cpu.service", "cpu.service"},
      {"/system.slice/__x.service", "_x.service"},
      {"/system.slice/ssh.socket", "ssh.socket"},
      {"/system.slice/dev-hugepages.mount", "dev-hugepages.mount"},
      {"/system.slice/snap.lxd.daemon.service", "snap.lxd.daemon.service"},
      {"/../system.slice/foo.service", "foo.service"},
      {"/../../init.scope", "init.scope"},
      {"system.slice/nginx.service", "nginx.service"},
      {"//system.slice//nginx.service/", "nginx.service"},
      {"/unified/system.slice/nginx.service", "nginx.service"},
      {"/user.slice/user-1000.slice/session-3.scope", "session-3.scope"},
      {kUser + "/app.slice/foo.service", "foo.service"},
      {kUser + "/app.slice/app-gnome-foo-123.scope", "app-gnome-foo-123.scope"},
      {kUser + "/app.slice/app-org.gnome.Terminal.slice/vte-spawn-1.scope", "vte-spawn-1.scope"},
      {kUser + "/init.scope", "user@1000.service"},
      {kUser, "user@1000.service"},
      {kUser + "/session.slice", "user@1000.service"},
  };
  for (const UnitCase& c : cases) EXPECT_EQ(unit_of_cgroup(c.path), c.unit) << c.path;
}

TEST(UnitOfCgroup, AroundAndInsideContainers) {
  const std::vector<UnitCase> cases = {
      {"/system.slice/docker-" + kId + ".scope", ""},
      {"/system.slice/docker-" + kId + ".scope/system.slice/nginx.service", "nginx.service"},
      {"/system.slice/docker-" + kId + ".scope/init.scope", "init.scope"},
      {"/docker/" + kId + "/system.slice/nginx.service", "nginx.service"},
      {"/docker/" + kId, ""},
      {"/lxc.payload.web/system.slice/nginx.service", "nginx.service"},
      {"/machine.slice/libpod-" + kId + ".scope/container", ""},
      {"/machine.slice/libpod-conmon-" + kId + ".scope", "libpod-conmon-" + kId + ".scope"},
      {"/system.slice/grafana.service/libpod-payload-" + kId, "grafana.service"},
      {"/machine.slice/machine-web.scope/payload/system.slice/a.service", "a.service"},
      {"/machine.slice/systemd-nspawn@web.service/payload/system.slice/a.service",
       "systemd-nspawn@web.service"},
      {kUser + "/user.slice/libpod-" + kId + ".scope/container", ""},
      {kUser + "/app.slice/web.service/libpod-payload-" + kId, "web.service"},
      {kPodSlice + "/cri-containerd-" + kId + ".scope", ""},
      {"/system.slice/docker-" + kId + ".scope" + kUser + "/app.slice/x.service", "x.service"},
  };
  for (const UnitCase& c : cases) EXPECT_EQ(unit_of_cgroup(c.path), c.unit) << c.path;
}

TEST(UnitOfCgroup, NoUnits) {
  for (const std::string& path :
       {std::string("/system.slice/.service"), std::string("/system.slice/nginx.servic"),
        std::string("/system.slice/ng inx.service"), std::string("/system.slice/a\nb.service"),
        std::string("/system.slice/\xff.service"), std::string("/foo/bar"),
        "/system.slice/" + std::string(300, 'a') + ".service", std::string(100'000, '/'),
        std::string(5000, 'a') + "/x.service"}) {
    EXPECT_EQ(unit_of_cgroup(path), "") << path.substr(0, 60);
  }
}

struct ContainerCase {
  std::string path;
  std::string runtime;
  std::string id;
  std::string name = {};
};

TEST(ContainerOfCgroup, Layouts) {
  const std::vector<ContainerCase> cases = {
      {"/system.slice/docker-" + kId + ".scope", "docker", kId},
      {"/docker/" + kId, "docker", kId},
      {"/docker/" + kId + "/system.slice/nginx.service", "docker", kId},
      {"/" + kId, "docker", kId},
      {"/actions_job/" + kId, "docker", kId},
      {"/ecs/3f1c2b7e-aaaa-bbbb-cccc-0123456789ab/" + kId, "docker", kId},
      {"/system.slice/docker.service/docker/" + kId, "docker", kId},
      {"/system.slice:docker:" + kId, "docker", kId},
      {kUser + "/user.slice/docker-" + kId + ".scope", "docker", kId},
      {"/machine.slice/libpod-" + kId + ".scope", "podman", kId},
      {"/machine.slice/libpod-" + kId + ".scope/container", "podman", kId},
      {"/machine.slice/machine-libpod_pod_" + kOther + ".slice/libpod-" + kId + ".scope", "podman",
       kId},
      {"/libpod_parent/libpod-" + kId, "podman", kId},
      {"/libpod_parent/" + kId, "podman", kId},
      {kUser + "/user.slice/libpod-" + kId + ".scope/container", "podman", kId},
      {"/system.slice/grafana.service/libpod-payload-" + kId, "podman", kId},
      {"/default/" + kId, "containerd", kId},
      {"/k8s.io/" + kId, "containerd", kId},
      {"/system.slice/nerdctl-" + kId + ".scope", "containerd", kId},
      {kPodSlice + "/cri-containerd-" + kId + ".scope", "containerd", kId},
      {"/system.slice/containerd.service/kubepods-besteffort-pod1.slice:cri-containerd:" + kId,
       "containerd", kId},
      {kPodSlice + "/crio-" + kId + ".scope", "cri-o", kId},
      {kPodSlice + "/crio-" + kId + ".scope/container", "cri-o", kId},
      {"/kubepods/burstable/pod" + kPod + "/crio-" + kId, "cri-o", kId},
      {kPodSlice + "/docker-" + kId + ".scope", "docker", kId},
      {"/kubepods/besteffort/pod" + kPod + "/" + kId, "kubernetes", kId},
      {"/kubepods/pod" + kPod + "/" + kId, "kubernetes", kId},
      {"/kubepods/besteffort/pod" + kPod, "kubernetes", kPod},
      {kPodSlice, "kubernetes", kPod},
      {"/kubepods/burstable/pod0123456789abcdef0123456789abcdef", "kubernetes",
       "0123456789abcdef0123456789abcdef"},
      {"/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod5759a1ae_36ca_48a8_b20a_"
       "b0b5c8a90fb8.slice/cri-containerd-" +
           kId + ".scope",
       "containerd", kId},
      {"/lxc.payload.web", "lxc", "web", "web"},
      {"/lxc.payload.my.box/system.slice/a.service", "lxc", "my.box", "my.box"},
      {"/lxc.payload/web/init.scope", "lxc", "web", "web"},
      {"/lxc/101/ns/system.slice/a.service", "lxc", "101", "101"},
      {R"(/machine.slice/machine-lxc\x2d2170\x2dmy\x2dbox.scope)", "lxc", "my-box", "my-box"},
      {"/machine.slice/machine-web.scope", "nspawn", "web", "web"},
      {"/machine.slice/machine-my\\x2dbox.scope/payload", "nspawn", "my-box", "my-box"},
      {R"(/machine.slice/machine-a\x0ab.scope)", "nspawn", R"(a\x0ab)", R"(a\x0ab)"},
      {"/machine.slice/systemd-nspawn@web.service/payload/init.scope", "nspawn", "web", "web"},
      {"/system.slice/docker-" + kId +
           ".scope/kubelet.slice/kubelet-kubepods.slice/"
           "cri-containerd-" +
           kOther + ".scope",
       "containerd", kOther},
      {"/docker/" + kId + "/docker/" + kOther, "docker", kOther},
      {"/../docker-9ec39b91f3d7.scope", "docker", "9ec39b91f3d7"},
  };
  for (const ContainerCase& c : cases) {
    const auto container = container_of_cgroup(c.path);
    ASSERT_TRUE(container) << c.path;
    EXPECT_EQ(*container, (Container{c.runtime, c.id, c.name})) << c.path;
  }
}

TEST(ContainerOfCgroup, TheWholeOfIt) {
  const std::string scope = "/system.slice/docker-" + kId + ".scope";
  EXPECT_EQ(cgroup_of_container(scope), scope);
  EXPECT_EQ(cgroup_of_container(scope + "/system.slice/nginx.service"), scope);
  EXPECT_EQ(cgroup_of_container("/docker/" + kId), "/docker/" + kId);
  const std::string libpod = "/machine.slice/libpod-" + kId + ".scope";
  EXPECT_EQ(cgroup_of_container(libpod + "/container"), libpod);
  const std::string pod = "/kubepods/burstable/pod" + kPod + "/" + kId;
  EXPECT_EQ(cgroup_of_container(pod), pod);
  EXPECT_EQ(cgroup_of_container("/system.slice/nginx.service"), "/system.slice/nginx.service");
}

TEST(ContainerOfCgroup, None) {
  for (const std::string& path : {std::string(),
                                  std::string("/"),
                                  std::string("/system.slice/docker.service"),
                                  std::string("/system.slice/docker-cafe.scope"),
                                  std::string("/docker"),
                                  "/system.slice/docker-" + kId + "0.scope",
                                  "/system.slice/docker-" + kId.substr(1) + "G.scope",
                                  "/machine.slice/libpod-conmon-" + kId + ".scope",
                                  "/system.slice/crio-conmon-" + kId + ".scope",
                                  std::string("/lxc.monitor.web"),
                                  std::string("/lxc.monitor/web"),
                                  std::string("/lxc.payload."),
                                  std::string("/machine.slice/machine-qemu\\x2d1\\x2dvm.scope"),
                                  std::string("/machine.slice/machine-lxc\\x2d1.scope"),
                                  std::string("/machine.slice/machine-.scope"),
                                  std::string("/machine.slice/machine-lxc\\x2d1\\x2d.scope"),
                                  std::string("/machine.slice"),
                                  std::string("/system.slice/systemd-nspawn@.service"),
                                  std::string("/kubepods"),
                                  std::string("/kubepods.slice/kubepods-besteffort.slice"),
                                  std::string("/kubepods/podcafe"),
                                  "/x/" + kId.substr(1),
                                  "/pod" + kPod}) {
    EXPECT_FALSE(container_of_cgroup(path)) << path;
  }
}

}  // namespace
}  // namespace hark::host
