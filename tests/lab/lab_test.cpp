// Each scenario as a person would do it, typed at a terminal; and sessions that are killed.
#include <dirent.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <random>
#include <set>
#include <sstream>
#include <thread>

#include "drill/lab_scenarios.h"
#include "player.h"

namespace hark::lab {
namespace {

using drill::LabScenario;
using nlohmann::json;
using testing::HasSubstr;

constexpr uid_t kNobody = 65534;

/// A folder for progress that everybody may write to, gone with the test.
class StateFolder {
 public:
  StateFolder() {
    std::string name = "/tmp/hark-lab-test-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
    (void)::chmod(name.c_str(), 0777);
    path_ = name;
  }
  StateFolder(const StateFolder&) = delete;
  StateFolder& operator=(const StateFolder&) = delete;
  ~StateFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::vector<LabScenario> all_scenarios() {
  auto out = drill::lab_scenarios();
  if (!out) throw std::runtime_error(out.error().what + ": " + reason(out.error()));
  return *out;
}

/// All cause codes that an answer of why, doctor or bind gives first.
std::set<std::string> codes_in(const std::string& text) {
  std::set<std::string> out;
  const std::size_t begin = text.find("\n{");
  const std::size_t end = text.rfind("\n}");
  if (begin == std::string::npos || end == std::string::npos) return out;
  const json said = json::parse(text.substr(begin, end + 2 - begin), nullptr, false);
  if (said.is_discarded()) return out;
  for (const json& one : said.value("answers", json::array())) out.insert(one["cause"]["code"]);
  for (const json& one : said.value("findings", json::array())) out.insert(one["code"]);
  if (said.contains("cause")) out.insert(said["cause"]["code"]);
  return out;
}

std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? "'\\''" : std::string(1, c);
  return out + "'";
}

/// What a person does, and what has to come of it; the first thing that is not so, or nothing.
class Play {
 public:
  Play(const LabScenario& scenario, uid_t user, const std::string& state)
      : scenario_(scenario), player_(scenario.name, user, state) {}

  std::string run() {
    player_.expect("lab " + scenario_.name + "$ ");
    want("hark lab check", 1, "FAILS");
    const auto codes = codes_in(player_.run("hark " + scenario_.cause.ask + " --json").out);
    const bool named = std::ranges::any_of(
        scenario_.cause.codes, [&](const std::string& one) { return codes.contains(one); });
    if (!named) complain("hark " + scenario_.cause.ask + " names " + testing::PrintToString(codes));
    for (const std::string& wrong : scenario_.cause.wrong) {
      want("hark lab answer " + wrong, 1, "Not that");
    }
    want(scenario_.show, 0, "");
    want("hark lab answer " + quoted(scenario_.cause.words.front()), 1, "Right: ");
    want("hark lab answer " + quoted("because " + scenario_.show), 0, "shows it");
    (void)player_.run(scenario_.mend);
    want("hark lab check", 0, "It works");
    player_.type("hark lab quit");
    if (const int status = player_.end(); status != 0) {
      complain("ended with " + std::to_string(status));
    }
    return complaint_;
  }

 private:
  void want(const std::string& command, int status, const std::string& words) {
    const Player::Ran ran = player_.run(command);
    if (ran.status == status && ran.out.find(words) != std::string::npos) return;
    complain(command + " ended with " + std::to_string(ran.status) + ": " + ran.out);
  }
  void complain(const std::string& what) {
    if (complaint_.empty()) complaint_ = scenario_.name + ": " + what;
  }

