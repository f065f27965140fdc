// State files as docker, podman, containerd, cri-o and nerdctl write them; made up for these tests.
#include <gtest/gtest.h>

#include "decode/container_state.h"

namespace hark::decode {
namespace {

Result<ContainerState> docker(std::string_view text) {
  return decode_docker_container(as_bytes(text));
}

constexpr std::string_view kDocker = R"({
  "StreamConfig": {},
  "State": {"Running": true, "Pid": 4711, "ExitCode": 0, "StartedAt": "2026-01-02T03:04:05.6Z"},
  "ID": "4c01db0b339c1a2b", "Created": "2026-01-02T03:04:04Z", "Managed": false,
  "Path": "nginx", "Args": ["-g", "daemon off;"],
  "Config": {"Hostname": "4c01db0b339c", "Image": "registry.example/shop/web:1.25",
             "Env": ["DB_PASSWORD=geheim"], "Labels": {"com.docker.compose.service": "web"}},
  "Image": "sha256:aa11",
  "NetworkSettings": {"Bridge": "", "Networks": {
    "shop_default": {"IPAMConfig": null, "IPAddress": "172.18.0.2", "GlobalIPv6Address": "fd00::2"},
    "bridge": {"IPAddress": "172.17.0.9", "GlobalIPv6Address": ""}}},
  "Name": "/shop-web-1", "RestartCount": 0, "MountPoints": {"/x": {"Name": "not me"}}
})";

TEST(DockerContainer, NameImageAndAddresses) {
  const auto state = docker(kDocker);
  ASSERT_TRUE(state) << state.error().why;
  EXPECT_EQ(state->id, "4c01db0b339c1a2b");
  EXPECT_EQ(state->name, "shop-web-1");
  EXPECT_EQ(state->image, "registry.example/shop/web:1.25");
  EXPECT_TRUE(state->pod.empty());
  const std::vector<IpAddress> addresses = {*IpAddress::parse("172.17.0.9"),
                                            *IpAddress::parse("172.18.0.2"),
                                            *IpAddress::parse("fd00::2")};
  EXPECT_EQ(state->addresses, addresses);
}

TEST(DockerContainer, LabelsOfTheKubelet) {
  const auto state =
      docker(R"({"ID":"ab","Name":"/k8s_api_api-0_prod_77_0","Config":{"Image":"sha256:1",
    "Labels":{"io.kubernetes.container.name":"api","io.kubernetes.pod.name":"api-0",
              "io.kubernetes.pod.namespace":"prod"}}})");
  ASSERT_TRUE(state);
  EXPECT_EQ(state->name, "api");
  EXPECT_EQ(state->pod, "api-0");
  EXPECT_EQ(state->pod_namespace, "prod");
}

TEST(DockerContainer, PortsThatOthersAreToReach) {
  const auto state = docker(
      R"({"ID":"ab","State":{"Running":true,"Pid":812},
          "Config":{"Labels":{"traefik.http.services.w.loadbalancer.server.port":"3000",
                              "traefik.port":"no port","port":"9"}},
          "NetworkSettings":{"Ports":{"443/tcp":null,"80/tcp":[
             {"HostIp":"0.0.0.0","HostPort":"8080"},{"HostIp":"::","HostPort":"8080"}],
             "53/udp":[{"HostIp":"","HostPort":"5353"}],"9/sctp":[{"HostPort":"9"}],
             "x/tcp":[{"HostPort":"1"}],"81/tcp":[{"HostPort":"70000"}]}}})");
  ASSERT_TRUE(state);
  EXPECT_EQ(state->pid, 812U);
  const std::vector<ContainerPort> expected = {
      {.port = 3000, .label = "traefik.http.services.w.loadbalancer.server.port"},
      {.port = 80, .host = "0.0.0.0", .host_port = 8080},
      {.protocol = Protocol::Udp, .port = 53, .host_port = 5353}};
  EXPECT_EQ(state->ports, expected);
}

TEST(DockerContainer, HowItFares) {
  const auto state = docker(
      R"({"ID":"ab","State":{"Running":true,"Restarting":true,"Pid":0,"ExitCode":137,
          "StartedAt":"2026-01-02T03:04:05.6Z","FinishedAt":"2026-01-02T03:04:06.789012345Z"},
          "RestartCount":12,"HasBeenManuallyStopped":true,"Dead":true})");
  ASSERT_TRUE(state);
  EXPECT_TRUE(state->restarting);
  EXPECT_TRUE(state->stopped_by_hand);
  EXPECT_EQ(state->restarts, 12U);
  EXPECT_EQ(state->exit_status, 137U);
  EXPECT_EQ(state->started_at_ms, 1'767'323'045'600);
  EXPECT_EQ(state->ended_at_ms, 1'767'323'046'789);
}

TEST(DockerContainer, TimesThatAreNone) {
  for (const char* text : {"0001-01-01T00:00:00Z", "2026-13-02T03:04:05Z", "2026-01-02T03:04:05",
                           "2026-02-30T03:04:05Z", "Z", "", "2026-01-02 03:04:05Z"}) {
    const auto state =
        docker(std::string(R"({"ID":"ab","State":{"FinishedAt":")") + text + R"("}})");
    ASSERT_TRUE(state);
    EXPECT_EQ(state->ended_at_ms, std::nullopt) << text;
  }
  const auto whole = docker(R"({"ID":"ab","State":{"FinishedAt":"1970-01-01T00:00:01Z"}})");
  EXPECT_EQ(whole->ended_at_ms, 1000);
}

TEST(DockerContainer, DigestWhereNoImageIsNamed) {
  EXPECT_EQ(docker(R"({"ID":"ab","Image":"sha256:1"})")->image, "sha256:1");
  EXPECT_EQ(docker(R"({"Image":"sha256:1","Config":{"Image":"web"},"ID":"ab"})")->image, "web");
}

TEST(DockerContainer, WrongTypesTellNothing) {
  const auto state = docker(
      R"({"ID":"ab","Name":7,"Config":["Image","x"],"Image":{"a":"b"},"NetworkSettings":{"Networks":
         {"x":{"IPAddress":"no address"},"y":{"IPAddress":12}}}})");
  ASSERT_TRUE(state);
  EXPECT_EQ(*state, (ContainerState{.id = "ab"}));
}

