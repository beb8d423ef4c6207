#include "report/audit_json.h"

#include <gmock/gmock.h>

#include <functional>
#include <limits>
#include <nlohmann/json.hpp>
#include <random>

#include "printed.h"
#include "report/audit_list.h"
#include "sample.h"

namespace shutdown_auditor::report {
namespace {

using audit::Check;
using audit::CheckResult;
using audit::Verdict;
using nlohmann::json;
using testing::HasSubstr;

std::string list_json(const std::vector<ShutdownAudit>& audits) { return printed(audits, json_printer); }
std::string list_yaml(const std::vector<ShutdownAudit>& audits) { return printed(audits, yaml_printer); }

// Any ShutdownAudit, with fields missing and present, from a seed.
class RandomAudits {
 public:
  explicit RandomAudits(unsigned seed) : random_(seed) {}

  ShutdownAudit next() {
    ShutdownAudit out;
    out.meta.name = word();
    out.meta.namespace_ = word();
    out.meta.labels = {{std::string(kManagedByLabel), "shutdown-auditor"}, {std::string(kWorkloadNameLabel), word()}};
    out.target = {word(), word(), word()};
    ShutdownAuditStatus& s = out.status;
    s.verdict = word();
    s.top_reason = word();
    s.observed_generation = number();
    s.observed_target_generation = number();
    s.target_uid = word();
    if (!s.target_uid.empty()) {
      out.meta.owners.push_back({"apps/v1", word(), word(), s.target_uid, false});
    }
    if (coin()) {
      s.summary = ReportedSummary{1, 2, 3, 4, 5, 6};
    }
    if (coin()) {
      s.budget = ReportedBudget{number(), word(),   number(), number(), number(), number(), number(), number(), number(),
                                number(), number(), word(),   word(),   number(), number(), number(), word(),   word()};
    }
    for (unsigned i = random_() % 4; i > 0; --i) {
      std::optional<ReportedPreStop> hook;
      if (coin()) {
        hook = ReportedPreStop{word(), number(), number(), number()};
      }
      s.containers.push_back({word(), word(), word(), hook, number(), number(), word(), number(), word(), word(), number()});
    }
    if (coin()) {
      s.disruption = ReportedDisruption{{word() + "x", word() + "y"}, number(), number()};
    }
    for (unsigned i = random_() % 4; i > 0; --i) {
      ReportedFinding finding{word(), word(), word(), word(), word(), word(), word(), word(), {}, {}, {}, {}};
      if (coin()) {
        finding.related_ref = RelatedRef{word(), word(), word()};
      }
      if (coin()) {
        finding.exemption = ReportedExemption{word(), word(), word(), word()};
      }
      s.findings.push_back(std::move(finding));
    }
    s.truncated = coin();
    s.policy_ref = word();
    s.checks_version = word();
    s.conditions.push_back({word(), word(), number(), word(), word(), word()});
    return out;
  }

