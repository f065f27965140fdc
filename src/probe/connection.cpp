// A TCP attempt connects, talks as long as its conversation has something to learn, and closes:
// with a FIN of its own, and a moment for that of the other side, so that no server finds a reset
// in its log. A UDP attempt asks, and asks twice more, since a datagram may be lost and ICMP errors
// are rationed (icmp_global_allow of net/ipv4/icmp.c).
//
// connect(2) of this host's own refusals: while it runs the socket is locked, and an ICMP error
// that comes then is only kept in the error queue (tcp_v4_err, sock_owned_by_user); a plain client
// hears of it when its SYN is sent again. It is read at once here.
#include "probe/connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "probe/icmp_report.h"
#include "probe/socket_address.h"

namespace hark::probe {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kGoodbye{200};  ///< for the other side's FIN
constexpr milliseconds kForIcmp{50};   ///< what a refused send() was refused by
constexpr milliseconds kAtOnce{20};    ///< what comes sooner is a rule's doing, not ARP's
/// Nobody answers ARP or neighbour discovery: after three tries, a second apart.
constexpr milliseconds kNeighbourKnown{3400};
constexpr std::array kAgain = {milliseconds{1000}, milliseconds{2500}};
constexpr std::size_t kPiece = 16'384;
constexpr std::size_t kMostReceived = std::size_t{1} << 20;

bool may_try_again(int error) {
  return error == EAGAIN || error == EINTR;
}

/// This host itself says that nobody answers ARP or neighbour discovery (arp_error_report).
bool is_own_despair(const IcmpReport& report, const Seen& seen) {
  const bool host = report.name == "host-unreachable" || report.name == "address-unreachable";
  return host && report.from && seen.local && *report.from == *seen.local;
}

}  // namespace

Connection::Connection(const Attempt& attempt, const Helpers& helpers)
    : attempt_(attempt), helpers_(helpers), conversation_(attempt.asked) {}

bool Connection::tcp() const {
  return attempt_.asked.protocol == Protocol::Tcp;
}

double Connection::since(Clock::time_point then, Clock::time_point now) const {
  return std::chrono::duration<double, std::milli>(now - then).count();
}

std::uint32_t Connection::wants() const {
  switch (state_) {
    case State::Connecting:
      return EPOLLOUT;
    case State::Talking:
      return output_.empty() || !tcp() ? EPOLLIN : EPOLLIN | EPOLLOUT;
    case State::Closing:
      return EPOLLIN;
    case State::Idle:
    case State::Refused:
    case State::Done:
      break;
  }
  return 0;
}

int Connection::start(Clock::time_point now) {
  auto opened = helpers_.open(attempt_.asked.address.family, tcp() ? SOCK_STREAM : SOCK_DGRAM);
  if (!opened) return opened.error().code == 0 ? EIO : opened.error().code;
  socket_ = std::move(*opened);
  began_ = phase_began_ = silent_since_ = now;
  end_ = deadline_ = now + attempt_.timeout;
  seen_.phase = Reached::Route;
  seen_.silence_means_nothing = !tcp() && conversation_.silent_by_nature();
  if (const int error = prepare(); error != 0) {
    failed(error, now);
  } else {
    connect(now);
  }
  return 0;
}

/// What is asked of the socket before it is used. 0 or errno.
int Connection::prepare() {
  keep_icmp_errors(socket_.get(), attempt_.asked.address.family);
  const std::string& device = attempt_.interface;
  if (!device.empty() && ::setsockopt(socket_.get(), SOL_SOCKET, SO_BINDTODEVICE, device.c_str(),
                                      static_cast<socklen_t>(device.size() + 1)) != 0) {
    return errno;
  }
  return attempt_.source ? bind_source() : 0;
}

int Connection::bind_source() {
  const int on = 1;
  // The port is chosen when the other end is known: more connections than ports may be tried.
  static_cast<void>(
      ::setsockopt(socket_.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on));
  const SocketAddress from = socket_address(*attempt_.source, 0, attempt_.scope);
  return ::bind(socket_.get(), from.generic(), from.size) == 0 ? 0 : errno;
}

