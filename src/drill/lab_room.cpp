#include "drill/lab_room.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mount.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>

#include "base/text.h"
#include "drill/lab_causes.h"
#include "drill/lab_files.h"
#include "drill/lab_grade.h"
#include "drill/lab_probe.h"
#include "drill/lab_service.h"
#include "drill/lab_shell.h"

namespace hark::drill {
namespace {

constexpr std::uint8_t kYes = 0;
constexpr std::uint8_t kNo = 1;
constexpr std::uint8_t kUsage = 2;

std::string paragraphs(std::string_view text) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  return std::string(text) + "\n";
}

std::string indented(std::string_view commands) {
  std::string out;
  while (!commands.empty()) {
    const std::string_view line = next_piece(commands, '\n');
    if (!line.empty()) out += "  " + std::string(line) + "\n";
  }
  return out;
}

}  // namespace

std::string lab_score_line(const LabScore& score) {
  const auto bit = [](bool one) { return one ? "1 " : "0 "; };
  return std::string(bit(score.cause)) + bit(score.evidence) + bit(score.mended) +
         bit(score.gave_up) + std::to_string(score.hints) + " " + std::to_string(score.wrong);
}

LabScore read_lab_score(std::string_view line) {
  LabScore out;
  for (bool LabScore::*member :
       {&LabScore::cause, &LabScore::evidence, &LabScore::mended, &LabScore::gave_up}) {
    out.*member = next_word(line) == "1";
  }
  out.hints = parse_number<unsigned>(next_word(line)).value_or(0);
  out.wrong = parse_number<unsigned>(next_word(line)).value_or(0);
  return out;
}

LabReply LabRoom::answer(const std::vector<std::string>& words) {
  const std::string verb = words.empty() ? "" : words.front();
  if (verb.empty() || verb == "story") return story();
  if (verb == "hint") return hint();
  if (verb == "check") return check();
  if (verb == "give-up") return give_up();
  if (verb == "quit") {
    left_ = true;
    return {kYes, ""};
  }
  if (verb == "answer") {
    const std::string said = join(std::span(words).subspan(1), " ");
    return said.empty() ? choices() : judge(said);
  }
  return {kUsage, "hark lab has story, hint, answer, check, give-up and quit here.\n"};
}

LabReply LabRoom::story() const {
  return {kYes, scenario_.title + "\n\n" + paragraphs(scenario_.story)};
}

LabReply LabRoom::hint() {
  const std::size_t all = scenario_.hints.size();
  if (score_.hints >= all) {
    return {kNo, "No more hints. hark lab give-up tells the answer.\n"};
  }
  const std::string& text = scenario_.hints[score_.hints];
  ++score_.hints;
  return {kYes, "Hint " + std::to_string(score_.hints) + " of " + std::to_string(all) + ": " +
                    paragraphs(text)};
}

LabReply LabRoom::choices() const {
  std::string out = "What is it?\n";
  const std::vector<std::string> codes = lab_choices(scenario_);
  for (std::size_t i = 0; i < codes.size(); ++i) {
    const LabCauseWords* words = lab_cause(codes[i]);
    out += "  " + std::to_string(i + 1) + "  " + codes[i] + ": " +
           std::string(words != nullptr ? words->phrase : "") + "\n";
  }
  out += "Say it with what shows it: hark lab answer NUMBER because ...\n";
  return {kNo, out};
}

LabReply LabRoom::judge(const std::string& words) {
  const LabVerdict verdict = grade_lab_answer(scenario_, words, score_.cause);
  if (verdict.understood && !verdict.cause) ++score_.wrong;
  score_.cause = score_.cause || verdict.cause;
  score_.evidence = score_.evidence || (score_.cause && verdict.evidence);
  std::string out = verdict.why;
  // Evidence for a cause that was not named is not told: it would give it away.
  if (!verdict.because.empty() && score_.cause) out += (out.empty() ? "" : " ") + verdict.because;
  out = paragraphs(out);
  if (!score_.cause) return {kNo, out};
  if (!score_.evidence) return {kNo, out};
  if (!score_.mended) out += "Now mend it, and let hark lab check prove it; or hark lab quit.\n";
  return {kYes, out};
}

