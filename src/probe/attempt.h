// Real connections, and what they mean: the only code of hark that sends traffic.
//
//   attempt.h       what is to be tried, and what was seen
//   conversation.h  what is said to a service and what its answers mean: a pure machine
//   connection.h    one attempt: a socket, its conversation, its deadlines
//   engine.h        many at once on one thread, bounded in descriptors
//   icmp_report.h   the ICMP error behind an errno
//   verdict.h       what was seen beside what was predicted; which address a client would end up at
//
// Nothing is sent to anything but the target. A connection is closed as its protocol wants it
// closed; whatever a server does not ask for is not sent.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/address.h"
#include "probe/conversation.h"
#include "reach/trace.h"

namespace hark::probe {

using reach::Outcome;

struct Attempt {
  Asked asked;
  std::optional<IpAddress> source = {};  ///< to be sent from; empty: the kernel chooses
  std::string interface = {};            ///< SO_BINDTODEVICE; empty: any
  std::uint32_t scope = 0;               ///< the link of a link-local address
  std::chrono::milliseconds timeout{5000};
};

/// How far an attempt got: the phase in which it ended.
enum class Reached : std::uint8_t { Resolve, Route, Connect, Tls, FirstByte, Application };
/// "resolve", "first-byte" …
[[nodiscard]] std::string_view name_of(Reached phase);

/// Since the attempt began, but for `resolve`: how long each phase took. Empty: it did not come to
/// its end.
struct Times {
  std::optional<double> resolve_ms = {};
  std::optional<double> connect_ms = {};
  std::optional<double> tls_ms = {};
  std::optional<double> first_byte_ms =
      {};  ///< of the answer, from the question, or the phase before
};

/// An ICMP error that came back.
struct IcmpReport {
  std::string name;                    ///< as contract.md has it; empty: none of those
  std::optional<IpAddress> from = {};  ///< who sent it
  bool port = false;                   ///< it says that the port is closed
  int error = 0;                       ///< the errno that the kernel makes of it
};

struct Seen {
  bool done = false;  ///< false: interrupted before it was known; nothing else holds then
  Outcome outcome = Outcome::Unknown;
  int error = 0;  ///< errno; 0: none
  std::optional<IcmpReport> icmp = {};
  Reached phase = Reached::Route;
  Times times = {};
  double elapsed_ms = 0;
  std::optional<IpAddress> local = {};  ///< the source that the kernel chose
  std::uint16_t local_port = 0;
  std::optional<Service> service = {};
  bool asked = false;                  ///< TCP: something was sent on the connection
  bool connected = false;              ///< TCP: the handshake was completed
  std::size_t received = 0;            ///< bytes
  bool closed_by_peer = false;         ///< it ended the stream
  std::optional<bool> accepted = {};   ///< TCP, silent, to this host: did a program take it?
  bool silence_means_nothing = false;  ///< UDP: no answer proves nothing
  std::uint32_t retransmits = 0;
  std::optional<double> rtt_ms = {};

  /// Connected, and not a byte came.
  [[nodiscard]] bool mute() const { return connected && received == 0 && error == 0; }
};

}  // namespace hark::probe
