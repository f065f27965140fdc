// Units in trouble as hark doctor tells them, of a made-up systemd: the codes that
// tests/doctor/scenes.h leaves out.
#include <gmock/gmock.h>
#include <signal.h>

#include <map>

#include "bus.h"
#include "memory_kill.h"
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

class UnitsInTrouble : public NetnsTest {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    run_.file("dbus/README", "");
    run_.unit("README", "");
  }
  void enable(const std::string& name, std::string_view settings = "") const {
    run_.unit(name, "[Service]\nExecStart=/bin/sh\n" + std::string(settings));
    run_.link("systemd/system/multi-user.target.wants/" + name, "../" + name);
  }
  [[nodiscard]] std::string bus_socket() const { return run_.path() + "/dbus/system_bus_socket"; }
  [[nodiscard]] Place place() const {
    return {.netns_of = scene_.pid(), .pids_of = manager(), .run = run_.path()};
  }
  [[nodiscard]] pid_t manager() const {
    for (const json& process : scene_.truth()["processes"]) {
      if (process["label"] == "manager") return process["pid"];
    }
    return 0;
  }
  /// "risk unit-failed crashed.service", a line each: what is about units.
  [[nodiscard]] std::string told(const Finished& ran) const {
    text_ = ran.out;
    const json object = json::parse(ran.out, nullptr, false);
    if (!object.is_object()) return "no JSON: " + ran.out + ran.err;
    std::string out;
    for (const json& one : object["findings"]) {
      const std::string code = one["code"];
      if (!one["subject"].is_string() && code != "socket-activation") continue;
      // Where an sshd is installed: the bus has a unit of that name for the other tests.
      if (one["subject"] == "ssh.service") continue;
      const std::string of = one["subject"].is_string() ? one["subject"].get<std::string>()
                                                        : one["listener"]["port"].dump();
      out += one["severity"].get<std::string>() + " " + code + " " + of + "\n";
    }
    return out;
  }
  [[nodiscard]] std::string doctor() const {
    return told(run_hark(place(), {"doctor", "--json", "--netns", "self"}));
  }
  mutable std::string text_;
  Scene scene_{"systemd"};
  UnitFolder run_;
};

TEST_F(UnitsInTrouble, AreToldIfTheyAreEnabled) {
  const Bus bus(Manners::Answers, bus_socket());
  run_.unit("crashed.service", "[Service]\nExecStart=/bin/sh\n");
  enable("healthy.service");
  enable("ended.service", "Type=oneshot\n");
  EXPECT_EQ(doctor(), "") << text_;
  enable("again.service");
  enable("limited.service");
  run_.link("systemd/system/multi-user.target.wants/crashed.service", "../crashed.service");
  EXPECT_EQ(doctor(),
            "broken restarting again.service\n"
            "broken start-limit-hit limited.service\n"
            "risk unit-failed crashed.service\n")
      << text_;
  EXPECT_THAT(text_, HasSubstr("12 restarts so far; last, it ended with exit status 2"));
  EXPECT_THAT(text_, HasSubstr("signal 11 (SIGSEGV), core dumped"));
}

/// systemd saw no more than the signal; the kernel's log says who sent it.
TEST_F(UnitsInTrouble, KilledForWantOfMemoryAsTheKernelsLogTells) {
  const Bus bus(Manners::Answers, bus_socket());
  const std::string greedy = "slain-" + scene_.truth()["id"].get<std::string>() + ".service";
  const std::string cgroup = small_cgroup("/system.slice/" + greedy);
  if (cgroup.empty()) GTEST_SKIP() << "missing: the memory controller of cgroups";
  ASSERT_EQ(take_too_much(cgroup), SIGKILL);
  remove_cgroup(cgroup);
  enable("slain.service");
  enable(greedy);
  EXPECT_EQ(doctor(), "risk unit-failed " + greedy + "\nrisk unit-failed slain.service\n") << text_;
  const json findings = json::parse(text_)["findings"];
  std::map<std::string, std::string> texts;
  for (const json& one : findings) {
    if (one["subject"].is_string()) texts[one["subject"]] = one.dump();
  }
  EXPECT_THAT(texts["slain.service"], HasSubstr("ended by signal 9 (SIGKILL)"));
  if (!can_read_kernel_log()) {
    EXPECT_THAT(text_, HasSubstr("\"kernel-log\""));
    return;
  }
  EXPECT_THAT(texts[greedy], HasSubstr("for want of memory"));
  EXPECT_THAT(texts[greedy], HasSubstr("/system.slice/" + greedy));
  EXPECT_THAT(texts[greedy], HasSubstr("dmesg -T"));
}

TEST_F(UnitsInTrouble, ARecordingTellsTheSame) {
  {
    const Bus bus(Manners::Answers, bus_socket());
    enable("crashed.service");
    enable("ended.service", "Type=oneshot\n");
    const Finished saved = run_hark(place(), {"save", "-", "--netns", "self"});
    ASSERT_EQ(saved.status, 0) << saved.err;
    run_.file("recording.hark", saved.out);
  }
  EXPECT_EQ(told(run_hark({}, {"doctor", "--json", "-r", run_.path() + "/recording.hark"})),
            "risk unit-failed crashed.service\n")
      << text_;
}

TEST_F(UnitsInTrouble, ASocketThatStartsNothing) {
  run_.unit("two.socket", "[Socket]\nListenStream=127.0.0.1:2202\nService=main.service\n");
  run_.unit("main.service", "[Service]\nExecStart=/bin/sh\n");
  EXPECT_EQ(doctor(), "") << text_;
  run_.unit("main.service", "");
  EXPECT_EQ(doctor(), "broken socket-activation 2202\n") << text_;
}

TEST_F(UnitsInTrouble, WithoutSystemdNothingIsTold) {
  const Bus bus(Manners::Absent, bus_socket());
  enable("crashed.service");
  EXPECT_EQ(doctor(), "") << text_;
  EXPECT_THAT(text_, HasSubstr("unit-states"));
}

}  // namespace
}  // namespace hark::netns
