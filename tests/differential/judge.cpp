#include "judge.h"

#include <algorithm>
#include <utility>

#include "host/collect.h"
#include "host/collect_network.h"
#include "host/network.h"
#include "kernel/live.h"
#include "reach/trace.h"

namespace hark::differential {

struct Judge::Facts {
  host::Host host = {};
  host::Network network = {};
  std::unique_ptr<reach::Tracer> tracer = {};
};

Judge::Judge(std::unique_ptr<Facts> facts) : facts_(std::move(facts)) {}
Judge::Judge(Judge&&) noexcept = default;
Judge& Judge::operator=(Judge&&) noexcept = default;
Judge::~Judge() = default;

Result<Judge> Judge::read(const Place& place) {
  auto facts = std::make_unique<Facts>();
  Result<void> done;
  place.in_host([&] {
    const std::unique_ptr<kernel::Source> source = kernel::make_live();
    auto host = host::collect(*source, {.identity = false, .netns = "self"});
    if (!host) {
      done = fail(host.error());
      return;
    }
    facts->host = std::move(*host);
    facts->network = host::collect_network(*source, {}, facts->host, host::NetnsId{0}, {});
  });
  if (!done) return fail(done.error());
  facts->tracer = std::make_unique<reach::Tracer>(facts->host, facts->network);
  return Judge(std::move(facts));
}

Result<Judge> Judge::with_neighbours_of(const Place& place) const {
  auto now = read(place);
  if (!now) return fail(now.error());
  auto facts = std::make_unique<Facts>();
  facts->host = facts_->host;
  facts->network = facts_->network;
  facts->network.neighbours = now->facts_->network.neighbours;
  facts->tracer = std::make_unique<reach::Tracer>(facts->host, facts->network);
  return Judge(std::move(facts));
}

Verdict Judge::verdict(const Ask& ask, std::uint16_t source_port) const {
  reach::Question question;
  question.protocol = ask.udp ? Protocol::Udp : Protocol::Tcp;
  question.source = ask.source;
  question.destination = ask.destination;
  question.source_port = source_port;
  question.port = ask.port;
  const host::Link* link = facts_->network.link(ask.interface);
  if (link != nullptr) question.interface = link->index;
  const reach::Answer answer = facts_->tracer->trace(question);
  Verdict out;
  out.outcome = reach::name_of(answer.outcome);
  out.icmp = answer.icmp;
  out.code = answer.cause.code;
  out.text = answer.cause.text;
  out.error = answer.error;
  for (const reach::Cause& one : answer.instead) out.instead.push_back(one.text);
  for (const reach::Outcome one : answer.possible) out.possible.emplace_back(reach::name_of(one));
  for (const reach::Condition& one : answer.conditions) out.conditions.push_back(one.code);
  out.open_by_nature = !answer.conditions.empty() &&
                       std::ranges::all_of(answer.conditions, [](const reach::Condition& one) {
                         return one.doubt == reach::Doubt::Chance ||
                                one.doubt == reach::Doubt::Packet ||
                                one.doubt == reach::Doubt::Time;
                       });
  if (answer.delivers_to) {
    out.inodes.push_back(facts_->host.listeners.at(*answer.delivers_to).socket.inode);
  }
  for (const std::size_t other : answer.or_to) {
    out.inodes.push_back(facts_->host.listeners.at(other).socket.inode);
  }
  for (const reach::Evidence& one : answer.cause.evidence) {
    out.evidence += "    " + one.fact + " [" + one.where + "] " + one.verify + "\n";
  }
  for (const reach::Step& step : answer.path) {
    out.path += "    " + std::string(reach::name_of(step.stage)) + " " + step.verdict + ": " +
                step.detail + "\n";
  }
  for (const reach::Condition& one : answer.conditions) {
    out.path += "    ? " + one.code + ": " + one.text + "\n";
  }
  return out;
}

const reach::Tracer& Judge::tracer() const {
  return *facts_->tracer;
}

const host::Network& Judge::network() const {
  return facts_->network;
}

std::string Judge::gaps() const {
  std::string text;
  for (const auto& [fact, gap] : facts_->network.unread) {
    text += "    gap " + gap.code + ": " + gap.what + "\n";
  }
  return text;
}

}  // namespace hark::differential
