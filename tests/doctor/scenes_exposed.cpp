#include <sys/socket.h>
#include <unistd.h>

#include "scenes.h"

namespace hark::doctor {
namespace {

/// The whole world comes by eth1, from behind 10.9.0.9.
void world(Stage& stage) {
  stage.neighbour("eth1", "10.9.0.1/24", "10.9.0.9/24");
  Stage::run({"ip", "route", "add", "default", "via", "10.9.0.9"});
}

void open_to_world(Stage& stage, std::uint16_t port) {
  world(stage);
  stage.server(port, 16, "0.0.0.0");
}

void database(Stage& stage) {
  open_to_world(stage, 5432);
}
void cache(Stage& stage) {
  open_to_world(stage, 6379);
}
void debugger(Stage& stage) {
  open_to_world(stage, 9229);
}
void control(Stage& stage) {
  open_to_world(stage, 2375);
}
void files(Stage& stage) {
  open_to_world(stage, 2049);
}
void desktop(Stage& stage) {
  open_to_world(stage, 5900);
}
void metrics(Stage& stage) {
  open_to_world(stage, 9100);
}
void directory(Stage& stage) {
  world(stage);
  stage.bound(SOCK_DGRAM, "0.0.0.0", 111);
}

void database_here(Stage& stage) {
  world(stage);
  stage.server(5432);
}

void database_in_the_lan(Stage& stage) {
  stage.neighbour("eth1", "10.9.0.1/24", "10.9.0.9/24");
  stage.server(5432, 16, "0.0.0.0");
}

void database_behind_a_firewall(Stage& stage) {
  open_to_world(stage, 5432);
  Stage::run({"nft",
              "add table inet t; add chain inet t in { type filter hook input priority 0; }; "
              "add rule inet t in ip saddr != 10.0.0.0/8 tcp dport 5432 drop"});
}

void other_protocol(Stage& stage) {
  world(stage);
  stage.bound(SOCK_DGRAM, "0.0.0.0", 6379);
}

void web(Stage& stage) {
  open_to_world(stage, 80);
}

}  // namespace

std::span<const Scene> exposed_scenes() {
  static const std::vector<Scene> scenes = {
      {"ExposedDatabase", database, "exposed-database", 5432, "risk"},
      {"ExposedCache", cache, "exposed-cache", 6379, "risk"},
      {"ExposedDebugger", debugger, "exposed-debugger", 9229, "risk"},
      {"ExposedControl", control, "exposed-control", 2375, "risk"},
      {"ExposedFiles", files, "exposed-files", 2049, "risk"},
      {"ExposedDesktop", desktop, "exposed-desktop", 5900, "risk"},
      {"ExposedRpc", directory, "exposed-rpc", 111, "risk"},
      {"ExposedMetrics", metrics, "exposed-metrics", 9100, "notice"},
      {"DatabaseOfThisHost", database_here, nullptr},
      {"DatabaseInTheLan", database_in_the_lan, nullptr},
      {"DatabaseBehindAFirewall", database_behind_a_firewall, nullptr},
      {"PortOfACacheOverUdp", other_protocol, nullptr},
      {"WebServer", web, nullptr},
  };
  return scenes;
}

}  // namespace hark::doctor
