#include "http/certificate.h"

#include <gtest/gtest.h>

#include "support/test_pki.h"

namespace shutdown_auditor::http {
namespace {

using std::chrono::hours;

TEST(CertificateEnd, IsTheMomentTheFirstCertificateSays) {
  const testing_support::TestCa ca;
  const auto now = std::chrono::system_clock::now();
  const std::string gone = ca.issue({.not_before = hours(-48), .not_after = hours(-24)}).certificate;
  const std::string good = ca.issue({.not_after = hours(24)}).certificate;
  for (const auto& [pem, offset] : {std::pair(gone, -24), std::pair(good, 24), std::pair(gone + good, -24)}) {
    const auto end = certificate_end(pem);
    ASSERT_TRUE(end);
    EXPECT_LT(std::chrono::abs(*end - (now + hours(offset))), std::chrono::minutes(5));
  }
}

TEST(CertificateEnd, IsAbsentWithoutACertificate) {
  for (const char* text : {"", "none", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"}) {
    EXPECT_FALSE(certificate_end(text)) << text;
  }
}

}  // namespace
}  // namespace shutdown_auditor::http
