#include "http/tls_client.h"

#include <gtest/gtest.h>

#include "support/test_pki.h"

namespace shutdown_auditor::http {
namespace {

using testing_support::CertificateSpec;
using testing_support::CertifiedKey;
using testing_support::KeyFormat;
using testing_support::KeyKind;
using testing_support::TestCa;

ClientIdentity identity_of(const CertifiedKey& key) { return {key.certificate, key.key}; }

// "" when the material is good, otherwise the message.
std::string defect(TlsMaterial material, bool insecure = false) {
  const auto result = check_tls_material(material, insecure);
  return result ? std::string() : result.error().message;
}

std::string with_crlf(const std::string& text) {
  std::string result;
  for (const char c : text) {
    result += c == '\n' ? std::string("\r\n") : std::string(1, c);
  }
  return result;
}

TEST(IsIpLiteralTest, KnowsBothFamilies) {
  for (const char* address : {"127.0.0.1", "10.96.0.1", "::1", "fd00::10"}) {
    EXPECT_TRUE(is_ip_literal(address)) << address;
  }
  for (const char* name : {"", "localhost", "kubernetes.default.svc", "[::1]", "1.2.3", "127.0.0.1:443"}) {
    EXPECT_FALSE(is_ip_literal(name)) << name;
  }
}

TEST(CheckTlsMaterialTest, TakesEveryUsualForm) {
  const TestCa ca("first");
  const TestCa other("second");
  EXPECT_EQ(defect({ca.pem(), {}}), "");
  EXPECT_EQ(defect({"# two roots\n" + ca.pem() + "\nand\n" + with_crlf(other.pem()), {}}), "");
  for (const KeyKind kind : {KeyKind::kEc, KeyKind::kRsa}) {
    for (const KeyFormat format : {KeyFormat::kPkcs8, KeyFormat::kTraditional}) {
      const CertifiedKey client = ca.issue({.client = true, .key_kind = kind, .key_format = format});
      EXPECT_EQ(defect({ca.pem(), identity_of(client)}), "") << client.key.substr(0, 40);
      EXPECT_EQ(defect({ca.pem(), ClientIdentity{client.certificate + ca.pem(), client.key}}), "");
    }
  }
  EXPECT_EQ(defect({"", {}}, true), "");
}

TEST(CheckTlsMaterialTest, SaysWhatIsWrong) {
  const TestCa ca;
  const CertifiedKey one = ca.issue({.client = true});
  const CertifiedKey two = ca.issue({.client = true});
  std::string cut = ca.pem();
  cut.erase(cut.size() / 2, 40);
  const std::string encrypted =
      "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
      "MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAhqU5Ex0mjYxwICCAAw\n"
      "-----END ENCRYPTED PRIVATE KEY-----\n";
  const struct {
    TlsMaterial material;
    const char* text;
  } cases[] = {
      {{"", {}}, "certificate authority: no PEM certificate"},
      {{"not PEM at all", {}}, "certificate authority: no PEM certificate"},
      {{one.key, {}}, "certificate authority: no PEM certificate"},
      {{ca.pem() + cut, {}}, "certificate authority: PEM certificate 2 is malformed"},
      {{ca.pem(), ClientIdentity{"", one.key}}, "client certificate: no PEM certificate"},
      {{ca.pem(), ClientIdentity{one.certificate, ""}}, "client key: not an unencrypted PEM private key"},
      {{ca.pem(), ClientIdentity{one.certificate, encrypted}}, "client key: not an unencrypted PEM private key"},
      {{ca.pem(), ClientIdentity{one.certificate, two.key}}, "client certificate and key do not belong together"},
  };
  for (const auto& [material, text] : cases) {
    EXPECT_NE(defect(material).find(text), std::string::npos) << text << " / " << defect(material);
  }
}

}  // namespace
}  // namespace shutdown_auditor::http
