#include "reach/nft_machine.h"

#include <fmt/format.h>

#include <algorithm>

namespace hark::reach {

namespace nft = decode::nft;

namespace {

/// NFT_JUMP_STACK_SIZE
constexpr std::size_t kDeepestJump = 16;
/// Rules that one chain may run in all. The kernel refuses loops, so only a broken ruleset comes
/// near.
constexpr std::size_t kMostRules = 2'000'000;

}  // namespace

Next Machine::end(HookResult::End how) {
  ruling = {};
  ruling.verdict = nft::Verdict::Drop;
  ruling.end = how;
  return Next::Verdict;
}

Next Machine::accept() {
  ruling = {};
  ruling.verdict = nft::Verdict::Accept;
  return Next::Verdict;
}

Next Machine::follow(const nft::VerdictTo& to) {
  switch (to.verdict) {
    case nft::Verdict::Drop:
      return drop();
    case nft::Verdict::Stolen:
      return end(HookResult::End::Stolen);
    case nft::Verdict::Queue:
      return end(HookResult::End::Queue);
    case nft::Verdict::Break:
      return Next::Break;
    case nft::Verdict::Continue:
      return Next::Go;
    case nft::Verdict::Accept:
    case nft::Verdict::Jump:
    case nft::Verdict::Goto:
    case nft::Verdict::Return:
      break;
  }
  ruling = {};
  ruling.verdict = to.verdict;
  ruling.chain = to.chain;
  return Next::Verdict;
}

const PacketBytes& Machine::bytes() {
  if (!bytes_) {
    Packet seen = here.packet;
    // What leaves has a new link-layer header.
    if (here.hook == HookPoint::Egress) seen.in = 0;
    if (here.hook == HookPoint::Output) seen.has_mac = seen.has_mac && seen.in != 0;
    if (here.hook == HookPoint::Postrouting && seen.made_here()) seen.has_mac = false;
    bytes_ = bytes_of(seen, here.rules.network());
    if (here.world.clients != nullptr) mark_clients(*bytes_, seen, *here.world.clients);
  }
  return *bytes_;
}

std::optional<std::uint16_t> Machine::port() {
  constexpr std::size_t kAt = 2;
  constexpr std::uint8_t kKnown = 0xff;
  const Packet& packet = here.packet;
  // The usual packet: its header need not be written for that.
  const bool plain =
      !packet.arp && !packet.header_written && (packet.protocol == kTcp || packet.protocol == kUdp);
  if (plain) {
    const Clients* clients = here.world.clients;
    const std::uint16_t port = packet.tuple.destination_port;
    if (clients != nullptr && port == clients->port()) return std::nullopt;
    return port;
  }
  const PacketBytes& all = bytes();
  if (!all.transport || *all.transport + kAt + 2 > all.bytes.size()) return std::nullopt;
  const std::size_t at = *all.transport + kAt;
  if (all.bits[at] != kKnown || all.bits[at + 1] != kKnown) return std::nullopt;
  return static_cast<std::uint16_t>(std::to_integer<unsigned>(all.bytes[at]) << 8U |
                                    std::to_integer<unsigned>(all.bytes[at + 1]));
}

std::uint8_t Machine::origin(Origin origin) {
  for (std::size_t i = 0; i < origins_.size(); ++i) {
    if (origins_[i].what == origin.what) return static_cast<std::uint8_t>(i + 1);
  }
  if (origins_.size() == 0xff) return 0xff;
  origins_.push_back(std::move(origin));
  return static_cast<std::uint8_t>(origins_.size());
}

std::uint8_t Machine::origin_of_clients() {
  if (origin_of_clients_ == 0) {
    origin_of_clients_ =
        origin({.code = "client", .what = "the client's address or port", .doubt = Doubt::Packet});
  }
  return origin_of_clients_;
}

unsigned Machine::decide(std::uint8_t from, const std::string& question, unsigned ways) {
  may_differ();
  Origin known = {.code = "packet-shape", .what = "the packet", .doubt = Doubt::Packet};
  if (from != 0 && from <= origins_.size()) known = origins_[from - std::size_t{1}];
  return here.world.choices.pick(
      {.code = known.code,
       .text = fmt::format("{} {} ({})", known.what, question, where()),
       .key = fmt::format("value:{}:{}:{}", known.what, question, drawn(here.world, known.doubt)),
       .doubt = known.doubt},
      ways);
}

bool Machine::decide(std::uint8_t from, const std::string& question) {
  return decide(from, question, 2) == 0;
}

unsigned Machine::ask(std::string_view code, const std::string& what, Doubt doubt, unsigned ways) {
  may_differ();
  return here.world.choices.pick(
      {.code = std::string(code),
       .text = fmt::format("{} of {}", what, where()),
       .key = fmt::format("{}:{}:{}:{}", code, where(), position, drawn(here.world, doubt)),
       .doubt = doubt},
      ways);
}

bool Machine::ask(std::string_view code, const std::string& what, Doubt doubt) {
  return ask(code, what, doubt, 2) == 0;
}

std::shared_ptr<const ToldPlace> Machine::place() const {
  return here.rules.place(*chain, rule, base_.chain->type == "nat" || ruling.nat);
}

std::string Machine::where() const {
  const nft::Chain& at = *chain->chain;
  if (rule == nullptr) return fmt::format("{} {} {}", nft::name_of(at.family), at.table, at.name);
  return fmt::format("{} {} {} handle {}", nft::name_of(at.family), at.table, at.name,
                     rule->handle);
}

bool Machine::waived() const {
  return !here.world.waived.empty() && here.world.is_waived(key_of(*place()));
}

void Machine::look_up_memory() {
  const Clients* clients = here.world.clients;
  if (clients == nullptr || clients->memory == nullptr) return;
  memory_ = &clients->memory->of(here.hook, here.packet, here.view, *clients, port());
}

bool Machine::fails_for_all(Next next) const {
  if (next != Next::Break) return false;
  if (fails_anyway_ == true) return true;
  if (may_differ_) return false;
  const auto& expressions = rule->expressions;
  return std::all_of(expressions.begin(),
                     expressions.begin() + static_cast<std::ptrdiff_t>(position) + 1, only_asks);
}

bool Machine::may_have_written() const {
  const auto& expressions = rule->expressions;
  const std::size_t ran = std::min(position + 1, expressions.size());
  const auto writes = [](const nft::Expression& expression) {
    return !only_asks(expression) && !std::holds_alternative<nft::Immediate>(expression.operation);
  };
  return std::any_of(expressions.begin(), expressions.begin() + static_cast<std::ptrdiff_t>(ran),
                     writes);
}

Next Machine::run_rule(const OpenRules::Rule* open) {
  fails_anyway_.reset();
  may_differ_ = false;
  if (open == nullptr) return run_expressions();
  const Next next = run_expressions();
  if (fails_for_all(next)) {
    memory_->of(*chain).close(*open);
  } else if (may_have_written()) {
    look_up_memory();
  }
  return next;
}

Next Machine::run_expressions() {
  for (position = 0; position < rule->expressions.size(); ++position) {
    const Next next = evaluate(*this, rule->expressions[position]);
    if (next == Next::Go) continue;
    // A blocker that is to be taken for removed is a rule that does not match.
    if (next == Next::Verdict && ruling.verdict == nft::Verdict::Drop && waived()) {
      return Next::Break;
    }
    return next;
  }
  return Next::Go;
}

HookResult Machine::ended(HookResult::End how) const {
  HookResult result;
  result.end = how;
  result.place = place();
  result.tcp_reset = ruling.tcp_reset;
  result.icmp_type = ruling.icmp_type;
  result.icmp_code = ruling.icmp_code;
  return result;
}

HookResult Machine::policy() const {
  HookResult result;
  if (base_.chain->accepts || waived()) return result;
  result.end = HookResult::End::Drop;
  result.place = place();
  return result;
}

Machine::Step Machine::after_verdict(std::size_t& next, std::vector<Return>& stack) {
  const nft::Verdict verdict = ruling.verdict;
  if (verdict == nft::Verdict::Return) return Step::Chain;
  if (verdict != nft::Verdict::Jump && verdict != nft::Verdict::Goto) return Step::Done;
  const auto found = chain->table->chains.find(ruling.chain);
  // The kernel does not let a chain be deleted that is jumped to.
  if (found == chain->table->chains.end()) return Step::Rule;
  if (verdict == nft::Verdict::Jump) {
    if (stack.size() >= kDeepestJump) {
      (void)drop();
      return Step::Done;
    }
    stack.push_back({.chain = chain, .rule = next});
  }
  chain = found->second;
  next = 0;
  return Step::Rule;
}

Machine::Step Machine::run_from(std::size_t& next, std::vector<Return>& stack) {
  OpenRules::Rule* open = nullptr;
  if (memory_ == nullptr) {
    next = chain->by_port.first_from(next, port());
    if (next == chain->rules.size()) return Step::Chain;
  } else {
    OpenRules& rules = memory_->of(*chain);
    open = rules.first_from(next);
    if (open == nullptr) return Step::Chain;
    next = open->position;
    if (const ClientRun* run = run_at(rules, *open)) {
      return follow_run(*run, next) ? after_verdict(next, stack) : Step::Rule;
    }
  }
  rule = chain->rules[next++];
  return run_rule(open) == Next::Verdict ? after_verdict(next, stack) : Step::Rule;
}

HookResult Machine::execute() {
  std::vector<Return> stack;
  std::size_t next = 0;
  look_up_memory();
  for (std::size_t done = 0; done < kMostRules; ++done) {
    const Step step = run_from(next, stack);
    if (step == Step::Done) {
      return ended(ruling.verdict == nft::Verdict::Accept ? HookResult::End::Accept : ruling.end);
    }
    if (step == Step::Rule) continue;
    // The chain is at its end, or was left.
    if (stack.empty()) break;
    chain = stack.back().chain;
    next = stack.back().rule;
    stack.pop_back();
  }
  rule = nullptr;
  chain = &base_;
  return policy();
}

Next evaluate_all(Machine& machine, const std::vector<nft::Expression>& expressions) {
  for (const nft::Expression& expression : expressions) {
    const Next next = evaluate(machine, expression);
    if (next != Next::Go) return next;
  }
  return Next::Go;
}

namespace {

// What looks on, or works beside the packet, never ends a rule.
Next run(Machine&, const nft::Log&) {
  return Next::Go;
}
Next run(Machine&, const nft::Counter&) {
  return Next::Go;
}
Next run(Machine&, const nft::Last&) {
  return Next::Go;
}
Next run(Machine&, const nft::Dup&) {
  return Next::Go;
}
// A flow is offloaded when TCP has established it and its first packet went all the way.
Next run(Machine&, const nft::FlowOffload&) {
  return Next::Break;
}
// A plain packet was not protected by IPsec, nor did it come out of a tunnel with metadata.
Next run(Machine&, const nft::Xfrm&) {
  return Next::Break;
}
Next run(Machine&, const nft::Tunnel&) {
  return Next::Break;
}

}  // namespace

Next evaluate(Machine& machine, const nft::Expression& expression) {
  return std::visit([&machine](const auto& operation) { return run(machine, operation); },
                    expression.operation);
}

}  // namespace hark::reach
