#include "app/baseline_file.h"

#include <gmock/gmock.h>

#include "console.h"

namespace shutdown_auditor::app {
namespace {

using testing::HasSubstr;

const std::string kHead = "apiVersion: shutdownaudit.dev/v1alpha1\nkind: ShutdownBaseline\n";
const std::string kLine = "- {workload: shop/deployment/web, check: grace-zero, reason: GracePeriodZero, result: Fail}\n";

TEST(BaselineFile, ReadsWhatIsWritten) {
  const TempDir dir;
  report::ShutdownAudit audit;
  audit.meta.namespace_ = "shop\x7F: {\"\\\n\xFF";
  audit.target = {"apps", "Deployment", "yes"};
  audit.status.verdict = "Fail";
  report::ReportedFinding finding;
  finding.id = "grace-zero/1e3";
  finding.check = "grace-zero";
  finding.reason = "null";
  finding.result = "Fail";
  audit.status.findings = {finding, finding};
  report::BaselineWriter writer;
  writer.add(audit);
  auto baseline = read_baseline_file(dir.write("b.yaml", writer.text()));
  ASSERT_TRUE(baseline) << baseline.error().message;
  baseline->hide_known(audit);
  const report::BaselineCounts counts = baseline->counts();
  EXPECT_EQ(counts.hidden, 2U);
  EXPECT_EQ(counts.gone + counts.elsewhere, 0U);
}

TEST(BaselineFile, GoodOnes) {
  const TempDir dir;
  const std::vector<std::string> kTexts{
      kHead + "findings: []\n", kHead + "findings:\n" + kLine + kLine, "findings:\n" + kLine + kHead,
      R"({"kind": "ShutdownBaseline", "findings": [], "apiVersion": "shutdownaudit.dev/v1alpha1"})"};
  for (const std::string& text : kTexts) {
    const auto read = read_baseline_file(dir.write("b.yaml", text));
    EXPECT_TRUE(read) << read.error().message;
  }
}

TEST(BaselineFile, ErrorsNameFileLineFieldAndValue) {
  const struct {
    std::string text;
    const char* message;  // after the file's name
  } kCases[] = {
      {"", ": empty; `check --write-baseline` writes a baseline"},
      {"# nothing\n", ": empty; "},
      {"[]\n", ":1:1: expected a document, got a list"},
      {"hello\n", ":1:1: expected a document, got \"hello\""},
      {"apiVersion: v1\nkind: ConfigMap\n", "apiVersion: expected shutdownaudit.dev/v1alpha1, got \"v1\""},
      {"apiVersion: v1\nkind: ConfigMap\ndata: {}\n", ":3:1: data: not a field of a ShutdownBaseline"},
      {"apiVersion: shutdownaudit.dev/v1alpha1\nkind: List\nfindings: []\n", "kind: expected ShutdownBaseline, got \"List\""},
      {"kind: ShutdownBaseline\nfindings: []\n", "apiVersion: expected shutdownaudit.dev/v1alpha1, got \"\""},
      {kHead, "findings is missing; an empty baseline says `findings: []`"},
      {kHead + "findings:\n", "findings: expected a list, got nothing"},
      {kHead + "findings: 7\n", ":3:11: findings: expected a list, got \"7\""},
      {kHead + "findings: {}\n", ":3:11: findings: expected a list, got an object"},
      {kHead + "findings: [[]]\n", ":3:12: findings[0]: expected {workload, check, reason, result}, got a list"},
      {kHead + "findings:\n" + kLine + "- web\n",
       ":5:3: findings[1]: expected {workload, check, reason, result}, got \"web\""},
      {kHead + "findings:\n- {workload: web}\n", "findings[0]: check is missing"},
      {kHead + "findings:\n- {workload: a, check: grace-zro}\n", ":4:24: findings[0].check: there is no check \"grace-zro\""},
      {kHead + "findings:\n- {result: Pass}\n", ":4:12: findings[0].result: \"Pass\" is not one of Fail, Warn, Info"},
      {kHead + "findings:\n- {workload: ''}\n", ":4:14: findings[0].workload: is empty"},
      {kHead + "findings:\n- {workload: {a: b}}\n", "findings[0].workload: expected a string, got an object"},
      {kHead + "findings:\n- {workload: [a]}\n", "findings[0].workload: expected a string, got a list"},
      {kHead + "findings:\n- {line: 7}\n", ":4:4: findings[0].line: not a field of a ShutdownBaseline"},
      {kHead + "findings:\n- {check: grace-zero, check: grace-zero}\n", ":4:"},
      {kHead + "findings:\n- {check: grace-zero\n", ":"},
      {kHead + "findings: []\n---\nfindings: []\n", "more than one document"},
      {"\x01", "control character"},
  };
  const TempDir dir;
  for (const auto& test : kCases) {
    const std::string path = dir.write("b.yaml", test.text);
    const auto read = read_baseline_file(path);
    ASSERT_FALSE(read) << test.text;
    EXPECT_THAT(read.error().message, testing::StartsWith(path + ":"));
    EXPECT_THAT(read.error().message, HasSubstr(test.message)) << test.text;
    EXPECT_THAT(read.error().message, testing::Not(HasSubstr("\n")));
  }
}

TEST(BaselineFile, Missing) {
  const auto read = read_baseline_file("/nonexistent/b.yaml");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().message, "/nonexistent/b.yaml: No such file or directory; `check --write-baseline` makes it");
}

TEST(BaselineFile, MayBeLargerThanOtherFiles) {
  const TempDir dir;
  const std::string text = kHead + "findings:\n" + kLine + "# " + std::string(std::size_t{5} << 20U, 'x') + "\n";
  const auto read = read_baseline_file(dir.write("b.yaml", text));
  ASSERT_TRUE(read) << read.error().message;
}

}  // namespace
}  // namespace shutdown_auditor::app
