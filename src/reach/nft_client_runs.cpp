// Long lists of addresses, a rule for each: taken as one question where many clients are followed.
#include <algorithm>
#include <utility>

#include "reach/nft_clients.h"
#include "reach/nft_machine.h"

namespace hark::reach {

namespace nft = decode::nft;

namespace {

/// Fewer rules than these are told one by one.
constexpr std::size_t kLeastRules = 32;

struct Kind {
  enum class Is : std::uint8_t { Other, Fails, Asks };
  Is is = Is::Other;
  AddressRange clients = {};
  nft::Verdict verdict = nft::Verdict::Continue;
};

/// Of a comparison that is not about the client: nothing where it is open.
std::optional<bool> settled(const Machine& machine, const nft::Cmp& op) {
  const auto known = machine.registers.known(op.sreg, op.data.size());
  if (known && op.op == nft::CmpOp::Eq) return std::ranges::equal(*known, op.data);
  return compare(machine.registers.load(op.sreg, op.data.size()), op.op, op.data);
}

bool ends_plainly(nft::Verdict verdict) {
  return verdict == nft::Verdict::Drop || verdict == nft::Verdict::Accept ||
         verdict == nft::Verdict::Return;
}

Kind kind_of(Machine& machine, const nft::Rule& rule) {
  Kind out;
  bool asked = false;
  for (const nft::Expression& expression : rule.expressions) {
    const nft::Operation& what = expression.operation;
    if (const auto* op = std::get_if<nft::Cmp>(&what)) {
      if (machine.registers.clients(op->sreg, op->data.size())) {
        const auto range = asked_range(machine, *op);
        if (!range || asked) return {};
        asked = true;
        out.clients = *range;
        continue;
      }
      const auto holds = settled(machine, *op);
      if (!holds) return {};
      if (!*holds) return {.is = Kind::Is::Fails};
      continue;
    }
    if (const auto* op = std::get_if<nft::Immediate>(&what)) {
      const bool last = &expression == &rule.expressions.back();
      if (!asked || !last || !op->verdict || !ends_plainly(op->verdict->verdict)) return {};
      out.is = Kind::Is::Asks;
      out.verdict = op->verdict->verdict;
      return out;
    }
    if (std::holds_alternative<nft::Range>(what)) return {};
    const auto next = for_everybody(machine, expression);
    if (!next) return {};
    if (*next == Next::Break) return {.is = Kind::Is::Fails};
  }
  return {};
}

/// Gives each address to the first part that holds it. Every piece between two borders is painted
/// once: `next` leads over those that have been.
std::map<nft::Verdict, AddressSet> painted(const std::vector<ClientRun::Part>& parts) {
  std::vector<IpAddress> borders;
  for (const ClientRun::Part& part : parts) {
    borders.push_back(part.clients.first);
    if (const auto behind = next_address(part.clients.last)) borders.push_back(*behind);
  }
  std::ranges::sort(borders);
  borders.erase(std::unique(borders.begin(), borders.end()), borders.end());
  std::vector<std::size_t> next(borders.size() + 1);
  for (std::size_t i = 0; i < next.size(); ++i) next[i] = i;
  const auto free_from = [&next](std::size_t at) {
    std::size_t free = at;
    while (next[free] != free) free = next[free];
    while (next[at] != free) at = std::exchange(next[at], free);
    return free;
  };
  std::map<nft::Verdict, std::vector<AddressRange>> ranges;
  for (const ClientRun::Part& part : parts) {
    const auto first = std::ranges::lower_bound(borders, part.clients.first) - borders.begin();
    for (std::size_t at = free_from(static_cast<std::size_t>(first));
         at < borders.size() && borders[at] <= part.clients.last; at = free_from(at)) {
      AddressRange piece{borders[at], part.clients.last};
      if (at + 1 < borders.size() && borders[at + 1] <= part.clients.last) {
        piece.last = previous_address(borders[at + 1]);
      }
      ranges[part.verdict].push_back(piece);
      next[at] = at + 1;
    }
  }
  std::map<nft::Verdict, AddressSet> out;
  for (auto& [verdict, pieces] : ranges) out.emplace(verdict, AddressSet(std::move(pieces)));
  return out;
}

}  // namespace

std::shared_ptr<const ClientRun> Machine::find_run(OpenRules& open, std::size_t first) {
  const Registers before = registers;
  auto run = std::make_shared<ClientRun>();
  std::vector<AddressRange> ranges;
  run->end = first;
  while (const OpenRules::Rule* next = open.first_from(run->end)) {
    run->end = next->position;
    rule = chain->rules[run->end];
    const Kind kind = kind_of(*this, *rule);
    if (kind.is == Kind::Is::Fails) open.close(*next);
    // A run begins with a rule that asks, and is looked for only as long as it may become one.
    const bool thin = run->end - first > kLeastRules * 4 && run->parts.size() < kLeastRules;
    if (run->parts.empty() && kind.is != Kind::Is::Asks) break;
    if (kind.is == Kind::Is::Other || thin) break;
    ++run->end;
    if (kind.is == Kind::Is::Fails) continue;
    run->parts.push_back({next->position, kind.clients, kind.verdict});
    ranges.push_back(kind.clients);
  }
  registers = before;
  if (run->parts.size() < kLeastRules || run->parts.front().at != first) return nullptr;
  std::vector<std::shared_ptr<const ClientRun>>& known =
      here.world.clients->memory->runs[chain->rules[first]];
  const auto same = std::ranges::find_if(known, [&](const auto& other) {
    return other->end == run->end && other->parts == run->parts;
  });
  if (same != known.end()) return *same;
  run->all = AddressSet(std::move(ranges));
  run->meet = painted(run->parts);
  known.push_back(run);
  return run;
}

const ClientRun* Machine::run_at(OpenRules& open, OpenRules::Rule& first) {
  if (!OpenRules::looked_for_run(first)) open.keep_run(first, find_run(open, first.position));
  return open.run_of(first);
}

bool Machine::follow_run(const ClientRun& run, std::size_t& next) {
  Clients& clients = *here.world.clients;
  next = run.end;
  bool met = false;
  for (const ClientRun::Part& part : run.parts) {
    if (clients.address() < part.clients.first || part.clients.last < clients.address()) continue;
    if (!met) clients.split(run.meet.at(part.verdict));
    met = true;
    rule = chain->rules[part.at];
    // A blocker that is to be taken for removed is a rule that does not match.
    if (part.verdict == nft::Verdict::Drop && waived()) continue;
    next = part.at + 1;
    return follow({.verdict = part.verdict, .chain = {}}) == Next::Verdict;
  }
  if (!met) clients.split(run.all);
  return false;
}

}  // namespace hark::reach
