// Queues of connections that nobody takes. A queue is full above its limit, and from then on the
// kernel drops whoever wants to connect (tcp_conn_request of net/ipv4/tcp_input.c); it counts that
// in ListenOverflows, for the whole namespace, and among the drops of the socket.
//
// One look cannot tell a queue that nobody empties from one that is busy for a moment: full and
// filling mean at every look. Where there is but one, as in a recording, full is told and filling
// is not.
#include <algorithm>

#include "diagnose/families.h"
#include "diagnose/queues.h"
#include "diagnose/words.h"
#include "reach/service.h"

namespace hark::diagnose {
namespace {

using host::Listener;

constexpr auto kOverflows = "TcpExtListenOverflows";

reach::Evidence overflow_evidence(const Facts& facts, const Listener& listener) {
  return {.fact = counted(facts.rise_of_drops(listener), "packet") +
                  " dropped by this socket, and " + kOverflows + " rose by " +
                  std::to_string(facts.rise(listener, kOverflows)) + " " + since_words(facts),
          .where = "socket",
          .verify = "nstat -az TcpExtListenOverflows"};
}

bool overflows(const Facts& facts, const Listener& listener) {
  return facts.rise_of_drops(listener) > 0 && facts.rise(listener, kOverflows) > 0;
}

Finding full(const Facts& facts, std::size_t i, reach::Cause cause) {
  const Listener& listener = facts.listener(i);
  Finding out{.code = "accept-queue-full",
              .severity = Severity::Broken,
              .listener = i,
              .text = host::holder_words(facts.host, i) + ": " + cause.text,
              .evidence = std::move(cause.evidence)};
  if (overflows(facts, listener)) {
    const std::uint64_t dropped = facts.rise_of_drops(listener);
    out.text += ", and " + counted(dropped, "attempt") + (dropped == 1 ? " was" : " were") +
                " dropped while we looked";
    out.evidence.push_back(overflow_evidence(facts, listener));
  }
  out.remedy =
      "find out what keeps the program from accepting: its threads may all be busy or wait for "
      "something that does not come; to start it again empties the queue";
  return out;
}

Finding filling(const Facts& facts, std::size_t i, const host::Queue& queue) {
  const Listener& listener = facts.listener(i);
  const std::string fill = std::to_string(*queue.length) + " of " + std::to_string(*queue.limit);
  return {.code = "accept-queue-filling",
          .severity = Severity::Risk,
          .listener = i,
          .text = host::holder_words(facts.host, i) + ": its accept queue fills up: " + fill +
                  " connections wait, and none was taken " + since_words(facts),
          .evidence = {{.fact = "queue " + fill,
                        .where = "socket",
                        .verify = socket_command(listener)}},
          .remedy =
              "find out what keeps the program from accepting; a longer backlog (and "
              "net.core.somaxconn) helps only against bursts"};
}

Finding overflowed(const Facts& facts, std::size_t i) {
  const Listener& listener = facts.listener(i);
  const std::uint64_t dropped = facts.rise_of_drops(listener);
  return {.code = "accept-queue-overflowed",
          .severity = Severity::Risk,
          .listener = i,
          .text = host::holder_words(facts.host, i) + ": its accept queue overflows in bursts: " +
                  counted(dropped, "attempt") + " to connect " + (dropped == 1 ? "was" : "were") +
                  " dropped " + since_words(facts),
          .evidence = {overflow_evidence(facts, listener)},
          .remedy =
              "let the program accept faster, or give it a longer backlog, which "
              "net.core.somaxconn limits"};
}

std::optional<Finding> accept_queue(const Facts& facts, std::size_t i) {
  const Listener& listener = facts.listener(i);
  if (auto always = always_full(facts, listener)) {
    return full(facts, i, std::move(always->cause));
  }
  if (!facts.looked_twice()) return std::nullopt;
  if (overflows(facts, listener)) return overflowed(facts, i);
  if (keeps_filling(facts, listener)) {
    return filling(facts, i, queues_of(facts, listener).back());
  }
  return std::nullopt;
}

std::optional<Finding> half_open_queue(const Facts& facts, std::size_t i) {
  const host::Network* network = facts.network(facts.listener(i));
  if (network == nullptr) return std::nullopt;
  auto blocker = reach::syn_queue_full(*network, facts.listener(i));
  if (!blocker) return std::nullopt;
  return Finding{.code = "syn-queue-full",
                 .severity = Severity::Broken,
                 .listener = i,
                 .text = host::holder_words(facts.host, i) + ": " + blocker->cause.text,
                 .evidence = std::move(blocker->cause.evidence),
                 .remedy =
                     "switch SYN cookies on (net.ipv4.tcp_syncookies = 1), then look whose "
                     "handshakes are never completed: a flood, or answers that get lost"};
}

}  // namespace

std::vector<Finding> full_queues(const Facts& facts) {
  std::vector<Finding> out;
  for (const std::size_t i : facts.listeners) {
    if (facts.listener(i).state != host::State::Listen) continue;
    if (auto finding = accept_queue(facts, i)) out.push_back(std::move(*finding));
    if (auto finding = half_open_queue(facts, i)) out.push_back(std::move(*finding));
  }
  return out;
}

}  // namespace hark::diagnose
