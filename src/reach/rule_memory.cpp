#include "reach/rule_memory.h"

#include <algorithm>
#include <utility>

namespace hark::reach {
namespace {

void blank(Tuple& tuple, const Clients& clients) {
  for (IpAddress* address : {&tuple.source, &tuple.destination}) {
    if (*address == clients.address()) address->bytes = {};
  }
  for (std::uint16_t* port : {&tuple.source_port, &tuple.destination_port}) {
    if (*port == clients.port()) *port = 0;
  }
}

}  // namespace

OpenRules::OpenRules(const PreparedChain& chain, std::optional<std::uint16_t> port) {
  const std::vector<std::uint32_t> positions = chain.by_port.of(port);
  rules_.reserve(positions.size());
  next_.reserve(positions.size() + 1);
  for (const std::uint32_t position : positions) rules_.push_back({.position = position});
  for (std::uint32_t at = 0; at <= positions.size(); ++at) next_.push_back(at);
}

std::size_t OpenRules::open_from(std::size_t at) {
  std::uint32_t open = next_[at];
  while (next_[open] != open) open = next_[open];
  while (next_[at] != open) at = std::exchange(next_[at], open);
  return open;
}

OpenRules::Rule* OpenRules::first_from(std::size_t position) {
  const auto from = std::ranges::lower_bound(rules_, position, {}, &Rule::position);
  const std::size_t at = open_from(static_cast<std::size_t>(from - rules_.begin()));
  return at < rules_.size() ? &rules_[at] : nullptr;
}

void OpenRules::close(const Rule& rule) {
  const auto at = static_cast<std::size_t>(&rule - rules_.data());
  next_[at] = static_cast<std::uint32_t>(at + 1);
}

void OpenRules::keep_run(Rule& rule, std::shared_ptr<const ClientRun> run) {
  rule.run = 1;
  if (run == nullptr) return;
  rule.run = static_cast<std::uint32_t>(runs_.size()) + kFirstRun;
  runs_.push_back(std::move(run));
}

OpenRules& RuleMemory::Rules::of(const PreparedChain& chain) {
  const auto known = chains.find(&chain);
  return known != chains.end() ? known->second
                               : chains.emplace(&chain, OpenRules(chain, port)).first->second;
}

RuleMemory::Rules& RuleMemory::of(HookPoint hook, const Packet& packet, const ConntrackView& view,
                                  const Clients& clients, std::optional<std::uint16_t> port) {
  Situation now{.hook = hook, .packet = packet, .view = view};
  blank(now.packet.tuple, clients);
  if (now.view.connection) {
    blank(now.view.connection->original, clients);
    blank(now.view.connection->reply, clients);
  }
  for (Situation& known : situations_) {
    if (known.hook == now.hook && known.packet == now.packet && known.view == now.view) {
      return known.rules;
    }
  }
  now.rules.port = port;
  return situations_.emplace_back(std::move(now)).rules;
}

}  // namespace hark::reach
