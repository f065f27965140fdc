// hark drill, from outside: what it takes for true against real packets, and a person who answers.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "drill/drill_history.h"
#include "person.h"
#include "place.h"

namespace hark::drilltest {
namespace {

using Json = nlohmann::json;

constexpr uid_t kNobody = 65534;

class Drill : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (::geteuid() == 0) the_place = new Place;
  }
  static void TearDownTestSuite() {
    delete the_place;
    the_place = nullptr;
  }
  void SetUp() override {
    ASSERT_NE(the_place, nullptr) << "this test makes network namespaces: run it as root";
    std::string name = "/tmp/hark-drill-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    ASSERT_EQ(::chmod(name.c_str(), 0777), 0);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::vector<std::string> variables() const {
    return {"XDG_STATE_HOME=" + folder_, "LC_ALL=C.UTF-8"};
  }
  [[nodiscard]] Ran hark(std::vector<std::string> words, const std::string& input = {},
                         uid_t uid = 0) const {
    words.insert(words.begin(), {HARK_PROGRAM, "drill"});
    return run_in(the_place->host(), words, variables(), input, uid);
  }
  [[nodiscard]] Json questions(std::vector<std::string> words, uid_t uid = 0) const {
    words.emplace_back("--json");
    const Ran ran = hark(words, {}, uid);
    EXPECT_EQ(ran.status, 0) << ran.out;
    Json all = Json::parse(ran.out, nullptr, false);
    return all.is_discarded() ? Json::array() : all["questions"];
  }
  [[nodiscard]] std::string state() const {
    std::ifstream file(folder_ + "/hark/drill");
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }

  static Place* the_place;
  std::string folder_;
};
Place* Drill::the_place = nullptr;

std::string between(const std::string& text, const std::string& before, const std::string& after) {
  const std::size_t at = text.find(before);
  if (at == std::string::npos) return {};
  const std::size_t begin = at + before.size();
  return text.substr(begin, text.find(after, begin) - begin);
}

/// The outcome that a choice speaks of.
std::string outcome_of(const std::string& choice) {
  constexpr std::array kWords = {std::pair{"is served", "answered"},
                                 std::pair{"a server gets", "answered"},
                                 std::pair{"Connection refused", "refused"},
                                 std::pair{"an ICMP error", "rejected"},
                                 std::pair{"it is never sent", "no-neighbour"},
                                 std::pair{"nobody answers ARP", "no-neighbour"},
                                 std::pair{"and then nothing", "hangs"},
                                 std::pair{"nothing comes back", "silent"}};
  for (const auto& [words, outcome] : kWords) {
    if (choice.find(words) != std::string::npos) return outcome;
  }
  return "?";
}

/// The packet that a question speaks of.
struct Packet {
  std::string source, destination;
  bool stream = true;
  std::uint16_t port = 0;
  auto operator<=>(const Packet&) const = default;
};
Packet packet_of(const std::string& text) {
  Packet out;
  out.source = between(text, "A client at ", " (by ");
  out.stream = text.find(") connects to ") != std::string::npos;
  const std::string to = out.stream ? ") connects to " : ") sends a datagram to ";
  out.destination = between(text, to, ",");
  out.port = static_cast<std::uint16_t>(
      std::stoi(between(text, out.destination + (out.stream ? ", tcp " : ", udp "), ".")));
  return out;
}

