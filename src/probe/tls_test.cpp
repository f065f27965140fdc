// TLS against a server of OpenSSL's own, over memory: no socket. What real servers do is in
// tests/probe.
#include "probe/tls.h"

#if __has_include(<openssl/ssl.h>)
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <ctime>
#include <memory>
#include <string>

#include "probe/conversation.h"

namespace hark::probe {
namespace {

constexpr long kDay = 86400;

struct Made {
  std::string name = "a.example";
  long begins = -kDay;  ///< seconds from now
  long ends = 90 * kDay + 60;
  int most = 0;  ///< the newest version that is spoken; 0: the newest there is
  bool wants_certificate = false;
};

struct Free {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509* certificate) const { X509_free(certificate); }
};

/// A server with a self-signed certificate.
class Server {
 public:
  explicit Server(const Made& made)
      : key_(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256")), certificate_(X509_new()) {
    sign(made);
    context_.reset(SSL_CTX_new(TLS_server_method()));
    SSL_CTX_use_certificate(context_.get(), certificate_.get());
    SSL_CTX_use_PrivateKey(context_.get(), key_.get());
    SSL_CTX_set_cipher_list(context_.get(), "DEFAULT:@SECLEVEL=0");
    SSL_CTX_set_min_proto_version(context_.get(), TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context_.get(), made.most);
    if (made.wants_certificate) {
      SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                         nullptr);
    }
    ssl_.reset(SSL_new(context_.get()));
    in_ = BIO_new(BIO_s_mem());
    out_ = BIO_new(BIO_s_mem());
    SSL_set_bio(ssl_.get(), in_, out_);
    SSL_set_accept_state(ssl_.get());
  }

  /// Takes what the client sent; gives what it gets. An HTTP request is answered.
  std::string turn(const std::string& bytes) {
    if (!bytes.empty()) BIO_write(in_, bytes.data(), static_cast<int>(bytes.size()));
    std::string plain(4096, '\0');
    const int count = SSL_read(ssl_.get(), plain.data(), static_cast<int>(plain.size()));
    if (count > 0) {
      asked_ += plain.substr(0, static_cast<std::size_t>(count));
      const std::string answer = "HTTP/1.1 204 No Content\r\nServer: test\r\n\r\n";
      SSL_write(ssl_.get(), answer.data(), static_cast<int>(answer.size()));
    }
    std::string out(BIO_ctrl_pending(out_), '\0');
    if (!out.empty()) BIO_read(out_, out.data(), static_cast<int>(out.size()));
    return out;
  }
  const std::string& asked() const { return asked_; }

 private:
  void sign(const Made& made) {
    X509* const to = certificate_.get();
    X509_set_version(to, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(to), 1);
    X509_gmtime_adj(X509_getm_notBefore(to), made.begins);
    X509_gmtime_adj(X509_getm_notAfter(to), made.ends);
    X509_set_pubkey(to, key_.get());
    X509_NAME* const name = X509_get_subject_name(to);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(made.name.c_str()), -1, -1,
                               0);
    X509_set_issuer_name(to, name);
    const std::string names = "DNS:" + made.name + ",DNS:b.example";
    X509_EXTENSION* const extension =
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names.c_str());
    X509_add_ext(to, extension, -1);
    X509_EXTENSION_free(extension);
    X509_sign(to, key_.get(), EVP_sha256());
  }

  std::unique_ptr<EVP_PKEY, Free> key_;
  std::unique_ptr<X509, Free> certificate_;
  std::unique_ptr<SSL_CTX, Free> context_;
  std::unique_ptr<SSL, Free> ssl_;
  BIO* in_ = nullptr;
  BIO* out_ = nullptr;
  std::string asked_;
};

struct Seen {
  std::optional<Service> service;
  std::string asked;
};
Seen talk_to(const Made& made, std::uint16_t port, Scheme scheme, const std::string& host) {
  Asked asked;
  asked.address = *IpAddress::parse("10.0.0.5");
  asked.port = port;
  asked.scheme = scheme;
  asked.host = host;
  asked.now = std::time(nullptr);
  Conversation talk(asked);
  Server server(made);
  talk.begin();
  for (int turns = 0; turns < 20 && !talk.finished(); ++turns) {
    const std::string answer = server.turn(talk.take_output());
    if (answer.empty()) {
      talk.quiet();
    } else {
      talk.receive(answer);
    }
  }
  EXPECT_TRUE(talk.finished());
  return {talk.service(), server.asked()};
}

bool says(const Seen& seen, std::string_view words) {
  return seen.service && seen.service->detail.find(words) != std::string::npos;
}

TEST(Tls, HttpsTellsTheStatusAndTheCertificate) {
  const Seen seen = talk_to({}, 443, Scheme::Https, "a.example");
  ASSERT_TRUE(seen.service);
  EXPECT_EQ(seen.service->protocol, "https");
  EXPECT_EQ(
      seen.service->detail,
      "certificate SELF-SIGNED; 204 No Content, server test; TLS 1.3, TLS_AES_256_GCM_SHA384; "
      "certificate for a.example, b.example, issued by a.example, valid 90 days more");
  EXPECT_TRUE(seen.service->trouble);
  EXPECT_EQ(seen.asked.substr(0, 33), "GET / HTTP/1.1\r\nHost: a.example\r\n");
}

TEST(Tls, WhatIsWrongWithACertificateIsSaid) {
  const Seen other = talk_to({}, 443, Scheme::Https, "c.example");
  EXPECT_TRUE(says(other, "NOT FOR c.example")) << other.service->detail;
  EXPECT_TRUE(says(talk_to({}, 443, Scheme::Https, ""), "NOT FOR 10.0.0.5"));
  EXPECT_FALSE(says(talk_to({}, 443, Scheme::Https, "b.example"), "NOT FOR"));
  const Seen expired =
      talk_to({.begins = -9 * kDay, .ends = -3 * kDay - 60}, 443, Scheme::Tls, "a.example");
  EXPECT_TRUE(says(expired, "EXPIRED 3 days ago")) << expired.service->detail;
  EXPECT_EQ(expired.service->protocol, "tls");
  EXPECT_EQ(expired.asked, "") << "tls:// asks for no page";
  const Seen early = talk_to({.begins = 2 * kDay + 60}, 443, Scheme::Tls, "a.example");
  EXPECT_TRUE(says(early, "NOT YET VALID, begins in 2 days")) << early.service->detail;
}

TEST(Tls, OldVersionsAreSpokenAndCalledOld) {
  const Seen seen = talk_to({.most = TLS1_1_VERSION}, 443, Scheme::Https, "a.example");
  EXPECT_TRUE(says(seen, "TLS 1.1, which clients of today refuse, SELF-SIGNED; 204 "));
  EXPECT_TRUE(
      says(talk_to({.most = TLS1_2_VERSION}, 443, Scheme::Https, "a.example"), "TLS 1.2, "));
}

TEST(Tls, AServerThatWantsACertificateIsToldFromOneThatFails) {
  const Seen seen = talk_to({.wants_certificate = true}, 443, Scheme::Https, "a.example");
  EXPECT_TRUE(says(seen, "asks for a certificate of the client"));
}

/// The port alone: somebody else is waited for, then TLS is spoken, and HTTP inside.
TEST(Tls, APortOfTlsIsAskedInTls) {
  const Seen seen = talk_to({}, 8443, Scheme::None, "");
  ASSERT_TRUE(seen.service);
  EXPECT_EQ(seen.service->protocol, "https");
  EXPECT_TRUE(says(seen, "204 No Content"));
}

}  // namespace
}  // namespace hark::probe
#endif
