#include "diagnose/queues.h"

#include <algorithm>

namespace hark::diagnose {
namespace {

bool is_filling(const host::Queue& queue) {
  return queue.length && queue.limit && *queue.length > 0 && *queue.length * 4 >= *queue.limit * 3;
}

bool grows(const std::vector<host::Queue>& queues) {
  return std::ranges::is_sorted(queues, {}, [](const host::Queue& one) { return one.length; });
}

}  // namespace

std::vector<host::Queue> queues_of(const Facts& facts, const host::Listener& listener) {
  std::vector<host::Queue> out = {listener.queue};
  for (const host::Look& look : facts.looks) {
    const host::SocketLook* socket = look.socket(listener.socket.inode);
    if (socket == nullptr) continue;  // MPTCP, whose listener has a number of its own
    out.push_back({.length = socket->length, .limit = socket->limit, .drops = socket->drops});
  }
  return out;
}

std::optional<reach::Blocker> always_full(const Facts& facts, const host::Listener& listener) {
  std::optional<reach::Blocker> last;
  for (const host::Queue& queue : queues_of(facts, listener)) {
    host::Listener then = listener;
    then.queue = queue;
    last = reach::accept_queue_full(then);
    if (!last) break;
  }
  return last;
}

bool keeps_filling(const Facts& facts, const host::Listener& listener) {
  const std::vector<host::Queue> queues = queues_of(facts, listener);
  return std::ranges::all_of(queues, is_filling) && grows(queues);
}

bool never_taken_from(const Facts& facts, const host::Listener& listener) {
  const std::vector<host::Queue> queues = queues_of(facts, listener);
  return facts.looked_twice() && queues.size() > 2 && grows(queues) &&
         queues.front().length.value_or(0) > 0;
}

}  // namespace hark::diagnose
