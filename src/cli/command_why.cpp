// hark why: target, source, host, namespace, questions, answers, screen or JSON.
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/peer.h"
#include "cli/source.h"
#include "cli/tally.h"
#include "cli/terminal.h"
#include "cli/why_engine.h"
#include "host/hidden_owner.h"
#include "host/near_ports.h"
#include "host/target.h"
#include "show/escape.h"
#include "show/why_json.h"
#include "show/why_view.h"

namespace hark::cli {
namespace {

using host::Target;
using reach::Answer;

constexpr auto kAll = "all";

tl::unexpected<Failure> usage(Error error) {
  return fail_with(ExitStatus::Usage, std::move(error));
}

/// The addresses of one end: as written, or by the system's resolver.
Result<std::vector<IpAddress>> addresses_of(const std::string& option, const Peer& peer,
                                            const WhyEngine& engine,
                                            std::vector<std::string>& notes) {
  if (peer.address) return std::vector{peer.address->unmapped()};
  auto found = engine.resolve(peer.name);
  if (!found) {
    Error error = found.error();
    error.what = option + " " + peer.written;
    return fail(std::move(error));
  }
  std::vector<std::string> words;
  for (const IpAddress& one : *found) words.push_back(one.text());
  notes.push_back(peer.name + " is " + join(words, ", ") + " to this machine's resolver");
  return *found;
}

/// --from, --in and --to, in the words of the program.
Result<reach::Asked> read_ends(const Invocation& asked, const WhyEngine& engine,
                               std::vector<std::string>& notes) {
  reach::Asked out;
  out.interface = asked.interface;
  if (!asked.from.empty()) {
    const auto peer = parse_peer("--from", asked.from);
    if (!peer) return fail(peer.error());
    auto sources = addresses_of("--from", *peer, engine, notes);
    if (!sources) return fail(sources.error());
    out.sources = std::move(*sources);
    out.source_port = peer->port;
    if (!peer->zone.empty() && !out.interface.empty() && peer->zone != out.interface) {
      return fail(plain_error("--in " + asked.interface,
                              "the source is on another interface, " + peer->zone));
    }
    if (!peer->zone.empty()) out.interface = peer->zone;
  }
  if (!asked.to.empty()) {
    const auto peer = parse_peer("--to", asked.to);
    if (!peer) return fail(peer.error());
    if (peer->port) {
      return fail(plain_error("--to " + asked.to, "an address without a port",
                              "the port belongs to the target: hark why " + asked.words.front()));
    }
    auto destinations = addresses_of("--to", *peer, engine, notes);
    if (!destinations) return fail(destinations.error());
    out.destinations = std::move(*destinations);
  }
  return out;
}

tl::expected<host::Collected, Failure> collect_for(kernel::Source& source, const Invocation& asked,
                                                   const Target& target) {
  // Names are compared with command lines too.
  const bool details = asked.json || !target.endpoint;
  auto out = host::collect_with_ways(source, {.identity = asked.json,
                                              .owners = true,
                                              .details = details,
                                              .netns = kAll,
                                              .focus = asked.netns == kAll ? "" : asked.netns});
  if (out) return std::move(*out);
  const int code = out.error().code;
  const bool absent = code == 0 || code == ENOENT || code == ESRCH;
  return fail_with(absent ? ExitStatus::Usage : ExitStatus::CannotTell, std::move(out.error()));
}

std::string netns_name(const host::Netns& netns) {
  if (!netns.name.empty()) return netns.name;
  return netns.inode ? "net:[" + std::to_string(*netns.inode) + "]" : "self";
}

/// With --netns all: the namespace that has the target, if it is one alone.
Result<host::NetnsId> choose_netns(const Invocation& asked, const host::Collected& collected,
                                   const Target& target) {
  if (asked.netns != kAll) return collected.focus;
  std::vector<host::NetnsId> with;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < collected.host.namespaces.size(); ++i) {
    const host::NetnsId id{static_cast<std::uint32_t>(i)};
    if (host::listeners_of(collected.host, id, target).empty()) continue;
    with.push_back(id);
    names.push_back(netns_name(collected.host.at(id)));
  }
  if (with.size() == 1) return with.front();
  if (with.empty()) return host::NetnsId{0};
  return fail(plain_error("--netns all",
                          target.written + " is in several namespaces: " + join(names, ", "),
                          "ask in one: --netns " + names.front()));
}

/// What is to be said of a target that nobody listens for.
ExitStatus look_near(kernel::Source& source, const kernel::NetnsRef& way, const Target& target,
                     ExitStatus status, show::WhyReport& report) {
  const host::NetnsId netns = report.network.netns;
  report.near = host::near_targets(report.host, netns, target);
  std::vector<host::PortQuestion> ports;
  for (const Answer& answer : report.answers) {
    const host::PortQuestion port{answer.question.protocol, answer.question.port};
    if (target.endpoint && std::ranges::find(ports, port) == ports.end()) ports.push_back(port);
  }
  // What stood or should stand at this very port is nearer than what listens elsewhere.
  std::vector<host::Near> first;
  for (const host::PortQuestion& port : ports) {
    std::ranges::move(host::near_ports(source, way, report.network.services, port),
                      std::back_inserter(first));
  }
  std::ranges::move(report.near, std::back_inserter(first));
  report.near = std::move(first);
  const auto hidden = host::hidden_owner(source, report.host, netns, target);
  if (!hidden) return status;
  report.hidden = *hidden;
  report.gaps.push_back({.code = "owner-not-read",
                         .what = *hidden,
                         .hides = "whether " + target.written + " listens here",
                         .remedy = "run hark as root"});
  return ExitStatus::CannotTell;
}

ExitStatus status_of_all(const std::vector<Answer>& answers) {
  ExitStatus out = ExitStatus::No;
  for (const Answer& answer : answers) {
    const ExitStatus one = status_of(answer);
    if (one == ExitStatus::Yes) return one;
    if (one == ExitStatus::CannotTell) out = one;
  }
  return out;
}

void tell(const Invocation& asked, const show::WhyReport& report, Output& out) {
  if (asked.json) {
    show::write_why_json(report, [&out](std::string_view text) { out.write(text); });
  } else {
    out.write(show::why_text(report, choose_style(asked, look_around()), asked.verbose));
  }
}

/// Packets that were passed on: where hark does not look, and how to ask there.
void add_beyond(show::WhyReport& report) {
  for (const Answer& answer : report.answers) {
    if (answer.outcome != reach::Outcome::Unknown || answer.cause.code != "forwarded") continue;
    const auto& evidence = answer.cause.evidence;
    host::Gap gap{.code = "beyond-this-namespace",
                  .what = answer.cause.text,
                  .hides = "whether it is answered",
                  .remedy = evidence.size() > 1 ? evidence[1].verify : "ask hark there"};
    if (std::ranges::find(report.gaps, gap) == report.gaps.end()) {
      report.gaps.push_back(std::move(gap));
    }
  }
}

std::vector<host::Gap> all_gaps(const host::Host& host, const host::Network& network,
                                const reach::Plan& plan) {
  std::vector<host::Gap> gaps = host.gaps;
  for (const auto& [fact, gap] : network.unread) gaps.push_back(gap);
  if (plan.representatives && !plan.questions.empty()) gaps.push_back(reach::not_all_sources());
  std::ranges::stable_sort(gaps);
  gaps.erase(std::unique(gaps.begin(), gaps.end()), gaps.end());
  return gaps;
}

}  // namespace

