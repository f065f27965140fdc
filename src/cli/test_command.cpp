// hark test: targets, names, one look at the host, predictions, then the connections, and what was
// seen beside what was predicted.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <map>
#include <memory>

#include "base/unique_fd.h"
#include "cli/commands.h"
#include "cli/source.h"
#include "cli/tally.h"
#include "cli/terminal.h"
#include "cli/test_facts.h"
#include "cli/test_names.h"
#include "cli/test_plan.h"
#include "cli/test_target.h"
#include "cli/test_via.h"
#include "cli/test_watch.h"
#include "cli/why_engine.h"
#include "host/connection_taken.h"
#include "host/hidden_owner.h"
#include "host/near_ports.h"
#include "host/target.h"
#include "kernel/live_netns.h"
#include "kernel/resolve_name.h"
#include "probe/engine.h"
#include "probe/verdict.h"
#include "reach/routing.h"
#include "show/escape.h"
#include "show/test_json.h"
#include "show/test_view.h"

namespace hark::cli {
namespace {

using show::TestedAttempt;
using show::TestReport;

/// SIGINT as a descriptor: what is known by then is told.
UniqueFd catch_interrupt() {
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGINT);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  return UniqueFd(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
}

/// Waits for so long; true: interrupted.
bool interrupted_within(int stop, int milliseconds) {
  pollfd wait{.fd = stop, .events = POLLIN, .revents = 0};
  return ::poll(&wait, 1, milliseconds) == 1;
}

Result<std::string> read_whole(const std::string& path) {
  const bool standard = path == "-";
  const UniqueFd fd(standard ? ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
                             : ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!fd.valid()) return fail(kernel_error(errno, path));
  constexpr std::size_t kMost = std::size_t{16} << 20;
  std::string out;
  std::array<char, 65'536> piece;
  for (;;) {
    const ssize_t got = ::read(fd.get(), piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(kernel_error(errno, path));
    if (got == 0) return out;
    out.append(piece.data(), static_cast<std::size_t>(got));
    if (out.size() > kMost) return fail(plain_error(path, "too long for a list of targets"));
  }
}

Result<std::vector<TestTarget>> read_targets(const Invocation& asked) {
  std::vector<TestTarget> out;
  std::vector<std::string> files;
  for (const std::string& word : asked.words) {
    if (word == "-") {
      files.push_back(word);
      continue;
    }
    auto target = parse_test_target(word);
    if (!target) return fail(target.error());
    out.push_back(std::move(*target));
  }
  if (asked.target_file) files.push_back(*asked.target_file);
  for (const std::string& file : files) {
    const auto text = read_whole(file);
    if (!text) return fail(text.error());
    auto more = parse_test_targets(*text, file == "-" ? "standard input" : file);
    if (!more) return fail(more.error());
    std::ranges::move(*more, std::back_inserter(out));
  }
  if (out.empty()) return fail(plain_error("test", "there is no target in the file"));
  return out;
}

Result<TestChoices> read_choices(const Invocation& asked) {
  TestChoices out;
  out.timeout = std::chrono::milliseconds(asked.timeout_ms);
  out.interface = asked.bound_interface;
  out.verify = asked.verify;
  if (!asked.source.empty()) {
    out.source = IpAddress::parse(asked.source);
    if (!out.source) {
      return fail(plain_error("--source " + asked.source, "not an address",
                              "an address of this host, as 10.0.0.5"));
    }
  }
  return out;
}

std::vector<std::string> names_of(const std::vector<TestTarget>& targets) {
  std::vector<std::string> out;
  for (const TestTarget& target : targets) {
    if (!target.name.empty()) out.push_back(target.name);
  }
  return out;
}

/// One run of the command, from its facts to its rounds.
class Test {
 public:
  Test(const Invocation& asked, kernel::Source& source, const WhyEngine& engine,
       const std::vector<TestTarget>& targets, TestChoices choices, int stop)
      : asked_(asked),
        source_(source),
        engine_(engine),
        targets_(targets),
        choices_(std::move(choices)),
        stop_(stop),
        style_(choose_style(asked, look_around())),
        watch_(style_) {}

  Outcome run(Output& out) {
    const ResolvedNames names = resolve_names(names_of(targets_), kernel::resolve_name, stop_);
    const bool details = std::ranges::any_of(targets_, [](const TestTarget& target) {
      return target.listeners && !target.listeners->endpoint;
    });
    auto looked = look_at_host(source_, asked_, engine_, details);
    if (!looked) return tl::unexpected<Failure>(looked.error());
    // Nothing of it is given back: it is many small pieces, and hark ends soon.
    facts_ = looked->release();
    TestReport report{facts_->collected.host, facts_->network};
    TestPlan plan(report, names, choices_);
    for (const TestTarget& target : targets_) {
      plan.add(target, find_elsewhere(source_, engine_, *facts_, target));
    }
    prepare(report);
    return asked_.watch ? watch(report, out) : once(report, out);
  }

 private:
  /// What is known before anything is sent.
  void prepare(TestReport& report) {
    std::vector<probe::Attempt> attempts;
    for (TestedAttempt& tested : report.attempts) {
      tested.here = reach::is_own_address(facts_->network, tested.attempt.asked.address);
      attempts.push_back(tested.attempt);
    }
    static_cast<void>(watch_queues(source_, *facts_, attempts));
    for (TestedAttempt& tested : report.attempts) {
      Prediction prediction = predict(*facts_, tested.attempt);
      tested.predicted = std::move(prediction.answer);
      tested.leaves_by = std::move(prediction.leaves_by);
    }
    report.gaps = facts_->collected.host.gaps;
    for (const auto& [fact, gap] : facts_->network.unread) report.gaps.push_back(gap);
    std::ranges::stable_sort(report.gaps);
    report.gaps.erase(std::unique(report.gaps.begin(), report.gaps.end()), report.gaps.end());
    note_proxies(report);
    const auto& links = report.network.links;
    if (!choices_.interface.empty() &&
        std::ranges::find(links, choices_.interface, &host::Link::name) == links.end()) {
      report.notes.push_back("there is no interface " + choices_.interface + " here");
    }
  }

  /// Programs that are told of a proxy go there, and hark does not.
  static void note_proxies(TestReport& report) {
    const auto remote = [](const TestedAttempt& tested) {
      return !tested.here && tested.attempt.asked.scheme != probe::Scheme::None;
    };
    if (std::ranges::none_of(report.attempts, remote)) return;
    for (const char* name :
         {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"}) {
      const char* value = std::getenv(name);
      if (value == nullptr || *value == '\0') continue;
      report.notes.push_back(std::string(name) +
                             " is set: curl and others ask that proxy, hark asks the target");
    }
  }

  [[nodiscard]] probe::EngineOptions options() {
    probe::EngineOptions out;
    out.stop = stop_;
    out.helpers.open = [this](Family family, int type) { return open(family, type); };
    out.helpers.accepted = [this](const probe::Attempt& attempt, const probe::Seen& seen) {
      return accepted(attempt, seen);
    };
    return out;
  }

  /// Asked where the listener is that gets it: here, or in another namespace of this host.
  std::optional<bool> accepted(const probe::Attempt& attempt, const probe::Seen& seen) {
    if (!seen.local) return std::nullopt;
    host::NetnsId where = facts_->network.netns;
    if (!reach::is_own_address(facts_->network, attempt.asked.address)) {
      const auto answer = predict(*facts_, attempt).answer;
      if (!answer || !answer->delivers_to) return std::nullopt;
      where = facts_->collected.host.listeners[*answer->delivers_to].netns;
    }
    const auto& ways = facts_->collected.ways;
    const auto number = static_cast<std::size_t>(where);
    if (number >= ways.size()) return std::nullopt;
    return host::connection_taken(source_, ways[number], attempt.asked.address, attempt.asked.port,
                                  *seen.local, seen.local_port);
  }

  Result<UniqueFd> open(Family family, int type) {
    const auto make = [family, type] {
      return ::socket(family == Family::Inet ? AF_INET : AF_INET6,
                      type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    };
    if (asked_.netns != "self") return inside_.open_inside(facts_->way(), make);
    UniqueFd fd(make());
    if (!fd.valid()) return fail(kernel_error(errno, "socket"));
    return fd;
  }

  void connect_all(TestReport& report) {
    std::vector<probe::Attempt> attempts;
    attempts.reserve(report.attempts.size());
    for (const TestedAttempt& tested : report.attempts) attempts.push_back(tested.attempt);
    // Interrupted before: nothing is sent any more.
    report.interrupted = interrupted_within(stop_, 0);
    if (report.interrupted) return;
    std::vector<probe::Seen> seen = probe::run_attempts(attempts, options());
    for (std::size_t i = 0; i < seen.size(); ++i) {
      report.attempts[i].seen = std::move(seen[i]);
      report.interrupted = report.interrupted || !report.attempts[i].seen.done;
    }
    mark_winners(report);
  }

  void mark_winners(TestReport& report) const {
    for (std::size_t first = 0; first < report.attempts.size();) {
      const std::size_t target = report.attempts[first].target;
      std::vector<probe::Attempt> attempts;
      std::vector<probe::Seen> seen;
      for (std::size_t i = first; i < report.attempts.size(); ++i) {
        if (report.attempts[i].target != target) break;
        attempts.push_back(report.attempts[i].attempt);
        seen.push_back(report.attempts[i].seen);
      }
      const bool name = !attempts.front().asked.host.empty() && attempts.size() > 1;
      if (const auto won = name ? probe::winner(attempts, seen) : std::nullopt) {
        report.attempts[first + *won].winner = true;
      }
      first += attempts.size();
    }
  }

  void judge_all(TestReport& report) {
    judge(report, [this, &report](const auto& attempts) -> std::unique_ptr<TestFacts> {
      if (report.interrupted) return nullptr;
      auto looked = look_at_host(source_, asked_, engine_, false);
      if (!looked) return nullptr;
      static_cast<void>(watch_queues(source_, **looked, attempts));
      return std::move(*looked);
    });
  }

  /// Near misses of what nobody listens for.
  void look_near(TestReport& report) {
    for (std::size_t i = 0; i < targets_.size(); ++i) {
      const TestTarget& target = targets_[i];
      if (!target.listeners || target_answers(report, i) || report.targets[i].elsewhere) continue;
      const host::NetnsId netns = report.network.netns;
      if (!host::listeners_of(report.host, netns, *target.listeners).empty()) continue;
      std::vector<host::Near>& near = report.targets[i].near;
      if (target.listeners->endpoint) {
        near = host::near_ports(source_, facts_->way(), report.network.services,
                                {.protocol = target.listeners->protocol.value_or(Protocol::Tcp),
                                 .port = target.listeners->port});
      }
      auto more = host::near_targets(report.host, netns, *target.listeners);
      std::ranges::move(more, std::back_inserter(near));
      if (!target.listeners->endpoint) look_hidden(report, report.targets[i], *target.listeners);
    }
  }

  /// Whoever has that name may listen, and this user not see it.
  void look_hidden(TestReport& report, show::TestedTarget& told, const host::Target& meant) {
    const auto hidden = host::hidden_owner(source_, report.host, report.network.netns, meant);
    if (!hidden) return;
    told.trouble = *hidden + ": run hark as root, or name its port";
    told.open = true;
    report.gaps.push_back({.code = "owner-not-read",
                           .what = *hidden,
                           .hides = "whether " + told.written + " listens here",
                           .remedy = "run hark as root"});
  }

  [[nodiscard]] bool answered(const TestedAttempt& tested) const {
    const bool yes = tested.seen.done && tested.seen.outcome == probe::Outcome::Answered;
    const bool trouble = asked_.verify && tested.seen.service && tested.seen.service->trouble;
    return yes && !trouble;
  }

  /// One address of each port suffices. UDP that is silent as it may be does not count, as long as
  /// something answers.
  [[nodiscard]] bool target_answers(const TestReport& report, std::size_t target) const {
    std::map<std::pair<Protocol, std::uint16_t>, bool> ports;
    bool any = false;
    for (const TestedAttempt& tested : report.attempts) {
      if (tested.target != target) continue;
      const bool yes = answered(tested);
      const bool idle = tested.seen.outcome == probe::Outcome::Silent && tested.agrees == true &&
                        tested.attempt.asked.protocol == Protocol::Udp &&
                        tested.predicted->outcome == probe::Outcome::Answered;
      bool& port = ports[{tested.attempt.asked.protocol, tested.attempt.asked.port}];
      port = port || yes || idle;
      any = any || yes;
    }
    return any && std::ranges::all_of(ports, [](const auto& port) { return port.second; });
  }

  [[nodiscard]] ExitStatus status_of(const TestReport& report) const {
    if (report.interrupted) return ExitStatus::Interrupted;
    ExitStatus out = ExitStatus::Yes;
    for (std::size_t i = 0; i < report.targets.size(); ++i) {
      if (target_answers(report, i)) continue;
      const bool open =
          report.targets[i].open ||
          std::ranges::any_of(report.attempts, [&](const TestedAttempt& tested) {
            return tested.target == i && tested.seen.outcome == probe::Outcome::Unknown;
          });
      if (!open) return ExitStatus::No;
      out = ExitStatus::CannotTell;
    }
    const bool wrong = std::ranges::any_of(
        report.attempts, [](const TestedAttempt& tested) { return tested.agrees == false; });
    return wrong ? ExitStatus::No : out;
  }

  void tell(const TestReport& report, Output& out) const {
    if (asked_.verbose) print_message(gaps_text(report.host.gaps));
    if (asked_.json) {
      show::write_test_json(report, [&out](std::string_view text) { out.write(text); });
    } else {
      out.write(show::test_text(report, style_, asked_.verbose));
    }
  }

  /// All rounds of --count in one report.
  Outcome once(TestReport& report, Output& out) {
    const std::vector<TestedAttempt> plan = report.attempts;
    std::vector<TestedAttempt> all;
    for (std::uint32_t round = 0; round < asked_.count.value_or(1); ++round) {
      if (round > 0 && interrupted_within(stop_, static_cast<int>(asked_.every_ms))) {
        report.interrupted = true;
        break;
      }
      report.attempts = plan;
      connect_all(report);
      std::ranges::move(report.attempts, std::back_inserter(all));
      if (report.interrupted) break;
    }
    report.attempts = std::move(all);
    judge_all(report);
    if (!report.interrupted) look_near(report);
    tell(report, out);
    return status_of(report);
  }

  static std::string clock_text() {
    const std::time_t now = std::time(nullptr);
    std::tm parts{};
    ::localtime_r(&now, &parts);
    std::array<char, 16> text{};
    const std::size_t size = std::strftime(text.data(), text.size(), "%H:%M:%S", &parts);
    return {text.data(), size};
  }

  /// Rounds until somebody interrupts, and what changed in each.
  Outcome watch(TestReport& report, Output& out) {
    if (asked_.json) return once(report, out);
    const bool terminal = ::isatty(out.fd()) == 1;
    constexpr std::string_view kClearLine = "\r\x1b[K";
    const std::vector<TestedAttempt> plan = report.attempts;
    ExitStatus status = ExitStatus::Yes;
    for (std::uint32_t round = 0; !asked_.count || round < *asked_.count; ++round) {
      if (round > 0 && interrupted_within(stop_, static_cast<int>(asked_.every_ms))) {
        report.interrupted = true;
        break;
      }
      std::vector<TestedAttempt> before = std::move(report.attempts);
      report.attempts = plan;
      connect_all(report);
      if (report.interrupted) {
        if (round > 0) report.attempts = std::move(before);
        break;
      }
      if (round == 0) judge_all(report);
      status = status_of(report);
      if (terminal) out.write(kClearLine);
      out.write(watch_.round(report, clock_text()));
      if (terminal) out.write(watch_.status(report));
      out.flush();
    }
    if (terminal) out.write(kClearLine);
    out.write("\n" + watch_.sparks(report));
    return report.interrupted ? ExitStatus::Interrupted : status;
  }

  const Invocation& asked_;
  kernel::Source& source_;
  const WhyEngine& engine_;
  const std::vector<TestTarget>& targets_;
  TestChoices choices_;
  int stop_;
  show::TableStyle style_;
  TestWatch watch_;
  kernel::NetnsThread inside_;
  TestFacts* facts_ = nullptr;
};

}  // namespace

Outcome command_test(std::span<const std::string>, const Invocation& asked, Output& out) {
  const auto targets = read_targets(asked);
  if (!targets) return fail_with(ExitStatus::Usage, targets.error());
  auto choices = read_choices(asked);
  if (!choices) return fail_with(ExitStatus::Usage, choices.error());
  const UniqueFd stop = catch_interrupt();
  if (!asked.via.empty()) return test_via(asked, *targets, stop.get(), out);
  const tl::expected<OpenedSource, Failure> opened = open_source(asked);
  if (!opened) return tl::unexpected<Failure>(opened.error());
  Tally tally(*opened->source);
  kernel::Source& source = asked.verbose ? static_cast<kernel::Source&>(tally) : *opened->source;
  const WhyEngine engine = why_engine();
  Test test(asked, source, engine, *targets, std::move(*choices), stop.get());
  const Outcome outcome = test.run(out);
  if (asked.verbose) {
    print_message("hark: source: " + show::for_terminal(opened->name) + "\n" + tally.text());
  }
  if (outcome) leave(*outcome, out);
  return outcome;
}

}  // namespace hark::cli