TEST_F(Drill, tells_what_a_client_sees_as_real_packets_do) {
  constexpr std::size_t kOfEach = 6;
  std::map<std::string, std::size_t> kinds;
  std::map<std::string, std::size_t> outcomes;
  std::set<Packet> sent;
  for (int seed = 1; seed <= 40; ++seed) {
    const Json all = questions({"--seed", std::to_string(seed), "--count", "50"});
    ASSERT_FALSE(all.empty());
    for (const Json& one : all) {
      const std::string kind = one["kind"];
      if (kind != "error" && kind != "closed") continue;
      const std::string said = outcome_of(one["answer"]);
      const Packet packet = packet_of(one["text"]);
      if (outcomes[said] == kOfEach || !sent.insert(packet).second) continue;
      const Seen seen =
          the_place->probe(packet.stream, packet.source, packet.destination, packet.port);
      EXPECT_EQ(seen.outcome, said) << one["text"] << "\n" << one["explanation"];
      ++kinds[kind];
      ++outcomes[said];
      // No wrong choice is another word for it.
      for (const Json& choice : one["choices"]) {
        EXPECT_TRUE(choice == one["answer"] || outcome_of(choice) != seen.outcome) << choice;
      }
    }
  }
  EXPECT_GE(kinds["error"], 15U);
  EXPECT_GE(kinds["closed"], 5U);
  for (const char* one : {"answered", "refused", "rejected", "silent", "hangs", "no-neighbour"}) {
    EXPECT_GE(outcomes[one], 1U) << one;
  }
}

/// What may be seen where this fact decides.
bool fits(const std::string& decider, const std::string& seen) {
  const std::map<std::string, std::set<std::string>> all = {
      {"nothing stops it", {"answered"}},
      {"the binding", {"refused"}},
      {"on the way in", {"silent", "rejected", "refused"}},
      {"a queue", {"silent"}},
      {"the process", {"hangs"}},
      {"the neighbourhood", {"no-neighbour"}}};
  return std::ranges::any_of(all, [&](const auto& one) {
    return decider.find(one.first) != std::string::npos && one.second.contains(seen);
  });
}

TEST_F(Drill, tells_who_is_let_in_and_what_decides_as_real_packets_do) {
  std::set<std::string> ports;
  std::set<std::string> reaches;
  std::set<std::string> deciders;
  for (int seed = 1; seed <= 40; ++seed) {
    for (const Json& one : questions({"--seed", std::to_string(seed), "--count", "50"})) {
      const std::string kind = one["kind"];
      const std::string answer = one["answer"];
      if (kind == "why" && deciders.insert(answer).second) {
        const Packet packet = packet_of(one["text"]);
        const Seen seen =
            the_place->probe(packet.stream, packet.source, packet.destination, packet.port);
        EXPECT_TRUE(fits(answer, seen.outcome)) << one["text"] << answer << seen.outcome;
      }
      if (kind != "reach" || !ports.insert(one["key"]).second) continue;
      const std::string key = one["key"];
      const auto service = std::ranges::find_if(Place::services(), [&](const Service& each) {
        return key.ends_with(":" + std::to_string(each.port));
      });
      ASSERT_NE(service, Place::services().end()) << key;
      const auto reached = [&](const std::string& source, const std::string& destination) {
        return the_place->probe(service->stream, source, destination, service->port).outcome ==
               "answered";
      };
      // Of each class of clients there one: the rules speak of halves of the subnet.
      const std::array outside = {reached("10.9.0.9", "10.9.0.5"),
                                  reached("10.9.0.200", "10.9.0.5"),
                                  reached("10.8.0.9", "10.8.0.5")};
      const std::string own =
          service->address == std::string("0.0.0.0") ? "127.0.0.1" : service->address;
      const bool here =
          the_place->probe_here(service->stream, own, service->port).outcome == "answered";
      const auto in = std::ranges::count(outside, true);
      const std::string truth = in == 3  ? "from anywhere"
                                : in > 0 ? "from some other hosts, not from all"
                                : here   ? "from this host only"
                                         : "from nowhere, not even from this host";
      EXPECT_EQ(answer, truth) << key << ": " << one["explanation"];
      reaches.insert(answer);
    }
  }
  EXPECT_GE(ports.size(), 8U);
  EXPECT_GE(reaches.size(), 3U);
  EXPECT_GE(deciders.size(), 5U);
}