ExitStatus status_of(const Answer& answer) {
  using reach::Outcome;
  if (answer.outcome == Outcome::Answered) return ExitStatus::Yes;
  if (answer.outcome != Outcome::Depends && answer.outcome != Outcome::Unknown) {
    return ExitStatus::No;
  }
  const auto answered = std::ranges::count(answer.possible, Outcome::Answered);
  const bool open = std::ranges::any_of(answer.possible, [](Outcome one) {
    return one == Outcome::Depends || one == Outcome::Unknown;
  });
  if (answer.possible.empty() || open) return ExitStatus::CannotTell;
  if (answered == 0) return ExitStatus::No;
  const bool all = static_cast<std::size_t>(answered) == answer.possible.size();
  return all ? ExitStatus::Yes : ExitStatus::CannotTell;
}

/// Connections wait at a listener that is told to answer: only a second look can tell whether
/// somebody takes them. True: there is one, and it was looked at again.
bool look_twice(kernel::Source& source, const kernel::NetnsRef& way, const host::Host& host,
                const std::vector<Answer>& answers, host::Network& network) {
  constexpr int kLooks = 5;
  constexpr useconds_t kBetween = 200'000;
  const bool waits = std::ranges::any_of(answers, [&](const Answer& answer) {
    if (answer.outcome != reach::Outcome::Answered || !answer.delivers_to) return false;
    const host::Listener& listener = host.listeners[*answer.delivers_to];
    const host::SocketFacts* facts = network.services.socket(listener.socket.inode);
    return facts != nullptr && facts->queue_length > 0;
  });
  if (!waits) return false;
  for (int look = 0; look < kLooks; ++look) {
    ::usleep(kBetween);
    if (host::look_again(source, way, network.services)) break;
  }
  return true;
}

