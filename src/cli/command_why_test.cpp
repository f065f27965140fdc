// hark why with a host, a network and a trace that are made up: what is asked, what is said of the
// answer, and with which status it ends.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <nlohmann/json.hpp>

#include "cli/why_engine.h"
#include "host/fake_source.h"

namespace hark::cli {
namespace {

using host::PartsBuilder;
using kernel::NetTable;
using nlohmann::json;
using reach::Answer;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr std::uint64_t kOwn = 4026531833;
using ReachOutcome = reach::Outcome;

IpAddress ip(std::string_view text) {
  return IpAddress::parse(text).value();
}

/// A machine with postgres (733) on 127.0.0.1:5432 and a listener of somebody on every address's
/// port 8080.
struct Machine : host::FakeSource {
  Machine() {
    file("/proc/self/mountinfo", "22 27 0:21 / /proc rw - proc proc rw\n");
    file("/proc/self/status", "Name:\thark\nUid:\t0\t0\t0\t0\nCapEff:\t000001ffffffffff\n");
    for (const char* path : {"/proc/self/ns/net", "/proc/1/ns/net"}) link(path, "net:[4026531833]");
    link("/proc/self/ns/mnt", "mnt:[4026531832]");
    link("/proc/self/ns/pid", "pid:[4026531836]");
    namespaces(PartsBuilder().pid(1).inode(ProcessPart::NetnsInode, kOwn).done());
    table(kOwn, NetTable::Tcp, tcp("0100007F:1538", 635) + tcp("00000000:1F90", 636));
    for (const NetTable empty : {NetTable::Tcp6, NetTable::Udp, NetTable::Udp6}) {
      table(kOwn, empty, "");
    }
    descriptors(PartsBuilder().pid(733).pairs(ProcessPart::Sockets, {{6, 635}}).done());
    processes(PartsBuilder()
                  .pid(733)
                  .pairs(ProcessPart::Sockets, {{6, 635}})
                  .text(ProcessPart::Stat,
                        "733 (postgres) S 1 1 1 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 12345 0 0\n")
                  .done());
  }
  static std::string tcp(std::string_view place, unsigned inode) {
    return "   0: " + std::string(place) +
           " 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 " + std::to_string(inode) +
           " 1 0000000000000000 100 0 0 10 0\n";
  }
};

host::Network network_of(host::NetnsId id) {
  host::Network out;
  out.netns = id;
  host::Link lo;
  lo.index = 1;
  lo.name = "lo";
  lo.flags = 9;
  host::Link eth;
  eth.index = 2;
  eth.name = "eth0";
  eth.flags = 1;
  out.links = {lo, eth};
  const auto address = [&out](std::uint32_t link, const char* text, const char* subnet) {
    out.addresses.push_back(
        {.link = link, .address = ip(text), .subnet = Prefix::parse(subnet).value()});
  };
  address(1, "127.0.0.1", "127.0.0.0/8");
  address(2, "10.0.0.5", "10.0.0.0/24");
  return out;
}

/// Answers everything with `answer`, and keeps what was asked.
struct Made {
  WhyEngine engine;
  std::vector<reach::Question> asked;
  std::vector<reach::Destination> places;
  Answer answer;

