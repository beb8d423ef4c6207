#include "report/table.h"

#include <gmock/gmock.h>

#include "sample.h"

namespace shutdown_auditor::report {
namespace {

using audit::Check;
using audit::CheckResult;
using audit::Verdict;
using testing::HasSubstr;
using testing::Not;

ShutdownAudit audit_of(std::string name_space, std::string name, Verdict verdict,
                       std::vector<audit::Finding> findings, std::string source) {
  objects::Workload workload = sample_workload();
  workload.meta.namespace_ = std::move(name_space);
  workload.meta.name = std::move(name);
  audit::AuditResult result = sample_result(verdict, std::move(findings));
  result.estimate.drain = {audit::StopSpan::State::kTimed, 180, 180, false};
  ShutdownAudit out = make_shutdown_audit(result, workload, "", Detail::kPrinted);
  for (ReportedFinding& finding : out.status.findings) {
    finding.source = source;
  }
  out.meta.annotations = {{std::string(kSourceAnnotation), std::move(source)}};
  return out;
}

std::vector<ShutdownAudit> sample_audits() {
  audit::Finding exempt = sample_finding(Check::kPdbMissing, CheckResult::kSkip);
  exempt.exemption_source = "Annotation";
  exempt.exemption_reason = "batch";
  return {
      audit_of("blog", "web", Verdict::kPass, {}, "blog.yaml:1"),
      audit_of("shop", "api", Verdict::kWarn, {sample_finding(Check::kReadinessProbeMissing, CheckResult::kWarn, "app")},
               "shop.yaml:20"),
      audit_of("shop", "web", Verdict::kFail,
               {sample_finding(Check::kGraceBudget, CheckResult::kFail),
                sample_finding(Check::kSingleReplica, CheckResult::kInfo), exempt},
               "shop.yaml:4"),
  };
}

TEST(Table, Rows) {
  EXPECT_EQ(table_text(sample_audits(), {}),
            R"(RESULT  CHECK                        WORKLOAD             SOURCE        MESSAGE
Fail    grace-budget                 shop/deployment/web  shop.yaml:4   Needs 75 s, has 60 s.
Warn    readiness-probe-missing/app  shop/deployment/api  shop.yaml:20  Needs 75 s, has 60 s.
Info    single-replica               shop/deployment/web  shop.yaml:4   Needs 75 s, has 60 s.

BY CHECK                 ERROR  FAIL  WARN  INFO  SKIP
grace-budget             0      1     0     0     0
readiness-probe-missing  0      0     1     0     0
single-replica           0      0     0     1     0
pdb-missing              0      0     0     0     1

BY NAMESPACE  ERROR  FAIL  WARN  UNVERIFIED  SKIP  PASS
shop          0      1     1     0           0     0
blog          0      0     0     0           0     1

3 workloads: 1 Fail, 1 Warn, 1 Pass
)");
}

TEST(Table, WideAlsoShowsPassingExemptAndWhatToSet) {
  TableOptions options;
  options.wide = true;
  options.roll_up = false;
  EXPECT_EQ(table_text({sample_audits()[0], sample_audits()[2]}, options),
            R"(RESULT  CHECK           WORKLOAD             GRACE  NEEDS  AFTERSIGNAL  EVIDENCE  DRAIN  ROLLOUT  SOURCE       MESSAGE                                WHAT TO SET
Fail    grace-budget    shop/deployment/web  60     75     0            Declared  180s   -        shop.yaml:4  Needs 75 s, has 60 s.                  Set terminationGracePeriodSeconds to 75.
Info    single-replica  shop/deployment/web  60     75     0            Declared  180s   -        shop.yaml:4  Needs 75 s, has 60 s.                  Set terminationGracePeriodSeconds to 75.
Skip    pdb-missing     shop/deployment/web  60     75     0            Declared  180s   -        shop.yaml:4  Needs 75 s, has 60 s. (exempt: batch)  Set terminationGracePeriodSeconds to 75.
Pass    -               blog/deployment/web  60     75     0            Declared  180s   -        blog.yaml:1
)");
}

TEST(Table, OnlyPassing) {
  EXPECT_EQ(table_text({sample_audits()[0]}, {}),
            "BY NAMESPACE  ERROR  FAIL  WARN  UNVERIFIED  SKIP  PASS\n"
            "blog          0      0     0     0           0     1\n\n"
            "1 workload: 1 Pass\n");
  EXPECT_EQ(table_text({}, {}), "");
}

TEST(Table, ColorOnlyWhenAsked) {
  TableOptions options;
  EXPECT_THAT(table_text(sample_audits(), options), Not(HasSubstr("\x1b")));
  options.color = true;
  const std::string colored = table_text(sample_audits(), options);
  EXPECT_THAT(colored, HasSubstr("\x1b[31mFail\x1b[0m    grace-budget "));
}

TEST(Table, HostileNamesCannotDriveTheTerminal) {
  const std::vector<ShutdownAudit> audits{
      audit_of("n\n\x1b[2J", "w\x1b]0;x\x07", Verdict::kFail, {sample_finding(Check::kGraceBudget, CheckResult::kFail)},
               "f\nile:1")};
  const std::string text = table_text(audits, {});
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  EXPECT_THAT(text, HasSubstr("n  [2J/deployment/w ]0;x "));
  EXPECT_THAT(text, HasSubstr("f ile:1"));
}

}  // namespace
}  // namespace shutdown_auditor::report
