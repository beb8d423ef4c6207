#include "http/tls_client.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <limits>
#include <memory>
#include <vector>

namespace shutdown_auditor::http {
namespace {

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using BioPtr = std::unique_ptr<BIO, Deleter<BIO_free>>;
using CertPtr = std::unique_ptr<X509, Deleter<X509_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using StorePtr = std::unique_ptr<X509_STORE, Deleter<X509_STORE_free>>;
using ContextPtr = std::unique_ptr<SSL_CTX, Deleter<SSL_CTX_free>>;

// The newest entry of this thread's OpenSSL error queue, which is emptied.
std::string openssl_reason() {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  ERR_clear_error();
  return reason == nullptr ? "unknown reason" : reason;
}

base::Unexpected<base::Error> invalid(std::string message) {
  return base::fail(base::ErrorKind::kInvalid, std::move(message));
}

BioPtr bio_of(const std::string& text) {
  if (text.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
    return nullptr;
  }
  return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// All certificates of a PEM text; text between the blocks is allowed.
base::Result<std::vector<CertPtr>> read_certificates(const std::string& pem, const std::string& what) {
  std::vector<CertPtr> certificates;
  const BioPtr bio = bio_of(pem);
  if (!bio) {
    return invalid(what + ": too large");
  }
  ERR_clear_error();
  while (X509* const certificate = PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)) {
    certificates.emplace_back(certificate);
  }
  const unsigned long error = ERR_peek_last_error();
  if (ERR_GET_LIB(error) != ERR_LIB_PEM || ERR_GET_REASON(error) != PEM_R_NO_START_LINE) {
    return invalid(fmt::format("{}: PEM certificate {} is malformed: {}", what, certificates.size() + 1,
                               openssl_reason()));
  }
  ERR_clear_error();
  if (certificates.empty()) {
    return invalid(what + ": no PEM certificate in it");
  }
  return certificates;
}

// Without this, OpenSSL would ask for the pass phrase of an encrypted key on the terminal.
int no_pass_phrase(char*, int, int, void*) { return -1; }

base::Result<void> use_roots(SSL_CTX* context, const std::string& pem) {
  auto roots = read_certificates(pem, "certificate authority");
  if (!roots) {
    return base::unexpected(roots.error());
  }
  StorePtr store(X509_STORE_new());
  for (const CertPtr& root : *roots) {
    if (X509_STORE_add_cert(store.get(), root.get()) != 1) {
      return invalid("certificate authority: " + openssl_reason());
    }
  }
  SSL_CTX_set_cert_store(context, store.release());  // frees the library's store with the system roots
  return {};
}

base::Result<void> use_identity(SSL_CTX* context, const ClientIdentity& identity) {
  auto chain = read_certificates(identity.certificate, "client certificate");
  if (!chain) {
    return base::unexpected(chain.error());
  }
  const BioPtr key_bio = bio_of(identity.key);
  const KeyPtr key(key_bio ? PEM_read_bio_PrivateKey(key_bio.get(), nullptr, no_pass_phrase, nullptr) : nullptr);
  if (!key) {
    return invalid("client key: not an unencrypted PEM private key: " + openssl_reason());
  }
  if (SSL_CTX_use_certificate(context, chain->front().get()) != 1) {
    return invalid("client certificate: " + openssl_reason());
  }
  for (std::size_t i = 1; i < chain->size(); ++i) {
    if (SSL_CTX_add1_chain_cert(context, (*chain)[i].get()) != 1) {
      return invalid("client certificate: " + openssl_reason());
    }
  }
  if (X509_check_private_key(chain->front().get(), key.get()) != 1) {
    ERR_clear_error();
    return invalid("client certificate and key do not belong together");
  }
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1) {
    return invalid("client key: " + openssl_reason());
  }
  return {};
}

base::Result<void> use_material(SSL_CTX* context, const TlsMaterial& material, bool insecure) {
  if (!insecure) {
    if (auto done = use_roots(context, material.ca_pem); !done) {
      return done;
    }
  }
  return material.identity ? use_identity(context, *material.identity) : base::Result<void>();
}

}  // namespace

bool is_ip_literal(const std::string& host) {
  unsigned char address[sizeof(in6_addr)];
  return ::inet_pton(AF_INET, host.c_str(), address) == 1 || ::inet_pton(AF_INET6, host.c_str(), address) == 1;
}

base::Result<void> check_tls_material(const TlsMaterial& material, bool insecure) {
  const ContextPtr context(SSL_CTX_new(TLS_client_method()));
  if (!context) {
    return base::fail(base::ErrorKind::kInternal, "OpenSSL: " + openssl_reason());
  }
  return use_material(context.get(), material, insecure);
}

base::Result<void> TlsClient::configure(SSL_CTX* context) {
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION);
  const base::Result<TlsMaterial> material = source_();
  if (!material) {
    return base::unexpected(material.error());
  }
  if (auto done = use_material(context, *material, insecure_); !done || insecure_) {
    return done;
  }
  X509_VERIFY_PARAM* const param = SSL_CTX_get0_param(context);
  X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN);
  X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  const int named = is_ip_literal(server_name_) ? X509_VERIFY_PARAM_set1_ip_asc(param, server_name_.c_str())
                                                : X509_VERIFY_PARAM_set1_host(param, server_name_.c_str(), 0);
  if (named != 1) {
    return invalid(fmt::format("\"{}\" cannot be checked as a server name", server_name_));
  }
  SSL_CTX_set_cert_verify_callback(context, &TlsClient::verify, this);
  return {};
}

int TlsClient::verify(X509_STORE_CTX* context, void* self) {
  TlsClient& client = *static_cast<TlsClient*>(self);
  // cpprestsdk adds a callback that checks the name again, against the common name too and against the Host header as
  // it stands, which is wrong for "[::1]:6443". The parameters set in configure() are the whole check.
  X509_STORE_CTX_set_verify_cb(context, [](int ok, X509_STORE_CTX*) { return ok; });
  if (X509_verify_cert(context) == 1) {
    return 1;
  }
  std::string refusal = X509_verify_cert_error_string(X509_STORE_CTX_get_error(context));
  refusal += fmt::format(" (expected name \"{}\")", client.server_name_);
  ERR_clear_error();  // so that the handshake reports "certificate verify failed" and not a detail of the check
  const std::lock_guard lock(client.mutex_);
  client.last_refusal_ = std::move(refusal);
  return 0;
}

std::string TlsClient::last_refusal() const {
  const std::lock_guard lock(mutex_);
  return last_refusal_;
}

}  // namespace shutdown_auditor::http