void Connection::connect(Clock::time_point now) {
  const SocketAddress to =
      socket_address(attempt_.asked.address, attempt_.asked.port, attempt_.scope);
  int result = 0;
  do {
    result = ::connect(socket_.get(), to.generic(), to.size);
  } while (result != 0 && errno == EINTR);
  const int error = result == 0 ? 0 : errno;
  learn_names();
  if (error != 0 && error != EINPROGRESS) {
    failed(error, now);
    return;
  }
  seen_.phase = Reached::Connect;
  if (!tcp()) {
    begin_datagrams(now);
    return;
  }
  state_ = State::Connecting;
  if (error == 0) connected(now);
}

void Connection::learn_names() {
  const auto own = local_end(socket_.get());
  if (!own) return;
  seen_.local_port = own->port;
  if (!own->address.is_unspecified()) seen_.local = own->address;
}

void Connection::connected(Clock::time_point now) {
  state_ = State::Talking;
  seen_.connected = true;
  seen_.times.connect_ms = since(began_, now);
  seen_.phase = Reached::FirstByte;
  phase_began_ = silent_since_ = now;
  learn_names();
  learn_tcp_info();
  conversation_.begin();
  had_tls_ = conversation_.phase() == Conversation::Phase::Tls;
  if (had_tls_) seen_.phase = Reached::Tls;
  output_ += conversation_.take_output();
  write(now);
}

void Connection::begin_datagrams(Clock::time_point now) {
  state_ = State::Talking;
  conversation_.begin();
  last_datagram_ = conversation_.take_output();
  send_datagram(now);
}

/// Something that a server may answer, or at least a datagram of no bytes.
void Connection::send_datagram(Clock::time_point now) {
  const ssize_t sent = ::send(socket_.get(), last_datagram_.data(), last_datagram_.size(),
                              MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent >= 0 || may_try_again(errno)) {
    wait_for_peer(now);
    return;
  }
  const int error = errno;
  if (error == EPERM) {
    // A rule of this host. Where it rejects, its ICMP error is on its way over lo.
    seen_.error = error;
    state_ = State::Refused;
    deadline_ = now + kForIcmp;
    return;
  }
  failed(error, now);
}

void Connection::wait_for_peer(Clock::time_point now) {
  deadline_ = std::min(end_, std::max(silent_since_, now) + conversation_.patience());
  if (!tcp() && seen_.received == 0 && resent_ < kAgain.size()) {
    deadline_ = std::min(deadline_, began_ + kAgain[resent_]);
  }
}

void Connection::failed(int error, Clock::time_point now) {
  seen_.icmp = take_icmp_error(socket_.get());
  judge_error(error, now);
  seen_.elapsed_ms = since(began_, now);
  if (tcp()) learn_tcp_info();
  drop();
}

/// What an error before the first answer means.
void Connection::judge_error(int error, Clock::time_point now) {
  seen_.error = error;
  if (seen_.icmp) {
    if (seen_.icmp->error != 0) seen_.error = seen_.icmp->error;
    const bool waited = now - began_ > kAtOnce;
    if (seen_.icmp->port) {
      seen_.outcome = Outcome::Refused;
    } else if (waited && is_own_despair(*seen_.icmp, seen_)) {
      seen_.outcome = Outcome::NoNeighbour;
      seen_.icmp.reset();
    } else {
      seen_.outcome = Outcome::Rejected;
    }
    return;
  }
  switch (error) {
    case ECONNREFUSED:
      seen_.outcome = Outcome::Refused;
      return;
    case ETIMEDOUT:
      seen_.outcome = Outcome::Silent;
      return;
    default:
      seen_.outcome = Outcome::Rejected;
  }
}

