#include "kube/tls_files.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "kube/log_capture.h"
#include "support/temp_dir.h"
#include "support/manual_clock.h"
#include "support/test_pki.h"

namespace shutdown_auditor::kube {
namespace {

using namespace std::chrono_literals;
using namespace testing_support;
using testing::HasSubstr;

PemSource file(const std::string& path, const char* field) { return {"", path, field}; }
PemSource text(const std::string& pem, const char* field) { return {pem, "", field}; }

class TlsFilesTest : public testing::Test {
 protected:
  ManualClock clock_;
  TempDir dir_;
  TestCa ca_;
  TestCa other_{"other CA"};
};

TEST_F(TlsFilesTest, ABundleMayHoldSeveralBlocksCommentsAndCarriageReturns) {
  std::string bundle = "# first\n" + ca_.pem() + "\n# second\n" + other_.pem();
  std::string with_cr;
  for (const char c : bundle) {
    with_cr += c == '\n' ? "\r\n" : std::string(1, c);
  }
  for (const std::string& pem : {bundle, with_cr}) {
    TlsFileSource source({.ca = text(pem, "certificate-authority"), .certificate = {}, .key = {}}, clock_);
    EXPECT_TRUE(source.current()) << source.current().error().message;
  }
}

TEST_F(TlsFilesTest, NothingUsableIsAnErrorThatNamesTheFile) {
  const std::pair<std::string, const char*> rows[] = {
      {"", "no certificate"}, {"not pem", "no certificate"}, {"# comment only\n", "no certificate"}};
  for (const auto& [content, words] : rows) {
    const std::string path = dir_.write("ca.crt", content);
    TlsFileSource source({.ca = file(path, "certificate-authority"), .certificate = {}, .key = {}}, clock_);
    const auto material = source.current();
    ASSERT_FALSE(material);
    EXPECT_THAT(material.error().message, HasSubstr(path));
  }
  TlsFileSource missing({.ca = file(dir_ / "none", "certificate-authority"), .certificate = {}, .key = {}}, clock_);
  EXPECT_THAT(missing.current().error().message, HasSubstr("certificate-authority: "));
  TlsFileSource data({.ca = text("junk", "certificate-authority"), .certificate = {}, .key = {}}, clock_);
  EXPECT_THAT(data.current().error().message, HasSubstr("certificate-authority-data"));
}

TEST_F(TlsFilesTest, IdentitiesOfAllKeyFormatsAndMixedSources) {
  for (const KeyKind kind : {KeyKind::kEc, KeyKind::kRsa}) {
    for (const KeyFormat format : {KeyFormat::kPkcs8, KeyFormat::kTraditional}) {
      CertificateSpec spec;
      spec.client = true;
      spec.key_kind = kind;
      spec.key_format = format;
      const CertifiedKey pair = ca_.issue(spec);
      TlsFileSource source({.ca = text(ca_.pem(), "certificate-authority"),
                            .certificate = text(pair.certificate, "client-certificate"),
                            .key = file(dir_.write("key", pair.key), "client-key")},
                           clock_);
      const auto material = source.current();
      ASSERT_TRUE(material) << material.error().message;
      EXPECT_EQ(material->identity->key, pair.key);
    }
  }
}

TEST_F(TlsFilesTest, AKeyOfAnotherCertificateIsFoundAtStartAndNotPrinted) {
  const CertifiedKey one = ca_.issue({});
  const CertifiedKey two = ca_.issue({});
  TlsFileSource source({.ca = text(ca_.pem(), "certificate-authority"),
                        .certificate = file(dir_.write("a.crt", one.certificate), "client-certificate"),
                        .key = file(dir_.write("b.key", two.key), "client-key")},
                       clock_);
  const auto material = source.current();
  ASSERT_FALSE(material);
  EXPECT_THAT(material.error().message, HasSubstr("b.key"));
  EXPECT_THAT(material.error().message, testing::Not(HasSubstr(two.key.substr(40, 20))));
}

TEST_F(TlsFilesTest, RotatedFilesAreUsedAfterSixtySecondsOnlyWhenTheyAreGood) {
  const std::string path = dir_.write("ca.crt", ca_.pem());
  TlsFileSource source({.ca = file(path, "certificate-authority"), .certificate = {}, .key = {}}, clock_);
  ASSERT_EQ(source.current()->ca_pem, ca_.pem());
  const std::uint64_t first = source.version();

  dir_.write("ca.crt", other_.pem());
  clock_.advance(59s);
  EXPECT_EQ(source.current()->ca_pem, ca_.pem());
  clock_.advance(1s);
  EXPECT_EQ(source.current()->ca_pem, other_.pem());
  EXPECT_GT(source.version(), first);

  LogCapture::clear();
  for (const char* bad : {"", "garbage"}) {
    dir_.write("ca.crt", bad);
    clock_.advance(60s);
    EXPECT_EQ(source.current()->ca_pem, other_.pem());
  }
  EXPECT_EQ(source.failures(), 2U);
  clock_.advance(60s);
  EXPECT_EQ(source.current()->ca_pem, other_.pem());
  EXPECT_EQ(source.failures(), 3U);
  EXPECT_EQ(LogCapture::count("TLS files cannot be used"), 1);

  const std::uint64_t version = source.version();
  dir_.write("ca.crt", other_.pem());
  clock_.advance(60s);
  EXPECT_TRUE(source.current());
  EXPECT_EQ(source.version(), version);  // the same content again
}

TEST_F(TlsFilesTest, InsecureNeedsNoCa) {
  TlsFileSource strict({}, clock_);
  EXPECT_FALSE(strict.current());
  TlsFileSource insecure({.ca = {}, .certificate = {}, .key = {}, .insecure = true}, clock_);
  EXPECT_TRUE(insecure.current());
}

}  // namespace
}  // namespace shutdown_auditor::kube
