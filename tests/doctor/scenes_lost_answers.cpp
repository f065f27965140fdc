#include <unistd.h>

#include "scenes.h"

namespace hark::doctor {
namespace {

constexpr uid_t kPerson = 1000;

void serving_the_lan(Stage& stage) {
  stage.neighbour("eth1", "10.9.0.1/24", "10.9.0.9/24");
  stage.server(80, 16, "0.0.0.0");
}

void output_chain(const std::string& policy, const std::string& rule) {
  Stage::run({"nft",
              "add table ip t; add chain ip t out { type filter hook output priority 0; "
              "policy " +
                  policy + "; }; add rule ip t out " + rule});
}

void answers_dropped(Stage& stage) {
  serving_the_lan(stage);
  output_chain("accept", "tcp sport 80 drop");
}
void answers_not_let_out(Stage& stage) {
  serving_the_lan(stage);
  output_chain("drop", "oif lo accept");
}
void answers_let_out(Stage& stage) {
  serving_the_lan(stage);
  output_chain("drop", "ct state established accept");
}
/// A firewall's own business.
void some_not_answered(Stage& stage) {
  serving_the_lan(stage);
  output_chain("accept", "ip daddr 10.9.0.128/25 drop");
}

void no_way_back(Stage& stage) {
  serving_the_lan(stage);
  Stage::run({"ip", "route", "del", "10.9.0.0/24", "dev", "eth1"});
}
void another_way_back(Stage& stage) {
  serving_the_lan(stage);
  stage.neighbour("eth2", "10.8.0.1/24", "10.8.0.9/24");
  Stage::run({"ip", "route", "del", "10.9.0.0/24", "dev", "eth1"});
  Stage::run({"ip", "route", "add", "10.9.0.0/24", "via", "10.8.0.9", "dev", "eth2"});
  Stage::sysctl("ipv4/conf/eth1/rp_filter", "1");
}
/// Strict, and the way back is the same.
void strict_and_right(Stage& stage) {
  serving_the_lan(stage);
  stage.neighbour("eth2", "10.8.0.1/24", "10.8.0.9/24");
  Stage::sysctl("ipv4/conf/all/rp_filter", "1");
}

void listen_as(Stage& stage, uid_t before, uid_t after, std::uint16_t port) {
  stage.neighbour("eth1", "10.9.0.1/24", "10.9.0.9/24");
  Stage::sysctl("ipv4/ip_unprivileged_port_start", "25");
  stage.process([before, after, port] {
    if (before != 0) check(::setuid(before), "setuid");
    static Stage place;  // the socket is there as long as the process is
    place.listen(port, 16, "0.0.0.0");
    if (before != after) check(::setuid(after), "setuid");
  });
}
void of_a_person(Stage& stage) {
  listen_as(stage, kPerson, kPerson, 25);
}
void of_a_daemon(Stage& stage) {
  listen_as(stage, 0, kPerson, 25);
}
void of_a_person_high(Stage& stage) {
  listen_as(stage, kPerson, kPerson, 8025);
}

}  // namespace

std::span<const Scene> lost_answer_scenes() {
  static const std::vector<Scene> scenes = {
      {"AnswersDropped", answers_dropped, "output-drop"},
      {"AnswersNotLetOut", answers_not_let_out, "output-policy-drop"},
      {"AnswersLetOut", answers_let_out, nullptr},
      {"SomeNotAnswered", some_not_answered, nullptr},
      {"NoWayBack", no_way_back, "no-route-back"},
      {"AnotherWayBack", another_way_back, "rp-filter-strict"},
      {"StrictAndRight", strict_and_right, nullptr},
      {"LowPortOfAPerson", of_a_person, "unprivileged-owner", 25, "notice"},
      {"LowPortOfADaemon", of_a_daemon, nullptr},
      {"HighPortOfAPerson", of_a_person_high, nullptr},
  };
  return scenes;
}

}  // namespace hark::doctor
