#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>
#include <memory>

#include "probe/certificate.h"

namespace hark::probe {
namespace {

constexpr int kMostNames = 4;
constexpr int kMostIssuers = 4;
constexpr std::int64_t kDay = 86400;

/// Text of a certificate is a stranger's.
std::string clean(const unsigned char* bytes, int length) {
  constexpr int kMost = 80;
  std::string out;
  for (int i = 0; i < std::min(length, kMost); ++i) {
    const unsigned char byte = bytes[i];
    out += byte >= 0x20 && byte < 0x7f ? static_cast<char>(byte) : '?';
  }
  if (length > kMost) out += "…";
  return out;
}

/// The most telling part of a name: common name, else organisation.
std::string name_of(const X509_NAME* name) {
  for (const int nid : {NID_commonName, NID_organizationName}) {
    const int at = X509_NAME_get_index_by_NID(name, nid, -1);
    if (at < 0) continue;
    const ASN1_STRING* const text = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
    return clean(ASN1_STRING_get0_data(text), ASN1_STRING_length(text));
  }
  return "no name";
}

std::string address_name(const ASN1_OCTET_STRING* bytes) {
  IpAddress address;
  const int length = ASN1_STRING_length(bytes);
  if (length != 4 && length != 16) return "an address of no kind";
  address.family = length == 4 ? Family::Inet : Family::Inet6;
  std::copy_n(ASN1_STRING_get0_data(bytes), length, address.bytes.begin());
  return address.text();
}

struct FreeNames {
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};

/// The names that count (RFC 6125 6.4): the alternative ones; without any, none does today, and
/// the common name is shown.
std::string names_of(const X509* certificate) {
  const std::unique_ptr<GENERAL_NAMES, FreeNames> names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  std::string out;
  const int count = names ? sk_GENERAL_NAME_num(names.get()) : 0;
  int shown = 0;
  for (int i = 0; i < count && shown < kMostNames; ++i) {
    int type = 0;
    const void* const value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names.get(), i), &type);
    std::string name;
    if (type == GEN_DNS) {
      const auto* const text = static_cast<const ASN1_STRING*>(value);
      name = clean(ASN1_STRING_get0_data(text), ASN1_STRING_length(text));
    } else if (type == GEN_IPADD) {
      name = address_name(static_cast<const ASN1_OCTET_STRING*>(value));
    } else {
      continue;
    }
    out += (out.empty() ? "" : ", ") + name;
    ++shown;
  }
  if (shown == 0) return name_of(X509_get_subject_name(certificate));
  if (count > shown) out += " and " + std::to_string(count - shown) + " more";
  return out;
}

/// "R3, ISRG Root X1": who issued it, who issued that, and so on as far as was sent.
std::string issuers_of(const SSL* ssl, const X509* leaf) {
  std::string out = name_of(X509_get_issuer_name(leaf));
  STACK_OF(X509)* const chain = SSL_get_peer_cert_chain(ssl);
  const int count = chain == nullptr ? 0 : sk_X509_num(chain);
  for (int i = 1; i < std::min(count, kMostIssuers); ++i) {
    const X509* const each = sk_X509_value(chain, i);
    const std::string next = name_of(X509_get_issuer_name(each));
    if (next != name_of(X509_get_subject_name(each))) out += ", " + next;
  }
  return out;
}

/// Seconds from `now` to a time of the certificate, negative if it is past.
std::int64_t seconds_until(const ASN1_TIME* time, std::int64_t now) {
  std::tm broken{};
  if (ASN1_TIME_to_tm(time, &broken) != 1) return 0;
  return static_cast<std::int64_t>(timegm(&broken)) - now;
}

std::string days(std::int64_t seconds) {
  const std::int64_t count = seconds / kDay;
  if (count == 0) return std::to_string(seconds / 3600) + " hours";
  return std::to_string(count) + (count == 1 ? " day" : " days");
}

std::string validity(const X509* certificate, std::int64_t now) {
  const std::int64_t begins = seconds_until(X509_get0_notBefore(certificate), now);
  const std::int64_t ends = seconds_until(X509_get0_notAfter(certificate), now);
  if (ends < 0) return "EXPIRED " + days(-ends) + " ago";
  if (begins > 0) return "NOT YET VALID, begins in " + days(begins);
  return "valid " + days(ends) + " more";
}

bool is_for(X509* certificate, const TlsAsked& asked) {
  const IpAddress address =
      asked.host.empty() ? asked.address : IpAddress::parse(asked.host).value_or(IpAddress{});
  if (!asked.host.empty() && !IpAddress::parse(asked.host)) {
    return X509_check_host(certificate, asked.host.data(), asked.host.size(), 0, nullptr) == 1;
  }
  const std::size_t length = address.bits() / 8;
  return X509_check_ip(certificate, address.bytes.data(), length, 0) == 1;
}

/// What the check against this host's authorities says, where validity() and is_for() do not.
std::string distrust(long result) {
  switch (result) {
    case X509_V_OK:
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return {};
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      return "SELF-SIGNED";
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
      return "AUTHORITY NOT TRUSTED";
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return "AUTHORITY NOT KNOWN, or an intermediate certificate is not sent";
    default:
      return X509_verify_cert_error_string(result);
  }
}

}  // namespace

CertificateWords describe_certificate(const SSL* ssl, const TlsAsked& asked) {
  CertificateWords out;
  X509* const leaf = SSL_get0_peer_certificate(ssl);
  if (leaf == nullptr) return {"", {"no certificate"}};
  const std::int64_t now =
      asked.now != 0 ? asked.now : static_cast<std::int64_t>(std::time(nullptr));
  out.text = "certificate for " + names_of(leaf) + ", issued by " + issuers_of(ssl, leaf);
  const std::string time = validity(leaf, now);
  if (time.starts_with("valid")) {
    out.text += ", " + time;
  } else {
    out.complaints.push_back(time);
  }
  if (!is_for(leaf, asked)) {
    const std::string name = asked.host.empty() ? asked.address.text() : asked.host;
    out.complaints.push_back("NOT FOR " + name);
  }
  const std::string why = distrust(SSL_get_verify_result(ssl));
  if (!why.empty()) out.complaints.push_back(why);
  return out;
}

}  // namespace hark::probe