  const LabScenario& scenario_;
  Player player_;
  std::string complaint_;
};

/// Most of the time is waiting for answers that do not come, so several are played at once.
std::vector<std::string> play_all(const std::vector<LabScenario>& scenarios, uid_t user) {
  constexpr unsigned kAtOnce = 5;
  const StateFolder state;
  std::vector<std::string> complaints;
  std::mutex guard;
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (std::size_t i = next++; i < scenarios.size(); i = next++) {
      std::string complaint;
      try {
        complaint = Play(scenarios[i], user, state.path()).run();
      } catch (const std::exception& error) {
        complaint = scenarios[i].name + ": " + error.what();
      }
      const std::lock_guard lock(guard);
      if (!complaint.empty()) complaints.push_back(complaint);
    }
  };
  std::vector<std::jthread> workers;
  for (unsigned i = 0; i < kAtOnce; ++i) workers.emplace_back(work);
  workers.clear();
  return complaints;
}

TEST(lab, scenarios_are_broken_named_judged_and_mended_as_root) {
  for (const std::string& one : play_all(all_scenarios(), 0)) ADD_FAILURE() << one;
}

TEST(lab, scenarios_are_broken_named_judged_and_mended_as_nobody) {
  for (const std::string& one : play_all(all_scenarios(), kNobody)) ADD_FAILURE() << one;
}

struct Processes {
  std::vector<pid_t> pids;
  std::set<std::string> namespaces;  ///< "net:[4026531840]"
};

std::string text_of(const std::string& path) {
  const std::ifstream file(path, std::ios::binary);
  std::ostringstream out;
  out << file.rdbuf();
  return out.str();
}

std::set<std::string> namespaces_of(const std::string& pid) {
  std::set<std::string> out;
  for (const char* kind : {"net", "mnt", "pid", "user", "uts", "ipc"}) {
    std::array<char, 64> text{};
    const std::string path = "/proc/" + pid + "/ns/" + kind;
    const ssize_t length = ::readlink(path.c_str(), text.data(), text.size());
    if (length > 0) out.emplace(text.data(), static_cast<std::size_t>(length));
  }
  return out;
}

/// All processes whose environment has `mark`; empty: all there are.
Processes processes(const std::string& mark) {
  Processes out;
  const std::set<std::string> ours = namespaces_of("self");
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string pid = entry.path().filename();
    if (pid.find_first_not_of("0123456789") != std::string::npos) continue;
    if (!mark.empty() && text_of("/proc/" + pid + "/environ").find(mark) == std::string::npos) {
      continue;
    }
    out.pids.push_back(std::atoi(pid.c_str()));
    for (const std::string& one : namespaces_of(pid)) {
      if (!ours.contains(one)) out.namespaces.insert(one);
    }
  }
  return out;
}

/// Nobody with that mark is left, and nobody is in one of the namespaces.
void expect_gone(const std::string& mark, const std::set<std::string>& namespaces) {
  constexpr int kMoments = 1000;
  constexpr useconds_t kMoment = 10'000;
  // The kernel takes a moment to end them all; one that ends has no environment any more.
  const auto left = [&] {
    std::set<std::string> out = processes("").namespaces;
    std::erase_if(out, [&](const std::string& one) { return !namespaces.contains(one); });
    return out;
  };
  bool gone = false;
  for (int i = 0; i < kMoments && !gone; ++i) {
    while (::waitpid(-1, nullptr, WNOHANG) > 0) {
    }
    // Once is enough: the number of a namespace that is gone is soon another one's.
    gone = processes(mark).pids.empty() && left().empty();
    if (!gone) ::usleep(kMoment);
  }
  if (!gone) {
    EXPECT_THAT(processes(mark).pids, testing::IsEmpty());
    EXPECT_THAT(left(), testing::IsEmpty());
  }
  EXPECT_EQ(text_of("/proc/self/mountinfo").find("hark-lab/"), std::string::npos);
}

