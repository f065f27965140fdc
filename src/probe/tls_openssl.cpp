// TLS by OpenSSL over two memory buffers (BIO_s_mem(3)). The handshake never fails because of the
// certificate: what is wrong with it is what people want to know.
#include <dirent.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <utility>

#include "probe/certificate.h"
#include "probe/tls.h"

namespace hark::probe {
namespace {

struct Free {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(DIR* listing) const { ::closedir(listing); }
};

/// "4042bcee.0": how openssl-rehash(1) names the certificate that a folder is looked into for.
bool has_hashed_names(const char* folder) {
  const std::unique_ptr<DIR, Free> listing(::opendir(folder));
  if (!listing) return false;
  while (const dirent* const entry = ::readdir(listing.get())) {
    const std::string_view name = entry->d_name;
    const std::size_t hash = std::min(name.find_first_not_of("0123456789abcdef"), name.size());
    if (hash == 8 && name.substr(hash) == ".0") return true;
  }
  return false;
}

/// This host's authorities: by the folder alone where that works, as one certificate is found there
/// by its name, when it is needed. The file of all of them takes 0.06 s to read, while the
/// handshake is timed.
void trust_authorities(SSL_CTX* context) {
  const char* folder = ::getenv(X509_get_default_cert_dir_env());
  if (folder == nullptr) folder = X509_get_default_cert_dir();
  const bool file_chosen = ::getenv(X509_get_default_cert_file_env()) != nullptr;
  if (file_chosen || !has_hashed_names(folder) || SSL_CTX_load_verify_dir(context, folder) != 1) {
    SSL_CTX_set_default_verify_paths(context);
  }
}

/// One for all conversations, with this host's trusted authorities. Old versions and ciphers are
/// allowed, so that a server that has nothing else can be told from one that is broken.
SSL_CTX* context() {
  static const std::unique_ptr<SSL_CTX, Free> kMade = [] {
    std::unique_ptr<SSL_CTX, Free> out(SSL_CTX_new(TLS_client_method()));
    if (!out) return out;
    SSL_CTX_set_min_proto_version(out.get(), TLS1_VERSION);
    SSL_CTX_set_cipher_list(out.get(), "DEFAULT:@SECLEVEL=0");
    trust_authorities(out.get());
    SSL_CTX_set_verify(out.get(), SSL_VERIFY_NONE, nullptr);
    SSL_CTX_set_options(out.get(), SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_session_cache_mode(out.get(), SSL_SESS_CACHE_OFF);
    // Whoever wants a certificate of the client gets none, and we get to know.
    SSL_CTX_set_client_cert_cb(out.get(), [](SSL* ssl, X509**, EVP_PKEY**) {
      if (auto* const wanted = static_cast<bool*>(SSL_get_ex_data(ssl, 0))) *wanted = true;
      return 0;
    });
    return out;
  }();
  return kMade.get();
}

/// The first error that OpenSSL has in store for this thread, in its own words; all are dropped.
std::string error_words() {
  const unsigned long code = ERR_get_error();
  const char* const why = ERR_reason_error_string(code);
  ERR_clear_error();
  return why == nullptr ? "failed" : why;
}

class OpenSsl final : public Tls {
 public:
  explicit OpenSsl(const TlsAsked& asked) : asked_(asked), ssl_(SSL_new(context())) {
    in_ = BIO_new(BIO_s_mem());
    out_ = BIO_new(BIO_s_mem());
    SSL_set_bio(ssl_.get(), in_, out_);                   // owns both from here on
    SSL_set_ex_data(ssl_.get(), 0, &wants_certificate_);  // what SSL_set_app_data(3) is
    SSL_set_connect_state(ssl_.get());
    if (!asked.host.empty() && !IpAddress::parse(asked.host)) {
      // What the macro SSL_set_tlsext_host_name(3) says, without its cast.
      SSL_ctrl(ssl_.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
               asked_.host.data());
    }
    if (asked.now != 0) X509_VERIFY_PARAM_set_time(SSL_get0_param(ssl_.get()), asked.now);
    if (asked.http) {
      constexpr std::string_view kHttp = "\x08http/1.1";
      SSL_set_alpn_protos(ssl_.get(), reinterpret_cast<const unsigned char*>(kHttp.data()),
                          static_cast<unsigned>(kHttp.size()));
    }
    step();
  }

  void receive(std::string_view bytes) override {
    if (!failure_.empty() || bytes.empty()) return;
    BIO_write(in_, bytes.data(), static_cast<int>(std::min<std::size_t>(bytes.size(), 1U << 20U)));
    step();
  }

  std::string take_output() override {
    std::string bytes(BIO_ctrl_pending(out_), '\0');
    if (!bytes.empty()) BIO_read(out_, bytes.data(), static_cast<int>(bytes.size()));
    return bytes;
  }

  bool established() const override { return established_; }
  std::string failure() const override { return failure_; }

  std::string take_plain() override { return std::exchange(plain_, {}); }

  void send_plain(std::string_view bytes) override {
    if (established_ && !bytes.empty()) {
      SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()));
      ERR_clear_error();
    }
  }