  Made() {
    answer.outcome = ReachOutcome::Refused;
    answer.cause = {.code = "no-socket", .text = "nobody", .evidence = {}};
    engine.read = [](kernel::Source&, const kernel::NetnsRef&, const host::Host&,
                     host::NetnsId id) { return network_of(id); };
    engine.tracer = [this](const host::Host&, const host::Network&,
                           host::Networks*) -> WhyEngine::Trace {
      return [this](const reach::Question& one) {
        asked.push_back(one);
        Answer out = answer;
        out.question = one;
        return out;
      };
    };
    engine.reach = [this](const host::Host&, const host::Network&,
                          const std::vector<reach::Destination>& to, host::Networks*) {
      std::vector<std::vector<reach::ReachClass>> out;
      for (const reach::Destination& one : to) {
        places.push_back(one);
        Answer made = answer;
        made.question = {.protocol = one.protocol,
                         .source = ip("10.0.0.9"),
                         .destination = one.address,
                         .source_port = 40000,
                         .port = one.port,
                         .interface = one.interface};
        out.push_back({{.interface = one.interface,
                        .addresses = all_addresses(one.address.family),
                        .ports = all_ports(),
                        .answer = made}});
      }
      return out;
    };
    engine.routing = [](const host::Host&, const host::Network&) {
      return reach::Routing{.link_to = [](const IpAddress&) { return std::optional(2U); },
                            .is_own = [](const IpAddress& one) { return one == ip("10.0.0.5"); }};
    };
    engine.resolve = [](const std::string& name) -> Result<std::vector<IpAddress>> {
      if (name == "db.lan") return std::vector{ip("fd00::9"), ip("10.0.0.9"), ip("10.0.0.8")};
      return fail(plain_error(name, "no such name"));
    };
  }
};

struct Said {
  int status = -1;
  std::string text;
  Error error;
};

Said run_why(Made& made, const std::vector<std::string>& arguments) {
  Machine machine;
  std::vector<std::string> all = {"why"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  const auto parsed = parse_arguments(all);
  EXPECT_TRUE(parsed);
  const auto asked = interpret(*parsed);
  EXPECT_TRUE(asked) << asked.error().what;
  const int fd = ::memfd_create("out", MFD_CLOEXEC);
  const int kept = ::dup(fd);
  Output out(fd);
  WhyFacts facts;
  const Outcome outcome = answer_why(*asked, machine, made.engine, facts, out);
  EXPECT_EQ(out.finish(), 0);
  Said said;
  std::array<char, 65536> buffer{};
  const ssize_t count = ::pread(kept, buffer.data(), buffer.size(), 0);
  said.text.assign(buffer.data(), count > 0 ? static_cast<std::size_t>(count) : 0);
  ::close(kept);
  said.status = static_cast<int>(outcome ? *outcome : outcome.error().status);
  if (!outcome) said.error = outcome.error().error;
  return said;
}

TEST(answer_why, first_line_is_the_verdict) {
  Made made;
  const Said said = run_why(made, {"5432", "--from", "10.0.0.9"});
  EXPECT_EQ(said.status, 1);
  EXPECT_THAT(said.text, StartsWith("10.0.0.9 is refused: postgres (733) listens on 127.0.0.1 "
                                    "only.\n"));
  EXPECT_THAT(said.text, HasSubstr("\"Connection refused\" (ECONNREFUSED)"));
  ASSERT_EQ(made.asked.size(), 1U);
  EXPECT_EQ(made.asked[0].destination, ip("10.0.0.5"));
  EXPECT_EQ(made.asked[0].interface, 2U);
}

TEST(answer_why, json_has_one_class_for_one_source) {
  Made made;
  made.answer.icmp = "host-unreachable";
  made.answer.next = {{.code = "input-drop", .text = "x", .evidence = {}, .tool = "ufw"}};
  made.answer.path = {{.stage = reach::Stage::Socket, .verdict = "stop", .detail = "nobody"}};
  const Said said = run_why(made, {"tcp/5432", "--from", "10.0.0.9:1024", "--json"});
  const json object = json::parse(said.text);
  EXPECT_EQ(object["schema"], "hark.why/1");
  const json& question = object["question"];
  EXPECT_EQ(question["protocol"], "tcp");
  EXPECT_EQ(question["address"], "10.0.0.5");
  EXPECT_EQ(question["port"], 5432);
  EXPECT_EQ(question["source"], "10.0.0.9");
  EXPECT_EQ(question["interface"], "eth0");
  EXPECT_EQ(question["netns"]["name"], "host");
  EXPECT_EQ(question["interface_by_route"], true);
  ASSERT_EQ(object["answers"].size(), 1U);
  const json& one = object["answers"][0];
  EXPECT_EQ(one["sources"], json::parse(R"({"interface":"eth0","addresses":["10.0.0.9/32"],
                                            "ports":["1024-1024"]})"));
  EXPECT_EQ(one["witness"], json::parse(R"({"source":"10.0.0.9","port":1024,"interface":"eth0"})"));
  EXPECT_EQ(one["destination"], "10.0.0.5");
  EXPECT_EQ(one["outcome"], "refused");
  EXPECT_EQ(one["icmp"], "host-unreachable");
  EXPECT_EQ(one["certainty"], "exact");
  EXPECT_EQ(one["errno"], "ECONNREFUSED");
  EXPECT_EQ(one["cause"]["code"], "no-socket");
  EXPECT_EQ(one["cause"]["tool"], nullptr);
  EXPECT_EQ(one["next"][0]["tool"], "ufw");
  EXPECT_EQ(one["delivers_to"], nullptr);
  EXPECT_EQ(one["path"][0]["stage"], "socket");
  EXPECT_EQ(one["path"][0]["verify"], nullptr);
  for (const char* list : {"possible", "conditions", "assumptions"}) {
    EXPECT_TRUE(one[list].is_array() && one[list].empty()) << list;
  }
  EXPECT_TRUE(object["gaps"].is_array());
  EXPECT_TRUE(object["near"].empty());
}

TEST(answer_why, json_names_the_listener_that_answers) {
  Made made;
  made.answer.outcome = ReachOutcome::Answered;
  made.answer.delivers_to = 0;
  const Said said = run_why(made, {"5432", "--from", "127.0.0.1", "--json"});
  EXPECT_EQ(said.status, 0);
  const json object = json::parse(said.text);
  EXPECT_EQ(object["answers"][0]["delivers_to"]["owners"][0]["pid"], 733);
  EXPECT_EQ(object["answers"][0]["sources"]["ports"][0], "32768-60999");
  EXPECT_EQ(object["answers"][0]["errno"], nullptr);
}

TEST(answer_why, a_name_stands_for_all_its_addresses) {
  Made made;
  const Said said = run_why(made, {"5432", "--from", "db.lan:1024"});
  EXPECT_EQ(said.status, 1);
  // The host has no IPv6 address: that pair is left out.
  ASSERT_EQ(made.asked.size(), 2U);
  EXPECT_EQ(made.asked[0].source, ip("10.0.0.9"));
  EXPECT_EQ(made.asked[1].source, ip("10.0.0.8"));
  EXPECT_EQ(made.asked[1].source_port, 1024);
  EXPECT_THAT(said.text, HasSubstr("db.lan is fd00::9, 10.0.0.9, 10.0.0.8 to this machine's"));
  const Said missing = run_why(made, {"5432", "--to", "nosuch.lan"});
  EXPECT_EQ(missing.status, 2);
  EXPECT_EQ(missing.error.what, "--to nosuch.lan");
}

TEST(answer_why, without_a_source_all_of_them_are_asked_at_every_interface) {
  Made made;
  const Said said = run_why(made, {"8080"});
  EXPECT_EQ(said.status, 1);
  EXPECT_TRUE(made.asked.empty());
  ASSERT_EQ(made.places.size(), 2U);
  EXPECT_EQ(made.places[1].address, ip("10.0.0.5"));
  EXPECT_EQ(made.places[1].interface, 2U);
  EXPECT_THAT(said.text, StartsWith("Nobody reaches tcp/8080: "));
  EXPECT_THAT(said.text, HasSubstr("\n  anywhere   refused  "));
  EXPECT_THAT(said.text, HasSubstr("\n  this host  refused  "));
  const json object = json::parse(run_why(made, {"8080", "--json"}).text);
  EXPECT_EQ(object["question"]["source"], nullptr);
  EXPECT_EQ(object["question"]["port"], 8080);
  EXPECT_EQ(object["question"]["interface"], nullptr);
  EXPECT_EQ(object["answers"][1]["sources"]["addresses"], json({"0.0.0.0/0"}));
  EXPECT_EQ(object["answers"][1]["sources"]["ports"], json({"0-65535"}));
  EXPECT_EQ(object["answers"][1]["sources"]["interface"], "eth0");
  EXPECT_EQ(object["answers"][1]["witness"]["port"], 40000);
  EXPECT_EQ(object["answers"][1]["destination"], "10.0.0.5");
}

TEST(answer_why, one_client_from_elsewhere_that_gets_through_is_enough) {
  Made made;
  made.answer.outcome = ReachOutcome::Answered;
  made.answer.delivers_to = 1;
  const Said said = run_why(made, {"8080"});
  EXPECT_EQ(said.status, 0);
  EXPECT_THAT(said.text, StartsWith("tcp/8080 is reachable from anywhere.\n"));
  EXPECT_THAT(said.text, HasSubstr("\nNot known: what stands before this host"));
  EXPECT_THAT(said.text, HasSubstr("nc -vz 10.0.0.5 8080\n"));
  made.places.clear();
  EXPECT_THAT(run_why(made, {"8080", "--in", "lo"}).text,
              StartsWith("tcp/8080 is reachable from this host only.\n"));
  EXPECT_EQ(made.places.size(), 1U);
}

TEST(answer_why, a_target_that_does_not_exist_is_an_answer_with_near_misses) {
  Made made;
  const Said port = run_why(made, {"5433", "--from", "10.0.0.9"});
  EXPECT_EQ(port.status, 1);
  EXPECT_THAT(port.text, StartsWith("10.0.0.9 is refused: nobody listens on tcp/5433.\n"));
  EXPECT_THAT(port.text, HasSubstr("Near it:\n  tcp 5432: postgres (733) listens on this host"));
  const json object = json::parse(run_why(made, {"udp/5432", "--json"}).text);
  EXPECT_EQ(object["near"][0]["relation"], "other-protocol");
  EXPECT_EQ(object["near"][0]["listener"]["port"], 5432);
}

TEST(answer_why, a_name_of_nobody_is_no_answer_only_if_all_could_be_seen) {
  Made made;
  const Said said = run_why(made, {"postgrse", "--from", "10.0.0.9"});
  // Port 8080 is somebody's, and who that is could be told: nobody.
  EXPECT_EQ(said.status, 1);
  EXPECT_TRUE(made.asked.empty());
  EXPECT_THAT(said.text, StartsWith("Nothing listens here that matches postgrse.\n"));
  EXPECT_THAT(said.text, HasSubstr("postgres"));
  const json object = json::parse(run_why(made, {"postgrse", "--json"}).text);
  EXPECT_TRUE(object["answers"].empty());
  EXPECT_EQ(object["near"][0]["relation"], "other-name");
}

TEST(answer_why, errors_are_of_usage) {
  struct Case {
    std::vector<std::string> arguments;
    const char* what;
  };
  Made made;
  for (const Case& c : {
           Case{{"10.0.0.5"}, "10.0.0.5"},
           Case{{"80", "--from", "10.0.0.0/8"}, "--from 10.0.0.0/8"},
           Case{{"80", "--in", "eth1"}, "--in eth1"},
           Case{{"80", "--to", "10.0.0.5:80"}, "--to 10.0.0.5:80"},
           Case{{"80", "--from", "fe80::1%eth0", "--in", "lo"}, "--in lo"},
           Case{{"10.0.0.5:80", "--from", "::1"}, "--from ::1"},
           Case{{"80", "--netns", "nosuch"}, "--netns nosuch"},
       }) {
    const Said said = run_why(made, c.arguments);
    EXPECT_EQ(said.status, 2) << c.what;
    EXPECT_EQ(said.error.what, c.what);
    EXPECT_EQ(said.text, "");
  }
  EXPECT_TRUE(made.asked.empty());
}

TEST(answer_why, links_that_could_not_be_read_leave_the_question_open) {
  Made made;
  made.engine.read = [](kernel::Source&, const kernel::NetnsRef&, const host::Host&,
                        host::NetnsId id) {
    host::Network out;
    out.netns = id;
    out.unread.push_back({host::NetworkFact::Links, {"links", "not allowed", "", ""}});
    return out;
  };
  const Said said = run_why(made, {"80"});
  EXPECT_EQ(said.status, 3);
  EXPECT_EQ(said.error.why, "not allowed");
}

TEST(answer_why, netns_all_means_the_one_that_has_the_target) {
  Made made;
  EXPECT_EQ(run_why(made, {"5432", "--from", "10.0.0.9", "--netns", "all"}).status, 1);
  EXPECT_EQ(run_why(made, {"5432", "--from", "10.0.0.9", "--netns", "host"}).status, 1);
  EXPECT_EQ(made.asked.size(), 2U);
}

TEST(status_of, each_outcome) {
  using enum ReachOutcome;
  struct Case {
    ReachOutcome outcome;
    std::vector<ReachOutcome> possible;
    ExitStatus status;
  };
  for (const Case& c : {
           Case{Answered, {}, ExitStatus::Yes},
           Case{Refused, {}, ExitStatus::No},
           Case{Rejected, {}, ExitStatus::No},
           Case{Silent, {}, ExitStatus::No},
           Case{Hangs, {}, ExitStatus::No},
           Case{NoNeighbour, {}, ExitStatus::No},
           Case{Depends, {Refused, Silent}, ExitStatus::No},
           Case{Depends, {Answered, Silent}, ExitStatus::CannotTell},
           Case{Depends, {Answered}, ExitStatus::Yes},
           Case{Depends, {}, ExitStatus::CannotTell},
           Case{Unknown, {Refused, Unknown}, ExitStatus::CannotTell},
           Case{Unknown, {}, ExitStatus::CannotTell},
       }) {
    Answer answer;
    answer.outcome = c.outcome;
    answer.possible = c.possible;
    EXPECT_EQ(status_of(answer), c.status) << static_cast<int>(c.outcome);
  }
}

}  // namespace
}  // namespace hark::cli
