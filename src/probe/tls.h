// TLS as a pure machine over memory: records in and out on one side, plain bytes on the other.
// tls_openssl.cpp makes it of OpenSSL, in a library of its own (hark_tls) that only hark-test
// links, as `hark` itself is one static file; tls_none.cpp is what there is without OpenSSL.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/address.h"

namespace hark::probe {

struct TlsAsked {
  std::string host;  ///< for SNI and the name check; empty: the address is checked
  IpAddress address;
  bool http = false;     ///< offer http/1.1 by ALPN
  std::int64_t now = 0;  ///< seconds since 1970; 0: OpenSSL asks the clock
};

class Tls {
 public:
  /// Ready to give the ClientHello by take_output(); null: this build has no TLS.
  static std::unique_ptr<Tls> start(const TlsAsked& asked);
  virtual ~Tls() = default;

  /// Bytes of the peer.
  virtual void receive(std::string_view bytes) = 0;
  virtual std::string take_output() = 0;
  [[nodiscard]] virtual bool established() const = 0;
  /// Why it came to nothing, in words; empty: it has not. May appear after the handshake too, as
  /// TLS 1.3 refuses a client without a certificate only then.
  [[nodiscard]] virtual std::string failure() const = 0;

  virtual std::string take_plain() = 0;
  virtual void send_plain(std::string_view bytes) = 0;
  virtual void close() = 0;

  /// Version, cipher, ALPN and what is to be said of the certificate. Only once established.
  [[nodiscard]] virtual std::string detail() const = 0;
  /// Why a client of today would refuse it, in words: the certificate does not hold, the version is
  /// too old. Empty: none would. It is to be said first, as lines are cut at their ends.
  [[nodiscard]] virtual std::string complaint() const = 0;
};

}  // namespace hark::probe
