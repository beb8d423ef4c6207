#include "report/table.h"

#include <gmock/gmock.h>

#include "base/text.h"
#include "printed.h"
#include "report/one_line.h"
#include "sample.h"

namespace shutdown_auditor::report {
namespace {

using audit::Check;
using audit::CheckResult;
using audit::Verdict;
using testing::HasSubstr;
using testing::Not;

std::string table_text(const std::vector<ShutdownAudit>& audits, const TableOptions& options) {
  return printed(audits, [&](std::ostream& out) { return table_printer(out, options); });
}

ShutdownAudit audit_of(std::string name_space, std::string name, Verdict verdict,
                       std::vector<audit::Finding> findings, Place place) {
  objects::Workload workload = sample_workload();
  workload.meta.namespace_ = std::move(name_space);
  workload.meta.name = std::move(name);
  audit::AuditResult result = sample_result(verdict, std::move(findings));
  result.estimate.drain = {audit::StopSpan::State::kTimed, 180, 180, false};
  ShutdownAudit out = make_shutdown_audit(result, workload, "", Detail::kPrinted);
  for (ReportedFinding& finding : out.status.findings) {
    finding.place = place;
  }
  out.place = std::move(place);
  return out;
}

std::vector<ShutdownAudit> sample_audits() {
  audit::Finding exempt = sample_finding(Check::kPdbMissing, CheckResult::kSkip);
  exempt.exemption_source = "Annotation";
  exempt.exemption_reason = "batch";
  return {
      audit_of("blog", "web", Verdict::kPass, {}, {"blog.yaml", 1, 0}),
      audit_of("shop", "api", Verdict::kWarn, {sample_finding(Check::kReadinessProbeMissing, CheckResult::kWarn, "app")},
               {"shop.yaml", 20, 0}),
      audit_of("shop", "web", Verdict::kFail,
               {sample_finding(Check::kGraceBudget, CheckResult::kFail),
                sample_finding(Check::kSingleReplica, CheckResult::kInfo), exempt},
               {"shop.yaml", 4, 0}),
  };
}

TEST(Table, Rows) {
  EXPECT_EQ(table_text(sample_audits(), {}),
            R"(RESULT  CHECK                        WORKLOAD             SOURCE        MESSAGE
Fail    grace-budget                 shop/deployment/web  shop.yaml:4   Needs 75 s, has 60 s.
Warn    readiness-probe-missing/app  shop/deployment/api  shop.yaml:20  Needs 75 s, has 60 s.
Info    single-replica               shop/deployment/web  shop.yaml:4   Needs 75 s, has 60 s.

BY CHECK                 FAIL  WARN  INFO  SKIP
grace-budget             1     0     0     0
readiness-probe-missing  0     1     0     0
single-replica           0     0     1     0
pdb-missing              0     0     0     1

BY NAMESPACE  FAIL  WARN  PASS
shop          1     1     0
blog          0     0     1

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
            "BY NAMESPACE  PASS\n"
            "blog          1\n\n"
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

TEST(Table, MessagesAreWrappedWhereThereIsRoom) {
  std::vector<ShutdownAudit> audits{sample_audits()[1]};
  audits[0].status.findings[0].message = "No readiness probe: a Service sends requests here as soon as the container runs.";
  TableOptions options;
  options.roll_up = false;
  options.width = 112;
  EXPECT_EQ(table_text(audits, options),
            R"(RESULT  CHECK                        WORKLOAD             SOURCE        MESSAGE
Warn    readiness-probe-missing/app  shop/deployment/api  shop.yaml:20  No readiness probe: a Service sends
                                                                        requests here as soon as the container
                                                                        runs.
)");
  options.width = 60;
  EXPECT_EQ(table_text(audits, options), R"(Warn  readiness-probe-missing/app  shop/deployment/api
      shop.yaml:20
      No readiness probe: a Service sends requests here as
      soon as the container runs.
)");
  options.wide = true;
  EXPECT_EQ(table_text(audits, options), R"(Warn  readiness-probe-missing/app  shop/deployment/api
      grace 60  needs 75  aftersignal 0  evidence Declared
      drain 180s  rollout -  shop.yaml:20
      No readiness probe: a Service sends requests here as
      soon as the container runs.
      Set terminationGracePeriodSeconds to 75.
)");
}

TEST(Table, FitsAnyTerminal) {
  std::vector<ShutdownAudit> audits = sample_audits();
  audits.push_back(audit_of("日本語", std::string(120, 'w'), Verdict::kFail,
                            {sample_finding(Check::kProbeAlwaysSucceeds, CheckResult::kError, std::string(63, 'c'))},
                            {std::string(200, 'f') + "日本語日本語", 123456, 7}));
  for (std::size_t width = 40; width <= 200; width += 3) {
    for (const bool wide : {false, true}) {
      TableOptions options;
      options.wide = wide;
      options.width = width;
      const std::string text = table_text(audits, options);
      for (const std::string_view line : base::split(text, '\n')) {
        EXPECT_LE(columns(line), width) << line;
        EXPECT_FALSE(line.ends_with(' ')) << line;
      }
    }
  }
}

// Worst first, each kind in the order of the input, columns as wide as the widest cell of all rows.
TEST(Table, ManyFindings) {
  constexpr std::size_t kAudits = 3000;
  const std::vector<std::pair<CheckResult, std::string>> results{{CheckResult::kError, "Error"},
                                                                 {CheckResult::kFail, "Fail"},
                                                                 {CheckResult::kWarn, "Warn"},
                                                                 {CheckResult::kInfo, "Info"}};
  std::vector<ShutdownAudit> audits;
  std::vector<std::string> lines(results.size());
  const auto padded = [](const std::string& text, std::string_view widest) {
    return text + std::string(widest.size() - text.size() + 2, ' ');
  };
  for (std::size_t i = 0; i < kAudits; ++i) {
    const auto& [result, word] = results[i * 7 % results.size()];
    const std::string name_space = "shop-" + std::to_string(i % 30);
    const std::string name = "web-" + std::to_string(i);
    audits.push_back(audit_of(name_space, name, Verdict::kFail, {sample_finding(Check::kGraceBudget, result)},
                              {"a.yaml", static_cast<std::int64_t>(i) + 1, 7}));
    audits.back().status.findings[0].message = "Message " + std::to_string(i % 100);
    lines[i * 7 % results.size()] +=
        padded(word, "RESULT") + padded("grace-budget", "grace-budget") +
        padded(name_space + "/deployment/" + name, "shop-29/deployment/web-2999") +
        padded("a.yaml:" + std::to_string(i + 1) + ":7", "a.yaml:3000:7") + "Message " + std::to_string(i % 100) + "\n";
  }
  TableOptions options;
  options.roll_up = false;
  EXPECT_EQ(table_text(audits, options),
            "RESULT  CHECK         WORKLOAD                     SOURCE         MESSAGE\n" + base::join(lines, ""));
}

TEST(Table, HostileNamesCannotDriveTheTerminal) {
  const std::vector<ShutdownAudit> audits{
      audit_of("n\n\x1b[2J", "w\x1b]0;x\x07", Verdict::kFail, {sample_finding(Check::kGraceBudget, CheckResult::kFail)},
               {"f\nile", 1, 0})};
  const std::string text = table_text(audits, {});
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  EXPECT_THAT(text, HasSubstr("n  [2J/deployment/w ]0;x "));
  EXPECT_THAT(text, HasSubstr("f ile:1"));
}

}  // namespace
}  // namespace shutdown_auditor::report
