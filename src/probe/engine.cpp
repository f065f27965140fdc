#include "probe/engine.h"

#include <dirent.h>
#include <sys/epoll.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <deque>
#include <memory>
#include <set>

namespace hark::probe {
namespace {

constexpr std::uint64_t kStop = ~std::uint64_t{0};
constexpr std::size_t kMostSockets = 4096;
constexpr std::size_t kLeftForOthers = 16;

/// ICMP errors of one host are rationed to 1,000 a second with bursts of 50 (icmp_msgs_per_sec,
/// icmp_msgs_burst): closed UDP ports that are asked faster than that look silent.
constexpr std::chrono::microseconds kBetweenDatagrams{1250};
constexpr int kBurst = 40;

std::size_t open_descriptors() {
  DIR* folder = ::opendir("/proc/self/fd");
  if (folder == nullptr) return 32;
  std::size_t count = 0;
  while (::readdir(folder) != nullptr) ++count;
  ::closedir(folder);
  return count;
}

class Engine {
 public:
  Engine(std::span<const Attempt> attempts, const EngineOptions& options)
      : attempts_(attempts),
        options_(options),
        limit_(options.parallel == 0 ? room_for_sockets(attempts.size()) : options.parallel),
        seen_(attempts.size()),
        running_(attempts.size()),
        due_at_(attempts.size()) {
    for (std::size_t i = 0; i < attempts.size(); ++i) {
      (attempts[i].asked.protocol == Protocol::Tcp ? streams_ : datagrams_).push_back(i);
    }
  }

  std::vector<Seen> run() {
    epoll_ = UniqueFd(::epoll_create1(EPOLL_CLOEXEC));
    if (!epoll_.valid()) return std::move(seen_);
    if (options_.stop >= 0) {
      epoll_event event{.events = EPOLLIN, .data = {.u64 = kStop}};
      static_cast<void>(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, options_.stop, &event));
    }
    while (!stopped_ && (is_more() || active_ > 0)) {
      start_more();
      // Some end as they begin.
      if (active_ > 0 || is_more()) wait();
    }
    return std::move(seen_);
  }

 private:
  [[nodiscard]] bool is_more() const { return !streams_.empty() || !datagrams_.empty(); }

  /// Those that wait to be started, of which the first may start now: in their order, but that no
  /// connection waits for the time of a datagram. Null: none may.
  [[nodiscard]] std::deque<std::size_t>* startable(Clock::time_point now) {
    if (active_ >= limit_ || !is_more()) return nullptr;
    datagram_at_ = std::max(datagram_at_, now - kBurst * kBetweenDatagrams);
    const bool datagram = !datagrams_.empty() && datagram_at_ <= now;
    if (!datagram) return streams_.empty() ? nullptr : &streams_;
    const bool first = streams_.empty() || datagrams_.front() < streams_.front();
    return first ? &datagrams_ : &streams_;
  }

  void start_more() {
    // Sockets that end at once leave room for others, but those that wait must not wait long.
    constexpr int kAtATime = 64;
    for (int i = 0; i < kAtATime; ++i) {
      std::deque<std::size_t>* const queue = startable(Clock::now());
      if (queue == nullptr) return;
      const std::size_t index = queue->front();
      auto connection = std::make_unique<Connection>(attempts_[index], options_.helpers);
      const int error = connection->start(Clock::now());
      const bool full = error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
      if (full && active_ > 0) {
        limit_ = active_;
        return;
      }
      queue->pop_front();
      if (queue == &datagrams_) datagram_at_ += kBetweenDatagrams;
      if (error != 0) {
        Seen& seen = seen_[index];
        seen.done = true;
        seen.error = error;
        if (options_.ended) options_.ended(index, seen);
        continue;
      }
      running_[index] = std::move(connection);
      ++active_;
      watch(index, EPOLL_CTL_ADD);
      settle(index);
    }
  }

  void watch(std::size_t index, int operation) {
    Connection& connection = *running_[index];
    if (connection.fd() < 0) return;
    epoll_event event{.events = connection.wants(), .data = {.u64 = index}};
    static_cast<void>(::epoll_ctl(epoll_.get(), operation, connection.fd(), &event));
  }

  /// Puts down what an attempt waits for now, or its result.
  void settle(std::size_t index) {
    Connection& connection = *running_[index];
    due_.erase({due_at_[index], index});
    if (connection.finished()) {
      seen_[index] = std::move(connection.seen());
      running_[index].reset();
      --active_;
      if (options_.ended) options_.ended(index, seen_[index]);
      return;
    }
    due_at_[index] = connection.deadline();
    due_.insert({due_at_[index], index});
    watch(index, EPOLL_CTL_MOD);
  }

  [[nodiscard]] int timeout(Clock::time_point now) const {
    Clock::time_point until = due_.empty() ? now + std::chrono::hours(1) : due_.begin()->first;
    if (is_more() && active_ < limit_) {
      until = std::min(until, streams_.empty() ? std::max(now, datagram_at_) : now);
    }
    if (until <= now) return 0;
    return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(until - now).count());
  }

  void wait() {
    std::array<epoll_event, 64> events{};
    const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()),
                                   timeout(Clock::now()));
    const Clock::time_point now = Clock::now();
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      if (event.data.u64 == kStop) {
        stopped_ = true;
        return;
      }
      const auto index = static_cast<std::size_t>(event.data.u64);
      if (!running_[index]) continue;
      running_[index]->ready(event.events, now);
      settle(index);
    }
    while (!due_.empty() && due_.begin()->first <= now) {
      const std::size_t index = due_.begin()->second;
      running_[index]->late(now);
      settle(index);
    }
  }

  std::span<const Attempt> attempts_;
  const EngineOptions& options_;
  std::size_t limit_;
  UniqueFd epoll_;
  std::vector<Seen> seen_;
  std::vector<std::unique_ptr<Connection>> running_;
  std::vector<Clock::time_point> due_at_;
  std::set<std::pair<Clock::time_point, std::size_t>> due_;
  std::deque<std::size_t> streams_;    ///< not started yet, by their positions
  std::deque<std::size_t> datagrams_;  ///< the same
  std::size_t active_ = 0;
  Clock::time_point datagram_at_ = {};
  bool stopped_ = false;
};

}  // namespace

std::size_t room_for_sockets(std::size_t wanted) {
  const std::size_t used = open_descriptors() + kLeftForOthers;
  wanted = std::clamp<std::size_t>(wanted, 1, kMostSockets);
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1;
  const rlim_t need = wanted + used;
  if (limit.rlim_cur < need && limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = std::min<rlim_t>(need, limit.rlim_max);
    static_cast<void>(::setrlimit(RLIMIT_NOFILE, &limit));
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1;
  }
  if (limit.rlim_cur <= used + 1) return 1;
  return std::min<std::size_t>(wanted, static_cast<std::size_t>(limit.rlim_cur - used));
}

std::vector<Seen> run_attempts(std::span<const Attempt> attempts, const EngineOptions& options) {
  return Engine(attempts, options).run();
}

}  // namespace hark::probe
