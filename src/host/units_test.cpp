#include "host/units.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/unit_parts.h"
#include "host/select.h"
#include "host/units_fixture.h"

namespace hark::host {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kSshSocket = "[Unit]\nDescription=SSH socket\n[Socket]\nListenStream=22\n";
constexpr const char* kSshService = "[Service]\nExecStart=/usr/sbin/sshd -D\n";

/// A host with ssh.socket on port 22, held by systemd.
struct SshHost : SystemdHost {
  SshHost() {
    unit(kUsr, "ssh.socket", kSshSocket);
    unit(kUsr, "ssh.service", kSshService);
    source.file("/usr/sbin/sshd", "");
    manager = systemd();
    listener(Protocol::Tcp, "::", 22, {manager});
  }
  ProcessId manager{};
};

TEST(Units, AListenerOfSystemdHasItsSocketUnit) {
  SshHost box;
  box.look();
  const Listener& listener = box.host.listeners.front();
  EXPECT_EQ(listener.unit, "ssh.socket");
  EXPECT_EQ(box.sockets(), "ssh.socket");
  EXPECT_FALSE(listener.socket_units_inferred);
  ASSERT_TRUE(listener.unit_id);
  const UnitFacts& unit = box.host.at(*listener.unit_id);
  EXPECT_EQ(unit.description, "SSH socket");
  EXPECT_EQ(unit.load_state, "loaded");
  EXPECT_EQ(unit.fragment, "/usr/lib/systemd/system/ssh.socket");
  EXPECT_THAT(unit.triggers, ElementsAre("ssh.service"));
  EXPECT_EQ(unit.can_start, true);
  EXPECT_EQ(unit.source, UnitSource::Files);
  EXPECT_TRUE(box.unit_named("ssh.service"));
  EXPECT_THAT(box.host.gaps, IsEmpty());
}

TEST(Units, NothingIsReadWhereSystemdHoldsNothing) {
  SshHost box;
  box.host.processes.front().name = "init";
  box.look();
  EXPECT_EQ(box.source.folders_asked(), 0U);
  EXPECT_THAT(box.host.units, IsEmpty());
  EXPECT_EQ(box.host.listeners.front().unit, "init.scope");

  SshHost other;
  other.host.processes.front().pid = 2;
  other.look();
  EXPECT_EQ(other.source.folders_asked(), 0U) << "any program may call itself systemd";
}

TEST(Units, SystemdByAnotherName) {
  SshHost box;
  box.host.processes.front().name = "init";
  box.host.processes.front().exe = "/usr/lib/systemd/systemd";
  box.look();
  EXPECT_EQ(box.sockets(), "ssh.socket");
}

TEST(Units, TheServiceIsAnOwnerToo) {
  SshHost box;
  const ProcessId sshd = box.process(80, "sshd", "/system.slice/ssh.service", "ssh.service");
  box.host.listeners.front().owners->push_back({.process = sshd, .fds = {3}});
  box.host.listeners.front().unit = "ssh.service";
  box.look();
  EXPECT_EQ(box.host.listeners.front().unit, "ssh.socket");
  EXPECT_EQ(box.host.listeners.front().owners->size(), 2U);
}

TEST(Units, WhyAServiceCannotStart) {
  struct Case {
    const char* service;  ///< empty: masked; null: none
    const char* because;
  };
  for (const Case& c : {
           Case{nullptr, "it has no unit file"},
           Case{"", "it is masked"},
           Case{"[Service\n", "its unit file cannot be used: line 1"},
           Case{"[Service]\nType=simple\n", "it has no ExecStart="},
           Case{"[Service]\nExecStart=-/no/such\n", "its program /no/such is missing"},
       }) {
    SystemdHost box;
    box.unit(kUsr, "ssh.socket", kSshSocket);
    if (c.service != nullptr) box.unit(kUsr, "ssh.service", c.service);
    box.listener(Protocol::Tcp, "::", 22, {box.systemd()});
    box.look();
    const UnitFacts* unit = box.unit_named("ssh.socket");
    ASSERT_TRUE(unit);
    EXPECT_EQ(unit->can_start, false) << c.because;
    EXPECT_THAT(unit->cannot_start_because, HasSubstr(c.because));
  }
}

TEST(Units, WhatCannotBeToldIsNotTold) {
  for (const char* service :
       {"[Service]\nExecStart=sshd\n", "[Service]\nType=oneshot\n",
        "[Service]\nExecStart=/no/such\nRootDirectory=/srv\n", "[Service]\nExecStart=%h/x\n"}) {
    SystemdHost box;
    box.unit(kUsr, "ssh.socket", kSshSocket);
    box.unit(kUsr, "ssh.service", service);
    box.listener(Protocol::Tcp, "::", 22, {box.systemd()});
    box.look();
    EXPECT_EQ(box.unit_named("ssh.socket")->can_start, std::nullopt) << service;
  }
}

TEST(Units, InferredWhereHoldersCannotBeRead) {
  SystemdHost box;
  box.unit(kUsr, "ssh.socket", kSshSocket);
  box.unit(kUsr, "ssh.service", kSshService);
  box.listener(Protocol::Tcp, "::", 22, {}).owners.reset();
  box.listener(Protocol::Tcp, "::", 23, {}).owners.reset();
  box.listener(Protocol::Tcp, "::", 22, {}).socket.cgroup = "/";
  box.host.listeners.back().owners.reset();
  box.host.listeners.back().unit.clear();
  box.look(false, 1000);
  EXPECT_EQ(box.sockets(0), "ssh.socket");
  EXPECT_TRUE(box.host.listeners[0].socket_units_inferred);
  EXPECT_EQ(box.host.listeners[0].unit, "init.scope") << "what is known stays";
  EXPECT_EQ(box.sockets(1), "");
  EXPECT_FALSE(box.host.listeners[1].socket_units_inferred);
  EXPECT_EQ(box.sockets(2), "") << "nothing says that systemd made it";
}

TEST(Units, NothingIsInferredWithoutSystemd) {
  SystemdHost box;
  box.folders.clear();
  box.unit(kUsr, "ssh.socket", kSshSocket);
  box.listener(Protocol::Tcp, "::", 22, {}).owners.reset();
  box.look(false, 1000);
  EXPECT_EQ(box.sockets(), "");
}

TEST(Units, ASocketInTheCgroupOfItsUnit) {
  SystemdHost box;
  box.unit(kUsr, "ssh.socket", kSshSocket);
  box.unit(kUsr, "ssh.service", kSshService);
  Listener& listener = box.listener(Protocol::Tcp, "::", 22, {});
  listener.owners.reset();
  listener.socket.cgroup = "/system.slice/ssh.socket";
  listener.unit = "ssh.socket";
  box.look();
  EXPECT_EQ(box.sockets(), "ssh.socket");
  EXPECT_FALSE(box.host.listeners.front().socket_units_inferred);
}

TEST(Units, WhatAServiceGaveToSystemdToKeepIsTheServices) {
  SshHost box;
  box.host.listeners.front().socket.cgroup = "/system.slice/ssh.service";
  box.host.listeners.front().unit = "ssh.service";
  box.look();
  EXPECT_EQ(box.sockets(), "") << "ssh.socket may be there and not in use";
  EXPECT_EQ(box.host.listeners.front().unit, "ssh.service");
}

TEST(Units, TheCgroupOfASocketUnitIsTheBestEvidence) {
  SystemdHost box;
  box.unit(kUsr, "t@.socket", "[Socket]\nListenStream=%i\n");
  box.unit(kUsr, "other.socket", "[Socket]\nListenStream=22\n");
  Listener& listener = box.listener(Protocol::Tcp, "::", 22, {box.systemd()});
  listener.socket.cgroup = "/system.slice/system-t.slice/t@22.socket";
  listener.unit = "t@22.socket";
  Listener& gone = box.listener(Protocol::Tcp, "::", 23, {ProcessId{0}});
  gone.socket.cgroup = "/system.slice/gone.socket";
  gone.unit = "gone.socket";
  box.look();
  EXPECT_EQ(box.sockets(0), "t@22.socket");
  EXPECT_THAT(box.unit_named("t@22.socket")->triggers, ElementsAre("t@22.service"));
  EXPECT_EQ(box.sockets(1), "gone.socket");
  EXPECT_EQ(box.unit_named("gone.socket")->source, UnitSource::Cgroup);
  EXPECT_EQ(box.unit_named("gone.socket")->load_state, "") << "it is there: its cgroup is";
}

TEST(Units, AGapWhereUnitFilesCannotBeListed) {
  SystemdHost box;
  box.folders.clear();
  box.listener(Protocol::Tcp, "::", 22, {box.systemd()});
  box.look();
  ASSERT_EQ(box.host.gaps.size(), 1U);
  EXPECT_EQ(box.host.gaps.front().code, "unit-files");
  EXPECT_EQ(box.host.listeners.front().unit, "init.scope");
}

TEST(Units, AUsersManager) {
  const auto host_of = [](std::optional<std::uint32_t> uid) {
    auto box = std::make_unique<SystemdHost>();
    const ProcessId manager =
        box->process(700, "systemd", "/user.slice/user-1000.slice/user@1000.service/init.scope",
                     "user@1000.service");
    box->host.processes.front().uid = 1000;
    box->host.processes.front().user = "ann";
    box->listener(Protocol::Tcp, "::", 8080, {manager}).unit = "user@1000.service";
    box->listener(Protocol::Tcp, "::", 8081, {manager}).unit = "user@1000.service";
    box->source.file("/etc/passwd", "ann:x:1000:1000:Ann:/home/ann:/bin/sh\n");
    box->unit("/home/ann/.config/systemd/user", "mine.socket", "[Socket]\nListenStream=8080\n");
    box->unit("/usr/lib/systemd/user", "ours.socket", "[Socket]\nListenStream=8081\n");
    box->look(false, uid);
    return box;
  };
  const auto own = host_of(1000);
  EXPECT_EQ(own->sockets(0), "mine.socket");
  EXPECT_EQ(own->sockets(1), "ours.socket");
  EXPECT_EQ(own->unit_named("mine.socket")->user, 1000U);
  EXPECT_THAT(own->host.gaps, IsEmpty());

  const auto roots = host_of(0);
  EXPECT_EQ(roots->sockets(0), "") << "root reads no files that another user can lay";
  EXPECT_EQ(roots->host.listeners[0].unit, "user@1000.service");
  EXPECT_EQ(roots->sockets(1), "ours.socket");
  ASSERT_EQ(roots->host.gaps.size(), 1U);
  EXPECT_EQ(roots->host.gaps.front().code, "user-units");
  EXPECT_EQ(roots->host.gaps.front().remedy, "run hark as ann");
}

TEST(Units, DetailsOfEveryUnit) {
  SystemdHost box;
  box.unit(kUsr, "nginx.service",
           "[Unit]\nDescription=web\n[Service]\nExecStart=/usr/sbin/nginx\n");
  const ProcessId nginx = box.process(9, "nginx", "/system.slice/nginx.service", "nginx.service");
  box.listener(Protocol::Tcp, "::", 80, {nginx}).unit = "nginx.service";
  box.host.listeners[0].socket.cgroup.reset();
  Listener& session = box.listener(Protocol::Tcp, "::", 81, {});
  session.socket.cgroup = "/user.slice/user-7.slice/session-3.scope";
  session.unit = "session-3.scope";
  Listener& inside = box.listener(Protocol::Tcp, "::", 82, {});
  inside.socket.cgroup =
      "/system.slice/docker-" + std::string(64, 'a') + ".scope/system.slice/nginx.service";
  inside.unit = "nginx.service";
  box.look(false);
  EXPECT_THAT(box.host.units, IsEmpty()) << "the table does not show them";
  box.look(true);
  EXPECT_EQ(box.host.at(*box.host.listeners[0].unit_id).description, "web");
  EXPECT_EQ(box.host.at(*box.host.listeners[0].unit_id).can_start, false) << "its program is gone";
  EXPECT_EQ(box.host.at(*box.host.listeners[1].unit_id).source, UnitSource::Cgroup);
  EXPECT_FALSE(box.host.listeners[2].unit_id) << "that of a container is another nginx.service";
}

Bytes state_of(std::string_view name, std::initializer_list<std::pair<UnitPart, const char*>> facts,
               std::int32_t exit_code = 0, std::int32_t exit_status = 0) {
  Bytes out;
  const auto add = [&out](UnitPart part, ByteView bytes) {
    append_part(out, static_cast<std::uint16_t>(part), bytes);
  };
  add(UnitPart::Name, as_bytes(name));
  for (const auto& [part, text] : facts) add(part, as_bytes(text));
  const std::uint32_t restarts = 5;
  const std::uint64_t when = 1'790'000'000'000'000;
  add(UnitPart::Restarts, std::as_bytes(std::span(&restarts, 1)));
  add(UnitPart::ExitCode, std::as_bytes(std::span(&exit_code, 1)));
  add(UnitPart::ExitStatus, std::as_bytes(std::span(&exit_status, 1)));
  add(UnitPart::ExitTime, std::as_bytes(std::span(&when, 1)));
  return out;
}

TEST(Units, WhatSystemdSays) {
  SshHost box;
  box.source.units(state_of(
      "ssh.service", {{UnitPart::ActiveState, "failed"}, {UnitPart::Result, "exit-code"}}, 1, 3));
  box.look(true);
  EXPECT_THAT(box.source.units_asked(), ElementsAre("ssh.service", "ssh.socket"));
  const UnitFacts& unit = *box.unit_named("ssh.service");
  EXPECT_EQ(unit.source, UnitSource::Dbus);
  EXPECT_EQ(unit.active_state, "failed");
  EXPECT_EQ(unit.load_state, "loaded");
  EXPECT_EQ(unit.restarts, 5U);
  EXPECT_EQ(unit.last_exit, (UnitExit{"exited", 3, 1'790'000'000'000}));
  EXPECT_EQ(box.unit_named("ssh.socket")->can_start, std::nullopt);
  EXPECT_EQ(box.unit_named("ssh.socket")->cannot_start_because,
            "it failed last time: exit status 3");
}

TEST(Units, ObstaclesThatOnlySystemdKnows) {
  struct Case {
    UnitPart part;
    const char* text;
    std::int32_t status;
    const char* because;
  };
  for (const Case& c : {
           Case{UnitPart::Result, "start-limit-hit", 1, "start-limit-hit"},
           Case{UnitPart::ActiveState, "failed", 203, "could not be executed"},
           Case{UnitPart::LoadState, "bad-setting", 0, "cannot be used"},
           Case{UnitPart::LoadState, "masked", 0, "it is masked"},
       }) {
    SshHost box;
    box.source.units(state_of("ssh.service", {{c.part, c.text}}, 1, c.status));
    box.look(true);
    EXPECT_EQ(box.unit_named("ssh.socket")->can_start, false) << c.because;
    EXPECT_THAT(box.unit_named("ssh.socket")->cannot_start_because, HasSubstr(c.because));
  }
}

TEST(Units, OfSeveralSocketUnitsSystemdTellsTheActive) {
  SshHost box;
  box.unit(kUsr, "old.socket", "[Socket]\nListenStream=22\n");
  box.look();
  EXPECT_EQ(box.sockets(), "old.socket ssh.socket");

  SshHost asked;
  asked.unit(kUsr, "old.socket", "[Socket]\nListenStream=22\n");
  Bytes states = state_of("old.socket", {{UnitPart::ActiveState, "inactive"}});
  append(states, state_of("ssh.socket", {{UnitPart::ActiveState, "active"}}));
  asked.source.units(states);
  asked.look(true);
  EXPECT_EQ(asked.sockets(), "ssh.socket");
  EXPECT_EQ(asked.host.listeners.front().unit, "ssh.socket");
}

TEST(Units, AGapWhereSystemdDoesNotAnswer) {
  SshHost box;
  box.look(true);
  ASSERT_EQ(box.host.gaps.size(), 1U);
  EXPECT_EQ(box.host.gaps.front().code, "unit-states");
  EXPECT_EQ(box.sockets(), "ssh.socket") << "files still tell";
}

TEST(Units, FiltersFindBothUnits) {
  SshHost box;
  box.look();
  for (const char* word : {"unit:ssh.socket", "unit:ssh.service", "ssh.service", "unit:ssh"}) {
    const std::vector<std::string> words = {word};
    EXPECT_EQ(select(box.host, parse_filter(words).value()).size(), 1U) << word;
  }
  const std::vector<std::string> other = {"unit:sshd.service"};
  EXPECT_THAT(select(box.host, parse_filter(other).value()), IsEmpty());
}

TEST(Units, PlacesOfUnits) {
  const auto place = [](std::string_view cgroup, std::string_view unit) {
    const UnitPlace found = place_of_unit(cgroup, unit);
    return found.known ? (found.user ? std::to_string(*found.user) : "system") : "elsewhere";
  };
  const std::string user = "/user.slice/user-1000.slice/user@1000.service";
  EXPECT_EQ(place("/system.slice/a.service", "a.service"), "system");
  EXPECT_EQ(place("/system.slice/_a.service", "a.service"), "system");
  EXPECT_EQ(place(user + "/app.slice/a.service", "a.service"), "1000");
  EXPECT_EQ(place(user + "/init.scope", "user@1000.service"), "system");
  EXPECT_EQ(place("/system.slice/docker-" + std::string(64, 'a') + ".scope/system.slice/a.service",
                  "a.service"),
            "elsewhere");
  EXPECT_EQ(place("/a.slice", "a.service"), "elsewhere");
}

}  // namespace
}  // namespace hark::host
