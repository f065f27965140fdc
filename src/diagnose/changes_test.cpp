// Each kind of change is found, and each kind of noise is not.
#include "diagnose/changes.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "diagnose/families.h"
#include "diagnose/sameness.h"
#include "diagnose/test_world.h"

namespace hark::diagnose {
namespace {

using testing::World;
using Alter = std::function<void(World&)>;

/// "risk opened tcp 6379: address reach scope", a line each; then findings and gaps.
std::string told(World& before, World& after, bool exact = false) {
  const Snapshot then = before.snapshot();
  const Snapshot now = after.snapshot();
  const Changes changes = changes_between(then, now, exact);
  std::string out;
  for (const Change& one : changes.list) {
    const Snapshot& side = one.after.empty() ? then : now;
    const host::Listener& first =
        side.host.listeners[one.after.empty() ? one.before.front() : one.after.front()];
    out += std::string(name_of(one.severity)) + " " + std::string(name_of(one.turn)) + " " +
           std::string(name_of(first.protocol)) + " " + std::to_string(first.port);
    if (one.move != 0) out += " move " + std::to_string(one.move);
    for (const ChangedField field : one.fields) out += " " + std::string(name_of(field));
    out += "\n";
  }
  for (const std::size_t i : changes.came) out += "came " + now.findings[i].code + "\n";
  for (const std::size_t i : changes.went) out += "went " + then.findings[i].code + "\n";
  for (const host::Gap& gap : changes.gaps) out += "gap " + gap.code + "\n";
  return out;
}

struct Row {
  const char* name;
  Alter before;
  Alter after;
  const char* told;
};

void nothing(World&) {}

host::Container container(std::string id, std::string name) {
  return {.runtime = "docker", .id = std::move(id), .name = std::move(name)};
}

/// A namespace without a name, and a listener of `program` in it.
host::Listener& in_nameless(World& w, std::uint64_t inode, const char* program,
                            std::uint16_t port) {
  w.host.namespaces.push_back({.inode = inode, .name = {}, .entered = true});
  host::Listener& out = w.listen("0.0.0.0", port, w.process(program));
  out.netns = static_cast<host::NetnsId>(w.host.namespaces.size() - 1);
  return out;
}

host::Process& started_by(World& w, host::ProcessId child, std::size_t parent) {
  host::Process& out = w.owner(static_cast<std::size_t>(child));
  out.started_by = {{.pid = w.owner(parent).pid, .name = w.owner(parent).name}};
  return out;
}

void add_owner(World& w, std::size_t listener, host::ProcessId process) {
  w.listener(listener).owners->push_back({.process = process, .fds = {3}});
}

const std::vector<Row> kChanges = {
    {"opened by its bind", nothing, [](World& w) { w.bind(1, "0.0.0.0"); },
     "risk opened tcp 6379 address reach scope\n"},
    {"closed by its bind", nothing, [](World& w) { w.bind(0, "127.0.0.1"); },
     "broken closed tcp 80 address reach scope\n"},
    {"bound to both families", nothing,
     [](World& w) {
       w.bind(1, "::");
       w.listener(1).v6only = false;
     },
     "risk opened tcp 6379 address reach scope\n"},
    {"moved on loopback", nothing, [](World& w) { w.bind(1, "127.0.0.2"); },
     "notice moved tcp 6379 address\n"},
    {"closed by rules", nothing, [](World& w) { w.allowed[80] = {"10.0.0.0/8"}; },
     "broken closed tcp 80 reach\n"},
    {"opened by rules", [](World& w) { w.allowed[80] = {}; },
     [](World& w) { w.allowed[80] = {"10.0.0.0/8"}; }, "risk opened tcp 80 reach\n"},
    {"open to more", [](World& w) { w.allowed[80] = {"10.0.0.0/9"}; },
     [](World& w) { w.allowed[80] = {"10.0.0.0/8"}; }, "risk opened tcp 80 reach\n"},
    {"open to others", [](World& w) { w.allowed[80] = {"10.1.0.0/16"}; },
     [](World& w) { w.allowed[80] = {"10.2.0.0/16"}; }, "risk changed tcp 80 reach\n"},
    {"new and open", nothing, [](World& w) { w.listen("0.0.0.0", 8080, w.process("app")); },
     "risk new tcp 8080\n"},
    {"new for this host alone", nothing,
     [](World& w) { w.listen("127.0.0.1", 8080, w.process("app")); }, "notice new tcp 8080\n"},
    {"gone", nothing, [](World& w) { w.remove(0); }, "broken gone tcp 80\n"},
    {"gone for this host alone", nothing, [](World& w) { w.remove(1); }, "notice gone tcp 6379\n"},
    {"on another port", nothing, [](World& w) { w.listener(0).port = 81; },
     "risk new tcp 81 move 1\nbroken gone tcp 80 move 1\n"},
    {"the same port of another protocol", nothing,
     [](World& w) { w.listener(0).protocol = Protocol::Mptcp; },
     "risk new mptcp 80\nbroken gone tcp 80\n"},
    {"bound to a device", nothing, [](World& w) { w.listener(0).interface = "eth1"; },
     "notice moved tcp 80 interface\n"},
    {"another program", nothing,
     [](World& w) { w.listener(0).owners->front().process = w.process("evil", "nginx.service"); },
     "risk changed tcp 80 owners\n"},
    {"another user", nothing, [](World& w) { w.owner(0).user = "nobody"; },
     "risk changed tcp 80 owners\n"},
    {"another unit", nothing, [](World& w) { w.listener(0).unit = "apache.service"; },
     "risk changed tcp 80 owners\n"},
    {"started by hand", nothing, [](World& w) { w.listener(0).unit = "session-7.scope"; },
     "risk changed tcp 80 owners\n"},
    {"another container", [](World& w) { w.listener(0).container = container("a", "web"); },
     [](World& w) { w.listener(0).container = container("b", "other"); },
     "risk changed tcp 80 owners\n"},
    {"workers of another user",
     [](World& w) {
       const auto worker = w.process("nginx", "nginx.service");
       started_by(w, worker, 0).user = "www-data";
       add_owner(w, 0, worker);
     },
     [](World& w) {
       const auto worker = w.process("nginx", "nginx.service");
       started_by(w, worker, 0).user = "backup";
       add_owner(w, 0, worker);
     },
     "risk changed tcp 80 owners\n"},
    {"nobody holds it", nothing, [](World& w) { w.listener(0).owners->clear(); },
     "risk changed tcp 80 owners\n"},
    {"takes IPv4 no longer", [](World& w) { w.listen("::", 90, w.process("six")).v6only = false; },
     [](World& w) { w.listen("::", 90, w.process("six")).v6only = true; },
     "notice changed tcp 90 v6only\n"},
    {"takes IPv4 as well", [](World& w) { w.listen("::", 90, w.process("six")).v6only = true; },
     [](World& w) { w.listen("::", 90, w.process("six")).v6only = false; },
     "risk changed tcp 90 v6only\n"},
    {"stopped", nothing, [](World& w) { w.find("stopped", Severity::Broken, 0); },
     "broken changed tcp 80 findings\n"},
    {"no longer stopped", [](World& w) { w.find("stopped", Severity::Broken, 0); }, nothing,
     "notice changed tcp 80 findings\n"},
    {"a unit failed", nothing,
     [](World& w) { w.find("unit-failed", Severity::Broken, {}, "web.service"); },
     "came unit-failed\n"},
    {"a unit no longer failed",
     [](World& w) { w.find("unit-failed", Severity::Broken, {}, "web.service"); }, nothing,
     "went unit-failed\n"},
    {"worst first", nothing,
     [](World& w) {
       w.remove(0);
       w.bind(0, "0.0.0.0");
       w.listen("127.0.0.1", 9, w.process("small"));
     },
     "risk opened tcp 6379 address reach scope\nbroken gone tcp 80\nnotice new tcp 9\n"},
    {"another program in a namespace", [](World& w) { in_nameless(w, 7, "inner", 80); },
     [](World& w) { in_nameless(w, 8, "other", 80); }, "risk new tcp 80\nbroken gone tcp 80\n"},
};

TEST(Changes, EachKindIsFound) {
  for (const Row& row : kChanges) {
    World before, after;
    row.before(before);
    row.after(after);
    EXPECT_EQ(told(before, after), row.told) << row.name;
  }
}

const std::vector<Row> kNoise = {
    {"nothing", nothing, nothing, ""},
    {"started again", nothing,
     [](World& w) {
       w.owner(0).pid = 4711;
       w.owner(0).started_at_ms = w.host.taken_at_ms;
       w.listener(0).socket.inode = 9999;
       w.listener(0).socket.cookie = 77;
       w.listener(0).owners->front().fds = {8, 9};
     },
     ""},
    {"queue and drops", nothing,
     [](World& w) { w.listener(0).queue = {.length = 90, .limit = 4096, .drops = 12}; }, ""},
    {"more workers", nothing,
     [](World& w) {
       for (const char* user : {"www-data", "www-data"}) {
         const auto worker = w.process("nginx", "nginx.service");
         started_by(w, worker, 0).user = user;
         add_owner(w, 0, worker);
       }
     },
     ""},
    {"more sockets that share the port", nothing,
     [](World& w) { w.listen("0.0.0.0", 80, host::ProcessId{0}); }, ""},
    {"a socket that shares the port and was left", nothing,
     [](World& w) { w.listen("0.0.0.0", 80, host::ProcessId{0}).owners.reset(); }, ""},
    {"a helper that inherited it", nothing,
     [](World& w) {
       const auto helper = w.process("sh", "nginx.service");
       started_by(w, helper, 0);
       add_owner(w, 0, helper);
     },
     ""},
    {"a helper that ended while it was read", nothing,
     [](World& w) {
       const auto helper = w.process("true", "nginx.service");
       w.owner(static_cast<std::size_t>(helper)).started_by.reset();
       add_owner(w, 0, helper);
     },
     ""},
    {"a socket unit whose service runs", [](World& w) { w.listener(0).socket_units = {{}}; },
     [](World& w) {
       w.listener(0).socket_units = {{}};
       add_owner(w, 0, w.process("sshd", "nginx.service"));
     },
     ""},
    {"another session", [](World& w) { w.listener(0).unit = "session-3.scope"; },
     [](World& w) { w.listener(0).unit = "session-12.scope"; }, ""},
    {"a port that the kernel chose",
     [](World& w) { w.listen("0.0.0.0", 41'000, w.process("statd")); },
     [](World& w) { w.listen("0.0.0.0", 52'000, w.process("statd")); }, ""},
    {"several such ports",
     [](World& w) { w.listen("0.0.0.0", 41'000, w.process("statd"), Protocol::Udp); },
     [](World& w) {
       const auto statd = w.process("statd");
       w.listen("0.0.0.0", 39'000, statd, Protocol::Udp);
       w.listen("0.0.0.0", 52'000, statd, Protocol::Udp);
     },
     ""},
    {"a container made anew",
     [](World& w) { w.listener(0).container = container(std::string(64, 'a'), "web"); },
     [](World& w) { w.listener(0).container = container(std::string(64, 'b'), "web"); }, ""},
    {"a namespace made anew", [](World& w) { in_nameless(w, 7, "inner", 80); },
     [](World& w) { in_nameless(w, 8, "inner", 80); }, ""},
    {"namespaces of one kind", [](World& w) { in_nameless(w, 7, "inner", 80); },
     [](World& w) {
       in_nameless(w, 8, "inner", 80);
       in_nameless(w, 9, "inner", 80);
     },
     ""},
    {"a pod rolled out",
     [](World& w) {
       host::Listener& one = in_nameless(w, 7, "inner", 80);
       one.container = container("a", "app");
       one.container->pod = "web-7d9f8bc54f-x2x7p";
       w.host.namespaces.back().name = "web-7d9f8bc54f-x2x7p";
     },
     [](World& w) {
       host::Listener& one = in_nameless(w, 8, "inner", 80);
       one.container = container("b", "app");
       one.container->pod = "web-5b8d7c9f6d-kq4zt";
       w.host.namespaces.back().name = "web-5b8d7c9f6d-kq4zt";
     },
     ""},
    {"by a user who cannot learn its name", nothing,
     [](World& w) { w.host.namespaces[0].name.clear(); }, ""},
    {"in another order", nothing,
     [](World& w) { std::swap(w.host.listeners[0], w.host.listeners[1]); }, ""},
    {"findings of a moment", nothing,
     [](World& w) {
       w.find("accept-queue-full", Severity::Broken, 0);
       w.find("udp-drops", Severity::Risk, 1);
       w.find("restarting", Severity::Risk, {}, "web.service");
     },
     ""},
    {"a full queue", nothing,
     [](World& w) {
       w.allowed[80] = {};
       w.otherwise = reach::Outcome::Hangs;
       w.cause = "accept-queue-full";
       w.certainty = reach::Certainty::ExactNow;
     },
     ""},
    {"the rule that drops has another handle", [](World& w) { w.allowed[80] = {"10.0.0.0/8"}; },
     [](World& w) {
       w.allowed[80] = {"10.0.0.0/9", "10.128.0.0/9"};
       w.cause = "input-policy-drop";
     },
     ""},
    {"an address of this host", [](World& w) { w.allowed[80] = {"10.0.0.0/8"}; },
     [](World& w) {
       w.allowed[80] = {"10.0.0.0/8"};
       w.network.addresses[2].address = IpAddress::parse("10.0.0.77").value();
     },
     ""},
};

TEST(Changes, NoNoiseIsFoundUnlessEveryFactIsAskedFor) {
  for (const Row& row : kNoise) {
    World before, after;
    row.before(before);
    row.after(after);
    EXPECT_EQ(told(before, after), row.told) << row.name;
  }
  for (const auto& [i, fields] : {std::pair{1, " pids fds inode cookie started_at"},
                                  {2, " queue"},
                                  {3, " pids fds state started_at workers"}}) {
    World before, after;
    kNoise[static_cast<std::size_t>(i)].after(after);
    const std::string line = told(before, after, true);
    EXPECT_EQ(line.substr(0, line.find('\n')), std::string("notice changed tcp 80") + fields);
  }
  World before, after;
  kNoise[10].before(before);
  kNoise[10].after(after);
  EXPECT_EQ(told(before, after, true), "risk new tcp 52000 move 1\nbroken gone tcp 41000 move 1\n");
}

const std::vector<Row> kGaps = {
    {"owners unknown on one side", nothing,
     [](World& w) {
       w.listener(0).owners.reset();
       w.listener(0).socket.cookie = 5;
       w.gap("other-users-processes");
     },
     "gap owners-not-compared\n"},
    {"owners unknown on both, and another socket",
     [](World& w) {
       w.listener(0).owners.reset();
       w.listener(0).socket.cookie = 5;
     },
     [](World& w) { w.listener(0).owners.reset(); }, "gap owners-not-compared\n"},
    {"owners unknown on both, and the same socket", [](World& w) { w.listener(0).owners.reset(); },
     [](World& w) { w.listener(0).owners.reset(); }, ""},
    {"rules unread on one side", nothing,
     [](World& w) {
       w.allowed[80] = {};
       w.otherwise = reach::Outcome::Unknown;
       w.cause = "nftables-not-read";
       w.certainty = reach::Certainty::Unknown;
       w.network.unread = {{host::NetworkFact::Nftables, {"nftables-not-read", "rules", "", ""}}};
     },
     "gap reach-not-compared\ngap published-not-compared\n"},
    {"a namespace that was not entered", [](World& w) { in_nameless(w, 7, "inner", 80); },
     [](World& w) { w.gap("netns-not-entered"); }, "gap listeners-not-compared\n"},
    {"sockets that were not read", nothing,
     [](World& w) {
       w.remove(0);
       w.gap("sockets-not-read");
     },
     "gap listeners-not-compared\n"},
    {"findings that one side could not make",
     [](World& w) { w.find("stopped", Severity::Broken, 0); },
     [](World& w) { w.gap("other-users-processes"); }, "gap findings-not-compared\n"},
    {"a real change is told all the same", nothing,
     [](World& w) {
       w.bind(1, "0.0.0.0");
       w.listener(0).owners.reset();
       w.listener(0).socket.cookie = 5;
     },
     "risk opened tcp 6379 address reach scope\ngap owners-not-compared\n"},
};

TEST(Changes, WhatCouldNotBeReadIsAGapAndNoChange) {
  for (const Row& row : kGaps) {
    World before, after;
    row.before(before);
    row.after(after);
    EXPECT_EQ(told(before, after), row.told) << row.name;
  }
}

TEST(Changes, AreOfOneHostOrOfTwo) {
  World before, after;
  EXPECT_FALSE(changes_between(before.snapshot(), after.snapshot(), false).other_host);
  after.host.name = "elsewhere";
  const Changes changes = changes_between(before.snapshot(), after.snapshot(), false);
  EXPECT_TRUE(changes.other_host);
  EXPECT_TRUE(changes.none());
  EXPECT_EQ(changes.unchanged, 2U);
}

TEST(Sameness, OfPodNames) {
  for (const auto& [pod, name] : {std::pair{"web-7d9f8bc54f-x2x7p", "web"},
                                  {"agent-x2x7p", "agent"},
                                  {"db-0", "db-0"},
                                  {"kube-proxy", "kube-proxy"},
                                  {"web-stage", "web-stage"},
                                  {"x2x7p", "x2x7p"},
                                  {"", ""}}) {
    EXPECT_EQ(lasting_pod_name(pod), name);
  }
}

}  // namespace
}  // namespace hark::diagnose
