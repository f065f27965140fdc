// hark check: policy, source, host, who reaches it, judgement; screen, JSON, JUnit or SARIF. With
// --learn the other way round: a policy of what is there.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/unique_fd.h"
#include "cli/commands.h"
#include "cli/list_reach.h"
#include "cli/source.h"
#include "cli/tally.h"
#include "cli/terminal.h"
#include "diagnose/policy.h"
#include "diagnose/policy_learn.h"
#include "host/collect_network.h"
#include "host/declared_ports.h"
#include "host/policy_file.h"
#include "show/check.h"
#include "show/escape.h"

namespace hark::cli {
namespace {

using diagnose::PolicyStatus;
using host::Host;
using host::Policy;

constexpr auto kAll = "all";
constexpr std::size_t kMostProblems = 20;
constexpr unsigned kMostLoosenings = 8;

/// No more of it than a policy can have.
Result<std::string> read_policy_file(const std::string& path) {
  const UniqueFd fd(path == "-" ? ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
                                : ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!fd.valid()) return fail(kernel_error(errno, path));
  std::string out;
  std::array<char, 65'536> piece{};
  while (out.size() <= decode::kLargestToml) {
    const ssize_t count = ::read(fd.get(), piece.data(), piece.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(kernel_error(errno, path));
    if (count == 0) break;
    out.append(piece.data(), static_cast<std::size_t>(count));
  }
  return out;
}

/// As compilers say it: editors and CI find the place.
void print_problems(const std::string& path, const std::vector<host::PolicyProblem>& problems) {
  const std::string name = show::for_terminal(path == "-" ? "standard input" : path);
  std::string out;
  for (std::size_t i = 0; i < problems.size() && i < kMostProblems; ++i) {
    const host::PolicyProblem& one = problems[i];
    out += name + ":" + std::to_string(one.place.line) + ":" + std::to_string(one.place.column) +
           ": " + show::for_terminal(one.what) + "\n";
  }
  if (problems.size() > kMostProblems) {
    out += name + ": and " + std::to_string(problems.size() - kMostProblems) + " more\n";
  }
  print_message(out);
}

tl::expected<host::Collected, Failure> collect(kernel::Source& source, const Invocation& asked) {
  // Ports may be published to other namespaces, and near misses be in them.
  return collect_or_fail(source, {.identity = true,
                                  .owners = true,
                                  .details = true,
                                  .netns = kAll,
                                  .focus = asked.netns == kAll ? "" : asked.netns});
}

/// Everything that a policy is about. It stays where it was made: its parts refer to each other.
struct Facts {
  host::Collected collected;
  std::vector<host::DeclaredPort> declared = {};
  std::optional<reach::ReachTable> reach = {};
  std::vector<host::Gap> gaps = {};
  std::optional<host::NetnsId> netns = {};

  [[nodiscard]] diagnose::PolicyFacts policy_facts() const {
    return {.host = collected.host, .reach = *reach, .declared = declared, .netns = netns};
  }
};

/// Sockets that look like a client's are asked about only where an expectation has their port.
std::vector<std::size_t> listeners_meant(const Facts& facts, const Policy& policy) {
  std::vector<std::size_t> out;
  const Host& host = facts.collected.host;
  for (std::size_t i = 0; i < host.listeners.size(); ++i) {
    const host::Listener& one = host.listeners[i];
    if (facts.netns && one.netns != *facts.netns) continue;
    const auto has_port = [&](const host::Expectation& asked) {
      return asked.first_port <= one.port && one.port <= asked.last_port;
    };
    if (!one.probable_client || std::ranges::any_of(policy.expectations, has_port)) {
      out.push_back(i);
    }
  }
  return out;
}

void read_facts(kernel::Source& source, const Invocation& asked, const Policy& policy,
                Facts& into) {
  const Host& host = into.collected.host;
  if (asked.netns != kAll) into.netns = into.collected.focus;
  into.gaps = host.gaps;
  WhyEngine engine = why_engine();
  engine.read = [&](kernel::Source& from, const kernel::NetnsRef& way, const Host& of,
                    host::NetnsId id) {
    host::Network network = host::collect_network(from, way, of, id, host::network_request(of, id));
    for (const auto& [fact, gap] : network.unread) into.gaps.push_back(gap);
    return network;
  };
  const std::vector<std::size_t> listeners = listeners_meant(into, policy);
  // A namespace without listeners may publish ports all the same.
  const bool all = !into.netns || listeners.empty();
  into.reach.emplace(read_reach({source, host, into.collected.ways, engine}, listeners, all,
                                reach::Sources::OfClients, into.gaps));
  const auto asks = [](const host::Expectation& one) { return !one.as.empty(); };
  if (std::ranges::any_of(policy.expectations, asks)) {
    into.declared = host::read_declared_ports(source, host);
  }
  std::ranges::sort(into.gaps);
  into.gaps.erase(std::unique(into.gaps.begin(), into.gaps.end()), into.gaps.end());
}

ExitStatus status_of(const show::CheckReport& report) {
  const std::size_t open = show::count_of(report, PolicyStatus::Unknown);
  const std::size_t met = show::count_of(report, PolicyStatus::Met);
  if (met + open < report.results.size()) return ExitStatus::No;
  return open > 0 || report.hidden ? ExitStatus::CannotTell : ExitStatus::Yes;
}

void tell(const Invocation& asked, const show::CheckReport& report, Output& out) {
  const show::Sink sink = [&out](std::string_view text) { out.write(text); };
  if (asked.json) {
    show::write_check_json(report, sink);
  } else if (asked.format == "sarif") {
    show::write_check_sarif(report, sink);
  } else if (asked.format == "junit") {
    out.write(show::check_junit(report));
  } else {
    out.write(show::check_text(report, choose_style(asked, look_around()), asked.verbose));
  }
}

/// What is written is read again and judged, and what is not met is taken out.
Result<std::string> learn(const Facts& facts) {
  const Host& host = facts.collected.host;
  const diagnose::PolicyFacts about = facts.policy_facts();
  std::vector<std::string> head = {
      "What listens on " + (host.name.empty() ? std::string("this host") : host.name) +
          (host.taken_at_ms > 0 ? ", as hark saw it at " + host::rfc3339(host.taken_at_ms) : ""),
      "Check a host against it: hark check THIS-FILE. What it means: docs/check.md"};
  std::vector<diagnose::LearntExpectation> learnt = diagnose::learn_policy(about);
  for (unsigned i = 0;; ++i) {
    std::string out = show::policy_toml(learnt, head);
    const auto policy = host::parse_policy(out);
    if (!policy) {
      return fail(plain_error("--learn", "what was learnt is no policy: line " +
                                             std::to_string(policy.error().front().place.line) +
                                             ": " + policy.error().front().what));
    }
    const auto results = diagnose::check_policy(about, *policy);
    if (i == kMostLoosenings || !diagnose::loosen(learnt, *policy, results)) return out;
  }
}

}  // namespace

Outcome command_check(const Invocation& asked, Output& out) {
  Policy policy;
  const std::string file = asked.learn ? "" : asked.words.front();
  if (!asked.learn) {
    const Result<std::string> text = read_policy_file(file);
    if (!text) return fail_with(ExitStatus::Usage, text.error());
    auto parsed = host::parse_policy(*text);
    if (!parsed) {
      print_problems(file, parsed.error());
      return ExitStatus::Usage;
    }
    policy = std::move(*parsed);
  }
  give_threads_heaps();
  const tl::expected<OpenedSource, Failure> opened = open_source(asked);
  if (!opened) return tl::unexpected<Failure>(opened.error());
  Tally tally(*opened->source);
  kernel::Source& source = asked.verbose ? static_cast<kernel::Source&>(tally) : *opened->source;
  auto collected = collect(source, asked);
  if (!collected) return tl::unexpected<Failure>(collected.error());
  Facts facts{.collected = std::move(*collected)};
  read_facts(source, asked, policy, facts);
  if (asked.verbose) {
    print_message("hark: source: " + show::for_terminal(opened->name) + "\n" + tally.text() +
                  gaps_text(facts.gaps));
  }
  if (asked.learn) {
    const Result<std::string> learnt = learn(facts);
    if (!learnt) return fail_with(ExitStatus::CannotTell, learnt.error());
    out.write(*learnt);
    leave(ExitStatus::Yes, out);
  }
  const diagnose::PolicyFacts about = facts.policy_facts();
  const show::CheckReport report{.host = facts.collected.host,
                                 .reach = *facts.reach,
                                 .policy = policy,
                                 .file = file,
                                 .results = diagnose::check_policy(about, policy),
                                 .gaps = facts.gaps,
                                 .several = !facts.netns,
                                 .hidden = diagnose::hides_listeners(about, policy, facts.gaps)};
  tell(asked, report, out);
  leave(status_of(report), out);
}

}  // namespace hark::cli
