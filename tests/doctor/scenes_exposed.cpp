#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <string>

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

// What is healthy comes near it in one of three ways, each port in one at least.

template <std::uint16_t kPort>
void for_this_host(Stage& stage) {
  world(stage);
  stage.server(kPort);
}

template <std::uint16_t kPort>
void in_the_lan(Stage& stage) {
  stage.neighbour("eth1", "10.9.0.1/24", "10.9.0.9/24");
  stage.server(kPort, 16, "0.0.0.0");
}

void let_in_the_lan_alone(const std::string& what) {
  Stage::run({"nft",
              "add table inet t; add chain inet t in { type filter hook input priority 0; }; "
              "add rule inet t in ip saddr != 10.0.0.0/8 " +
                  what + " drop"});
}

template <std::uint16_t kPort>
void behind_a_firewall(Stage& stage) {
  open_to_world(stage, kPort);
  let_in_the_lan_alone("tcp dport " + std::to_string(kPort));
}
void directory_behind_a_firewall(Stage& stage) {
  directory(stage);
  let_in_the_lan_alone("udp dport 111");
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
      {"DatabaseOfThisHost", for_this_host<5432>, nullptr},
      {"DatabaseInTheLan", in_the_lan<5432>, nullptr},
      {"DatabaseBehindAFirewall", behind_a_firewall<5432>, nullptr},
      {"CacheOfThisHost", for_this_host<6379>, nullptr},
      {"DebuggerOfThisHost", for_this_host<9229>, nullptr},
      {"ControlBehindAFirewall", behind_a_firewall<2375>, nullptr},
      {"FilesInTheLan", in_the_lan<2049>, nullptr},
      {"DesktopInTheLan", in_the_lan<5900>, nullptr},
      {"DirectoryBehindAFirewall", directory_behind_a_firewall, nullptr},
      {"MetricsBehindAFirewall", behind_a_firewall<9100>, nullptr},
      {"PortOfACacheOverUdp", other_protocol, nullptr},
      {"WebServer", web, nullptr},
  };
  return scenes;
}

}  // namespace hark::doctor
