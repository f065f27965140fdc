// hark why: target, source, host, namespace, questions, answers, screen or JSON.
#include <unistd.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/new_file.h"
#include "cli/peer.h"
#include "cli/source.h"
#include "cli/tally.h"
#include "cli/terminal.h"
#include "cli/why_engine.h"
#include "cli/why_published.h"
#include "host/hidden_owner.h"
#include "host/near_ports.h"
#include "host/rulesets.h"
#include "host/target.h"
#include "reach/client_view.h"
#include "show/escape.h"
#include "show/graph.h"
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
  return collect_or_fail(source, {.identity = asked.json,
                                  .owners = true,
                                  .details = details,
                                  .netns = kAll,
                                  .focus = asked.netns == kAll ? "" : asked.netns});
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
  const auto add = [&](Protocol protocol, std::uint16_t number) {
    const host::PortQuestion port{protocol, number};
    if (target.endpoint && std::ranges::find(ports, port) == ports.end()) ports.push_back(port);
  };
  for (const Answer& answer : report.answers) add(answer.question.protocol, answer.question.port);
  for (const reach::Destination& to : report.plan.destinations) add(to.protocol, to.port);
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

ExitStatus status_of(reach::Through through) {
  switch (through) {
    case reach::Through::Yes:
      return ExitStatus::Yes;
    case reach::Through::Maybe:
      return ExitStatus::CannotTell;
    case reach::Through::No:
      break;
  }
  return ExitStatus::No;
}

/// The best that any of the sources gets; of classes, those that a client could have.
ExitStatus status_of_all(const show::WhyReport& report) {
  reach::Through best = reach::Through::No;
  for (const Answer& answer : report.answers) best = std::max(best, reach::gets_through(answer));
  const reach::ClientSources sources(report.network);
  const reach::ClientView clients = reach::view_of(sources, reach::list_of(report.classes));
  for (const reach::ClientPart& part : clients.parts) {
    best = std::max(best, reach::gets_through(part.cls->answer));
  }
  return status_of(best);
}

/// The picture, on the terminal or in the file that was named.
Result<void> draw(const Invocation& asked, const show::WhyReport& report, Output& out) {
  const std::vector<show::GraphLane> lanes = show::graph_lanes(report);
  if (asked.output.empty()) {
    out.write(show::graph_text(lanes, choose_style(asked, look_around())));
    return {};
  }
  const std::string title = "hark why " + report.target.written;
  const std::string text = asked.output.ends_with(".svg") ? show::graph_svg(lanes, title)
                                                          : show::graph_dot(lanes, title);
  return write_new_file(asked.output, text);
}

/// Sets that are too large to be read are asked for what the answers hang on. True: there is more
/// to answer with now.
bool ask_sets(kernel::Source& source, const kernel::NetnsRef& way, const show::WhyReport& report,
              host::Network& network) {
  bool any = false;
  for (const Answer& answer : report.answers) {
    if (answer.certainty != reach::Certainty::Unknown) continue;
    for (const host::ElementQuestion& element : answer.wanted) {
      any = host::ask_element(source, way, network.nft, element) || any;
    }
  }
  return any;
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
  std::vector<const Answer*> all;
  for (const Answer& answer : report.answers) all.push_back(&answer);
  for (const reach::ReachClass& one : report.classes) all.push_back(&one.answer);
  for (const Answer* each : all) {
    const Answer& answer = *each;
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

std::vector<host::Gap> all_gaps(const host::Host& host, const host::Network& network) {
  std::vector<host::Gap> gaps = host.gaps;
  for (const auto& [fact, gap] : network.unread) gaps.push_back(gap);
  std::ranges::stable_sort(gaps);
  gaps.erase(std::unique(gaps.begin(), gaps.end()), gaps.end());
  return gaps;
}

}  // namespace

ExitStatus status_of(const Answer& answer) {
  return status_of(reach::gets_through(answer));
}

/// Connections wait at a listener that is told to answer: only a second look can tell whether
/// somebody takes them. True: there is one, and it was looked at again.
bool look_twice(kernel::Source& source, const kernel::NetnsRef& way, const host::Host& host,
                const show::WhyReport& report, host::Network& network) {
  constexpr int kLooks = 5;
  constexpr useconds_t kBetween = 200'000;
  const auto waits = [&](const Answer& answer) {
    if (answer.outcome != reach::Outcome::Answered || !answer.delivers_to) return false;
    const host::Listener& listener = host.listeners[*answer.delivers_to];
    const host::SocketFacts* facts = network.services.socket(listener.socket.inode);
    return facts != nullptr && facts->queue_length > 0;
  };
  if (std::ranges::none_of(report.answers, waits) &&
      std::ranges::none_of(report.classes, waits, &reach::ReachClass::answer)) {
    return false;
  }
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
  // They are about questions.
  if (plan->questions.empty() && plan->destinations.empty()) plan->notes.clear();
  plan->notes.insert(plan->notes.begin(), notes.begin(), notes.end());

  show::WhyReport report{host, network, *target, *plan, {}, {}, all_gaps(host, network)};
  facts.others = std::make_unique<host::Networks>(source, host, facts.collected.ways);
  facts.others->know(network);
  facts.trace = engine.tracer(host, network, facts.others.get());
  const auto answer_all = [&] {
    report.answers.clear();
    for (const reach::Question& question : plan->questions) {
      report.answers.push_back(facts.trace(question));
    }
    report.classes.clear();
    if (plan->destinations.empty()) return;
    for (std::vector<reach::ReachClass>& place :
         engine.reach(host, network, plan->destinations, facts.others.get())) {
      std::ranges::move(place, std::back_inserter(report.classes));
    }
  };
  answer_all();
  // One set may decide about which other is asked.
  constexpr int kMostRounds = 8;
  for (int round = 0; round < kMostRounds && ask_sets(source, way, report, network); ++round) {
    answer_all();
  }
  const Reading reading{source, host, facts.collected.ways, engine, facts.others.get()};
  WhyPublished published = published_for(reading, network, *target, listeners.empty());
  report.published = std::move(published.ports);
  // A recording holds one look.
  if (!asked.recording && look_twice(source, way, host, report, network)) answer_all();
  add_beyond(report);
  ExitStatus status = status_of_all(report);
  if (listeners.empty() && status != ExitStatus::Yes) {
    status = look_near(source, way, *target, status, report);
    report.near.insert(report.near.begin(), published.near.begin(), published.near.end());
  }
  if (asked.verbose) print_message(gaps_text(host.gaps));
  const bool drawable = !report.answers.empty() || !report.classes.empty();
  if (!asked.graph || !drawable) {
    tell(asked, report, out);
  } else if (const Result<void> drawn = draw(asked, report, out); !drawn) {
    return fail_with(ExitStatus::CannotTell, drawn.error());
  }
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
