#include "show/list_view.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <set>

#include "base/text.h"
#include "show/escape.h"
#include "show/test_host.h"

namespace hark::show {
namespace {

using testing::HostBuilder;
using testing::utf8;

std::string text_of(const HostBuilder& b, const ListOptions& options = {}) {
  return list_text(b.host(), b.all(), options);
}

/// What an ordinary server has.
HostBuilder ordinary() {
  HostBuilder b;
  const auto pg = b.process(733, "postgres", "postgresql@15.service");
  const auto sshd = b.process(812, "sshd", "ssh.service");
  const auto nginx = b.process(901, "nginx", "nginx.service");
  const auto worker = b.process(902, "nginx", "nginx.service");
  b.owned(Protocol::Tcp, "::", 22, {sshd});
  b.owned(Protocol::Tcp, "::", 80, {nginx, worker});
  b.owned(Protocol::Tcp, "::", 443, {nginx, worker});
  b.owned(Protocol::Tcp, "127.0.0.1", 5432, {pg});
  b.owned(Protocol::Tcp, "::1", 5432, {pg});
  b.listener(Protocol::Udp, "10.0.0.5", 123).socket.user = "ntp";
  return b;
}

TEST(ListText, AnOrdinaryServer) {
  EXPECT_EQ(text_of(ordinary(), {.style = {.width = 80}}),
            "PORT        BOUND TO        WHO\n"
            "tcp 22      every address   sshd (812)  ssh.service\n"
            "tcp 80,443  every address   nginx (901 +1)  nginx.service\n"
            "udp 123     10.0.0.5 only   user ntp  owner not readable\n"
            "tcp 5432    this host only  postgres (733)  postgresql@15.service\n"
            "\n"
            "4 services on 6 sockets.\n");
}

TEST(ListText, ColourOnlyRepeatsTheWords) {
  const HostBuilder b = ordinary();
  std::string coloured = text_of(b, {.style = {.width = 80, .colour = true}});
  EXPECT_NE(coloured.find("\x1b[2mthis host only\x1b[0m"), std::string::npos);
  for (const std::string code : {"\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[33m"}) {
    for (auto at = coloured.find(code); at != std::string::npos; at = coloured.find(code)) {
      coloured.erase(at, code.size());
    }
  }
  EXPECT_EQ(coloured, text_of(b, {.style = {.width = 80}}));
}

TEST(ListText, TheQueueShowsOnlyWhereItMatters) {
  HostBuilder b = ordinary();
  b.host().listeners[0].queue.length = 64;
  EXPECT_EQ(text_of(b).find("QUEUE"), std::string::npos) << "half is not above half";
  b.host().listeners[0].queue.length = 65;
  EXPECT_NE(text_of(b).find("  65/128\n"), std::string::npos);
  EXPECT_NE(text_of(b, {.style = {.colour = true}}).find("\x1b[33m65/128\x1b[0m"),
            std::string::npos);
  b.host().listeners[2].queue.length = 129;
  const std::string text = text_of(b, {.style = {.colour = true}});
  EXPECT_NE(text.find("\x1b[31m129/128 full\x1b[0m"), std::string::npos);
  EXPECT_EQ(text.find("0/128"), std::string::npos) << "quiet queues stay out";
}

TEST(ListText, StoppedOwnersAreRed) {
  HostBuilder b;
  const auto p = b.process(5, "p");
  b.owned(Protocol::Tcp, "::", 22, {p});
  b.at(p).state = 'T';
  EXPECT_NE(text_of(b, {.style = {.colour = true}}).find("\x1b[31mp (5, stopped)\x1b[0m"),
            std::string::npos);
}

TEST(ListText, NamespacesAreNamedWhereThereIsAnotherThanOurs) {
  HostBuilder b = ordinary();
  EXPECT_EQ(text_of(b).find("NETNS"), std::string::npos);
  const auto web = b.netns("web", 4026532177);
  const auto unnamed = b.netns("", 4026532178);
  const auto through = b.netns("", {});
  b.host().namespaces.back().seen_through_pid = 812;
  b.listener(Protocol::Tcp, "::", 81).netns = web;
  b.listener(Protocol::Tcp, "::", 82).netns = unnamed;
  b.listener(Protocol::Tcp, "::", 83).netns = through;
  const std::string text = text_of(b);
  for (const char* word : {"NETNS", "  host\n", "  web\n", "  net:[4026532178]\n",
                           "  a namespace of pid 812\n", "in 4 namespaces."}) {
    EXPECT_NE(text.find(word), std::string::npos) << word;
  }
  const std::string only = list_text(b.host(), {6}, {});
  EXPECT_NE(only.find("NETNS"), std::string::npos);
  EXPECT_NE(only.find("1 service on 1 socket.\n"), std::string::npos);
}

TEST(ListText, HostileNamesStayOnTheirLine) {
  HostBuilder b;
  const std::string names[] = {"a\nb", "\x1b[2J", "x)  (1", "\xff\xfe", utf8(0x202E) + "gnp", "\r"};
  std::uint32_t pid = 2;
  for (const std::string& name : names) {
    const auto p = b.process(pid, name, name + ".service");
    b.owned(Protocol::Tcp, "::", static_cast<std::uint16_t>(pid), {p}).interface = name;
    ++pid;
  }
  b.gap("other", std::string("bad\x1b[2J\nthing"), "try\x07");
  const std::string text = text_of(b);
  for (const char c : text) {
    EXPECT_TRUE(c == '\n' || (c >= 0x20 && c < 0x7F)) << static_cast<int>(c);
  }
  EXPECT_EQ(split(text, '\n').size(), 1 + std::size(names) + 1 + 2 + 1);
  EXPECT_NE(text.find("bad\\e[2J\\nthing (try\\x07)."), std::string::npos);
}

TEST(ListText, AsciiIsAscii) {
  HostBuilder b;
  const auto p =
      b.process(2, "caf\xc3\xa9", "a-unit-with-a-name-that-is-too-long-for-this.service");
  b.owned(Protocol::Tcp, "::", 1, {p});
  const std::string text = text_of(b, {.style = {.width = 50, .ascii = true}});
  for (const char c : text) EXPECT_TRUE(c == '\n' || (c >= 0x20 && c < 0x7F));
  EXPECT_NE(text.find("~\n"), std::string::npos);
}

TEST(ListText, Footer) {
  HostBuilder b = ordinary();
  b.listener(Protocol::Udp, "0.0.0.0", 40000).probable_client = true;
  EXPECT_NE(text_of(b).find("4 services on 6 sockets and 1 probable client on 1 socket.\n"),
            std::string::npos);
  EXPECT_NE(text_of(b, {.unfolded = true}).find("\n7 sockets.\n"), std::string::npos);
  EXPECT_EQ(list_text(b.host(), {}, {}), "Nothing listens here.\n");
}

TEST(ListText, GapsOfWeightComeFirstAndOneOfEachKind) {
  HostBuilder b;
  b.gap("link-not-read", "a name");
  b.gap("other-users-processes", "descriptors of 212 processes of other users",
        "run as root to see them");
  for (const char* name : {"a", "b", "c"}) {
    b.gap("netns-not-entered", std::string(name) + " could not be entered.", "run as root.");
  }
  EXPECT_EQ(list_text(b.host(), {}, {.style = {.width = 100}}),
            "Nothing listens here.\n"
            "Not seen: a could not be entered (run as root).\n"
            "Not seen: descriptors of 212 processes of other users (run as root to see them).\n"
            "And 3 more gaps: hark list --json\n");
  b.host().gaps.resize(2);
  EXPECT_EQ(list_text(b.host(), {}, {.style = {.width = 70}}),
            "Nothing listens here.\n"
            "Not seen: descriptors of 212 processes of other users (run as root to\n"
            "see them).\n"
            "Not seen: a name.\n");
}

TEST(ListText, ALongGapIsShortenedNotHidden) {
  HostBuilder b;
  std::string what = "a";
  for (int i = 0; i < 60; ++i) what += " long story";
  b.gap("x", what);
  b.gap("y", "small");
  const auto text = list_text(b.host(), {}, {.style = {.width = 80}});
  const auto lines = split(text, '\n');
  ASSERT_EQ(lines.size(), 5U);  // the last is empty
  EXPECT_TRUE(lines[2].ends_with("…"));
  EXPECT_EQ(lines[3], "Not seen: small.");
  for (const auto line : lines) EXPECT_LE(display_width(line), 80U);
}

TEST(Columns, EachHasWordHeadingAndHelp) {
  std::set<std::string> words;
  for (const ListColumn& c : list_columns()) {
    EXPECT_TRUE(words.insert(c.word).second) << c.word;
    EXPECT_STRNE(c.heading, "");
    EXPECT_STRNE(c.help, "");
  }
  for (const char* word :
       {"port",  "protocol", "bound",   "address",   "scope", "who",       "name",
        "pid",   "user",     "unit",    "container", "netns", "interface", "family",
        "state", "queue",    "limit",   "drops",     "inode", "cookie",    "cgroup",
        "uid",   "exe",      "cmdline", "started",   "fds",   "v6only",    "started-by"}) {
    EXPECT_EQ(words.count(word), 1U) << word;
  }
}

TEST(Columns, OwnersAreNeededForFactsOfProcesses) {
  std::string needing;
  for (const ListColumn& c : list_columns()) {
    if (column_needs_owners(c.word)) needing += std::string(c.word) + " ";
  }
  EXPECT_EQ(needing, "who name pid exe cmdline started fds started-by ");
  EXPECT_FALSE(column_needs_owners("nonsense"));
  EXPECT_TRUE(column_needs_details("started-by"));
  EXPECT_FALSE(column_needs_details("started"));
}

std::string cell(const HostBuilder& b, const std::string& word, bool unfolded = false) {
  ListOptions options{.columns = {word}, .unfolded = unfolded};
  options.style.heading = false;
  const std::string text = list_text(b.host(), b.all(), options);
  return text.substr(0, text.find('\n'));
}

TEST(Columns, Values) {
  ::setenv("TZ", "UTC", 1);
  ::tzset();
  HostBuilder b;
  const auto p = b.process(812, "sshd", "ssh.service");
  const auto q = b.process(813, "sshd", "ssh.service");
  b.at(p).command_line = std::vector<std::string>{"sshd:", "a\nb"};
  b.at(p).exe_deleted = true;
  b.owned(Protocol::Tcp, "0.0.0.0", 22, {p, q});
  auto& l = b.owned(Protocol::Tcp, "::", 22, {p, q});
  l.owners->front().fds = {3, 4};
  l.queue = {.length = 7, .limit = 128, .drops = 3};
  l.socket.cgroup = "/system.slice/ssh.service";
  const std::pair<const char*, const char*> cases[] = {
      {"port", "tcp 22"},
      {"protocol", "tcp"},
      {"bound", "every address"},
      {"address", "0.0.0.0:22 *:22"},
      {"scope", "all"},
      {"name", "sshd"},
      {"pid", "812,813"},
      {"user", "root"},
      {"uid", "0"},
      {"unit", "ssh.service"},
      {"container", "-"},
      {"netns", "host"},
      {"interface", "-"},
      {"family", "ipv4,ipv6"},
      {"state", "LISTEN"},
      {"queue", "7/128"},
      {"limit", "128"},
      {"drops", "3"},
      {"inode", "1000,1001"},
      {"cookie", "0x10,0x11"},
      {"cgroup", "/system.slice/ssh.service"},
      {"exe", "/usr/bin/sshd (deleted)"},
      {"cmdline", "sshd: a\\nb"},
      {"started", "2026-05-28 20:40:12"},
      {"fds", "3,4,6"},
      {"v6only", "no"},
  };
  for (const auto& [word, value] : cases) EXPECT_EQ(cell(b, word), value) << word;
}

TEST(Columns, NotKnownIsNotNone) {
  HostBuilder b;
  auto& l = b.listener(Protocol::Tcp, "::", 22);
  l.v6only.reset();
  l.socket.cookie.reset();
  l.queue = {};
  l.interface_known = false;
  for (const char* word : {"name", "pid", "exe", "cmdline", "started", "fds", "v6only", "cookie",
                           "queue", "limit", "drops", "cgroup", "interface"}) {
    EXPECT_EQ(cell(b, word), "?") << word;
  }
  l.owners.emplace();
  for (const char* word : {"name", "pid", "exe", "cmdline", "started", "fds", "unit"}) {
    EXPECT_EQ(cell(b, word), "-") << word;
  }
}

TEST(Columns, AddressesAsSsWritesThem) {
  struct Case {
    const char* address;
    const char* device;
    std::optional<bool> v6only;
    const char* text;
  };
  const Case cases[] = {{"::", "", true, "[::]:53"},
                        {"::", "", false, "*:53"},
                        {"::", "", {}, "[::]:53"},
                        {"::", "eth0", false, "*%eth0:53"},
                        {"fe80::1", "eth0", true, "[fe80::1]%eth0:53"},
                        {"127.0.0.53", "lo", {}, "127.0.0.53%lo:53"}};
  for (const Case& c : cases) {
    HostBuilder b;
    auto& l = b.listener(Protocol::Udp, c.address, 53);
    l.interface = c.device;
    l.v6only = c.v6only;
    EXPECT_EQ(cell(b, "address"), c.text);
  }
}

TEST(Columns, LongListsAreCountedUnlessUnfolded) {
  HostBuilder b;
  std::vector<host::ProcessId> ids;
  for (std::uint32_t pid = 10; pid < 16; ++pid) ids.push_back(b.process(pid, "w"));
  b.owned(Protocol::Tcp, "::", 1, {ids[0], ids[1], ids[2], ids[3], ids[4], ids[5]});
  EXPECT_EQ(cell(b, "pid"), "10,11,12 and 3 more");
  EXPECT_EQ(cell(b, "pid", true), "10,11,12,13,14,15");
}

TEST(Columns, AskedForAreNeverLeftOut) {
  const HostBuilder b = ordinary();
  ListOptions options{.columns = {"port", "container", "cmdline", "address"}};
  options.style.width = 20;
  const std::string text = text_of(b, options);
  EXPECT_EQ(text.substr(0, text.find('\n')), "PORT        CONTA…  COMMA…  ADDRESS");
  options.columns = {"nonsense", "pid"};
  EXPECT_TRUE(text_of(b, options).starts_with("PID\n"));
}

TEST(Width, NoLineIsLongerAndNoAddressIsCut) {
  HostBuilder b = ordinary();
  const auto web = b.netns("a-namespace-with-a-long-name", 4026532177);
  const auto p = b.process(4000, "billing.jar", "a-rather-long-name-of-a-unit.service");
  auto& l = b.owned(Protocol::Tcp, "2001:db8:1111:2222:3333:4444:5555:6666", 8080, {p});
  l.netns = web;
  l.queue.length = 129;
  for (std::uint16_t port = 20000; port < 20100; port = static_cast<std::uint16_t>(port + 2)) {
    b.owned(Protocol::Udp, "0.0.0.0", port, {p});
  }
  const std::string address = "2001:db8:1111:2222:3333:4444:5555:6666 only";
  const std::size_t uncut = std::string("udp 20000,20002 and 48 more  ").size() + address.size();
  for (std::size_t width = 20; width <= 200; ++width) {
    const std::string text = text_of(b, {.style = {.width = width}});
    EXPECT_NE(text.find(address), std::string::npos) << width;
    EXPECT_NE(text.find("udp 20000,20002 and 48 more"), std::string::npos) << width;
    EXPECT_NE(text.find("10.0.0.5 only"), std::string::npos) << width;
    for (const auto line : split(text, '\n')) {
      EXPECT_LE(display_width(line), std::max(width, uncut)) << line;
      EXPECT_FALSE(line.ends_with(' ')) << line;
    }
  }
  // What tells most stays longest.
  const std::string eighty = text_of(b, {.style = {.width = 80}});
  EXPECT_EQ(eighty.find("QUEUE"), std::string::npos);
  EXPECT_NE(eighty.find("WHO"), std::string::npos);
  const std::string wide = text_of(b, {.style = {.width = 140}});
  EXPECT_NE(wide.find("129/128 full"), std::string::npos);
}

TEST(Width, EveryColumnAtEveryWidth) {
  const HostBuilder b = ordinary();
  ListOptions options;
  for (const ListColumn& c : list_columns()) options.columns.emplace_back(c.word);
  const std::string whole = text_of(b, options);
  for (std::size_t width = 20; width <= 200; width += 20) {
    options.style.width = width;
    const std::string text = text_of(b, options);
    EXPECT_EQ(split(text, '\n').front().find("…") == std::string_view::npos, false);
    EXPECT_NE(text.find("127.0.0.1:5432 [::1]:5432"), std::string::npos);
    EXPECT_LT(text.size(), whole.size());
  }
}

TEST(Stable, TwiceTheSame) {
  EXPECT_EQ(text_of(ordinary()), text_of(ordinary()));
}

TEST(Nothing, TheFirstLineAnswers) {
  HostBuilder b;
  const auto p = b.process(901, "nginx", "nginx.service");
  b.owned(Protocol::Tcp, "::", 8080, {p});
  const std::vector<std::string> words = {"tcp", "8081\n"};
  const std::vector<host::Near> near = {{"other-port", 0, "nginx listens on tcp 8080"},
                                        {"should-be", {}, "a \x1b b"},
                                        {"other-port", 0, ""}};
  EXPECT_EQ(nothing_text(b.host(), words, near, {}),
            "nothing listens that matches: tcp 8081\\n\n"
            "  nginx listens on tcp 8080\n"
            "  a \\e b\n"
            "  tcp 8080 every address nginx (901) nginx.service\n");
  EXPECT_EQ(nothing_text(b.host(), {}, {}, {}), "nothing listens\n");
  EXPECT_EQ(nothing_text(b.host(), words, std::span(near).first(1), {.width = 20}),
            "nothing listens that\nmatches: tcp 8081\\n\n  nginx listens on\n  tcp 8080\n");
}

}  // namespace
}  // namespace hark::show