void Connection::ready(std::uint32_t events, Clock::time_point now) {
  if (state_ == State::Connecting) {
    int error = 0;
    socklen_t size = sizeof error;
    if (::getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
    if (error == ECONNRESET || error == EPIPE) {
      // The handshake came to its end, and so did the connection, before anybody looked: a reset in
      // answer to a SYN is ECONNREFUSED (tcp_reset).
      seen_.connected = true;
      seen_.times.connect_ms = since(began_, now);
      seen_.phase = Reached::FirstByte;
      seen_.error = ECONNRESET;
      conclude(now);
      return;
    }
    if (error != 0) {
      failed(error, now);
      return;
    }
    if ((events & EPOLLERR) != 0) {
      const auto report = take_icmp_error(socket_.get());
      if (report && report->error != 0 && report->error != EMSGSIZE) {
        seen_.icmp = report;
        judge_error(report->error, now);
        seen_.elapsed_ms = since(began_, now);
        learn_tcp_info();
        drop();
        return;
      }
    }
    if ((events & EPOLLOUT) == 0) return;
    connected(now);
    if (state_ != State::Talking) return;
  }
  if (state_ == State::Refused) {
    if ((events & EPOLLERR) != 0) failed(seen_.error, now);
    return;
  }
  if ((events & EPOLLOUT) != 0 && state_ == State::Talking && tcp()) write(now);
  if ((events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0 && state_ != State::Done) read(now);
}

void Connection::read(Clock::time_point now) {
  std::array<char, kPiece> piece;
  while (state_ == State::Talking || state_ == State::Closing) {
    const ssize_t got = ::recv(socket_.get(), piece.data(), piece.size(), MSG_DONTWAIT);
    const int error = got < 0 ? errno : 0;
    if (may_try_again(error)) {
      // TCP may have ICMP errors in its queue that are no reason to stop.
      if (tcp()) static_cast<void>(take_icmp_error(socket_.get()));
      return;
    }
    if (state_ == State::Closing) {
      if (got <= 0) drop();
      continue;
    }
    if (error != 0 && !tcp()) {
      if (seen_.received == 0) {
        failed(error, now);
      } else {
        conclude(now);
      }
      return;
    }
    if (error != 0) {
      seen_.error = error;
      conclude(now);
      return;
    }
    if (got == 0 && tcp()) {
      seen_.closed_by_peer = true;
      conversation_.end_of_stream();
      note_phase(now);
      conclude(now);
      return;
    }
    take(std::string_view(piece.data(), static_cast<std::size_t>(got)), now);
  }
}

void Connection::take(std::string_view bytes, Clock::time_point now) {
  const bool first = seen_.received == 0;
  // A datagram may be empty, and is an answer all the same.
  seen_.received += std::max<std::size_t>(bytes.size(), 1);
  if (first && !had_tls_) seen_.times.first_byte_ms = since(phase_began_, now);
  if (seen_.phase == Reached::Connect || (first && !had_tls_)) seen_.phase = Reached::Application;
  silent_since_ = now;
  conversation_.receive(bytes);
  note_phase(now);
  if (tcp()) {
    output_ += conversation_.take_output();
    write(now);
  } else if (std::string next = conversation_.take_output(); !next.empty()) {
    last_datagram_ = std::move(next);
    send_datagram(now);
  }
  if (state_ != State::Talking) return;
  if (conversation_.finished() || seen_.received > kMostReceived) {
    conclude(now);
    return;
  }
  wait_for_peer(now);
}

void Connection::note_phase(Clock::time_point now) {
  if (!had_tls_ || conversation_.phase() == Conversation::Phase::Tls) return;
  if (!seen_.times.tls_ms) {
    seen_.times.tls_ms = since(phase_began_, now);
    seen_.phase = Reached::FirstByte;
    phase_began_ = now;
  }
  if (conversation_.phase() == Conversation::Phase::Application && !seen_.times.first_byte_ms) {
    seen_.times.first_byte_ms = since(phase_began_, now);
    seen_.phase = Reached::Application;
  }
}

void Connection::write(Clock::time_point now) {
  while (!output_.empty()) {
    const ssize_t sent =
        ::send(socket_.get(), output_.data(), output_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && may_try_again(errno)) break;
    if (sent < 0) {
      // What the other side had to say is still to be read.
      output_.clear();
      break;
    }
    seen_.asked = true;
    output_.erase(0, static_cast<std::size_t>(sent));
  }
  if (conversation_.finished() && output_.empty()) {
    conclude(now);
    return;
  }
  wait_for_peer(now);
}

void Connection::late(Clock::time_point now) {
  switch (state_) {
    case State::Connecting:
      failed(ETIMEDOUT, now);
      return;
    case State::Refused:
      failed(seen_.error, now);
      return;
    case State::Talking:
      quiet(now);
      return;
    case State::Closing:
      drop();
      return;
    case State::Idle:
    case State::Done:
      return;
  }
}

void Connection::quiet(Clock::time_point now) {
  const bool again = !tcp() && seen_.received == 0 && resent_ < kAgain.size() &&
                     now >= began_ + kAgain[resent_] && now < end_;
  if (again) {
    ++resent_;
    send_datagram(now);
    return;
  }
  if (now >= end_) {
    conclude(now);
    return;
  }
  if (!conversation_.finished() && now < silent_since_ + conversation_.patience()) {
    wait_for_peer(now);
    return;
  }
  if (!conversation_.finished()) conversation_.quiet();
  note_phase(now);
  silent_since_ = now;
  if (tcp()) {
    output_ += conversation_.take_output();
    // Whoever did not greet is asked: from here on it is his time, and not our patience.
    if (!output_.empty() && seen_.received == 0 && !had_tls_) phase_began_ = now;
    write(now);
    return;
  }
  if (std::string next = conversation_.take_output(); !next.empty()) {
    last_datagram_ = std::move(next);
    send_datagram(now);
    if (state_ != State::Talking) return;
  }
  const Clock::time_point known = began_ + kNeighbourKnown;
  const bool may_be_alone = seen_.received == 0 && seen_.local != attempt_.asked.address;
  if (conversation_.finished() && may_be_alone && now < std::min(known, end_)) {
    deadline_ = std::min(known, end_);
    return;
  }
  if (conversation_.finished()) {
    conclude(now);
    return;
  }
  wait_for_peer(now);
}

/// All that can be learnt has been: what does it come to?
void Connection::conclude(Clock::time_point now) {
  seen_.elapsed_ms = since(began_, now);
  seen_.service = conversation_.service();
  if (!tcp()) {
    seen_.outcome = seen_.received > 0 ? Outcome::Answered : Outcome::Silent;
    seen_.silence_means_nothing = seen_.received == 0;
    drop();
    return;
  }
  learn_tcp_info();
  seen_.outcome = Outcome::Answered;
  if (seen_.error != 0 && seen_.error != ECONNRESET && seen_.error != EPIPE) {
    seen_.outcome = Outcome::Hangs;
  }
  if (seen_.mute() && !seen_.closed_by_peer) {
    if (helpers_.accepted) seen_.accepted = helpers_.accepted(attempt_, seen_);
    const bool owed = attempt_.asked.scheme != Scheme::None;
    if (seen_.accepted == false || owed) seen_.outcome = Outcome::Hangs;
  }
  close_well(now);
}

void Connection::close_well(Clock::time_point now) {
  output_ += conversation_.take_output();
  if (!output_.empty()) {
    static_cast<void>(
        ::send(socket_.get(), output_.data(), output_.size(), MSG_NOSIGNAL | MSG_DONTWAIT));
    output_.clear();
  }
  const bool over = seen_.closed_by_peer || seen_.error != 0 || seen_.mute();
  if (over || ::shutdown(socket_.get(), SHUT_WR) != 0) {
    drop();
    return;
  }
  state_ = State::Closing;
  deadline_ = now + kGoodbye;
  read(now);
}

void Connection::drop() {
  seen_.done = true;
  state_ = State::Done;
  deadline_ = Clock::time_point::max();
  socket_ = UniqueFd();
}

void Connection::learn_tcp_info() {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (::getsockopt(socket_.get(), IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return;
  seen_.retransmits = std::max(seen_.retransmits, info.tcpi_total_retrans);
  constexpr double kMicrosecondsInMs = 1000.0;
  if (seen_.connected && info.tcpi_rtt > 0) seen_.rtt_ms = info.tcpi_rtt / kMicrosecondsInMs;
}

}  // namespace hark::probe
