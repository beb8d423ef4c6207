#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace shutdown_auditor::testing_support {

enum class KeyKind { kEc, kRsa };
enum class KeyFormat { kPkcs8, kTraditional };  // "PRIVATE KEY", or "EC PRIVATE KEY" and "RSA PRIVATE KEY"

// What a certificate made by TestCa says. Times are relative to now.
struct CertificateSpec {
  std::string common_name = "test";
  std::vector<std::string> dns_names = {};
  std::vector<std::string> addresses = {};  // IP literals
  bool client = false;                 // extendedKeyUsage clientAuth instead of serverAuth
  std::chrono::hours not_before{-1};
  std::chrono::hours not_after{24};
  KeyKind key_kind = KeyKind::kEc;
  KeyFormat key_format = KeyFormat::kPkcs8;
};

// PEM text of a certificate and its private key.
struct CertifiedKey {
  std::string certificate;
  std::string key;
};

// A certificate authority made for one test, in memory. Failures of OpenSSL throw std::runtime_error.
class TestCa {
 public:
  explicit TestCa(const std::string& name = "test CA");
  // One that exists already, such as a test cluster's.
  explicit TestCa(const CertifiedKey& existing);
  ~TestCa();
  TestCa(const TestCa&) = delete;
  TestCa& operator=(const TestCa&) = delete;

  const std::string& pem() const;
  CertifiedKey issue(const CertificateSpec& spec) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace shutdown_auditor::testing_support
