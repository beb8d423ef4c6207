#include "report/baseline.h"

#include "formats_sample.h"

namespace shutdown_auditor::report {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string baseline_text(const std::vector<ShutdownAudit>& audits) {
  BaselineWriter writer;
  for (const ShutdownAudit& audit : audits) writer.add(audit);
  return writer.text();
}

BaselineCounts hide_known(const std::vector<KnownFinding>& known, std::vector<ShutdownAudit>& audits) {
  Baseline baseline;
  for (const KnownFinding& finding : known) baseline.add(finding);
  for (ShutdownAudit& audit : audits) baseline.hide_known(audit);
  return baseline.counts();
}

KnownFinding known(std::string id, std::string result, std::string reason = "Reason",
                   std::string workload = "shop/deployment/web") {
  return {{std::move(workload), std::move(id), std::move(reason)}, std::move(result)};
}

std::vector<std::string> ids(const ShutdownAudit& audit) {
  std::vector<std::string> out;
  for (const ReportedFinding& finding : audit.status.findings) {
    out.push_back(finding.id + " " + finding.result + " " + finding.baseline_state);
  }
  return out;
}

TEST(Baseline, Text) {
  EXPECT_EQ(baseline_text(format_audits()), 
            R"(# Known findings, written by `check --write-baseline`; `check --baseline` with this file shows and counts only others.
# To have a finding reported again, delete its line.
apiVersion: shutdownaudit.dev/v1alpha1
kind: ShutdownBaseline
findings:
- {workload: shop/deployment/api, check: single-replica, reason: SingleReplica, result: Info}
- {workload: shop/deployment/web, check: grace-budget, reason: GracePeriodTooShort, result: Fail}
- {workload: shop/deployment/web, check: readiness-probe-missing/app, reason: ReadinessProbeMissing, result: Warn}
)");
  EXPECT_THAT(baseline_text({}), HasSubstr("\nfindings: []\n"));
}

TEST(Baseline, TextQuotesWhatYamlWouldReadOtherwise) {
  const auto line = [](const std::string& name_space) {
    return baseline_text({format_audit(name_space, "web", "Fail", {format_finding("grace-budget", "Fail", "true")})});
  };
  EXPECT_THAT(line("7"), HasSubstr("{workload: \"7/deployment/web\", check: grace-budget, reason: \"true\","));
  EXPECT_THAT(line("a: b # c"), HasSubstr("{workload: \"a: b # c/deployment/web\","));
  EXPECT_THAT(line("a\nb\"c\xFF"), HasSubstr("{workload: \"a b\\\"c"));
}

TEST(Baseline, KnownFindingsAreHidden) {
  std::vector<ShutdownAudit> audits = format_audits();
  const BaselineCounts counts = hide_known({known("grace-budget", "Fail", "GracePeriodTooShort"),
                                            known("pdb-missing", "Warn", "BudgetMissing"),
                                            known("single-replica", "Info", "SingleReplica", "shop/deployment/api"),
                                            known("grace-zero", "Fail", "GracePeriodZero", "shop/deployment/old")},
                                           audits);
  EXPECT_EQ(counts.hidden, 2U);
  EXPECT_EQ(counts.gone, 1U) << "pdb-missing is exempt now";
  EXPECT_EQ(counts.elsewhere, 1U) << "shop/deployment/old";

  const ShutdownAudit& web = audits[1];
  EXPECT_THAT(ids(web), ElementsAre("readiness-probe-missing/app Warn new", "pdb-missing Skip new"));
  EXPECT_EQ(web.status.verdict, "Warn");
  EXPECT_EQ(web.status.top_reason, "ReadinessProbeMissing");
  EXPECT_EQ(web.status.summary->fail, 0);
  EXPECT_EQ(web.status.summary->warn, 1);
  EXPECT_EQ(web.status.summary->skip, 1);
  EXPECT_EQ(audits[2].status.verdict, "Pass") << "a hidden Info changes no verdict";
  EXPECT_EQ(audits[3].status.verdict, "Error");
  EXPECT_THAT(ids(audits[3]), ElementsAre("audit-error Error new"));
}

TEST(Baseline, VerdictOfTheRest) {
  const ReportedFinding fail = format_finding("grace-zero", "Fail", "Reason");
  const ReportedFinding warn = format_finding("pdb-missing", "Warn", "Other");
  const ReportedFinding info = format_finding("single-replica", "Info", "Other");
  const ReportedFinding unverified = format_finding("grace-unverified", "Info", "GracePeriodUnverified");
  const struct {
    std::vector<ReportedFinding> rest;
    const char* verdict;
    const char* top;
  } kCases[] = {{{}, "Skip", ""},
                {{info}, "Skip", ""},
                {{info, unverified}, "Unverified", "GracePeriodUnverified"},
                {{unverified, warn}, "Warn", "Other"}};
  for (const auto& test : kCases) {
    std::vector<ReportedFinding> findings{fail};
    findings.insert(findings.end(), test.rest.begin(), test.rest.end());
    std::vector<ShutdownAudit> audits{format_audit("shop", "web", "Fail", findings)};
    audits[0].status.top_reason = "Reason";
    EXPECT_EQ(hide_known({known("grace-zero", "Fail")}, audits).hidden, 1U);
    EXPECT_EQ(audits[0].status.verdict, test.verdict);
    EXPECT_EQ(audits[0].status.top_reason, test.top);
  }
}

TEST(Baseline, OneEntryHidesOneFindingNoWorse) {
  const struct {
    std::vector<const char*> entries;
    std::vector<const char*> findings;
    std::vector<std::string> left;
    std::size_t gone;
  } kCases[] = {
      {{"Fail"}, {"Fail"}, {}, 0},
      {{"Fail"}, {"Info"}, {}, 0},
      {{"Warn"}, {"Fail"}, {"pdb-missing Fail updated"}, 0},
      {{"Fail"}, {"Fail", "Fail"}, {"pdb-missing Fail new"}, 0},
      {{"Fail", "Fail"}, {"Fail"}, {}, 1},
      {{"Fail", "Warn"}, {"Warn", "Fail"}, {}, 0},
      {{"Warn", "Warn"}, {"Warn", "Fail"}, {"pdb-missing Fail updated"}, 0},
      {{}, {"Info"}, {"pdb-missing Info new"}, 0},
      {{"Fail"}, {}, {}, 1},
  };
  for (const auto& test : kCases) {
    std::vector<KnownFinding> entries;
    for (const char* result : test.entries) entries.push_back(known("pdb-missing", result));
    std::vector<ReportedFinding> findings;
    for (const char* result : test.findings) findings.push_back(format_finding("pdb-missing", result, "Reason"));
    std::vector<ShutdownAudit> audits{format_audit("shop", "web", "Fail", findings)};
    const BaselineCounts counts = hide_known(entries, audits);
    EXPECT_THAT(ids(audits[0]), testing::ElementsAreArray(test.left));
    EXPECT_EQ(counts.gone, test.gone);
    EXPECT_EQ(counts.hidden, test.findings.size() - test.left.size());
  }
}

// The same workload stands in the input twice, as in two folders of overlays.
TEST(Baseline, SeveralAuditsOfOneWorkload) {
  const auto audits_of = [](const std::vector<const char*>& results) {
    std::vector<ShutdownAudit> audits;
    for (const char* result : results) {
      audits.push_back(format_audit("shop", "web", result, {format_finding("pdb-missing", result, "Reason")}));
    }
    return audits;
  };
  for (const std::vector<const char*>& results :
       {std::vector<const char*>{"Warn", "Fail"}, {"Fail", "Warn"}, {"Info", "Fail", "Warn", "Fail"}}) {
    std::vector<KnownFinding> entries;
    for (const char* result : results) entries.push_back(known("pdb-missing", result));
    std::vector<ShutdownAudit> audits = audits_of(results);
    EXPECT_EQ(hide_known(entries, audits).hidden, results.size()) << "what was written is known, in any order";
  }
  std::vector<ShutdownAudit> audits = audits_of({"Fail", "Fail", "Fail"});
  const BaselineCounts counts = hide_known({known("pdb-missing", "Fail"), known("pdb-missing", "Warn")}, audits);
  EXPECT_EQ(counts.hidden, 1U);
  EXPECT_EQ(counts.gone, 0U);
  EXPECT_THAT(ids(audits[1]), ElementsAre("pdb-missing Fail updated"));
  EXPECT_THAT(ids(audits[2]), ElementsAre("pdb-missing Fail new"));
}

TEST(Baseline, WhatMakesAFindingTheSame) {
  const std::vector<ShutdownAudit> before{
      format_audit("shop", "web", "Fail", {format_finding("prestop-broken", "Fail", "PreStopBroken", "app")})};
  const auto hidden = [&](auto change) {
    std::vector<ShutdownAudit> after = before;
    change(after[0], after[0].status.findings[0]);
    return hide_known({known("prestop-broken/app", "Fail", "PreStopBroken")}, after).hidden == 1;
  };
  using Audit = ShutdownAudit;
  using Finding = ReportedFinding;
  EXPECT_TRUE(hidden([](Audit&, Finding& finding) { finding.place = {"elsewhere.yaml", 99, 1}; }));
  EXPECT_TRUE(hidden([](Audit&, Finding& finding) { finding.message = "Other numbers, 12 s."; }));
  EXPECT_TRUE(hidden([](Audit&, Finding& finding) { finding.field_path = "spec.template.spec.containers[7]"; }));
  EXPECT_FALSE(hidden([](Audit& audit, Finding&) { audit.target.name = "api"; }));
  EXPECT_FALSE(hidden([](Audit& audit, Finding&) { audit.target.kind = "StatefulSet"; }));
  EXPECT_FALSE(hidden([](Audit& audit, Finding&) { audit.meta.namespace_ = "blog"; }));
  EXPECT_FALSE(hidden([](Audit&, Finding& finding) { finding.reason = "Other"; }));
  EXPECT_FALSE(hidden([](Audit&, Finding& finding) { finding.id = "prestop-broken/proxy"; }));
  EXPECT_FALSE(hidden([](Audit&, Finding& finding) { finding.id = "prestop-missing/app"; }));
}

}  // namespace
}  // namespace shutdown_auditor::report
