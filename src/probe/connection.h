// One attempt: a socket, what is said over it, and its deadlines. Never blocks; the engine tells it
// when its socket is ready and when its time has come.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "base/result.h"
#include "base/unique_fd.h"
#include "probe/attempt.h"

namespace hark::probe {

using Clock = std::chrono::steady_clock;

/// What an attempt needs of the world.
struct Helpers {
  /// A socket that does not block, in the namespace that is meant: family and SOCK_STREAM or
  /// SOCK_DGRAM.
  std::function<Result<UniqueFd>(Family, int)> open;
  /// Did a program take the connection of `seen`, which is silent? Nothing: that cannot be told,
  /// as of another host's. Asked while the connection is open.
  std::function<std::optional<bool>(const Attempt&, const Seen&)> accepted;
};

class Connection {
 public:
  Connection(const Attempt& attempt, const Helpers& helpers);

  /// Opens the socket and begins. The errno of open() where that failed, and then nothing is done.
  [[nodiscard]] int start(Clock::time_point now);
  [[nodiscard]] int fd() const { return socket_.get(); }
  /// EPOLLIN, EPOLLOUT: what it waits for.
  [[nodiscard]] std::uint32_t wants() const;
  void ready(std::uint32_t events, Clock::time_point now);
  /// Its time has come.
  void late(Clock::time_point now);
  [[nodiscard]] Clock::time_point deadline() const { return deadline_; }
  [[nodiscard]] bool finished() const { return state_ == State::Done; }
  [[nodiscard]] const Seen& seen() const { return seen_; }
  [[nodiscard]] Seen& seen() { return seen_; }

 private:
  enum class State : std::uint8_t { Idle, Connecting, Talking, Refused, Closing, Done };

  [[nodiscard]] bool tcp() const;
  [[nodiscard]] int prepare();
  [[nodiscard]] int bind_source();
  void connect(Clock::time_point now);
  void connected(Clock::time_point now);
  void begin_datagrams(Clock::time_point now);
  void failed(int error, Clock::time_point now);
  void judge_error(int error, Clock::time_point now);
  void read(Clock::time_point now);
  void take(std::string_view bytes, Clock::time_point now);
  void note_phase(Clock::time_point now);
  void write(Clock::time_point now);
  void send_datagram(Clock::time_point now);
  void quiet(Clock::time_point now);
  void conclude(Clock::time_point now);
  void close_well(Clock::time_point now);
  void drop();
  void learn_names();
  void learn_tcp_info();
  [[nodiscard]] double since(Clock::time_point then, Clock::time_point now) const;
  void wait_for_peer(Clock::time_point now);

  const Attempt& attempt_;
  const Helpers& helpers_;
  Conversation conversation_;
  State state_ = State::Idle;
  UniqueFd socket_;
  Seen seen_;
  std::string output_;         ///< not sent yet
  std::string last_datagram_;  ///< UDP: sent again where nothing comes
  unsigned resent_ = 0;
  bool had_tls_ = false;
  Clock::time_point began_ = {};
  Clock::time_point phase_began_ = {};
  Clock::time_point silent_since_ = {};
  Clock::time_point end_ = {};  ///< of its time
  Clock::time_point deadline_ = Clock::time_point::max();
};

}  // namespace hark::probe