TEST(lab, nothing_is_left_whatever_is_killed_and_whenever) {
  constexpr int kRounds = 24;
  constexpr int kLatest = 400'000;
  // Whose parent was killed is ours: nobody knows when the machine's first process looks after it.
  ASSERT_EQ(::prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
  std::mt19937 dice(20261123);
  const std::vector<LabScenario> scenarios = all_scenarios();
  for (int round = 0; round < kRounds; ++round) {
    const StateFolder state;
    const std::string mark = "HARK_LAB_TEST=" + state.path();
    const LabScenario& scenario = scenarios[dice() % scenarios.size()];
    auto player =
        std::make_unique<Player>(scenario.name, round % 2 == 0 ? 0 : kNobody, state.path());
    ::usleep(static_cast<useconds_t>(dice() % kLatest));
    const Processes there = processes(mark);
    if (there.pids.empty()) continue;
    const pid_t victim = there.pids[dice() % there.pids.size()];
    ::kill(victim, SIGKILL);
    // Who lost a service, or a program of its set-up, may go on: then its first process goes.
    player.reset();
    expect_gone(mark, there.namespaces);
    ASSERT_FALSE(HasFailure()) << scenario.name << ", round " << round << ", killed " << victim;
  }
}

struct Ran {
  int status = -1;
  std::string text;
};

/// hark without a terminal, as that user, in an environment of its own making.
Ran run_hark(const std::vector<std::string>& words, uid_t user, bool no_namespaces = false) {
  const StateFolder state;
  const std::string file = state.path() + "/said";
  const pid_t child = ::fork();
  if (child == 0) {
    const int null = ::open("/dev/null", O_RDONLY);
    const int out = ::open(file.c_str(), O_WRONLY | O_CREAT, 0666);
    ::dup2(out, STDOUT_FILENO);
    ::dup2(out, STDERR_FILENO);
    ::dup2(null, STDIN_FILENO);
    if (user != 0 && (::setgid(user) != 0 || ::setuid(user) != 0)) ::_exit(126);
    ::setenv("XDG_STATE_HOME", state.path().c_str(), 1);
    if (no_namespaces) {
      if (::unshare(CLONE_NEWUSER) != 0) ::_exit(126);
      const int most = ::open("/proc/sys/user/max_user_namespaces", O_WRONLY);
      if (::write(most, "0", 1) != 1) ::_exit(125);
      std::array<int, 2> ends{};
      if (::pipe(ends.data()) != 0 || ::write(ends[1], "exit\n", 5) != 5) ::_exit(124);
      ::dup2(ends[0], STDIN_FILENO);
      ::close(ends[1]);
    }
    std::vector<char*> arguments = {const_cast<char*>("hark")};
    for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    ::execv(HARK_PROGRAM, arguments.data());
    ::_exit(127);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 1000, text_of(file)};
}

TEST(lab, asks_nothing_where_nobody_answers) {
  const Ran story = run_hark({"lab", "loopback-only"}, kNobody);
  EXPECT_EQ(story.status, 0) << story.text;
  EXPECT_THAT(story.text, HasSubstr("postgres"));
  const Ran one = run_hark({"lab", "loopback-only", "--json"}, kNobody);
  EXPECT_EQ(json::parse(one.text)["scenarios"][0]["topic"], "first steps");
  const Ran all = run_hark({"lab", "--json"}, 0);
  EXPECT_EQ(json::parse(all.text)["schema"], "hark.lab/1");
  EXPECT_EQ(json::parse(all.text)["scenarios"].size(), all_scenarios().size());
}

TEST(lab, says_why_it_cannot) {
  struct Case {
    std::vector<std::string> words;
    bool no_namespaces;
    int status;
    const char* text;
  };
  for (const Case& c : {Case{{"lab", "loopback-onyl"}, false, 2, "did you mean loopback-only"},
                        Case{{"lab", "hint"}, false, 2, "no lab around this shell"},
                        Case{{"lab", "/nowhere.toml"}, false, 2, "No such file"},
                        Case{{"lab", "loopback-only"}, true, 3, "max_user_namespaces is 0"}}) {
    const Ran ran = run_hark(c.words, kNobody, c.no_namespaces);
    EXPECT_EQ(ran.status, c.status) << ran.text;
    EXPECT_THAT(ran.text, HasSubstr(c.text));
  }
}

TEST(lab, hints_choices_giving_up_and_progress) {
  const StateFolder state;
  {
    Player player("loopback-only", kNobody, state.path());
    player.expect("$ ");
    EXPECT_THAT(player.run("hark lab story").out, HasSubstr("postgres"));
    EXPECT_THAT(player.run("hark lab hint").out, HasSubstr("Hint 1 of"));
    EXPECT_THAT(player.run("hark lab hint").out, HasSubstr("Hint 2 of"));
    const std::string choices = player.run("hark lab answer").out;
    EXPECT_THAT(choices, HasSubstr("1  bound-other-addr"));
    EXPECT_EQ(player.run("hark lab answer 1 because ss -ltn").status, 0);
    EXPECT_EQ(player.run("hark lab wrong-port").status, 2);
    EXPECT_THAT(player.run("hark test 127.0.0.1:5432").out, HasSubstr("as predicted"));
    EXPECT_NE(player.run("echo x > /etc/hark-lab-was-here").status, 0);
    player.type("exit");
    EXPECT_EQ(player.end(), 0);
  }
  {
    Player player("wrong-port", kNobody, state.path());
    player.expect("$ ");
    EXPECT_THAT(player.run("hark lab give-up").out, HasSubstr("no-socket"));
    player.type("exit");
    EXPECT_EQ(player.end(), 1);
  }
  const std::string kept = text_of(state.path() + "/hark/lab");
  EXPECT_THAT(kept, HasSubstr("loopback-only 1 1 0 0 2 0\n"));
  EXPECT_THAT(kept, HasSubstr("wrong-port 0 0 0 1 0 0\n"));
}

}  // namespace
}  // namespace hark::lab