TEST(DockerContainer, Rejected) {
  std::string deep(200, '[');
  deep = R"({"ID":"a","x":)" + deep + std::string(200, ']') + "}";
  const std::string broken[] = {"",
                                "{",
                                "nonsense",
                                "[]",
                                R"({"Name":"/x"})",
                                R"({"ID":""})",
                                R"({"ID":7})",
                                R"({"ID":"a"} x)",
                                R"({"ID":"a")",
                                "{\"ID\":\"a\",\"Name\":\"\xff\"}",
                                deep};
  for (const std::string& text : broken) {
    const auto state = docker(text);
    EXPECT_FALSE(state) << text;
    // What stands in the file may be a secret.
    if (!state) {
      EXPECT_EQ(state.error().why.find("nonsense"), std::string::npos);
    }
  }
  EXPECT_EQ(docker(deep).error().why, "nested too deeply");
}

TEST(DockerContainer, DepthThatIsAllowed) {
  const std::string text =
      R"({"x":)" + std::string(63, '[') + std::string(63, ']') + R"(,"ID":"a"})";
  EXPECT_TRUE(docker(text));
}

TEST(DockerDataRoot, NewNameOldNameNone) {
  const auto root = [](std::string_view text) { return decode_docker_data_root(as_bytes(text)); };
  EXPECT_EQ(root(R"({"data-root":"/srv/docker","graph":"/old"})"), "/srv/docker");
  EXPECT_EQ(root(R"({"graph":"/old"})"), "/old");
  EXPECT_EQ(root(R"({"log-opts":{"data-root":"/not"}})"), "");
  EXPECT_FALSE(root("{"));
}

TEST(StorageContainers, NamesAndImages) {
  const auto list = decode_storage_containers(as_bytes(R"([
    {"id":"bb","names":["db","second"],"image":"9f","layer":"l1",
     "metadata":"{\"image-name\":\"docker.io/library/postgres:16\",\"name\":\"x\",\"n\":1}",
     "flags":{"MountLabel":"","names":["x"]}},
    {"names":["no id"]},
    {"id":"aa","metadata":"{\"name\":\"only-there\",\"image-name\":\"img\"}"},
    {"id":"cc","metadata":"no json"}
  ])"));
  ASSERT_TRUE(list);
  ASSERT_EQ(list->size(), 3U);
  EXPECT_EQ((*list)[0], (ContainerState{.id = "aa", .name = "only-there", .image = "img"}));
  EXPECT_EQ((*list)[1],
            (ContainerState{.id = "bb", .name = "db", .image = "docker.io/library/postgres:16"}));
  EXPECT_EQ((*list)[2], (ContainerState{.id = "cc"}));
}

TEST(StorageContainers, NoList) {
  EXPECT_TRUE(decode_storage_containers(as_bytes("[]"))->empty());
  EXPECT_FALSE(decode_storage_containers(as_bytes(R"({"id":"aa"})")));
  EXPECT_FALSE(decode_storage_containers(as_bytes("[{]")));
}

struct BundleCase {
  const char* what;
  const char* annotations;
  ContainerState state;
};

TEST(Bundle, AnnotationsOfEachRuntime) {
  const BundleCase cases[] = {
      {"containerd",
       R"("io.kubernetes.cri.container-name":"api","io.kubernetes.cri.container-type":"container",
          "io.kubernetes.cri.image-name":"docker.io/acme/api:2","io.kubernetes.cri.sandbox-id":"5f",
          "io.kubernetes.cri.sandbox-name":"api-0","io.kubernetes.cri.sandbox-namespace":"prod")",
       {.name = "api", .image = "docker.io/acme/api:2", .pod = "api-0", .pod_namespace = "prod"}},
      {"a sandbox of containerd",
       R"("io.kubernetes.cri.container-type":"sandbox","io.kubernetes.cri.sandbox-name":"api-0",
          "io.kubernetes.cri.sandbox-namespace":"prod")",
       {.pod = "api-0", .pod_namespace = "prod"}},
      {"cri-o",
       R"("io.kubernetes.container.name":"api","io.kubernetes.cri-o.Image":"9f",
          "io.kubernetes.cri-o.ImageName":"quay.io/acme/api:2","io.kubernetes.pod.name":"api-0",
          "io.kubernetes.pod.namespace":"prod","io.container.manager":"cri-o")",
       {.name = "api", .image = "quay.io/acme/api:2", .pod = "api-0", .pod_namespace = "prod"}},
      {"nerdctl", R"("nerdctl/name":"web","nerdctl/namespace":"default")", {.name = "web"}},
      {"none of them", R"("org.example":"x")", {}},
  };
  for (const BundleCase& one : cases) {
    const std::string text = R"({"ociVersion":"1.1.0","process":{"env":["A=b"]},"annotations":{)" +
                             std::string(one.annotations) +
                             R"(},"linux":{"annotations":{"nerdctl/name":"not me"}}})";
    const auto state = decode_bundle(as_bytes(text));
    ASSERT_TRUE(state) << one.what;
    EXPECT_EQ(*state, one.state) << one.what;
  }
  EXPECT_FALSE(decode_bundle(as_bytes("{\"annotations\":")));
}

}  // namespace
}  // namespace hark::decode
