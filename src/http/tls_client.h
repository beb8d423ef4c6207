#pragma once

#include <mutex>
#include <string>

#include "base/result.h"
#include "http/transport.h"

struct ssl_ctx_st;        // OpenSSL's SSL_CTX
struct x509_store_ctx_st;  // OpenSSL's X509_STORE_CTX

namespace shutdown_auditor::http {

// True for an IPv4 or IPv6 address (without brackets).
bool is_ip_literal(const std::string& host);

// Whether the material can be used at all: at least one CA certificate (unless `insecure`), certificate and key that
// parse and belong together. PKCS#1, PKCS#8 and SEC1 keys; encrypted ones are refused. For checks at start; every new
// connection does the same again.
base::Result<void> check_tls_material(const TlsMaterial& material, bool insecure);

// Makes fresh OpenSSL contexts of one server's clients strict: only the given roots are trusted (any certificate in
// the CA text is an anchor, as in Go's crypto/x509), TLS 1.2 or newer, no renegotiation, the name checked by OpenSSL
// itself against subjectAltName only (no common name, RFC 6125 §6.4.4 as Go reads it). Safe from any thread; must
// outlive the connections whose contexts it made.
class TlsClient {
 public:
  // `server_name`: the DNS name or IP literal the certificate must be for.
  TlsClient(TlsMaterialSource source, std::string server_name, bool insecure)
      : source_(std::move(source)), server_name_(std::move(server_name)), insecure_(insecure) {}
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  // Once for each new connection, before its handshake; asks the source for the material of the moment.
  base::Result<void> configure(ssl_ctx_st* context);

  // Why the latest refused certificate was refused, with the expected name; "" before the first.
  std::string last_refusal() const;

 private:
  static int verify(x509_store_ctx_st* context, void* self);

  TlsMaterialSource source_;
  std::string server_name_;
  bool insecure_;
  mutable std::mutex mutex_;  // guards the next
  std::string last_refusal_;
};

}  // namespace shutdown_auditor::http