TEST_F(Drill, tells_what_another_binding_would_change_as_that_binding_does) {
  std::set<std::string> met;
  bool changed = false;
  bool same = false;
  for (int seed = 1; seed <= 6; ++seed) {
    for (const Json& one : questions({"--seed", std::to_string(seed), "--count", "50"})) {
      if (one["kind"] != "rebound") continue;
      const std::string text = one["text"];
      const std::string address = between(text, "Think of it bound to ", " instead");
      const Packet packet = packet_of(text);
      // IPv6 is off here: what is bound to [::] cannot be tried.
      if (address.find(':') != std::string::npos) continue;
      if (!met.insert(std::to_string(packet.port) + " " + address).second) continue;
      const auto service = std::ranges::find(Place::services(), packet.port, &Service::port);
      ASSERT_NE(service, Place::services().end()) << text;
      the_place->start(*service, address);
      const Seen seen =
          the_place->probe(packet.stream, packet.source, packet.destination, packet.port);
      the_place->start(*service, service->address);
      EXPECT_EQ(seen.outcome, outcome_of(one["answer"])) << text << "\n" << one["explanation"];
      const std::string why = one["explanation"];
      (why.starts_with("the same as today") ? same : changed) = true;
    }
  }
  EXPECT_GE(met.size(), 8U);
  EXPECT_TRUE(same);
  EXPECT_TRUE(changed);
}

TEST_F(Drill, names_owners_and_users_as_proc_does_and_sends_nothing) {
  const auto sent = [&] {
    return run_in(the_place->host(),
                  {"sh", "-c", "grep -E 'eth|Udp:' /proc/net/dev /proc/net/snmp"})
        .out;
  };
  const std::string before = sent();
  std::size_t seen = 0;
  for (int seed = 1; seed <= 4; ++seed) {
    for (const Json& one : questions({"--seed", std::to_string(seed), "--count", "50"})) {
      const std::string kind = one["kind"];
      if (kind != "owner" && kind != "home") continue;
      ++seen;
      const std::string key = one["key"];
      const auto service = std::ranges::find_if(Place::services(), [&](const Service& each) {
        return (key + ":").find(":" + std::to_string(each.port) + ":") != std::string::npos;
      });
      ASSERT_NE(service, Place::services().end()) << key;
      if (kind == "owner") {
        EXPECT_EQ(one["answer"], service->name);
      } else if (key.ends_with(":user")) {
        EXPECT_EQ(one["answer"], service->port % 2 == 0 ? "nobody" : "root") << key;
      }
      // The command that it names shows it.
      const std::string verify = one["verify"];
      const Ran shown = run_in(the_place->host(), {"sh", "-c", verify});
      EXPECT_EQ(shown.status, 0) << verify;
      if (!key.ends_with(":unit")) {
        EXPECT_NE(shown.out.find(one["answer"]), std::string::npos) << verify << "\n" << shown.out;
      }
    }
  }
  EXPECT_GE(seen, 20U);
  EXPECT_EQ(sent(), before);
}

constexpr auto kPrompt = "skip; quit): ";

/// The right choice in every way in which it can be typed, or a wrong one.
std::string typed(const Json& question, std::size_t number, bool right) {
  const Json& choices = question["choices"];
  std::size_t at = 0;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    if ((choices[i] == question["answer"]) == right) at = i;
  }
  if (number % 3 == 0) return {static_cast<char>('a' + static_cast<char>(at))};
  if (number % 3 == 1) return std::to_string(at + 1);
  return choices[at];
}

class DrillPerson : public Drill, public testing::WithParamInterface<uid_t> {
 protected:
  [[nodiscard]] std::unique_ptr<Person> sits_down(const std::string& seed) const {
    return std::make_unique<Person>(
        the_place->host(),
        std::vector<std::string>{"hark", "drill", "--count", "5", "--seed", seed}, variables(),
        GetParam());
  }
  [[nodiscard]] Json asked(const std::string& seed) const {
    return questions({"--count", "5", "--seed", seed}, GetParam());
  }
};