 private:
  bool coin() { return random_() % 2 == 0; }
  std::string word() {
    static const std::vector<std::string> kWords{"", "web", "a \"quoted\" \\ word", "ünï …", "true", "~60", ">=75", "1"};
    return kWords[random_() % kWords.size()];
  }
  std::optional<std::int64_t> number() {
    static const std::vector<std::optional<std::int64_t>> kNumbers{
        std::nullopt, 0, 1, 60, -5, std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()};
    return kNumbers[random_() % kNumbers.size()];
  }
  std::mt19937 random_;
};

// What the API server would hold after both applies.
json as_stored(const ShutdownAudit& audit) {
  json out = json::parse(apply_body(audit));
  out["status"] = json::parse(status_apply_body(audit))["status"];
  out["metadata"]["resourceVersion"] = "17";
  out["metadata"]["uid"] = "of-the-audit";
  out["metadata"]["generation"] = 1;
  out["metadata"]["creationTimestamp"] = "2026-11-22T18:17:03Z";
  out["metadata"]["managedFields"] = json::array({{{"manager", "x"}, {"fieldsV1", {{"f:spec", json::object()}}}}});
  return out;
}

ShutdownAudit decode(const json& object) {
  const base::Result<ShutdownAudit> decoded = objects::decode_json<ShutdownAudit>(object.dump());
  EXPECT_TRUE(decoded) << (decoded ? "" : decoded.error().message);
  return decoded.value_or(ShutdownAudit());
}

TEST(AuditJson, RoundTripKeepsEverything) {
  RandomAudits audits(42);
  for (int i = 0; i < 500; ++i) {
    const ShutdownAudit audit = audits.next();
    const ShutdownAudit back = decode(as_stored(audit));
    ASSERT_EQ(apply_body(back), apply_body(audit));
    ASSERT_EQ(status_apply_body(back), status_apply_body(audit));
    ASSERT_EQ(digest(back), digest(audit));
    ASSERT_EQ(stored(back).digest, digest(audit));
    ASSERT_EQ(stored(back).failing, failing_ids(audit));
    ASSERT_EQ(stored(back).observed_target_generation, audit.status.observed_target_generation);
  }
}

TEST(AuditJson, BodyOfTheMainResource) {
  const ShutdownAudit audit =
      make_shutdown_audit(sample_result(Verdict::kPass, {}), sample_workload(), "", Detail::kStored);
  EXPECT_EQ(json::parse(apply_body(audit)), json::parse(R"({
    "apiVersion": "shutdownaudit.dev/v1alpha1", "kind": "ShutdownAudit",
    "metadata": {
      "name": "deployment-web", "namespace": "shop",
      "labels": {"app.kubernetes.io/managed-by": "shutdown-auditor", "shutdownaudit.dev/workload-kind": "Deployment",
                 "shutdownaudit.dev/workload-name": "web"},
      "ownerReferences": [{"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": "8f4e"}]},
    "spec": {"targetRef": {"group": "apps", "kind": "Deployment", "name": "web"}}})"));
}

TEST(AuditJson, BodyOfTheStatus) {
  ShutdownAudit audit =
      make_shutdown_audit(sample_result(Verdict::kWarn, {sample_finding(Check::kPdbMissing, CheckResult::kWarn)}),
                          sample_workload(), "strict", Detail::kStored);
  audit.status.observed_generation = 1;
  merge_conditions({}, audit.status.conditions, "2026-11-22T18:17:03Z");
  EXPECT_EQ(json::parse(status_apply_body(audit)), json::parse(R"({
    "apiVersion": "shutdownaudit.dev/v1alpha1", "kind": "ShutdownAudit",
    "metadata": {"name": "deployment-web", "namespace": "shop"},
    "status": {
      "verdict": "Warn", "topReason": "SomeReason", "observedGeneration": 1, "observedTargetGeneration": 7,
      "targetUID": "8f4e", "policyRef": "strict", "checksVersion": "0.2.0",
      "summary": {"fail": 1, "warn": 2, "info": 3, "pass": 4, "skip": 5, "error": 0},
      "budget": {"gracePeriodSeconds": 60, "gracePeriodSource": "Explicit", "preStopSeconds": 5, "bufferSeconds": 5,
                 "requiredSeconds": 75, "requiredIs": "Exact", "requiredText": "75", "provableSeconds": 0,
                 "shortfallSeconds": 15, "secondsAfterSignal": 0, "container": "app", "evidence": "Declared"},
      "containers": [{"name": "app", "role": "Serving",
                      "preStop": {"kind": "Exact", "minSeconds": 5, "nominalSeconds": 5, "maxSeconds": 5},
                      "signalHandling": "Unknown", "stopSignal": "SIGTERM", "needsSeconds": 70}],
      "findings": [{"id": "pdb-missing", "check": "pdb-missing", "result": "Warn", "reason": "SomeReason",
                    "message": "Needs 75 s, has 60 s.", "remediation": "Set terminationGracePeriodSeconds to 75.",
                    "fieldPath": "spec.template.spec.terminationGracePeriodSeconds"}],
      "conditions": [
        {"type": "Compliant", "status": "True", "lastTransitionTime": "2026-11-22T18:17:03Z", "reason": "SomeReason",
         "message": "Needs 75 s, has 60 s."},
        {"type": "Ready", "status": "True", "lastTransitionTime": "2026-11-22T18:17:03Z", "reason": "Audited",
         "message": "The workload has been audited."}]}})"));
}

TEST(AuditJson, WhatTheDigestSees) {
  const ShutdownAudit base =
      make_shutdown_audit(sample_result(Verdict::kFail, {sample_finding(Check::kGraceZero, CheckResult::kFail)}),
                          sample_workload(), "default", Detail::kStored);
  using Change = std::function<void(ShutdownAudit&)>;
  const struct {
    const char* what;
    Change change;
    bool differs;
  } kCases[] = {
      {"nothing", [](ShutdownAudit&) {}, false},
      {"resource version", [](ShutdownAudit& a) { a.meta.resource_version = "99"; }, false},
      {"a foreign label", [](ShutdownAudit& a) { a.meta.labels.insert(a.meta.labels.begin(), {"a", "b"}); }, false},
      {"a foreign owner",
       [](ShutdownAudit& a) { a.meta.owners.push_back({"v1", "ConfigMap", "x", "other", false}); }, false},
      {"a foreign annotation", [](ShutdownAudit& a) { a.meta.annotations = {{"a", "b"}}; }, false},
      {"observedTargetGeneration", [](ShutdownAudit& a) { a.status.observed_target_generation = 8; }, false},
      {"observedGeneration", [](ShutdownAudit& a) { a.status.observed_generation = 2; }, false},
      {"policyRef", [](ShutdownAudit& a) { a.status.policy_ref = "other"; }, false},
      {"checksVersion", [](ShutdownAudit& a) { a.status.checks_version = "9"; }, false},
      {"transition time", [](ShutdownAudit& a) { a.status.conditions[0].last_transition_time = "later"; }, false},
      {"condition generation", [](ShutdownAudit& a) { a.status.conditions[0].observed_generation = 2; }, false},
      {"our label changed", [](ShutdownAudit& a) { a.meta.labels[0].second = "x"; }, true},
      {"our label gone", [](ShutdownAudit& a) { a.meta.labels.erase(a.meta.labels.begin()); }, true},
      {"owner gone", [](ShutdownAudit& a) { a.meta.owners.clear(); }, true},
      {"another uid", [](ShutdownAudit& a) { a.meta.owners[0].uid = a.status.target_uid = "9"; }, true},
      {"verdict", [](ShutdownAudit& a) { a.status.verdict = "Warn"; }, true},
      {"a number", [](ShutdownAudit& a) { a.status.budget->required_seconds = 76; }, true},
      {"a message", [](ShutdownAudit& a) { a.status.findings[0].message += "!"; }, true},
      {"a count", [](ShutdownAudit& a) { a.status.summary->info += 1; }, true},
      {"condition status", [](ShutdownAudit& a) { a.status.conditions[0].status = "Unknown"; }, true},
      {"no status at all", [](ShutdownAudit& a) { a.status = {}; }, true},
  };
  for (const auto& test : kCases) {
    ShutdownAudit changed = base;
    test.change(changed);
    EXPECT_EQ(digest(changed) != digest(base), test.differs) << test.what;
  }
}

TEST(AuditJson, ObjectsOfOthersAreReadOrRefused) {
  const struct {
    const char* text;
    bool readable;
  } kCases[] = {
      {R"({"metadata": {"name": "x"}, "spec": {"targetRef": {"kind": "Deployment", "name": "x"}}})", true},
      {R"({"metadata": {"name": "x"}, "status": null})", true},
      {R"({"metadata": {"name": "x"}, "status": {"verdict": "Odd", "unknown": {"deep": [1, 2, {}]}}})", true},
      {R"({"metadata": {"name": "x"}, "status": {"findings": "none"}})", false},
      {R"({"metadata": {"name": "x"}, "status": {"budget": {"requiredSeconds": "60"}}})", false},
      {R"({"metadata": {"name": "x"}, "status": {"summary": {"fail": 1.5}}})", false},
      {"[]", false},
  };
  for (const auto& test : kCases) {
    EXPECT_EQ(objects::decode_json<ShutdownAudit>(test.text).has_value(), test.readable) << test.text;
  }
}

TEST(AuditJson, InvalidUtf8DoesNotThrow) {
  ShutdownAudit audit;
  audit.meta.name = "a\xff";
  EXPECT_TRUE(json::accept(apply_body(audit)));
  EXPECT_TRUE(json::accept(list_json({audit})));
  EXPECT_EQ(digest(audit).size(), 64U);
}

TEST(AuditJson, PrintedList) {
  EXPECT_EQ(list_json({}), "{\n  \"apiVersion\": \"shutdownaudit.dev/v1alpha1\",\n"
                           "  \"kind\": \"ShutdownAuditList\",\n  \"items\": []\n}\n");
  ShutdownAudit audit =
      make_shutdown_audit(sample_result(Verdict::kPass, {}), sample_workload(), "", Detail::kPrinted);
  audit.meta.annotations = {{std::string(kSourceAnnotation), "web.yaml:3"}};
  const json list = json::parse(list_json({audit}));
  EXPECT_EQ(list["items"][0]["metadata"]["annotations"]["shutdownaudit.dev/source"], "web.yaml:3");
  EXPECT_EQ(list["items"][0]["status"]["verdict"], "Pass");
  EXPECT_FALSE(list["items"][0]["status"].contains("conditions"));
}

// A terminal or an editor that shows the output must not be fooled, and YAML allows some of these only escaped.
TEST(AuditJson, WhatIsNotSeenIsEscaped) {
  ShutdownAudit audit;
  audit.meta.name = "a\x7f\xC2\x9B\xE2\x80\xAE\xEF\xBF\xBF\xF3\xA0\x81\x81é日\x1b";
  const std::string text = list_json({audit});
  EXPECT_EQ(json::parse(text)["items"][0]["metadata"]["name"], audit.meta.name);
  EXPECT_THAT(text, testing::HasSubstr(R"("a\u007f\u009b\u202e\uffff\udb40\udc41é日\u001b")"));
  EXPECT_THAT(list_yaml({audit}), testing::HasSubstr(R"("a\u007f\u009b\u202e\uffff\U000e0041é日\u001b")"));
}

TEST(AuditJson, PrintedYaml) {
  EXPECT_EQ(list_yaml({}),
            "apiVersion: \"shutdownaudit.dev/v1alpha1\"\nkind: \"ShutdownAuditList\"\nitems: []\n");
  ShutdownAudit audit;
  audit.meta.name = "deployment-web";
  audit.meta.labels = {{std::string(kManagedByLabel), "yes"}};
  audit.target = {"apps", "Deployment", "web"};
  audit.status.verdict = "Pass";
  audit.status.disruption = ReportedDisruption{{"a", "b"}, 3, {}};
  audit.status.findings.resize(1);
  EXPECT_EQ(list_yaml({audit}), R"(apiVersion: "shutdownaudit.dev/v1alpha1"
kind: "ShutdownAuditList"
items:
  - apiVersion: "shutdownaudit.dev/v1alpha1"
    kind: "ShutdownAudit"
    metadata:
      name: "deployment-web"
      labels:
        "app.kubernetes.io/managed-by": "yes"
    spec:
      targetRef:
        group: "apps"
        kind: "Deployment"
        name: "web"
    status:
      verdict: "Pass"
      disruption:
        budgets:
          - "a"
          - "b"
        replicas: 3
      findings:
        - id: ""
          check: ""
          result: ""
          reason: ""
          message: ""
)");
}

}  // namespace
}  // namespace shutdown_auditor::report