Outcome answer_why(const Invocation& asked, kernel::Source& source, const WhyEngine& engine,
                   WhyFacts& facts, Output& out) {
  const Result<Target> target = host::parse_target(asked.words.front());
  if (!target) return usage(target.error());
  std::vector<std::string> notes;
  const Result<reach::Asked> ends = read_ends(asked, engine, notes);
  if (!ends) return usage(ends.error());
  auto collected = collect_for(source, asked, *target);
  if (!collected) return tl::unexpected<Failure>(collected.error());
  facts.collected = std::move(*collected);
  const host::Host& host = facts.collected.host;
  const Result<host::NetnsId> netns = choose_netns(asked, facts.collected, *target);
  if (!netns) return usage(netns.error());
  const kernel::NetnsRef& way = facts.collected.ways[static_cast<std::size_t>(*netns)];
  facts.network = engine.read(source, way, host, *netns);
  host::Network& network = facts.network;
  const std::vector<std::size_t> listeners = host::listeners_of(host, *netns, *target);
  if (network.links.empty()) {
    const host::Gap* gap = network.gap(host::NetworkFact::Links);
    return fail_with(ExitStatus::CannotTell,
                     gap == nullptr
                         ? plain_error(asked.words.front(), "there is no interface to ask at")
                         : plain_error(asked.words.front(), gap->what, gap->remedy));
  }
  Result<reach::Plan> plan = reach::plan_questions(host, network, *target, listeners, *ends,
                                                   engine.routing(host, network));
  if (!plan) return usage(plan.error());
  if (plan->questions.empty()) plan->notes.clear();  // they are about questions
  plan->notes.insert(plan->notes.begin(), notes.begin(), notes.end());

  show::WhyReport report{host, network, *target, *plan, {}, {}, all_gaps(host, network, *plan)};
  facts.trace = engine.tracer(host, network);
  const auto answer_all = [&] {
    report.answers.clear();
    for (const reach::Question& question : plan->questions) {
      report.answers.push_back(facts.trace(question));
    }
  };
  answer_all();
  // A recording holds one look.
  if (!asked.recording && look_twice(source, way, host, report.answers, network)) answer_all();
  add_beyond(report);
  ExitStatus status = status_of_all(report.answers);
  if (listeners.empty() && status != ExitStatus::Yes) {
    status = look_near(source, way, *target, status, report);
  }
  if (asked.verbose) print_message(gaps_text(host));
  tell(asked, report, out);
  return status;
}

Outcome command_why(const Invocation& asked, Output& out) {
  const tl::expected<OpenedSource, Failure> opened = open_source(asked);
  if (!opened) return tl::unexpected<Failure>(opened.error());
  Tally tally(*opened->source);
  kernel::Source& source = asked.verbose ? static_cast<kernel::Source&>(tally) : *opened->source;
  WhyFacts facts;
  const Outcome outcome = answer_why(asked, source, why_engine(), facts, out);
  if (asked.verbose) {
    print_message("hark: source: " + show::for_terminal(opened->name) + "\n" + tally.text());
  }
  if (outcome) leave(*outcome, out);
  return outcome;
}

}  // namespace hark::cli