TEST_P(DrillPerson, passes_with_right_answers) {
  const Json all = asked("7");
  ASSERT_EQ(all.size(), 5U);
  const auto person = sits_down("7");
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::string text = person->until(kPrompt);
    EXPECT_NE(text.find(all[i]["text"]), std::string::npos) << text;
    EXPECT_NE(text.find("Question " + std::to_string(i + 1) + " of 5"), std::string::npos) << text;
    person->types(typed(all[i], i, true) + "\n");
    person->until("Right.\n");
    person->until(all[i]["verify"]);
  }
  const auto [text, status] = person->end();
  EXPECT_NE(text.find("5 of 5 right, 100 of 100 points: passed."), std::string::npos) << text;
  EXPECT_NE(text.find("Passed on 1 day in a row."), std::string::npos) << text;
  EXPECT_EQ(status, 0);
  const auto kept = drill::parse_history(state());
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->asked.size(), 5U);
  EXPECT_FALSE(kept->session);
}

TEST_P(DrillPerson, fails_with_wrong_ones_and_hears_why) {
  const Json all = asked("8");
  ASSERT_EQ(all.size(), 5U);
  const auto person = sits_down("8");
  for (std::size_t i = 0; i < all.size(); ++i) {
    person->until(kPrompt);
    const std::string words = typed(all[i], i, false);
    person->types(words + "\n");
    const std::string verdict = person->until("\n\n");
    EXPECT_TRUE(verdict.find("Wrong") != std::string::npos ||
                verdict.find("Partly right") != std::string::npos)
        << verdict;
    EXPECT_NE(verdict.find(std::string(all[i]["answer"]) + "."), std::string::npos) << verdict;
    EXPECT_NE(verdict.find(all[i]["explanation"]), std::string::npos) << verdict;
  }
  const auto [text, status] = person->end();
  EXPECT_NE(text.find("0 of 5 right"), std::string::npos) << text;
  EXPECT_NE(text.find("not passed"), std::string::npos) << text;
  EXPECT_EQ(status, 1);
}

TEST_P(DrillPerson, goes_on_where_it_was_left) {
  const Json all = asked("9");
  ASSERT_EQ(all.size(), 5U);
  // By the end of input, a word, and an interrupt.
  constexpr std::array kLeave = {"\x04", "quit\n", "\x03"};
  std::size_t next = 0;
  for (const char* leave : kLeave) {
    const auto person = sits_down("9");
    const std::string text = person->until(kPrompt);
    EXPECT_NE(text.find("Question " + std::to_string(next + 1) + " of 5"), std::string::npos);
    person->types(typed(all[next], 0, true) + "\n");
    ++next;
    person->until(kPrompt);
    person->types(leave);
    EXPECT_EQ(person->end().second, 130) << leave;
  }
  const auto person = sits_down("9");
  for (; next < all.size(); ++next) {
    const std::string text = person->until(kPrompt);
    EXPECT_NE(text.find(all[next]["text"]), std::string::npos) << text;
    person->types("nonsense of a person\n");
    person->until("none of the answers");
    person->until(kPrompt);
    person->types(typed(all[next], next, true) + "\n");
  }
  const auto [text, status] = person->end();
  EXPECT_NE(text.find("5 of 5 right"), std::string::npos) << text;
  EXPECT_EQ(status, 0);
}

INSTANTIATE_TEST_SUITE_P(uid, DrillPerson, testing::Values(uid_t{0}, kNobody),
                         [](const auto& one) { return one.param == 0 ? "root" : "nobody"; });

TEST_F(Drill, leaves_a_whole_state_however_it_is_killed) {
  std::uint32_t dice = 1;
  for (int round = 0; round < 25; ++round) {
    {
      Person person(the_place->host(), {"hark", "drill", "--count", "9"}, variables(), 0);
      person.until(kPrompt);
      for (int i = 0; i < 9; ++i) person.types("a\n");
      dice = dice * 1664525U + 1013904223U;
      ::usleep(dice >> 16U & 0x1fffU);
      // Person's end is kill -9.
    }
    const std::string text = state();
    ASSERT_TRUE(drill::parse_history(text)) << text;
    for (const auto& file : std::filesystem::directory_iterator(folder_ + "/hark")) {
      const std::string name = file.path().filename();
      EXPECT_TRUE(name == "drill" || name == "drill.new") << name;
    }
  }
}

