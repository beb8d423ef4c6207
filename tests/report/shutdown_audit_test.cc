#include "report/shutdown_audit.h"

#include <gmock/gmock.h>

#include "base/text.h"
#include "sample.h"

namespace shutdown_auditor::report {
namespace {

using audit::Check;
using audit::CheckResult;
using audit::Verdict;
using testing::ElementsAre;
using testing::EndsWith;
using testing::Pair;
using testing::StartsWith;

TEST(AuditName, Table) {
  const std::string long_name(250, 'a');
  const struct {
    objects::GroupKind kind;
    std::string name;
    std::string expected;  // a plain name, or what comes before "-<hash>"
    bool hashed;
  } kCases[] = {
      {{"apps", "Deployment"}, "web", "deployment-web", false},
      {{"apps", "StatefulSet"}, "db.eu-1", "statefulset-db.eu-1", false},
      {{"apps", "DaemonSet"}, std::string(243, 'a'), "daemonset-" + std::string(243, 'a'), false},
      {{"apps", "DaemonSet"}, std::string(244, 'a'), "daemonset-" + std::string(232, 'a'), true},
      {{"apps", "Deployment"}, long_name, "deployment-" + std::string(231, 'a'), true},
      {{"apps", "Deployment"}, std::string(230, 'a') + "--" + long_name, "deployment-" + std::string(230, 'a'), true},
      {{"argoproj.io", "Rollout"}, "web", "rollout-web", true},
      {{"", "Pod"}, "web", "pod-web", true},
      {{"apps", "Deployment"}, "Web", "deployment-web", true},
      {{"apps", "Deployment"}, "a b/c\n", "deployment-a-b-c", true},
      {{"apps", "Deployment"}, "", "deployment", true},
  };
  for (const auto& test : kCases) {
    const std::string name = audit_name(test.kind, test.name);
    std::string expected = test.expected;
    if (test.hashed) {
      expected += "-" + base::sha256_hex(test.kind.group + "/" + test.kind.kind + "/" + test.name).substr(0, 10);
    }
    EXPECT_EQ(name, expected);
    EXPECT_LE(name.size(), 253U);
  }
  EXPECT_NE(audit_name({"apps", "Deployment"}, "Web"), audit_name({"apps", "Deployment"}, "web"));
}

TEST(LabelValue, Table) {
  const std::string fits(63, 'a');
  const std::string over(64, 'a');
  EXPECT_EQ(label_value("web"), "web");
  EXPECT_EQ(label_value(""), "");
  EXPECT_EQ(label_value("A_b.c-9"), "A_b.c-9");
  EXPECT_EQ(label_value(fits), fits);
  EXPECT_EQ(label_value(over), std::string(52, 'a') + "-" + base::sha256_hex(over).substr(0, 10));
  EXPECT_THAT(label_value("-web-"), StartsWith("web-"));
  EXPECT_THAT(label_value("a b"), StartsWith("ab-"));
  EXPECT_EQ(label_value("\n"), base::sha256_hex("\n").substr(0, 10));
  EXPECT_NE(label_value("a b"), label_value("a  b"));
}

TEST(MakeShutdownAudit, IdentityAndOwner) {
  const ShutdownAudit audit =
      make_shutdown_audit(sample_result(Verdict::kPass, {}), sample_workload(), "default", Detail::kStored);
  EXPECT_EQ(audit.meta.name, "deployment-web");
  EXPECT_EQ(audit.meta.namespace_, "shop");
  EXPECT_THAT(audit.meta.labels, ElementsAre(Pair("app.kubernetes.io/managed-by", "shutdown-auditor"),
                                             Pair("shutdownaudit.dev/workload-kind", "Deployment"),
                                             Pair("shutdownaudit.dev/workload-name", "web")));
  ASSERT_EQ(audit.meta.owners.size(), 1U);
  EXPECT_EQ(audit.meta.owners[0].api_version, "apps/v1");
  EXPECT_EQ(audit.meta.owners[0].uid, "8f4e");
  EXPECT_FALSE(audit.meta.owners[0].controller);
  EXPECT_EQ(audit.target.group, "apps");
  EXPECT_EQ(audit.target.kind, "Deployment");
  EXPECT_EQ(audit.target.name, "web");
  EXPECT_EQ(audit.status.target_uid, "8f4e");
  EXPECT_EQ(audit.status.observed_target_generation, 7);
  EXPECT_EQ(audit.status.policy_ref, "default");
}

TEST(MakeShutdownAudit, NumbersOfTheSum) {
  const ShutdownAudit audit =
      make_shutdown_audit(sample_result(Verdict::kFail, {}), sample_workload(), "", Detail::kStored);
  ASSERT_TRUE(audit.status.budget);
  const ReportedBudget& budget = *audit.status.budget;
  EXPECT_EQ(budget.grace_period_seconds, 60);
  EXPECT_EQ(budget.grace_period_source, "Explicit");
  EXPECT_EQ(budget.pre_stop_seconds, 5);
  EXPECT_EQ(budget.drain_seconds, std::nullopt) << "unknown is absent, not 0";
  EXPECT_EQ(budget.required_is, "Exact");
  EXPECT_EQ(budget.shortfall_seconds, 15);
  EXPECT_EQ(budget.evidence, "Declared");
  ASSERT_EQ(audit.status.containers.size(), 1U);
  EXPECT_EQ(audit.status.containers[0].role, "Serving");
  EXPECT_EQ(audit.status.containers[0].pre_stop->min_seconds, 5) << "what is needed is rounded up";
}

TEST(MakeShutdownAudit, WhichFindingsAreStored) {
  const std::vector<audit::Finding> findings{
      sample_finding(Check::kGraceZero, CheckResult::kFail), sample_finding(Check::kPdbMissing, CheckResult::kWarn),
      sample_finding(Check::kGraceUnverified, CheckResult::kInfo),
      sample_finding(Check::kSingleReplica, CheckResult::kInfo),
      sample_finding(Check::kLivenessProbeMissing, CheckResult::kSkip, "app")};
  const struct {
    Verdict verdict;
    Detail detail;
    std::vector<std::string> ids;
  } kCases[] = {
      {Verdict::kFail, Detail::kStored, {"grace-zero", "pdb-missing", "liveness-probe-missing/app"}},
      {Verdict::kUnverified,
       Detail::kStored,
       {"grace-zero", "pdb-missing", "grace-unverified", "liveness-probe-missing/app"}},
      {Verdict::kFail,
       Detail::kPrinted,
       {"grace-zero", "pdb-missing", "grace-unverified", "single-replica", "liveness-probe-missing/app"}},
  };
  for (const auto& test : kCases) {
    const ShutdownAudit audit =
        make_shutdown_audit(sample_result(test.verdict, findings), sample_workload(), "", test.detail);
    std::vector<std::string> ids;
    for (const ReportedFinding& finding : audit.status.findings) {
      ids.push_back(finding.id);
    }
    EXPECT_EQ(ids, test.ids);
    EXPECT_THAT(failing_ids(audit), ElementsAre("grace-zero", "pdb-missing"));
  }
}

TEST(MakeShutdownAudit, PrintedObjectsHoldNothingThatOnlyAClusterKnows) {
  const ShutdownAudit audit =
      make_shutdown_audit(sample_result(Verdict::kPass, {}), sample_workload(), "default", Detail::kPrinted);
  EXPECT_TRUE(audit.meta.owners.empty());
  EXPECT_EQ(audit.status.target_uid, "");
  EXPECT_EQ(audit.status.observed_target_generation, std::nullopt);
  EXPECT_TRUE(audit.status.conditions.empty());
  EXPECT_EQ(audit.status.verdict, "Pass");
}

TEST(MakeShutdownAudit, ListsAreBounded) {
  audit::AuditResult result = sample_result(Verdict::kWarn, {});
  for (int i = 0; i < 100; ++i) {
    result.findings.push_back(
        sample_finding(Check::kReadinessProbeMissing, CheckResult::kWarn, "c" + std::to_string(i)));
    result.containers.push_back(result.containers[0]);
    result.disruption.budgets.push_back("b" + std::to_string(i));
  }
  const ShutdownAudit stored = make_shutdown_audit(result, sample_workload(), "", Detail::kStored);
  EXPECT_EQ(stored.status.findings.size(), 32U);
  EXPECT_EQ(stored.status.containers.size(), 32U);
  EXPECT_EQ(stored.status.disruption->budgets.size(), 32U);
  EXPECT_TRUE(stored.status.truncated);
  const ShutdownAudit printed = make_shutdown_audit(result, sample_workload(), "", Detail::kPrinted);
  EXPECT_EQ(printed.status.findings.size(), 100U);
  EXPECT_FALSE(printed.status.truncated);
}

TEST(MakeShutdownAudit, TextsAreOneBoundedLine) {
  audit::Finding finding = sample_finding(Check::kAnnotationInvalid, CheckResult::kWarn);
  finding.message = "value \"a\nb\x1b[31m\xff\" " + std::string(1000, 'x');
  const ShutdownAudit audit =
      make_shutdown_audit(sample_result(Verdict::kWarn, {finding}), sample_workload(), "", Detail::kStored);
  const std::string& message = audit.status.findings.at(0).message;
  EXPECT_THAT(message, StartsWith("value \"a b [31m\xEF\xBF\xBD\" xxx"));
  EXPECT_THAT(message, EndsWith("…"));
  EXPECT_LE(message.size(), 512U);
}

TEST(MakeShutdownAudit, Exemption) {
  audit::Finding finding = sample_finding(Check::kPdbMissing, CheckResult::kSkip);
  finding.exemption_source = "Policy";
  finding.exemption_name = "batch";
  finding.exemption_reason = "stateless";
  finding.exemption_expiration = "2027-01-01T00:00:00Z";
  finding.related_kind = objects::GroupKind{"policy", "PodDisruptionBudget"};
  finding.related_name = "web";
  const ShutdownAudit audit =
      make_shutdown_audit(sample_result(Verdict::kSkip, {finding}), sample_workload(), "", Detail::kStored);
  const ReportedFinding& reported = audit.status.findings.at(0);
  ASSERT_TRUE(reported.exemption);
  EXPECT_EQ(reported.exemption->source, "Policy");
  EXPECT_EQ(reported.exemption->expiration_time, "2027-01-01T00:00:00Z");
  ASSERT_TRUE(reported.related_ref);
  EXPECT_EQ(reported.related_ref->name, "web");
}

TEST(Conditions, FollowTheVerdict) {
  const struct {
    Verdict verdict;
    bool has_finding;
    const char* ready;
    const char* compliant;
    const char* reason;
  } kCases[] = {
      {Verdict::kPass, false, "True", "True", "Passed"},
      {Verdict::kUnverified, true, "True", "True", "SomeReason"},
      {Verdict::kWarn, true, "True", "True", "SomeReason"},
      {Verdict::kFail, true, "True", "False", "SomeReason"},
      {Verdict::kSkip, false, "True", "Unknown", "Exempt"},
      {Verdict::kError, true, "False", "Unknown", "SomeReason"},
  };
  for (const auto& test : kCases) {
    std::vector<audit::Finding> findings;
    if (test.has_finding) {
      findings.push_back(sample_finding(Check::kGraceBudget, CheckResult::kWarn));
    }
    const ShutdownAudit audit =
        make_shutdown_audit(sample_result(test.verdict, findings), sample_workload(), "", Detail::kStored);
    ASSERT_EQ(audit.status.conditions.size(), 2U);
    EXPECT_EQ(audit.status.conditions[0].type, "Compliant");
    EXPECT_EQ(audit.status.conditions[0].status, test.compliant) << audit.status.verdict;
    EXPECT_EQ(audit.status.conditions[0].reason, test.reason) << audit.status.verdict;
    EXPECT_EQ(audit.status.conditions[1].type, "Ready");
    EXPECT_EQ(audit.status.conditions[1].status, test.ready) << audit.status.verdict;
    EXPECT_EQ(audit.status.budget.has_value(), test.verdict != Verdict::kError);
  }
}

TEST(Conditions, TransitionTimeMovesOnlyWhenTheStatusFlips) {
  const auto condition = [](const char* type, const char* status, const char* time) {
    return ReportedCondition{type, status, {}, time, "R", "m"};
  };
  const struct {
    std::vector<ReportedCondition> stored;
    const char* status;
    const char* time;
    bool flipped;
  } kCases[] = {
      {{}, "True", "now", true},
      {{condition("Compliant", "True", "before")}, "True", "before", false},
      {{condition("Compliant", "False", "before")}, "True", "now", true},
      {{condition("Ready", "True", "before")}, "True", "now", true},
      {{condition("Compliant", "True", "")}, "True", "now", true},
  };
  for (const auto& test : kCases) {
    std::vector<ReportedCondition> computed{condition("Compliant", test.status, "")};
    EXPECT_EQ(merge_conditions(test.stored, computed, "now"), test.flipped);
    EXPECT_EQ(computed[0].last_transition_time, test.time);
  }
}

}  // namespace
}  // namespace shutdown_auditor::report
