// Units in rows and in JSON.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "show/list_json.h"
#include "show/list_rows.h"
#include "show/test_host.h"

namespace hark::show {
namespace {

using testing::HostBuilder;

/// A listener that systemd holds for ssh.socket, which starts ssh.service.
struct Activated : HostBuilder {
  Activated() {
    systemd = process(1, "systemd", "init.scope");
    service.name = "ssh.service";
    service.can_start = true;
    socket.name = "ssh.socket";
    socket.triggers = {"ssh.service"};
    socket.can_start = true;
    socket.source = host::UnitSource::Files;
  }
  host::Listener& held(std::initializer_list<host::ProcessId> owners) {
    host().units = {service, socket};
    host::Listener& l = owned(Protocol::Tcp, "::", 22, owners);
    l.unit = "ssh.socket";
    l.unit_id = host::UnitId{1};
    l.socket_units = {host::UnitId{1}};
    return l;
  }
  [[nodiscard]] std::string who() const {
    return who_words(host(), fold(host(), all(), {}, false).front());
  }
  [[nodiscard]] nlohmann::json json() const {
    std::string text;
    write_list_json(host(), all(), {}, [&text](std::string_view piece) { text += piece; });
    return nlohmann::json::parse(text)["listeners"][0];
  }
  host::ProcessId systemd{};
  host::UnitFacts service;
  host::UnitFacts socket;
};

TEST(ListUnits, SystemdHoldsItForASocketUnit) {
  Activated b;
  b.held({b.systemd});
  EXPECT_EQ(b.who(), "systemd for ssh.socket, starts ssh.service");
}

TEST(ListUnits, WhatItStartsCannotStart) {
  Activated b;
  b.socket.can_start = false;
  b.socket.cannot_start_because = "it is masked";
  b.held({b.systemd});
  EXPECT_EQ(b.who(),
            "systemd for ssh.socket, starts ssh.service, which cannot start: it is masked");
}

TEST(ListUnits, TheServiceRuns) {
  Activated b;
  const auto sshd = b.process(80, "sshd", "ssh.service");
  b.held({b.systemd, sshd});
  EXPECT_EQ(b.who(), "sshd (80 +1)  ssh.socket, starts ssh.service");
}

TEST(ListUnits, OnlyInferred) {
  Activated b;
  host::Listener& l = b.held({});
  l.owners.reset();
  l.unit = "init.scope";
  l.unit_id.reset();
  l.socket_units_inferred = true;
  EXPECT_EQ(b.who(), "probably systemd for ssh.socket, starts ssh.service  owner not readable");
  EXPECT_EQ(b.json()["unit"], "init.scope");
  EXPECT_EQ(b.json()["unit_facts"], nullptr);
  EXPECT_EQ(b.json()["socket_units"][0]["inferred"], true);
}

TEST(ListUnits, SeveralSocketUnits) {
  Activated b;
  host::Listener& l = b.held({b.systemd});
  host::UnitFacts other;
  other.name = "web.socket";
  b.host().units.push_back(other);
  l.socket_units.push_back(host::UnitId{2});
  EXPECT_EQ(b.who(), "systemd for ssh.socket or web.socket");
}

TEST(ListUnits, AUsersManager) {
  Activated b;
  const auto manager = b.process(700, "systemd", "user@1000.service");
  b.held({manager});
  EXPECT_EQ(b.who(), "systemd (700) for ssh.socket, starts ssh.service");
}

TEST(ListUnits, JsonFacts) {
  Activated b;
  b.service.active_state = "failed";
  b.service.restarts = 5;
  b.service.last_exit = host::UnitExit{"killed", 9, 1'790'000'000'000};
  b.service.source = host::UnitSource::Dbus;
  b.held({b.systemd});
  const auto l = b.json();
  EXPECT_EQ(l["unit"], "ssh.socket");
  const auto& facts = l["unit_facts"];
  EXPECT_EQ(facts["name"], "ssh.socket");
  EXPECT_EQ(facts["triggers"], nlohmann::json({"ssh.service"}));
  EXPECT_EQ(facts["can_start"], true);
  EXPECT_EQ(facts["cannot_start_because"], nullptr);
  EXPECT_EQ(facts["description"], nullptr);
  EXPECT_EQ(facts["restarts"], nullptr);
  EXPECT_EQ(facts["last_exit"], nullptr);
  EXPECT_EQ(facts["source"], "files");
  const auto& started = l["socket_units"][0]["starts"][0];
  EXPECT_EQ(started["name"], "ssh.service");
  EXPECT_EQ(started["active_state"], "failed");
  EXPECT_EQ(started["restarts"], 5);
  EXPECT_EQ(started["last_exit"],
            (nlohmann::json{{"code", "killed"}, {"status", 9}, {"at", "2026-09-21T14:13:20Z"}}));
  EXPECT_EQ(started["source"], "dbus");
}

}  // namespace
}  // namespace hark::show