LabReply LabRoom::check() {
  std::string out;
  bool all = true;
  for (const LabProbe& probe : scenario_.probes) {
    const LabProof proof = run_lab_probe(probe);
    out += (proof.passed ? "  ok    " : "  FAILS ") + proof.text + "\n";
    all = all && proof.passed;
  }
  score_.mended = score_.mended || (all && !score_.gave_up);
  if (!all) return {kNo, out + "It does not work yet.\n"};
  out += "It works.";
  if (!score_.solved() && !score_.gave_up) {
    out += " What was it? hark lab answer CAUSE because ...";
  }
  return {kYes, out + "\n"};
}

LabReply LabRoom::give_up() {
  score_.gave_up = true;
  return {kYes, scenario_.cause.text + " (" + scenario_.cause.codes.front() +
                    ")\nWhat shows it:\n" +
                    indented(scenario_.show + "\nhark " + scenario_.cause.ask) +
                    "What mends it:\n" + indented(scenario_.mend) +
                    "You are still inside: try it, and let hark lab check prove it.\n"};
}

namespace {

bool bind_programs(const LabScenario& scenario) {
  const std::string hark = std::string(kLabPrograms) + "hark";
  return std::ranges::all_of(scenario.programs, [&](const std::string& name) {
    const std::string path = kLabPrograms + name;
    const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0755));
    return file.valid() && ::mount(hark.c_str(), path.c_str(), nullptr, MS_BIND, nullptr) == 0;
  });
}

void tell(const UniqueFd& to, const std::string& line) {
  const std::string all = line + "\n";
  (void)!::write(to.get(), all.data(), all.size());
}

std::string set_up(const LabScenario& scenario) {
  if (!bind_programs(scenario)) return "programs cannot be mounted";
  std::string script(lab_world_file());
  for (const std::string& place : scenario.places) script += "add_" + place + "\n";
  script += scenario.setup;
  LabScriptEnd end = run_lab_script(script);
  if (end.status == 0) return {};
  std::ranges::replace(end.messages, '\n', ' ');
  return "status " + std::to_string(end.status) + ": " + end.messages;
}

/// Whoever has ended; true if the shell was among them.
bool reap(pid_t shell) {
  bool found = false;
  while (true) {
    const pid_t gone = ::waitpid(-1, nullptr, WNOHANG);
    if (gone <= 0) return found;
    found = found || gone == shell;
  }
}

void serve(LabRoom& room, const UniqueFd& listener, const UniqueFd& to) {
  const LabScore before = room.score();
  answer_lab(listener,
             [&room](const std::vector<std::string>& words) { return room.answer(words); });
  if (room.score() != before) tell(to, lab_score_line(room.score()));
}

}  // namespace

int run_lab_room(const LabScenario& scenario, bool terminal, const UniqueFd& to,
                 const UniqueFd& go) {
  sigset_t children;
  sigemptyset(&children);
  sigaddset(&children, SIGCHLD);
  ::sigprocmask(SIG_BLOCK, &children, nullptr);
  ::setenv("PATH", lab_path_variable(std::getenv("PATH")).c_str(), 1);
  const std::string failed = set_up(scenario);
  if (!failed.empty()) {
    tell(to, "failed " + failed);
    return 1;
  }
  const UniqueFd listener = listen_for_lab();
  const UniqueFd ended(::signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK));
  tell(to, "ready");
  char byte = 0;
  if (!listener.valid() || !ended.valid() || ::read(go.get(), &byte, 1) != 1) return 1;
  const pid_t shell = start_lab_shell(scenario.name, terminal);
  if (shell < 0) return 1;
  LabRoom room(scenario);
  while (!room.left()) {
    std::array<pollfd, 2> watched = {pollfd{listener.get(), POLLIN, 0},
                                     pollfd{ended.get(), POLLIN, 0}};
    if (::poll(watched.data(), watched.size(), -1) < 0) continue;
    if (watched[1].revents != 0) {
      signalfd_siginfo one{};
      while (::read(ended.get(), &one, sizeof one) > 0) {
      }
      if (reap(shell)) break;
    }
    if (watched[0].revents != 0) serve(room, listener, to);
  }
  return 0;
}

}  // namespace hark::drill
