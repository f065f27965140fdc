#include "diagnose/exact_facts.h"

#include <set>
#include <string>
#include <tuple>

namespace hark::diagnose {
namespace {

using host::Host;
using host::Listener;

/// In no order: workers have none.
struct ExactFacts {
  std::multiset<std::uint32_t> pids;
  std::multiset<std::uint32_t> fds;
  std::multiset<std::uint32_t> inodes;
  std::multiset<std::uint64_t> cookies;
  std::multiset<std::tuple<std::uint64_t, std::uint64_t, std::uint64_t>> queues;
  std::multiset<char> states;
  std::multiset<std::int64_t> started_at;
};

ExactFacts facts_of(const Host& host, const std::vector<std::size_t>& listeners) {
  ExactFacts out;
  for (const std::size_t i : listeners) {
    const Listener& one = host.listeners[i];
    out.inodes.insert(one.socket.inode);
    if (one.socket.cookie) out.cookies.insert(*one.socket.cookie);
    out.queues.emplace(one.queue.length.value_or(0), one.queue.limit.value_or(0),
                       one.queue.drops.value_or(0));
    out.states.insert(one.state == host::State::Listen ? 'L' : 'U');
    if (!one.owners) continue;
    for (const host::Owner& owner : *one.owners) {
      const host::Process& process = host.at(owner.process);
      out.pids.insert(process.pid);
      out.fds.insert(owner.fds.begin(), owner.fds.end());
      out.states.insert(process.state);
      if (process.started_at_ms) out.started_at.insert(*process.started_at_ms);
    }
  }
  return out;
}

}  // namespace

void add_exact_fields(const Host& before, const Host& after, Change& change) {
  const ExactFacts then = facts_of(before, change.before);
  const ExactFacts now = facts_of(after, change.after);
  const auto add = [&](bool differs, ChangedField field) {
    if (differs) change.fields.push_back(field);
  };
  add(then.pids != now.pids, ChangedField::Pids);
  add(then.fds != now.fds, ChangedField::Fds);
  add(then.inodes != now.inodes, ChangedField::Inode);
  add(then.cookies != now.cookies, ChangedField::Cookie);
  add(then.queues != now.queues, ChangedField::Queue);
  add(then.states != now.states, ChangedField::State);
  add(then.started_at != now.started_at, ChangedField::StartedAt);
  add(then.pids.size() != now.pids.size() || change.before.size() != change.after.size(),
      ChangedField::Workers);
}

}  // namespace hark::diagnose