  void close() override {
    SSL_shutdown(ssl_.get());
    ERR_clear_error();
  }

  std::string detail() const override { return detail_; }
  std::string complaint() const override { return complaint_; }

 private:
  void step() {
    ERR_clear_error();
    if (!established_) {
      const int done = SSL_do_handshake(ssl_.get());
      if (done != 1) {
        note_failure(SSL_get_error(ssl_.get(), done));
        return;
      }
      established_ = true;
      describe();
    }
    std::array<char, 4096> buffer{};
    while (plain_.size() < 65536) {
      const int count = SSL_read(ssl_.get(), buffer.data(), static_cast<int>(buffer.size()));
      if (count <= 0) {
        note_failure(SSL_get_error(ssl_.get(), count));
        return;
      }
      plain_.append(buffer.data(), static_cast<std::size_t>(count));
    }
  }

  void note_failure(int error) {
    if (error != SSL_ERROR_SSL) return;
    failure_ = error_words();
    if (wants_certificate_) failure_ = "wants a certificate of the client: " + failure_;
  }

  void describe() {
    const SSL* const ssl = ssl_.get();
    detail_ = SSL_get_version(ssl);
    if (detail_.starts_with("TLSv")) detail_ = "TLS " + detail_.substr(4);
    if (detail_ == "TLS 1") detail_ = "TLS 1.0";
    if (SSL_version(ssl) < TLS1_2_VERSION) {
      complaint_ = detail_ + ", which clients of today refuse";
    }
    detail_ += std::string(", ") + SSL_get_cipher_name(ssl);
    const unsigned char* alpn = nullptr;
    unsigned length = 0;
    SSL_get0_alpn_selected(ssl, &alpn, &length);
    if (length > 0) {
      detail_ += ", ALPN " + std::string(reinterpret_cast<const char*>(alpn), length);
    }
    if (wants_certificate_) detail_ += ", asks for a certificate of the client";
    const CertificateWords words = describe_certificate(ssl, asked_);
    if (!words.text.empty()) detail_ += "; " + words.text;
    for (const std::string& each : words.complaints) {
      complaint_ += (complaint_.empty() ? "certificate " : ", ") + each;
    }
    ERR_clear_error();
  }

  TlsAsked asked_;
  std::unique_ptr<SSL, Free> ssl_;
  BIO* in_ = nullptr;
  BIO* out_ = nullptr;
  bool established_ = false;
  bool wants_certificate_ = false;
  std::string complaint_;
  std::string failure_;
  std::string detail_;
  std::string plain_;
};

}  // namespace

std::unique_ptr<Tls> Tls::start(const TlsAsked& asked) {
  if (context() == nullptr) return nullptr;
  return std::make_unique<OpenSsl>(asked);
}

}  // namespace hark::probe