TEST_F(Drill, ends_when_its_time_is_over_and_keeps_recordings_apart) {
  ASSERT_EQ(hark({"--count", "3"}, "skip\nquit\n").status, 130);
  auto kept = drill::parse_history(state());
  ASSERT_TRUE(kept && kept->session);
  kept->session->elapsed_ms = drill::kLongestMs - 100;
  std::ofstream(folder_ + "/hark/drill") << drill::text_of(*kept);
  Person late(the_place->host(), {"hark", "drill"}, variables(), 0);
  const auto [text, status] = late.end();
  EXPECT_NE(text.find("The five minutes are over."), std::string::npos) << text;
  EXPECT_NE(text.find("0 of 3 right, 0 of 100 points: not passed"), std::string::npos) << text;
  EXPECT_EQ(status, 1);
  const std::string mine = state();
  const std::string ufw = HARK_SOURCE_DIR "/tests/host/hosts/ufw/host.hark";
  const Ran other = run_in(the_place->host(), {HARK_PROGRAM, "-r", ufw, "drill", "--count", "2"},
                           variables(), "skip\nskip\n");
  EXPECT_EQ(other.status, 1) << other.out;
  EXPECT_EQ(state(), mine);
  std::size_t files = 0;
  for (const auto& file : std::filesystem::directory_iterator(folder_ + "/hark")) {
    const std::string name = file.path().filename();
    EXPECT_TRUE(name == "drill" || name.starts_with("drill-of-")) << name;
    ++files;
  }
  EXPECT_EQ(files, 2U);
}

TEST_F(Drill, sets_a_broken_state_aside_and_says_so) {
  std::filesystem::create_directories(folder_ + "/hark");
  const std::string broken = "hark-drill 1\nasked \x1b[2J\n";
  for (int i = 1; i <= 2; ++i) {
    std::ofstream(folder_ + "/hark/drill") << broken;
    const Ran ran = hark({}, "skip\n");
    EXPECT_NE(ran.out.find("set aside"), std::string::npos) << ran.out;
    EXPECT_EQ(ran.out.find('\x1b'), std::string::npos);
    std::ifstream kept(folder_ + "/hark/drill.broken-" + std::to_string(i));
    std::ostringstream text;
    text << kept.rdbuf();
    EXPECT_EQ(text.str(), broken);
    EXPECT_TRUE(drill::parse_history(state()));
  }
}

TEST_F(Drill, asks_nothing_where_nobody_answers) {
  const Ran nobody = hark({});
  EXPECT_EQ(nobody.status, 3) << nobody.out;
  EXPECT_NE(nobody.out.find("no answers on standard input"), std::string::npos) << nobody.out;
  const Ran list = hark({"--list"});
  EXPECT_EQ(list.status, 0);
  EXPECT_NE(list.out.find("  Answer: "), std::string::npos) << list.out;
  EXPECT_EQ(state(), "");
  Person first(the_place->host(), {"hark", "drill"}, variables(), 0);
  first.until(kPrompt);
  const Ran second = hark({}, "a\n");
  EXPECT_EQ(second.status, 3) << second.out;
  EXPECT_NE(second.out.find("another drill is going on"), std::string::npos) << second.out;
  // Where nothing can be kept it asks all the same.
  const Ran forgetful =
      run_in(the_place->host(), {HARK_PROGRAM, "drill"}, {"XDG_STATE_HOME=/proc/1"}, "skip\n");
  EXPECT_EQ(forgetful.status, 130) << forgetful.out;
  EXPECT_NE(forgetful.out.find("will not be remembered"), std::string::npos) << forgetful.out;
}

}  // namespace
}  // namespace hark::drilltest
