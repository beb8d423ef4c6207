#include "app/check_report.h"

#include <gmock/gmock.h>

#include "base/file.h"
#include "console.h"

namespace shutdown_auditor::app {
namespace {

using testing::HasSubstr;

report::ShutdownAudit audit_of(std::string name, std::string verdict, std::vector<std::string> results) {
  report::ShutdownAudit audit;
  audit.meta.namespace_ = "shop";
  audit.target = {"apps", "Deployment", std::move(name)};
  audit.status.verdict = std::move(verdict);
  for (std::string& result : results) {
    report::ReportedFinding& finding = audit.status.findings.emplace_back();
    finding.id = finding.check = "grace-budget";
    finding.reason = "GracePeriodTooShort";
    finding.result = std::move(result);
  }
  return audit;
}

void add(CheckReport& report, report::ShutdownAudit audit) { report.add(audit); }

TEST(CheckReport, ExitStatus) {
  const TempDir dir;
  const struct {
    const char* what;
    std::vector<report::ShutdownAudit> audits;
    FailOn fail_on;
    bool write_baseline, fail_if_empty, whole;
    int status;
  } kCases[] = {
      {"nothing", {}, FailOn::kFail, false, false, true, kExitOk},
      {"nothing, refused", {}, FailOn::kFail, false, true, true, kExitTrouble},
      {"passing", {audit_of("web", "Pass", {})}, FailOn::kWarn, false, true, true, kExitOk},
      {"warning", {audit_of("web", "Warn", {"Warn"})}, FailOn::kFail, false, false, true, kExitOk},
      {"warning counts", {audit_of("web", "Warn", {"Warn"})}, FailOn::kWarn, false, false, true, kExitFindings},
      {"failing", {audit_of("web", "Fail", {"Fail"}), audit_of("api", "Pass", {})}, FailOn::kFail, false, false, true,
       kExitFindings},
      {"only the finding", {audit_of("web", "Pass", {"Fail"})}, FailOn::kFail, false, false, true, kExitFindings},
      {"only the verdict", {audit_of("web", "Fail", {})}, FailOn::kFail, false, false, true, kExitFindings},
      {"nothing counts", {audit_of("web", "Fail", {"Fail"})}, FailOn::kNone, false, false, true, kExitOk},
      {"error", {audit_of("web", "Error", {}), audit_of("api", "Fail", {"Fail"})}, FailOn::kNone, false, false, true,
       kExitTrouble},
      {"written", {audit_of("web", "Fail", {"Fail"})}, FailOn::kFail, true, false, true, kExitOk},
      {"written of a part", {audit_of("web", "Fail", {"Fail"})}, FailOn::kFail, true, false, false, kExitTrouble},
      {"a part", {audit_of("web", "Fail", {"Fail"})}, FailOn::kFail, false, false, false, kExitTrouble},
  };
  for (const auto& test : kCases) {
    Console console;
    CheckOptions options;
    options.fail_on = test.fail_on;
    options.fail_if_empty = test.fail_if_empty;
    options.write_baseline_file = test.write_baseline ? dir.path() + "/baseline.yaml" : "";
    CheckReport report(options, std::nullopt, console.io);
    for (report::ShutdownAudit audit : test.audits) report.add(audit);
    EXPECT_EQ(report.finish({{}, test.whole}, {}), test.status) << test.what;
  }
}

TEST(CheckReport, PrintsAsAuditsCome) {
  Console console;
  CheckOptions options;
  options.output = OutputFormat::kJson;
  CheckReport report(options, std::nullopt, console.io);
  EXPECT_EQ(console.out.str(), "");
  add(report, audit_of("web", "Pass", {}));
  EXPECT_THAT(console.out.str(), HasSubstr("\"web\""));
  EXPECT_EQ(console.err.str(), "") << "notes stand together, at the end";
  report.finish({{}, true}, {});
  EXPECT_THAT(console.out.str(), testing::EndsWith("]\n}\n"));
}

// What is written is what was found, not what the other baseline leaves of it.
TEST(CheckReport, BaselinesAndTheOrderOfNotes) {
  const TempDir dir;
  Console console;
  CheckOptions options;
  options.write_baseline_file = dir.path() + "/new.yaml";
  report::Baseline known;
  known.add({{"shop/deployment/web", "grace-budget", "GracePeriodTooShort"}, "Fail"});
  known.add({{"shop/deployment/old", "grace-budget", "GracePeriodTooShort"}, "Fail"});
  CheckReport report(options, std::move(known), console.io);
  add(report, audit_of("web", "Fail", {"Fail"}));
  add(report, audit_of("api", "Warn", {"Warn"}));
  CheckEnd end;
  end.result.counts.workloads = 2;
  end.result.counts.hooks = 1;
  EXPECT_EQ(report.finish(end, {}), kExitOk);
  EXPECT_EQ(console.err.str(), "note: the findings are written to " + options.write_baseline_file +
                                   ": with --baseline they no longer count\n"
                                   "note: 1 known finding hidden by the baseline; 1 in it is about workloads that are not "
                                   "in the input\n"
                                   "note: 1 workload not audited: Helm hooks are read for their labels only\n");
  EXPECT_THAT(*base::read_file(options.write_baseline_file, 10'000),
              testing::AllOf(HasSubstr("shop/deployment/web"), HasSubstr("shop/deployment/api")));
  EXPECT_THAT(console.out.str(), HasSubstr("shop/deployment/api"));
  EXPECT_THAT(console.out.str(), testing::Not(HasSubstr("shop/deployment/web")));
}

TEST(CheckReport, OutputThatIsLostIsTrouble) {
  Console console;
  std::ostream lost(nullptr);
  Io io{console.in, lost, console.err, console.clock};
  const CheckOptions options;
  CheckReport report(options, std::nullopt, io);
  add(report, audit_of("web", "Pass", {}));
  CheckEnd end;
  end.result.counts.workloads = 1;
  EXPECT_EQ(report.finish(end, {}), kExitTrouble);
  EXPECT_EQ(console.err.str(), "the result could not be written\n");
}

}  // namespace
}  // namespace shutdown_auditor::app
