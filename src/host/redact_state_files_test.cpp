#include "host/redact_state_files.h"

#include <gtest/gtest.h>

#include "decode/container_state.h"

namespace hark::host {
namespace {

std::string redacted(const std::string& path, std::string_view text) {
  const Bytes once = redact_state_file(path, as_bytes(text));
  EXPECT_EQ(redact_state_file(path, once), once) << path;
  return std::string(as_text(once));
}

constexpr const char* kDocker = "/srv/docker/containers/ab/config.v2.json";
constexpr const char* kStorage =
    "/home/u/.local/share/containers/storage/vfs-containers/containers.json";
constexpr const char* kTask = "/run/containerd/io.containerd.runtime.v2.task/k8s.io/ab/config.json";

TEST(RedactStateFile, NothingButWhatIsReadStays) {
  const std::string docker = redacted(
      kDocker,
      R"({"ID":"ab","Name":"/we\"b\n","Args":["--password","hunter2"],"Config":{"Image":"web:1",
          "Env":["A=hunter2"],"Labels":{"x":"hunter2","traefik.port":"81",
          "io.kubernetes.pod.name":"p"}},
          "State":{"Pid":77,"Error":"hunter2","ExitCode":137,"Restarting":true,
                   "FinishedAt":"2026-01-02T03:04:06.7Z"},"RestartCount":3,
          "NetworkSettings":{"Networks":{"hunter2":{"IPAddress":"172.17.0.2"}},
            "Ports":{"80/tcp":[{"HostIp":"0.0.0.0","HostPort":"8080"}],"hunter2":null}}})");
  EXPECT_EQ(docker.find("hunter2"), std::string::npos) << docker;
  const auto state = decode::decode_docker_container(as_bytes(docker));
  ASSERT_TRUE(state);
  EXPECT_EQ(state->name, "we\"b\n");
  EXPECT_EQ(state->image, "web:1");
  EXPECT_EQ(state->pod, "p");
  EXPECT_EQ(state->addresses.size(), 1U);
  EXPECT_EQ(state->pid, 77U);
  EXPECT_EQ(state->ports.size(), 2U);
  EXPECT_TRUE(state->restarting);
  EXPECT_EQ(state->restarts, 3U);
  EXPECT_EQ(state->exit_status, 137U);
  EXPECT_EQ(state->ended_at_ms, 1'767'323'046'000) << "to the second";

  const std::string storage =
      redacted(kStorage,
               R"([{"id":"ab","names":["db"],"metadata":"{\"image-name\":\"pg\",\"k\":\"hunter2\"}",
                     "flags":{"x":"hunter2"}},{"id":"cd"}])");
  EXPECT_EQ(storage.find("hunter2"), std::string::npos) << storage;
  const auto list = decode::decode_storage_containers(as_bytes(storage));
  ASSERT_TRUE(list);
  ASSERT_EQ(list->size(), 2U);
  EXPECT_EQ(list->front().name, "db");
  EXPECT_EQ(list->front().image, "pg");

  const std::string bundle =
      redacted(kTask, R"({"process":{"env":["A=hunter2"]},"annotations":{"secret":"hunter2",
          "io.kubernetes.cri.container-name":"api",
          "io.kubernetes.cri.sandbox-namespace":"prod"}})");
  EXPECT_EQ(bundle.find("hunter2"), std::string::npos) << bundle;
  EXPECT_EQ(decode::decode_bundle(as_bytes(bundle))->name, "api");
  EXPECT_EQ(decode::decode_bundle(as_bytes(bundle))->pod_namespace, "prod");

  const std::string database =
      redacted("/var/lib/containers/storage/libpod/bolt_state.db",
               R"([{"config":{"id":"ab","name":"web","spec":{"process":{"env":["A=hunter2"]}},
           "labels":{"x":"hunter2","traefik.port":"81"},"newPortMappings":[{"host_ip":"::1",
           "container_port":53,"host_port":5353,"range":2,"protocol":"udp"}]},
           "state":{"pid":77,"x":"hunter2","restartCount":4,"stoppedByUser":true,"exitCode":1,
           "finishedTime":"2026-01-02T04:04:06.7+01:00"}}])");
  EXPECT_EQ(database.find("hunter2"), std::string::npos) << database;
  const auto known = decode::decode_podman_database(as_bytes(database));
  ASSERT_TRUE(known);
  ASSERT_EQ(known->size(), 1U);
  EXPECT_EQ(known->front().pid, 77U);
  EXPECT_EQ(known->front().ports.size(), 3U);
  EXPECT_EQ(known->front().restarts, 4U);
  EXPECT_TRUE(known->front().stopped_by_hand);
  EXPECT_EQ(known->front().exit_status, 1U);
  EXPECT_EQ(known->front().ended_at_ms, 1'767'323'046'000);

  EXPECT_EQ(redacted("/etc/docker/daemon.json",
                     R"({"proxies":{"http-proxy":"http://u:hunter2@x"},"data-root":"/srv"})"),
            R"({"data-root":"/srv"})");
}

TEST(RedactStateFile, WhatIsNotUnderstoodGoes) {
  for (const char* path : {kDocker, kStorage, kTask, "/home/u/.config/docker/daemon.json"}) {
    EXPECT_EQ(redacted(path, "root:hunter2:19000:0:99999:7:::\n"), "") << path;
  }
}

TEST(RedactStateFile, OtherFilesStay) {
  EXPECT_EQ(redacted("/etc/passwd", "root:x:0:0:::\n"), "root:x:0:0:::\n");
  EXPECT_EQ(redacted("/srv/config.json", "{"), "{");
}

}  // namespace
}  // namespace hark::host
