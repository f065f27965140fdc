#include "show/list_rows.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "show/test_host.h"

namespace hark::show {
namespace {

using testing::HostBuilder;

/// Rows as "PROTOCOL PORTS|BOUND|WHO", in their order.
std::vector<std::string> described(const host::Host& host, const std::vector<ListRow>& rows) {
  std::vector<std::string> out;
  for (const ListRow& row : rows) {
    const auto& first = host.listeners[row.listeners.front()];
    out.push_back(std::string(name_of(first.protocol)) + " " + port_words(host, row) + "|" +
                  bound_words(host, row) + "|" + who_words(host, row));
  }
  return out;
}

std::vector<std::string> folded(const HostBuilder& b, SortOrder order = {}) {
  return described(b.host(), fold(b.host(), b.all(), order, false));
}

using Rows = std::vector<std::string>;

TEST(Fold, TwinsAndPortsOfOneService) {
  HostBuilder b;
  const auto nginx = b.process(901, "nginx", "nginx.service");
  b.owned(Protocol::Tcp, "0.0.0.0", 80, {nginx});
  b.owned(Protocol::Tcp, "::", 80, {nginx}).v6only = true;
  b.owned(Protocol::Tcp, "::", 443, {nginx});
  b.owned(Protocol::Tcp, "0.0.0.0", 8080, {nginx});
  EXPECT_EQ(folded(b), (Rows{"tcp 80,443|every address|nginx (901)  nginx.service",
                             "tcp 8080|every IPv4 address|nginx (901)  nginx.service"}));
}

TEST(Fold, LoopbackTwins) {
  HostBuilder b;
  const auto pg = b.process(733, "postgres", "postgresql@15.service");
  b.owned(Protocol::Tcp, "127.0.0.1", 5432, {pg});
  b.owned(Protocol::Tcp, "::1", 5432, {pg});
  EXPECT_EQ(folded(b), (Rows{"tcp 5432|this host only|postgres (733)  postgresql@15.service"}));
}

TEST(Fold, ReuseportGroupAndForkedWorkers) {
  HostBuilder b;
  const auto a = b.process(10, "worker", "session-1.scope");
  const auto c = b.process(11, "worker", "session-1.scope");
  b.owned(Protocol::Udp, "0.0.0.0", 4433, {a});
  b.owned(Protocol::Udp, "0.0.0.0", 4433, {c});
  EXPECT_EQ(folded(b), (Rows{"udp 4433|every IPv4 address|worker (10 +1)  session-1.scope"}));
}

TEST(Fold, ProgramsOfOneSessionStayApart) {
  HostBuilder b;
  const auto a = b.process(10, "python3", "session-1.scope");
  const auto c = b.process(11, "python3", "session-1.scope");
  b.owned(Protocol::Tcp, "0.0.0.0", 8000, {a});
  b.owned(Protocol::Tcp, "0.0.0.0", 9000, {c});
  EXPECT_EQ(folded(b).size(), 2U);
}

TEST(Fold, AServiceVouchesForItsProcesses) {
  HostBuilder b;
  const auto a = b.process(10, "app", "app.service");
  const auto c = b.process(11, "app", "app.service");
  const auto other = b.process(12, "exporter", "app.service");
  b.owned(Protocol::Tcp, "0.0.0.0", 8000, {a});
  b.owned(Protocol::Tcp, "0.0.0.0", 9000, {c});
  b.owned(Protocol::Tcp, "0.0.0.0", 9100, {other});
  EXPECT_EQ(folded(b), (Rows{"tcp 8000,9000|every IPv4 address|app (10 +1)  app.service",
                             "tcp 9100|every IPv4 address|exporter (12)  app.service"}));
}

struct Difference {
  const char* name;
  std::function<void(host::Listener&)> make;
};

TEST(Fold, AnyDifferenceThatCountsKeepsRowsApart) {
  const Difference cases[] = {
      {"namespace", [](host::Listener& l) { l.netns = static_cast<host::NetnsId>(1); }},
      {"protocol", [](host::Listener& l) { l.protocol = Protocol::Mptcp; }},
      {"user", [](host::Listener& l) { l.socket.uid = 33; }},
      {"unit", [](host::Listener& l) { l.unit = "other.service"; }},
      {"container",
       [](host::Listener& l) {
         l.container = host::Container{"docker", "ab", ""};
       }},
      {"device", [](host::Listener& l) { l.interface = "eth0"; }},
      {"address", [](host::Listener& l) { l.address = IpAddress::parse("10.0.0.5").value(); }},
      {"owner unknown", [](host::Listener& l) { l.owners.reset(); }},
      {"nobody", [](host::Listener& l) { l.owners->clear(); }},
      {"client", [](host::Listener& l) { l.probable_client = true; }},
  };
  for (const Difference& c : cases) {
    HostBuilder b;
    (void)b.netns("web", 7);
    const auto p = b.process(10, "app", "app.service");
    b.owned(Protocol::Tcp, "0.0.0.0", 80, {p});
    c.make(b.owned(Protocol::Tcp, "0.0.0.0", 80, {p}));
    EXPECT_EQ(folded(b).size(), 2U) << c.name;
  }
}

TEST(Fold, UnknownOwnersFoldOnlyOnOnePort) {
  HostBuilder b;
  for (const auto& [address, port] :
       {std::pair{"0.0.0.0", 80}, std::pair{"::", 80}, std::pair{"0.0.0.0", 443}}) {
    auto& l = b.listener(Protocol::Tcp, address, static_cast<std::uint16_t>(port));
    l.unit = "nginx.service";
  }
  EXPECT_EQ(folded(b), (Rows{"tcp 80|every address|nginx.service  owner not readable",
                             "tcp 443|every IPv4 address|nginx.service  owner not readable"}));
  b.host().listeners[1].socket.cgroup = "/elsewhere";
  EXPECT_EQ(folded(b).size(), 3U);
}

TEST(Fold, ProbableClientsFoldPerOwnerAndStandLast) {
  HostBuilder b;
  const auto browser = b.process(50, "firefox");
  const auto server = b.process(60, "zserver");
  b.owned(Protocol::Udp, "0.0.0.0", 1024, {browser}).probable_client = true;
  b.owned(Protocol::Udp, "10.0.0.5", 40000, {browser}).probable_client = true;
  b.owned(Protocol::Udp, "0.0.0.0", 50000, {server});
  for (const SortOrder order : {SortOrder{}, SortOrder{SortKey::Port, true}}) {
    EXPECT_EQ(folded(b, order),
              (Rows{"udp 50000|every IPv4 address|zserver (60)",
                    "udp 1024,40000|several addresses|firefox (50)  probable client"}));
  }
}

TEST(Fold, UnfoldedHasARowForEachSocket) {
  HostBuilder b;
  const auto p = b.process(1, "systemd");
  b.owned(Protocol::Tcp, "0.0.0.0", 80, {p});
  b.owned(Protocol::Tcp, "::", 80, {p});
  const auto rows = fold(b.host(), b.all(), {}, true);
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(bound_words(b.host(), rows[0]), "every IPv4 address");
  EXPECT_EQ(bound_words(b.host(), rows[1]), "every address");
}

TEST(Fold, OnlyWhatIsSelected) {
  HostBuilder b;
  b.listener(Protocol::Tcp, "0.0.0.0", 1);
  b.listener(Protocol::Tcp, "0.0.0.0", 2);
  EXPECT_EQ(fold(b.host(), {1}, {}, false).front().ports, std::vector<std::uint16_t>{2});
  EXPECT_TRUE(fold(b.host(), {}, {}, false).empty());
}

TEST(Bound, Words) {
  struct Case {
    const char* address;
    const char* device;
    std::optional<bool> v6only;
    Protocol protocol;
    const char* words;
  };
  const Case cases[] = {
      {"0.0.0.0", "", {}, Protocol::Tcp, "every IPv4 address"},
      {"::", "", false, Protocol::Tcp, "every address"},
      {"::", "", true, Protocol::Tcp, "every IPv6 address"},
      {"::", "", {}, Protocol::Tcp, "every IPv6 address, perhaps IPv4"},
      {"::", "", false, Protocol::Raw, "every IPv6 address"},
      {"::", "", {}, Protocol::Raw, "every IPv6 address"},
      {"::", "eth0", false, Protocol::Tcp, "every address on eth0"},
      {"::", "eth0", {}, Protocol::Udp, "every IPv6 address on eth0, perhaps IPv4"},
      {"0.0.0.0", "lo", {}, Protocol::Udp, "this host only"},
      {"127.0.0.1", "", {}, Protocol::Tcp, "this host only"},
      {"127.0.0.1", "lo", {}, Protocol::Tcp, "this host only"},
      {"::1", "", true, Protocol::Tcp, "this host only"},
      {"::ffff:127.0.0.1", "", false, Protocol::Tcp, "this host only"},
      {"127.0.0.53", "lo", {}, Protocol::Udp, "127.0.0.53%lo"},
      {"127.0.0.54", "", {}, Protocol::Udp, "127.0.0.54 only"},
      {"127.0.0.1", "eth0", {}, Protocol::Udp, "127.0.0.1 on eth0 only"},
      {"10.0.0.5", "", {}, Protocol::Tcp, "10.0.0.5 only"},
      {"10.0.0.5", "eth0", {}, Protocol::Tcp, "10.0.0.5 on eth0 only"},
      {"::ffff:10.0.0.5", "", false, Protocol::Tcp, "10.0.0.5 only"},
      {"::ffff:0.0.0.0", "", false, Protocol::Tcp, "every IPv4 address"},
      {"fe80::1", "eth0", true, Protocol::Udp, "fe80::1%eth0 only"},
      {"2001:db8::1", "", true, Protocol::Tcp, "2001:db8::1 only"},
  };
  for (const Case& c : cases) {
    HostBuilder b;
    auto& l = b.listener(c.protocol, c.address, 53);
    l.interface = c.device;
    l.v6only = c.v6only;
    EXPECT_EQ(bound_words(b.host(), {{0}, {53}, false}), c.words) << c.address << c.device;
  }
  HostBuilder b;
  b.listener(Protocol::Udp, "0.0.0.0", 53).interface_index = 7;
  EXPECT_EQ(bound_words(b.host(), {{0}, {53}, false}), "every IPv4 address on #7");
}

TEST(Bound, TwinsOfUnknownKindAreStillEverything) {
  HostBuilder b;
  b.listener(Protocol::Tcp, "0.0.0.0", 80);
  b.listener(Protocol::Tcp, "::", 80).v6only.reset();
  EXPECT_EQ(folded(b), (Rows{"tcp 80|every address|user root  owner not readable"}));
}

TEST(Who, Processes) {
  HostBuilder b;
  const auto systemd = b.process(1, "systemd", "init.scope");
  const auto sshd = b.process(812, "sshd", "ssh.service");
  const auto child = b.process(813, "sshd", "ssh.service");
  b.owned(Protocol::Tcp, "0.0.0.0", 22, {systemd, sshd, child}).unit = "ssh.service";
  const ListRow row{{0}, {22}, false};
  const auto who = [&] { return who_words(b.host(), row); };
  EXPECT_EQ(who(), "sshd (812 +2)  ssh.service");
  b.at(child).started_at_ms = 5;  // older: the master may have the higher pid
  EXPECT_EQ(who(), "sshd (813 +2)  ssh.service");
  b.at(sshd).state = 'T';
  EXPECT_EQ(who(), "sshd (813 +2, 1 stopped)  ssh.service");
  b.at(systemd).state = b.at(child).state = 'T';
  b.at(sshd).exe_deleted = true;
  EXPECT_EQ(who(), "sshd (813 +2, stopped, 1 deleted executable)  ssh.service");
  b.host().listeners[0].container = host::Container{"docker", "0123456789abcdef", ""};
  EXPECT_EQ(who(), "sshd (813 +2, stopped, 1 deleted executable)  container 0123456789ab");
  b.host().listeners[0].container->name = "web";
  b.at(systemd).state = b.at(child).state = b.at(sshd).state = 'S';
  b.at(sshd).exe_deleted = false;
  EXPECT_EQ(who(), "sshd (813 +2)  container web");
}

TEST(Who, NamesLongerThanTheKernelKeeps) {
  HostBuilder b;
  const auto p = b.process(540, "systemd-resolve");
  b.owned(Protocol::Udp, "127.0.0.53", 53, {p});
  const auto who = [&] { return who_words(b.host(), {{0}, {53}, false}); };
  b.at(p).exe = "/usr/lib/systemd/systemd-resolved";
  EXPECT_EQ(who(), "systemd-resolved (540)");
  b.at(p).exe = "/usr/bin/python3";
  EXPECT_EQ(who(), "systemd-resolve (540)");
  b.at(p).command_line = std::vector<std::string>{"/opt/systemd-resolved-too", "-v"};
  EXPECT_EQ(who(), "systemd-resolved-too (540)");
}

TEST(Who, NamesThatCouldPassForOurWordsStandInQuotes) {
  const std::pair<const char*, const char*> cases[] = {{"sshd (1)", "\"sshd (1)\" (7)"},
                                                       {"(sd-pam)", "\"(sd-pam)\" (7)"},
                                                       {"", "\"\" (7)"},
                                                       {" x", "\" x\" (7)"},
                                                       {"a  b", "\"a  b\" (7)"},
                                                       {"a -> b", "\"a -> b\" (7)"},
                                                       {"tmux: server", "tmux: server (7)"}};
  for (const auto& [name, words] : cases) {
    HostBuilder b;
    const auto p = b.process(7, name);
    b.owned(Protocol::Tcp, "0.0.0.0", 1, {p});
    EXPECT_EQ(who_words(b.host(), {{0}, {1}, false}), words);
  }
}

TEST(Who, WithoutAnOwner) {
  HostBuilder b;
  b.listener(Protocol::Tcp, "0.0.0.0", 22);
  auto& l = b.host().listeners[0];
  const auto who = [&] { return who_words(b.host(), {{0}, {22}, false}); };
  EXPECT_EQ(who(), "user root  owner not readable");
  l.socket.user.clear();
  l.socket.uid = 33;
  EXPECT_EQ(who(), "uid 33  owner not readable");
  l.socket.cgroup = "/";
  EXPECT_EQ(who(), "uid 33  owner not readable");
  l.socket.cgroup = "/lxc.payload/web";
  EXPECT_EQ(who(), "cgroup web  owner not readable");
  l.unit = "ssh.service";
  EXPECT_EQ(who(), "ssh.service  owner not readable");
  b.host().owners_asked = false;
  EXPECT_EQ(who(), "ssh.service");
  l.owners.emplace();
  EXPECT_EQ(who(), "nobody holds it  ssh.service");
}

TEST(Ports, Words) {
  struct Case {
    std::vector<std::uint16_t> ports;
    const char* words;
  };
  const Case cases[] = {
      {{80}, "80"},
      {{80, 443}, "80,443"},
      {{80, 81}, "80,81"},
      {{8000, 8001, 8002, 9000}, "8000-8002,9000"},
      {{65534, 65535}, "65534,65535"},
      {{1, 3, 5, 7, 9, 11, 13, 15, 17, 19}, "1,3,5,7,9,11,13,15,17,19"},
      {{10001, 10003, 10005, 10007, 10008, 10009, 10011}, "10001,10003 and 5 more"},
  };
  HostBuilder b;
  b.listener(Protocol::Tcp, "0.0.0.0", 1);
  for (const Case& c : cases) EXPECT_EQ(port_words(b.host(), {{0}, c.ports, false}), c.words);
  b.host().listeners[0].protocol = Protocol::Raw;
  EXPECT_EQ(port_words(b.host(), {{0}, {1}, false}), "icmp");
  EXPECT_EQ(port_words(b.host(), {{0}, {1, 2, 253}, false}), "icmp,igmp,253");
}

std::vector<std::uint16_t> ports_by(const HostBuilder& b, SortKey key, bool descending = false) {
  std::vector<std::uint16_t> out;
  for (const ListRow& row : fold(b.host(), b.all(), {key, descending}, true)) {
    out.push_back(row.ports.front());
  }
  return out;
}

TEST(Sort, EveryKeyBothWays) {
  HostBuilder b;
  (void)b.netns("web", 7);
  const auto zed = b.process(5, "zed", "b.service");
  const auto abe = b.process(9, "abe", "a.service");
  b.at(zed).started_at_ms = 9'000'000'000'000;
  auto& one = b.owned(Protocol::Udp, "10.0.0.5", 30, {zed});
  one.socket.user = "alice";
  one.queue = {.length = 9, .limit = 10, .drops = 1};
  one.container = host::Container{"docker", "1", "blue"};
  auto& two = b.owned(Protocol::Tcp, "127.0.0.1", 20, {abe});
  two.socket.user = "bob";
  two.netns = static_cast<host::NetnsId>(1);
  two.queue = {.length = 3, .limit = 10, .drops = 7};
  two.container = host::Container{"docker", "2", "amber"};
  auto& three = b.listener(Protocol::Raw, "0.0.0.0", 1);
  three.socket.user.clear();
  three.queue = {};

  using Ports = std::vector<std::uint16_t>;
  EXPECT_EQ(ports_by(b, SortKey::Port), (Ports{20, 30, 1}));
  EXPECT_EQ(ports_by(b, SortKey::Port, true), (Ports{1, 30, 20}));
  EXPECT_EQ(ports_by(b, SortKey::Protocol), (Ports{20, 30, 1}));
  EXPECT_EQ(ports_by(b, SortKey::Address), (Ports{1, 30, 20}));
  EXPECT_EQ(ports_by(b, SortKey::Name), (Ports{20, 30, 1}));
  EXPECT_EQ(ports_by(b, SortKey::Name, true), (Ports{30, 20, 1})) << "missing stays last";
  EXPECT_EQ(ports_by(b, SortKey::Pid), (Ports{30, 20, 1}));
  EXPECT_EQ(ports_by(b, SortKey::User, true), (Ports{20, 30, 1}));
  EXPECT_EQ(ports_by(b, SortKey::Unit), (Ports{20, 30, 1}));
  EXPECT_EQ(ports_by(b, SortKey::Container), (Ports{20, 30, 1}));
  EXPECT_EQ(ports_by(b, SortKey::Netns), (Ports{30, 1, 20}));
  EXPECT_EQ(ports_by(b, SortKey::Scope), (Ports{20, 30, 1}));
  EXPECT_EQ(ports_by(b, SortKey::Queue, true), (Ports{30, 20, 1}));
  EXPECT_EQ(ports_by(b, SortKey::Drops), (Ports{1, 30, 20}));
  EXPECT_EQ(ports_by(b, SortKey::Started), (Ports{20, 30, 1}));
}

TEST(Sort, OnePortOfSeveralProtocolsStandsTogether) {
  HostBuilder b;
  b.listener(Protocol::Udp, "0.0.0.0", 53);
  b.listener(Protocol::Tcp, "0.0.0.0", 80);
  b.listener(Protocol::Tcp, "0.0.0.0", 53);
  const auto rows = fold(b.host(), b.all(), {}, false);
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0].listeners, std::vector<std::size_t>{2});
  EXPECT_EQ(rows[1].listeners, std::vector<std::size_t>{0});
  EXPECT_EQ(rows[2].listeners, std::vector<std::size_t>{1});
}

TEST(Sort, TheOrderOfTheInputDoesNotShow) {
  HostBuilder b;
  const auto p = b.process(5, "p");
  for (std::uint16_t i = 0; i < 40; ++i) {
    b.owned(i % 2 == 0 ? Protocol::Tcp : Protocol::Udp, i % 3 == 0 ? "::" : "10.0.0.5",
            static_cast<std::uint16_t>(100 + i % 7), {p})
        .interface = i % 5 == 0 ? "eth0" : "";
  }
  auto order = b.all();
  const auto first = described(b.host(), fold(b.host(), order, {}, false));
  std::reverse(order.begin(), order.end());
  EXPECT_EQ(described(b.host(), fold(b.host(), order, {}, false)), first);
}

TEST(Fold, ManyListeners) {
  HostBuilder b;
  const auto p = b.process(5, "p");
  for (std::uint16_t port = 1; port <= 2000; ++port) {
    if (port % 2 == 0) {
      b.owned(Protocol::Tcp, "0.0.0.0", port, {p});
    } else {
      b.listener(Protocol::Tcp, "0.0.0.0", port);
    }
  }
  EXPECT_EQ(fold(b.host(), b.all(), {}, false).size(), 1001U);
}

}  // namespace
}  // namespace hark::show
