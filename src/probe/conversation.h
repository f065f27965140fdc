// What is said to a service once it is connected to, and what its answers tell. A conversation is
// a pure machine: bytes in, bytes out. It sees no socket and no clock, so that the same code talks
// to a server, to a test and to a fuzzer.
//
//   Conversation talk(asked);
//   talk.begin();                                     // connected; UDP: ready to send
//   while (!talk.finished()) {
//     send(talk.take_output());
//     // poll for talk.patience(), then one of:
//     talk.receive(bytes); talk.end_of_stream(); talk.quiet();
//   }
//   send(talk.take_output());                         // a last word, such as TLS' close_notify
//
// Manners: nothing is sent to a port whose first bytes already tell; no login, no write; one
// question to a connection unless the protocol itself has a greeting to answer; a goodbye where
// the protocol has one. What servers write into their logs about it is in docs/probes.md.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/address.h"
#include "base/protocol.h"

namespace hark::probe {

/// What the target itself asked for: `http://`, `https://`, `tls://`, or none of them.
enum class Scheme : std::uint8_t { None, Http, Https, Tls };

struct Asked {
  Protocol protocol = Protocol::Tcp;  ///< Tcp or Udp
  IpAddress address;
  std::uint16_t port = 0;
  Scheme scheme = Scheme::None;
  std::string host;      ///< the name that was asked for, for SNI and Host:; empty: an address was
  std::string path;      ///< of a URL, with its query; empty: what suits the port
  bool verify = false;   ///< a bad certificate is to count; the words are the same
  std::int64_t now = 0;  ///< seconds since 1970, for certificates; 0: TLS asks the clock itself
};

struct Service {
  std::string protocol;  ///< "http", "ssh", "redis" …; "unknown": bytes that nothing here knows
  std::string detail;    ///< version, status, certificate: bounded, without control characters
  bool trouble = false;  ///< a certificate that does not hold, TLS that is none: for --verify

  bool operator==(const Service&) const = default;
};

/// One conversation with a service. Never throws, never keeps more than some kilobytes, and ends
/// after a bounded number of calls whatever the peer sends.
class Conversation {
 public:
  explicit Conversation(Asked asked);
  ~Conversation();
  Conversation(Conversation&&) noexcept;
  Conversation& operator=(Conversation&&) noexcept;
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;

  /// The connection stands (UDP: the socket is ready). To be called once, first.
  void begin();
  /// TCP: a piece, of any size. UDP: one datagram, whole.
  void receive(std::string_view bytes);
  /// The peer closed its side, or reset the connection.
  void end_of_stream();
  /// Nothing came within patience().
  void quiet();

  /// What has to be sent now; empty: nothing. UDP: one datagram. A UDP conversation that has no
  /// question for its port gives nothing here: an empty datagram then asks a closed port to say so.
  [[nodiscard]] std::string take_output();
  /// How long to wait for bytes before quiet() is called, counted from the last event.
  [[nodiscard]] std::chrono::milliseconds patience() const;
  /// Nothing more is wanted: send what take_output() still has, and close.
  [[nodiscard]] bool finished() const;

  /// What is being waited for.
  enum class Phase : std::uint8_t { Tls, FirstByte, Application };
  [[nodiscard]] Phase phase() const;

  /// What answered, as far as known. Nothing: no byte has come.
  [[nodiscard]] std::optional<Service> service() const;
  /// UDP: nothing polite can be asked there, so that no answer proves nothing.
  [[nodiscard]] bool silent_by_nature() const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace hark::probe
