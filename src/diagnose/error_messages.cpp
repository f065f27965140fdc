// What programs print. Specific texts stand before those that they contain, and what a program adds
// to an errno's own text stands before the errnos, which come last.
#include <array>

#include "diagnose/explain.h"

namespace hark::diagnose {
namespace {

constexpr std::array kRows = {
    // ssh
    MessageRow{"kex_exchange_identification: connection closed", "closed-early"},
    MessageRow{"kex_exchange_identification: read: connection reset", "closed-early"},
    MessageRow{"ssh_exchange_identification", "closed-early"},
    MessageRow{"banner exchange: connection", "closed-early"},
    MessageRow{"timed out during banner exchange", "ETIMEDOUT"},
    MessageRow{"remote host identification has changed", "host-key-changed"},
    MessageRow{"host key verification failed", "host-key-changed"},
    MessageRow{"permission denied (", "login-refused"},
    MessageRow{"permission denied, please try again", "login-refused"},
    MessageRow{"too many authentication failures", "login-refused"},
    // Databases
    MessageRow{"no pg_hba.conf entry", "client-refused"},
    MessageRow{"password authentication failed", "login-refused"},
    MessageRow{"too many clients already", "too-many-clients"},
    MessageRow{"server closed the connection unexpectedly", "closed-early"},
    MessageRow{"is not allowed to connect to this", "client-refused"},
    MessageRow{"is blocked because of many connection errors", "client-refused"},
    MessageRow{"access denied for user", "login-refused"},
    MessageRow{"lost connection to mysql server at 'reading initial", "closed-early"},
    MessageRow{"lost connection to server at 'handshake", "closed-early"},
    MessageRow{"through socket", "ENOENT"},
    MessageRow{"too many connections", "too-many-clients"},
    MessageRow{"max number of clients reached", "too-many-clients"},
    MessageRow{"noauth", "login-refused"},
    MessageRow{"wrongpass", "login-refused"},
    MessageRow{"protected mode", "client-refused"},
    MessageRow{"server closed the connection", "closed-early"},
    // TLS: OpenSSL, GnuTLS, Go, Java, browsers
    MessageRow{"plain http request was sent to https port", "plain-to-tls"},
    MessageRow{"sent an http request to an https server", "plain-to-tls"},
    MessageRow{"speaking plain http to an ssl-enabled", "plain-to-tls"},
    MessageRow{"server gave http response to https client", "tls-to-plain"},
    MessageRow{"first record does not look like a tls handshake", "tls-to-plain"},
    MessageRow{"wrong version number", "tls-to-plain"},
    MessageRow{"packet length too long", "tls-to-plain"},
    MessageRow{"unexpected tls packet", "tls-to-plain"},
    MessageRow{"unrecognized ssl message", "tls-to-plain"},
    MessageRow{"ssl_error_rx_record_too_long", "tls-to-plain"},
    MessageRow{"err_ssl_protocol_error", "tls-to-plain"},
    MessageRow{"certificate has expired", "tls-expired"},
    MessageRow{"certificate is not yet valid", "tls-expired"},
    MessageRow{"certificate has expired or is not yet valid", "tls-expired"},
    MessageRow{"err_cert_date_invalid", "tls-expired"},
    MessageRow{"sec_error_expired_certificate", "tls-expired"},
    MessageRow{"no alternative certificate subject name matches", "tls-name"},
    MessageRow{"does not match target host name", "tls-name"},
    MessageRow{"certificate is valid for", "tls-name"},
    MessageRow{"hostname mismatch", "tls-name"},
    MessageRow{"doesn't match", "tls-name"},
    MessageRow{"err_cert_common_name_invalid", "tls-name"},
    MessageRow{"ssl_error_bad_cert_domain", "tls-name"},
    MessageRow{"self-signed certificate", "tls-untrusted"},
    MessageRow{"self signed certificate", "tls-untrusted"},
    MessageRow{"unable to get local issuer certificate", "tls-untrusted"},
    MessageRow{"unable to verify the first certificate", "tls-untrusted"},
    MessageRow{"unknown authority", "tls-untrusted"},
    MessageRow{"unable to find valid certification path", "tls-untrusted"},
    MessageRow{"server certificate verification failed", "tls-untrusted"},
    MessageRow{"err_cert_authority_invalid", "tls-untrusted"},
    MessageRow{"sec_error_unknown_issuer", "tls-untrusted"},
    MessageRow{"curl: (60)", "tls-untrusted"},
    MessageRow{"handshake failure", "tls-failed"},
    MessageRow{"no shared cipher", "tls-failed"},
    MessageRow{"unsupported protocol", "tls-failed"},
    MessageRow{"alert protocol version", "tls-failed"},
    MessageRow{"certificate required", "tls-failed"},
    MessageRow{"err_ssl_version_or_cipher_mismatch", "tls-failed"},
    MessageRow{"err_bad_ssl_client_auth_cert", "tls-failed"},
    MessageRow{"ssl_error_syscall", "tls-failed"},
    MessageRow{"pr_end_of_file_error", "tls-failed"},
    MessageRow{"curl: (35)", "tls-failed"},
    // Names
    MessageRow{"temporary failure in name resolution", "name-no-answer"},
    MessageRow{"eai_again", "name-no-answer"},
    MessageRow{"connection timed out; no servers could be reached", "name-no-answer"},
    MessageRow{"could not resolve proxy", "proxy-failed"},
    MessageRow{"name or service not known", "name-not-found"},
    MessageRow{"could not resolve host", "name-not-found"},
    MessageRow{"could not translate host name", "name-not-found"},
    MessageRow{"unknown mysql server host", "name-not-found"},
    MessageRow{"no address associated with hostname", "name-not-found"},
    MessageRow{"nodename nor servname", "name-not-found"},
    MessageRow{"no such host", "name-not-found"},
    MessageRow{"unknownhostexception", "name-not-found"},
    MessageRow{"unable to resolve host", "name-not-found"},
    MessageRow{"enotfound", "name-not-found"},
    MessageRow{"eai_noname", "name-not-found"},
    MessageRow{"nxdomain", "name-not-found"},
    MessageRow{"err_name_not_resolved", "name-not-found"},
    // Proxies and gateways
    MessageRow{"err_proxy_connection_failed", "proxy-failed"},
    MessageRow{"err_tunnel_connection_failed", "proxy-failed"},
    MessageRow{"received http code 403 from proxy", "proxy-failed"},
    MessageRow{"connect tunnel failed", "proxy-failed"},
    MessageRow{"502 bad gateway", "bad-gateway"},
    MessageRow{"503 service", "unavailable"},
    MessageRow{"504 gateway", "gateway-timeout"},
    MessageRow{"upstream connect error", "unavailable"},
    // ICMP, as ping and others put it
    MessageRow{"destination port unreachable", "port-unreachable"},
    MessageRow{"destination host prohibited", "prohibited"},
    MessageRow{"destination net prohibited", "prohibited"},
    MessageRow{"packet filtered", "prohibited"},
    MessageRow{"administratively prohibited", "prohibited"},
    MessageRow{"admin prohibited", "prohibited"},
    MessageRow{"time to live exceeded", "ttl-exceeded"},
    MessageRow{"hop limit exceeded", "ttl-exceeded"},
    MessageRow{"destination host unreachable", "EHOSTUNREACH"},
    MessageRow{"destination net unreachable", "ENETUNREACH"},
    MessageRow{"address unreachable", "EHOSTUNREACH"},
    // Browsers
    MessageRow{"err_connection_refused", "ECONNREFUSED"},
    MessageRow{"err_connection_timed_out", "ETIMEDOUT"},
    MessageRow{"err_timed_out", "ETIMEDOUT"},
    MessageRow{"err_connection_reset", "ECONNRESET"},
    MessageRow{"pr_connect_reset_error", "ECONNRESET"},
    MessageRow{"err_connection_closed", "closed-early"},
    MessageRow{"err_empty_response", "closed-early"},
    MessageRow{"err_address_unreachable", "EHOSTUNREACH"},
    MessageRow{"err_internet_disconnected", "ENETUNREACH"},
    MessageRow{"ns_error_connection_refused", "ECONNREFUSED"},
    MessageRow{"ns_error_net_timeout", "ETIMEDOUT"},
    MessageRow{"ns_error_net_reset", "ECONNRESET"},
    MessageRow{"unable to connect", "ECONNREFUSED"},
    // curl, wget, nc and libraries, where they do not print the errno's own text
    MessageRow{"empty reply from server", "closed-early"},
    MessageRow{"remote end closed connection without response", "closed-early"},
    MessageRow{"connection closed by remote host", "closed-early"},
    MessageRow{"connection closed by foreign host", "closed-early"},
    MessageRow{"no data received", "closed-early"},
    MessageRow{"socket hang up", "closed-early"},
    MessageRow{"unexpected eof", "closed-early"},
    MessageRow{"operation timed out", "ETIMEDOUT"},
    MessageRow{"timeout expired", "ETIMEDOUT"},
    MessageRow{"i/o timeout", "ETIMEDOUT"},
    MessageRow{"connect timed out", "ETIMEDOUT"},
    MessageRow{"connection timeout", "ETIMEDOUT"},
    MessageRow{"context deadline exceeded", "ETIMEDOUT"},
    MessageRow{"network unreachable", "ENETUNREACH"},
    MessageRow{"sendmsg: operation not permitted", "EPERM"},
};

/// Texts that say less than an errno's: looked for last.
constexpr std::array kVague = {
    MessageRow{"couldn't connect to server", "ECONNREFUSED"},
    MessageRow{"could not connect to server", "ECONNREFUSED"},
    MessageRow{"can't connect to", "ECONNREFUSED"},
    MessageRow{"curl: (7)", "ECONNREFUSED"},
    MessageRow{"curl: (6)", "name-not-found"},
    MessageRow{"curl: (5)", "proxy-failed"},
    MessageRow{"curl: (28)", "ETIMEDOUT"},
    MessageRow{"curl: (52)", "closed-early"},
    MessageRow{"curl: (56)", "ECONNRESET"},
    MessageRow{"timed out", "ETIMEDOUT"},
    MessageRow{"connection closed", "closed-early"},
};

}  // namespace

std::span<const MessageRow> message_rows() {
  return kRows;
}

std::span<const MessageRow> vague_message_rows() {
  return kVague;
}

}  // namespace hark::diagnose
