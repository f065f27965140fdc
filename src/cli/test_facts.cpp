#include "cli/test_facts.h"

#include <unistd.h>

#include <algorithm>
#include <memory>

#include "base/text.h"
#include "cli/commands.h"
#include "host/target.h"
#include "probe/verdict.h"
#include "reach/routing.h"
#include "reach/way_out.h"
#include "show/why_words.h"

namespace hark::cli {
namespace {

std::uint32_t loopback_of(const host::Network& network) {
  for (const host::Link& link : network.links) {
    if (link.is_loopback()) return link.index;
  }
  return 0;
}

/// What may explain that it was predicted otherwise.
std::string explain(const show::TestReport& report, const show::TestedAttempt& tested,
                    const TestFacts& second) {
  const auto again = predict(second, tested.attempt).answer;
  if (again && probe::agrees(*again, tested.attempt, tested.seen) == true) {
    const show::AnswerFacts facts{second.collected.host, second.network};
    return "Looked at again, it is as it was seen: " + show::verdict_words(facts, *again);
  }
  if (!report.network.unread.empty()) {
    return "Looked at again it is predicted the same; what could not be read may be the reason.";
  }
  return "Looked at again it is predicted the same: something decides that hark does not see.";
}

}  // namespace

tl::expected<std::unique_ptr<TestFacts>, Failure> look_at_host(kernel::Source& source,
                                                               const Invocation& asked,
                                                               const WhyEngine& engine,
                                                               bool details) {
  auto out = std::make_unique<TestFacts>();
  auto collected = collect_or_fail(source, {.identity = asked.json,
                                            .owners = true,
                                            .details = asked.json || details,
                                            .netns = "all",
                                            .focus = asked.netns});
  if (!collected) return tl::unexpected<Failure>(collected.error());
  out->collected = std::move(*collected);
  const host::NetnsId id = out->collected.focus;
  const auto number = static_cast<std::size_t>(id);
  if (number >= out->collected.ways.size()) {
    return fail_with(ExitStatus::CannotTell,
                     plain_error("--netns " + asked.netns, "the namespace could not be read"));
  }
  out->network = engine.read(source, out->collected.ways[number], out->collected.host, id);
  out->others = std::make_unique<host::Networks>(source, out->collected.host, out->collected.ways);
  out->others->know(out->network);
  out->trace = engine.tracer(out->collected.host, out->network, out->others.get());
  return out;
}

std::vector<Elsewhere> find_elsewhere(kernel::Source& source, const WhyEngine& engine,
                                      const TestFacts& facts, const TestTarget& target) {
  std::vector<Elsewhere> out;
  if (!target.listeners || target.listeners->endpoint) return out;
  const host::Host& host = facts.collected.host;
  if (!host::listeners_of(host, facts.network.netns, *target.listeners).empty()) return out;
  for (std::size_t i = 0; i < host.namespaces.size(); ++i) {
    const host::NetnsId id{static_cast<std::uint32_t>(i)};
    if (host::listeners_of(host, id, *target.listeners).empty()) continue;
    Elsewhere place{.netns = id};
    const host::Network network = engine.read(source, facts.collected.ways[i], host, id);
    for (const host::InterfaceAddress& one : network.addresses) {
      if (!one.address.is_loopback()) place.addresses.push_back(one.address);
    }
    out.push_back(std::move(place));
  }
  return out;
}

Prediction predict(const TestFacts& facts, const probe::Attempt& attempt) {
  const host::Network& network = facts.network;
  const std::uint32_t loopback = loopback_of(network);
  Prediction out;
  if (loopback == 0) return out;
  reach::Question question;
  question.protocol = attempt.asked.protocol;
  question.destination = attempt.asked.address;
  question.port = attempt.asked.port;
  question.interface = loopback;
  if (!attempt.interface.empty()) {
    const auto bound = std::ranges::find(network.links, attempt.interface, &host::Link::name);
    if (bound == network.links.end()) return out;
    question.bound = bound->index;
  }
  question.source.family = question.destination.family;
  const auto way = reach::way_towards(facts.collected.host, network, question.destination,
                                      question.bound != 0 ? question.bound : attempt.scope);
  if (way) question.source = way->source;
  if (attempt.source) question.source = *attempt.source;
  const host::Link* link = way ? network.link(way->link) : nullptr;
  if (link != nullptr) out.leaves_by = link->name;
  out.answer = facts.trace(question);
  if (out.answer->outcome == reach::Outcome::Silent &&
      out.answer->cause.code.starts_with("neigh-")) {
    // A sender on this host is told so (arp_error_report, ndisc_error_report).
    out.answer->outcome = reach::Outcome::NoNeighbour;
    out.answer->error = EHOSTUNREACH;
  }
  return out;
}

bool watch_queues(kernel::Source& source, TestFacts& facts,
                  const std::vector<probe::Attempt>& attempts) {
  const auto waits = [&](const probe::Attempt& attempt) {
    const auto answer = predict(facts, attempt).answer;
    if (!answer || answer->outcome != reach::Outcome::Answered || !answer->delivers_to)
      return false;
    const host::Listener& listener = facts.collected.host.listeners[*answer->delivers_to];
    const host::SocketFacts* socket = facts.network.services.socket(listener.socket.inode);
    return socket != nullptr && socket->queue_length > 0;
  };
  if (std::ranges::none_of(attempts, waits)) return false;
  constexpr int kLooks = 5;
  constexpr useconds_t kBetween = 200'000;
  for (int look = 0; look < kLooks; ++look) {
    ::usleep(kBetween);
    if (host::look_again(source, facts.way(), facts.network.services)) break;
  }
  return true;
}

void judge(show::TestReport& report, const AnotherLook& look) {
  bool wrong = false;
  for (show::TestedAttempt& tested : report.attempts) {
    if (tested.predicted) {
      tested.agrees = probe::agrees(*tested.predicted, tested.attempt, tested.seen);
    }
    wrong = wrong || tested.agrees == false;
  }
  if (!wrong) return;
  std::vector<probe::Attempt> attempts;
  for (const show::TestedAttempt& tested : report.attempts) {
    if (tested.agrees == false) attempts.push_back(tested.attempt);
  }
  const std::unique_ptr<TestFacts> second = look(attempts);
  if (!second) return;
  for (show::TestedAttempt& tested : report.attempts) {
    if (tested.agrees == false) tested.difference = explain(report, tested, *second);
  }
}

}  // namespace hark::cli
