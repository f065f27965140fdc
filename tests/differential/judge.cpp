#include "judge.h"

#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "host/collect.h"
#include "host/collect_network.h"
#include "host/network.h"
#include "host/networks.h"
#include "kernel/live.h"
#include "reach/trace.h"

namespace hark::differential {

struct Judge::Facts {
  std::unique_ptr<kernel::Source> source = {};
  host::Host host = {};
  std::vector<kernel::NetnsRef> ways = {};
  host::Network network = {};
  std::unique_ptr<host::Networks> others = {};
  std::unique_ptr<reach::Tracer> tracer = {};

  void make_ready() {
    others = std::make_unique<host::Networks>(*source, host, ways);
    others->know(network);
    // Read now: the questions themselves make neighbours and connections.
    for (std::uint32_t i = 1; i < ways.size(); i++) (void)others->of(host::NetnsId{i});
    tracer = std::make_unique<reach::Tracer>(host, network, others.get());
  }
};

namespace {

std::uint64_t inode_of(const std::string& path) {
  struct stat about {};
  return stat(path.c_str(), &about) == 0 ? about.st_ino : 0;
}

// What was read of one container is added to what was read of the host.
void add_box(host::Host& host, host::Host box, const std::string& name) {
  const auto netns = host::NetnsId{static_cast<std::uint32_t>(host.namespaces.size())};
  const auto first = static_cast<std::uint32_t>(host.processes.size());
  box.namespaces.front().name = name;
  box.namespaces.front().own = false;
  host.namespaces.push_back(box.namespaces.front());
  for (host::Process& process : box.processes) host.processes.push_back(std::move(process));
  for (host::Listener& listener : box.listeners) {
    listener.netns = netns;
    if (!listener.owners) listener.owners.emplace();
    for (host::Owner& owner : *listener.owners) {
      owner.process = host::ProcessId{static_cast<std::uint32_t>(owner.process) + first};
    }
    host.listeners.push_back(std::move(listener));
  }
}

}  // namespace

Judge::Judge(std::unique_ptr<Facts> facts) : facts_(std::move(facts)) {}
Judge::Judge(Judge&&) noexcept = default;
Judge& Judge::operator=(Judge&&) noexcept = default;
Judge::~Judge() = default;

Result<Judge> Judge::read(const Place& place) {
  auto facts = std::make_unique<Facts>();
  facts->source = kernel::make_live();
  Result<void> done;
  const auto collect_in = [&](int netns) {
    host::Host out;
    place.in_netns(netns, [&] {
      const std::unique_ptr<kernel::Source> source = kernel::make_live();
      auto host = host::collect(*source, {.identity = false, .netns = "self"});
      if (!host) done = fail(host.error());
      if (host) out = std::move(*host);
      if (netns != place.host()) return;
      facts->network = host::collect_network(*source, {}, out, host::NetnsId{0}, {});
    });
    return out;
  };
  facts->host = collect_in(place.host());
  facts->ways.push_back({inode_of(place.host_path()), {place.host_path()}});
  for (const Place::Box& box : place.boxes()) {
    host::Host there = collect_in(box.netns.get());
    if (!done) return fail(done.error());
    add_box(facts->host, std::move(there), box.name);
    facts->ways.push_back({inode_of(box.path), {box.path}});
  }
  if (!done) return fail(done.error());
  facts->make_ready();
  return Judge(std::move(facts));
}

Result<Judge> Judge::with_neighbours_of(const Place& place) const {
  auto now = read(place);
  if (!now) return fail(now.error());
  auto facts = std::make_unique<Facts>();
  facts->source = std::move(now->facts_->source);
  facts->host = facts_->host;
  facts->ways = facts_->ways;
  facts->network = facts_->network;
  facts->network.neighbours = now->facts_->network.neighbours;
  facts->make_ready();
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
  if (link == nullptr) link = facts_->network.link("v" + ask.interface);
  if (link != nullptr && link->master != 0) link = facts_->network.link(link->master);
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
