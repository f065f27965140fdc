// hark, hark-units, a message bus and a made-up systemd together.
#include <gmock/gmock.h>

#include <algorithm>

#include "bus.h"
#include "run_in.h"
#include "scene.h"
#include "unit_folder.h"

namespace hark::netns {
namespace {

using nlohmann::json;
using systemd_test::Bus;
using systemd_test::Manners;
using testing::HasSubstr;
using testing::Not;

class AskingSystemd : public NetnsTest {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    run_.unit("ssh.socket", "[Unit]\nDescription=of the file\n[Socket]\nListenStream=2201\n");
    run_.unit("ssh.service", "[Service]\nExecStart=/bin/sh\n");
    run_.file("dbus/README", "");
  }
  [[nodiscard]] std::string socket() const { return run_.path() + "/dbus/system_bus_socket"; }
  [[nodiscard]] Place place() const {
    return {.netns_of = scene_.pid(), .pids_of = manager(), .run = run_.path()};
  }
  [[nodiscard]] pid_t manager() const {
    for (const json& process : scene_.truth()["processes"]) {
      if (process["label"] == "manager") return process["pid"];
    }
    return 0;
  }
  [[nodiscard]] json ssh(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> words = more;
    words.emplace_back("2201");
    const json listing = list_in(place(), words);
    gaps_ = listing["gaps"].dump();
    return listing["listeners"].empty() ? json::object() : listing["listeners"][0];
  }
  mutable std::string gaps_;
  Scene scene_{"systemd"};
  UnitFolder run_;
};

TEST_F(AskingSystemd, FactsThatOnlyItKnows) {
  const Bus bus(Manners::Answers, socket());
  const json row = ssh();
  EXPECT_EQ(row["unit"], "ssh.socket");
  const json& unit = row["unit_facts"];
  EXPECT_EQ(unit["source"], "dbus") << gaps_;
  EXPECT_EQ(unit["description"], "of the file") << "systemd has said none";
  EXPECT_EQ(unit["active_state"], "active");
  EXPECT_EQ(unit["sub_state"], "listening");
  EXPECT_EQ(unit["triggers"], json({"ssh.service", "other.service"}));
  const json& service = row["socket_units"][0]["starts"][0];
  EXPECT_EQ(service["name"], "ssh.service");
  EXPECT_EQ(service["active_state"], "failed");
  EXPECT_EQ(service["restarts"], 5);
  EXPECT_EQ(service["last_exit"]["status"], 203);
  EXPECT_EQ(service["last_exit"]["at"], "2026-09-21T14:13:21Z");
  EXPECT_EQ(service["can_start"], false);
  EXPECT_THAT(gaps_, Not(HasSubstr("unit-states")));
}

TEST_F(AskingSystemd, RecordingsTellTheSame) {
  json live;
  {
    const Bus bus(Manners::Answers, socket());
    live = ssh();
    const Finished saved = run_hark(place(), {"save", "-"});
    ASSERT_EQ(saved.status, 0) << saved.err;
    run_.file("recording.hark", saved.out);
  }
  const Finished replayed =
      run_hark({}, {"list", "--json", "-r", run_.path() + "/recording.hark", "2201"});
  const json listing = json::parse(replayed.out);
  const auto same = std::ranges::any_of(listing["listeners"], [&](const json& row) {
    return row["unit_facts"] == live["unit_facts"] && row["socket_units"] == live["socket_units"];
  });
  EXPECT_TRUE(same) << replayed.out;
}

TEST_F(AskingSystemd, OnlyForJson) {
  const Bus bus(Manners::Answers, socket());
  const Finished table = run_hark(place(), {"list", "-v"});
  EXPECT_THAT(table.out, HasSubstr("systemd for ssh.socket"));
  EXPECT_THAT(table.err, Not(HasSubstr("questions to systemd")));
  const Finished object = run_hark(place(), {"list", "-v", "--json"});
  EXPECT_THAT(object.err, HasSubstr("questions to systemd: 1 answered"));
}

TEST_F(AskingSystemd, ASilentOneIsAGap) {
  const Bus bus(Manners::Silent, socket());
  const json row = ssh();
  EXPECT_EQ(row["unit_facts"]["source"], "files");
  EXPECT_THAT(gaps_, HasSubstr("systemd did not answer within a second"));
}

}  // namespace
}  // namespace hark::netns
