// Sockets that systemd holds: hark beside a process 1 of that name, with made-up unit files.
#include <gmock/gmock.h>

#include "compare.h"
#include "run_in.h"
#include "scene.h"
#include "unit_folder.h"

namespace hark::netns {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

constexpr uid_t kNobody = 65534;

class Activation : public NetnsTest {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    run_.unit("one.socket", "[Unit]\nDescription=the first\n[Socket]\nListenStream=2201\n");
    run_.unit("one.service", "[Service]\nExecStart=/bin/sh\n");
    run_.unit("two.socket", "[Socket]\nListenStream=1\n");
    run_.unit("two.socket.d/10-port.conf",
              "[Socket]\nListenStream=\nListenStream=127.0.0.1:2202\nService=main.service\n");
    run_.link("systemd/system/main.service", "/dev/null");
    run_.unit("three.socket", "[Socket]\nListenDatagram=2203\n");
    run_.unit("four@.socket", "[Socket]\nListenStream=%i\nAccept=yes\n");
    run_.unit("four@.service", "[Service]\nExecStart=-/no/such/program\n");
    run_.link("systemd/system/sockets.target.wants/four@2204.socket", "../four@.socket");
    run_.unit("five-a.socket", "[Socket]\nListenStream=2205\nReusePort=yes\n");
    run_.unit("five-b.socket", "[Socket]\nListenStream=2205\nReusePort=yes\n");
    run_.unit("seven.socket", "[Socket]\nListenStream=2207\n");
  }
  [[nodiscard]] Place place(uid_t uid = 0) const {
    return {.netns_of = scene_.pid(), .uid = uid, .pids_of = manager(), .run = run_.path()};
  }
  [[nodiscard]] pid_t manager() const {
    for (const json& process : scene_.truth()["processes"]) {
      if (process["label"] == "manager") return process["pid"];
    }
    return 0;
  }
  [[nodiscard]] static json row_at(const json& listing, int port) {
    for (const json& row : listing["listeners"]) {
      if (row["port"] == port) return row;
    }
    ADD_FAILURE() << "no row at " << port;
    return json::object();
  }
  Scene scene_{"systemd"};
  UnitFolder run_;
};

TEST_F(Activation, SocketUnitsAndWhatTheyStart) {
  const json listing = list_in(place());
  const json one = row_at(listing, 2201);
  ASSERT_EQ(one["owners"].size(), 1u) << one;
  EXPECT_EQ(one["owners"][0]["pid"], 1);
  EXPECT_EQ(one["unit"], "one.socket");
  EXPECT_EQ(one["unit_facts"]["description"], "the first");
  EXPECT_EQ(one["unit_facts"]["triggers"], json({"one.service"}));
  EXPECT_EQ(one["unit_facts"]["can_start"], true);
  EXPECT_EQ(one["unit_facts"]["source"], "files");
  EXPECT_EQ(one["socket_units"][0]["inferred"], false);

  const json two = row_at(listing, 2202);
  EXPECT_EQ(two["unit"], "two.socket");
  EXPECT_EQ(two["unit_facts"]["triggers"], json({"main.service"}));
  EXPECT_EQ(two["unit_facts"]["can_start"], false);
  EXPECT_EQ(two["unit_facts"]["cannot_start_because"], "it is masked");
  EXPECT_EQ(two["socket_units"][0]["starts"][0]["load_state"], "masked");

  const json three = row_at(listing, 2203);
  EXPECT_EQ(three["unit"], "three.socket");
  EXPECT_EQ(three["unit_facts"]["cannot_start_because"], "it has no unit file");

  const json four = row_at(listing, 2204);
  EXPECT_EQ(four["unit"], "four@2204.socket");
  EXPECT_EQ(four["unit_facts"]["triggers"], json({"four@.service"}));
  EXPECT_EQ(four["unit_facts"]["cannot_start_because"], "its program /no/such/program is missing");

  const json five = row_at(listing, 2205);
  ASSERT_EQ(five["socket_units"].size(), 2u);
  EXPECT_EQ(five["unit"], "five-a.socket");
  EXPECT_EQ(five["socket_units"][1]["name"], "five-b.socket");

  EXPECT_EQ(row_at(listing, 2206)["socket_units"].size(), 0u) << "no file asks for this port";
  EXPECT_EQ(row_at(listing, 2207)["socket_units"].size(), 0u) << "held by another process";
}

TEST_F(Activation, Table) {
  const Finished finished = run_hark(place(), {"list", "--wide"});
  EXPECT_THAT(finished.out, HasSubstr("systemd for one.socket, starts one.service"));
  EXPECT_THAT(finished.out, HasSubstr("systemd for two.socket, starts main.service, which cannot "
                                      "start: it is masked"));
  EXPECT_THAT(finished.out, HasSubstr("systemd for five-a.socket or five-b.socket"));
}

TEST_F(Activation, Filters) {
  for (const char* word : {"unit:one.socket", "unit:one.service", "one.service"}) {
    const json listing = list_in(place(), {word});
    ASSERT_EQ(listing["listeners"].size(), 1u) << word;
    EXPECT_EQ(listing["listeners"][0]["port"], 2201);
  }
}

TEST_F(Activation, RecordingsTellTheSame) {
  run_.unit("one.service.d/secret.conf", "[Service]\nEnvironment=TOKEN=verysecret\n");
  run_.unit("one.socket.d/secret.conf", "[Socket]\nX-Secret=verysecret\n");
  const Finished saved = run_hark(place(), {"save", "-", "--netns", "self"});
  ASSERT_EQ(saved.status, 0) << saved.err;
  run_.file("recording.hark", saved.out);
  const Finished replayed = run_hark({}, {"list", "--wide", "-r", run_.path() + "/recording.hark"});
  EXPECT_THAT(replayed.out, HasSubstr("systemd for one.socket, starts one.service"));
  const Finished json_text =
      run_hark({}, {"list", "--json", "-r", run_.path() + "/recording.hark"});
  EXPECT_EQ(row_at(json::parse(json_text.out), 2202)["unit"], "two.socket");
  EXPECT_THAT(json_text.out, Not(HasSubstr("verysecret")));
}

TEST_F(Activation, AnOrdinaryUserIsToldNoFactThatIsNone) {
  const json listing = list_in(place(kNobody));
  const json one = row_at(listing, 2201);
  EXPECT_TRUE(one["owners"].is_null());
  EXPECT_TRUE(one["unit"].is_null()) << one;
  for (const json& unit : one["socket_units"]) EXPECT_EQ(unit["inferred"], true);
  EXPECT_TRUE(has_gap(listing, "other-users-processes")) << listing["gaps"];
}

TEST_F(Activation, SystemdThatCannotBeAskedIsAGap) {
  EXPECT_TRUE(has_gap(list_in(place()), "unit-states"));
}

}  // namespace
}  // namespace hark::netns
