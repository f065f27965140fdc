// A server's certificate in words: whose, by whom, until when, and what is wrong with it.
#pragma once

#include <openssl/ssl.h>

#include <string>
#include <vector>

#include "probe/tls.h"

namespace hark::probe {

struct CertificateWords {
  std::string text;
  std::vector<std::string> complaints;  ///< "EXPIRED 3 days ago", "SELF-SIGNED"
};

/// Of a connection whose handshake is done. Names, issuers up to the last certificate that was
/// sent, days left; expired, not yet valid, of another name, self-signed, or of an authority that
/// this host does not trust (verify(1), "Diagnostics").
[[nodiscard]] CertificateWords describe_certificate(const SSL* ssl, const TlsAsked& asked);

}  // namespace hark::probe
