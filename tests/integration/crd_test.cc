#include <fmt/format.h>
#include <gmock/gmock.h>

#include <functional>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "audit/check.h"
#include "integration/support/cluster_test_base.h"
#include "report/audit_json.h"

// The API server takes what the code writes, all of it, and refuses what must not be stored.
namespace shutdown_auditor::testing_support {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

// Every field of the status, at its largest where it has a limit.
report::ShutdownAudit full_audit(const std::string& ns, const std::string& name) {
  report::ShutdownAudit audit;
  audit.meta.name = "deployment-" + name;
  audit.meta.namespace_ = ns;
  audit.meta.labels = {{std::string(report::kManagedByLabel), std::string(report::kManagedByValue)},
                       {std::string(report::kWorkloadKindLabel), "Deployment"},
                       {std::string(report::kWorkloadNameLabel), name}};
  audit.meta.owners.push_back({"apps/v1", "Deployment", name, "8f4e8a6e-0000-4000-8000-000000000000", false});
  audit.target = {"apps", "Deployment", name};
  report::ShutdownAuditStatus& status = audit.status;
  status.verdict = "Fail";
  status.top_reason = "GracePeriodTooShort";
  status.observed_generation = 1;
  status.observed_target_generation = 7;
  status.target_uid = "8f4e8a6e-0000-4000-8000-000000000000";
  status.summary = report::ReportedSummary{1, 2, 3, 4, 5, 6};
  const std::int64_t most = std::numeric_limits<std::int64_t>::max();
  status.budget = report::ReportedBudget{
      .grace_period_seconds = most, .grace_period_source = "Explicit", .ceiling_seconds = 1, .pre_stop_seconds = 2,
      .delay_seconds = 3, .max_request_seconds = 4, .drain_seconds = 5, .cleanup_seconds = 6, .sidecar_seconds = 7,
      .buffer_seconds = 8, .required_seconds = most, .required_is = "AtLeast", .required_text = ">=9223372036854775807",
      .provable_seconds = 9, .shortfall_seconds = 10, .seconds_after_signal = 11, .container = std::string(63, 'c'),
      .evidence = "FrameworkDefault"};
  for (std::size_t i = 0; i < report::kMaxContainers; ++i) {
    status.containers.push_back({.name = "c" + std::to_string(i), .role = "Serving", .framework = "gunicorn",
                                 .pre_stop = report::ReportedPreStop{"Range", 1, 2, 3}, .max_request_seconds = 4,
                                 .drain_seconds = 5, .drain_source = "FrameworkDefault", .cleanup_seconds = 6,
                                 .signal_handling = "Graceful", .stop_signal = "SIGTERM", .needs_seconds = 7});
  }
  status.disruption = report::ReportedDisruption{{"web", "other"}, 3, 1};
  for (std::size_t i = 0; i < report::kMaxFindings; ++i) {
    status.findings.push_back({.id = "grace-budget/c" + std::to_string(i), .check = "grace-budget", .result = "Fail",
                               .reason = "GracePeriodTooShort", .message = std::string(report::kMaxMessageBytes, 'm'),
                               .remediation = std::string(report::kMaxMessageBytes, 'r'),
                               .field_path = std::string(report::kMaxFieldBytes, 'f'), .container = "c",
                               .related_ref = report::RelatedRef{"policy", "PodDisruptionBudget", "web"},
                               .exemption = report::ReportedExemption{"Policy", "old", "because", "2027-01-01T00:00:00Z"},
                               .place = {}, .baseline_state = {}});
  }
  status.truncated = true;
  status.policy_ref = "default";
  status.checks_version = std::string(report::kChecksVersion);
  status.conditions = {{"Ready", "True", 1, "2026-01-02T03:04:05Z", "Audited", "The workload was audited."},
                       {"Compliant", "False", 1, "2026-01-02T03:04:05Z", "GracePeriodTooShort", "x"}};
  return audit;
}

class CrdTest : public ClusterTest {
 protected:
  // Server-side apply as the controller does it; the server's words when it refuses.
  std::string try_apply(const std::string& body, bool status = false) const {
    std::vector<std::string> args{"--namespace=" + ns(), "apply", "--server-side", "--force-conflicts",
                                  "--field-manager=shutdownaudit.dev/controller", "-f", "-"};
    if (status) args.emplace_back("--subresource=status");
    const auto applied = cluster().kubectl(args, body);
    return applied ? std::string() : applied.error().message;
  }
  void apply_audit(const report::ShutdownAudit& audit) const {
    ASSERT_EQ(try_apply(report::apply_body(audit)), "");
    ASSERT_EQ(try_apply(report::status_apply_body(audit), true), "");
  }
};

TEST_F(CrdTest, KeepsEveryFieldTheControllerWrites) {
  const report::ShutdownAudit audit = full_audit(ns(), "web");
  apply_audit(audit);
  const json stored = audit_of("web");
  ASSERT_TRUE(stored.is_object());
  EXPECT_EQ(stored["status"], json::parse(report::status_apply_body(audit))["status"]);
  const json main = json::parse(report::apply_body(audit));
  EXPECT_EQ(stored["spec"], main["spec"]);
  EXPECT_EQ(stored["metadata"]["labels"], main["metadata"]["labels"]);
  EXPECT_EQ(stored["metadata"]["ownerReferences"], main["metadata"]["ownerReferences"]);
}

TEST_F(CrdTest, TheSmallestStatusIsEnough) {
  report::ShutdownAudit audit;
  audit.meta.name = "deployment-small";
  audit.meta.namespace_ = ns();
  audit.target = {"", "Deployment", "small"};
  audit.status.verdict = "Pass";
  apply_audit(audit);
  EXPECT_EQ(audit_of("small")["status"], json({{"verdict", "Pass"}}));
}

struct Refused {
  const char* name;
  std::function<void(json&)> spoil;
  const char* said;
};

TEST_F(CrdTest, RefusesAStatusThatBreaksTheSchema) {
  const auto audit = full_audit(ns(), "refused");
  ASSERT_EQ(try_apply(report::apply_body(audit)), "");
  const std::vector<Refused> rows{
      {"verdict outside the list", [](json& s) { s["verdict"] = "Maybe"; }, "Unsupported value"},
      {"verdict in small letters", [](json& s) { s["verdict"] = "fail"; }, "Unsupported value"},
      {"33 findings", [](json& s) { s["findings"].push_back(s["findings"][0]); }, "at most 32 items"},
      {"33 containers", [](json& s) { s["containers"].push_back(s["containers"][0]); }, "at most 32 items"},
      {"a message of 513 characters", [](json& s) { s["findings"][0]["message"] = std::string(513, 'x'); }, "Too long"},
      {"a reason that is no word", [](json& s) { s["findings"][0]["reason"] = "not a word"; }, "should match"},
      {"a check that is no id", [](json& s) { s["findings"][0]["check"] = "Grace"; }, "should match"},
      {"a finding without message", [](json& s) { s["findings"][0].erase("message"); }, "Required value"},
      {"a result outside the list", [](json& s) { s["findings"][0]["result"] = "Bad"; }, "Unsupported value"},
      {"seconds below zero", [](json& s) { s["budget"]["bufferSeconds"] = -1; }, "greater than or equal to 0"},
      {"seconds as text", [](json& s) { s["budget"]["bufferSeconds"] = "5"; }, "bufferSeconds"},
      {"seconds with a fraction", [](json& s) { s["budget"]["bufferSeconds"] = 1.5; }, "bufferSeconds"},
      {"evidence outside the list", [](json& s) { s["budget"]["evidence"] = "Guessed"; }, "Unsupported value"},
      {"a role outside the list", [](json& s) { s["containers"][0]["role"] = "Init"; }, "Unsupported value"},
      {"a hook without kind", [](json& s) { s["containers"][0]["preStop"].erase("kind"); }, "Required value"},
      {"a count below zero", [](json& s) { s["summary"]["fail"] = -1; }, "greater than or equal to 0"},
      {"a condition without reason", [](json& s) { s["conditions"][0].erase("reason"); }, "Required value"},
      {"a condition's status outside the list", [](json& s) { s["conditions"][0]["status"] = "Yes"; },
       "Unsupported value"},
      {"a time that is none", [](json& s) { s["conditions"][0]["lastTransitionTime"] = "yesterday"; }, "date-time"},
      {"an unknown field", [](json& s) { s["colour"] = "red"; }, "field not declared in schema"},
  };
  for (const Refused& row : rows) {
    SCOPED_TRACE(row.name);
    json body = json::parse(report::status_apply_body(audit));
    row.spoil(body["status"]);
    EXPECT_THAT(try_apply(body.dump(), true), HasSubstr(row.said));
  }
  EXPECT_FALSE(audit_of("refused").contains("status"));
}

TEST_F(CrdTest, RefusesASpecThatIsIncompleteOrMoves) {
  const auto audit = full_audit(ns(), "fixed");
  ASSERT_EQ(try_apply(report::apply_body(audit)), "");
  const std::vector<Refused> rows{
      {"another name", [](json& b) { b["spec"]["targetRef"]["name"] = "other"; }, "spec.targetRef is immutable"},
      {"another kind", [](json& b) { b["spec"]["targetRef"]["kind"] = "StatefulSet"; }, "spec.targetRef is immutable"},
      {"another group", [](json& b) { b["spec"]["targetRef"]["group"] = ""; }, "spec.targetRef is immutable"},
      {"no kind", [](json& b) { b["spec"]["targetRef"].erase("kind"); }, "Required value"},
      {"no targetRef", [](json& b) { b["spec"] = {{"other", 1}}; }, "field not declared in schema"},
      {"an empty name", [](json& b) { b["spec"]["targetRef"]["name"] = ""; }, "at least 1 chars long"},
      {"a name of 254 characters", [](json& b) { b["spec"]["targetRef"]["name"] = std::string(254, 'n'); }, "Too long"},
  };
  for (const Refused& row : rows) {
    SCOPED_TRACE(row.name);
    json body = json::parse(report::apply_body(audit));
    row.spoil(body);
    EXPECT_THAT(try_apply(body.dump()), HasSubstr(row.said));
  }
  EXPECT_EQ(audit_of("fixed")["spec"]["targetRef"]["name"], "fixed");
}

TEST_F(CrdTest, TheStatusIsASubresource) {
  const auto audit = full_audit(ns(), "separate");
  json both = json::parse(report::apply_body(audit));
  both["status"] = {{"verdict", "Pass"}};
  ASSERT_EQ(try_apply(both.dump()), "");
  EXPECT_FALSE(audit_of("separate").contains("status"));
}

TEST_F(CrdTest, FieldSelectorsAndColumns) {
  for (const auto& [name, verdict] : {std::pair{"bad", "Fail"}, {"good", "Pass"}}) {
    auto audit = full_audit(ns(), name);
    audit.status.verdict = verdict;
    apply_audit(audit);
  }
  const std::string narrow = kubectl({"get", "sda"});
  EXPECT_THAT(narrow, HasSubstr("NAME              VERDICT   REASON                GRACE"));
  EXPECT_THAT(narrow.substr(0, narrow.find('\n')), ::testing::MatchesRegex(
                                                       "NAME +VERDICT +REASON +GRACE +NEEDS +AGE *"));
  const std::string wide = kubectl({"get", "sda", "-o", "wide", "--field-selector", "status.verdict=Fail"});
  EXPECT_THAT(wide.substr(0, wide.find('\n')),
              ::testing::MatchesRegex(
                  "NAME +VERDICT +REASON +GRACE +NEEDS +KIND +WORKLOAD +FAIL +WARN +EVIDENCE +AFTERSIGNAL +AGE *"));
  EXPECT_THAT(wide, HasSubstr("deployment-bad "));
  EXPECT_THAT(wide, Not(HasSubstr("deployment-good")));
  EXPECT_THAT(kubectl({"get", "sda", "--field-selector", "spec.targetRef.kind=Deployment,spec.targetRef.name=good"}),
              ::testing::AllOf(HasSubstr("deployment-good"), Not(HasSubstr("deployment-bad"))));
  const auto other = cluster().kubectl({"get", "sda", "-A", "--field-selector", "status.topReason=x"});
  ASSERT_FALSE(other);
  EXPECT_THAT(other.error().message, HasSubstr("field label not supported"));
}

// --- ShutdownPolicy ----------------------------------------------------------

json full_policy() {
  return json::parse(R"({
    "apiVersion": "shutdownaudit.dev/v1alpha1", "kind": "ShutdownPolicy", "metadata": {"name": "default"},
    "spec": {
      "defaults": {"maxRequestSeconds": 30, "cleanupSeconds": 20, "bufferSeconds": 5, "endpointPropagationSeconds": 86400},
      "platform": {"maxGracePeriodSeconds": 600},
      "workloadSelector": {"matchLabels": {"a": "b"}, "matchExpressions": [{"key": "k", "operator": "In", "values": ["v"]}]},
      "namespaceSelector": {"matchExpressions": [{"key": "k", "operator": "DoesNotExist"}]},
      "excludeNamespaces": ["kube-system"],
      "checks": [{"id": "pdb-missing", "mode": "Enabled", "result": "Info"}, {"id": "grace-budget", "mode": "Disabled"}],
      "exemptions": [{"name": "legacy", "targetRef": {"group": "apps", "kind": "Deployment", "namespace": "n", "name": "x"},
                      "checks": ["grace-budget"], "reason": "goes away", "expirationTime": "2027-01-01T00:00:00Z"}],
      "annotationExemptions": "Forbidden"
    }})");
}

TEST_F(CrdTest, APolicyIsTakenWholeOrRefused) {
  const auto attempt = [&](const json& policy) {
    const auto created = cluster().kubectl({"create", "--dry-run=server", "-o", "json", "-f", "-"}, policy.dump());
    return created ? *created : created.error().message;
  };
  EXPECT_EQ(json::parse(attempt(full_policy()), nullptr, false)["spec"], full_policy()["spec"]);
  const std::vector<Refused> rows{
      {"requests below zero", [](json& s) { s["defaults"]["maxRequestSeconds"] = -1; }, "greater than or equal to 0"},
      {"cleanup over a day", [](json& s) { s["defaults"]["cleanupSeconds"] = 86401; }, "less than or equal to 86400"},
      {"buffer as text", [](json& s) { s["defaults"]["bufferSeconds"] = "5"; }, "must be of type integer"},
      {"a ceiling of 0", [](json& s) { s["platform"]["maxGracePeriodSeconds"] = 0; }, "greater than or equal to 1"},
      {"an exemption without reason", [](json& s) { s["exemptions"][0].erase("reason"); }, "Required value"},
      {"an exemption with an empty reason", [](json& s) { s["exemptions"][0]["reason"] = ""; }, "at least 1 chars"},
      {"an exemption with a reason of blanks", [](json& s) { s["exemptions"][0]["reason"] = " \t"; }, "should match"},
      {"an exemption of everything by an empty targetRef", [](json& s) { s["exemptions"][0]["targetRef"] = json::object(); },
       "targetRef names a kind, a namespace or a workload"},
      {"a targetRef of a group alone", [](json& s) { s["exemptions"][0]["targetRef"] = {{"group", "apps"}}; },
       "targetRef names a kind, a namespace or a workload"},
      {"a targetRef with an empty name", [](json& s) { s["exemptions"][0]["targetRef"]["name"] = ""; }, "at least 1 chars"},
      {"an exemption from a check that does not exist", [](json& s) { s["exemptions"][0]["checks"] = {"grace-bugdet"}; },
       "Unsupported value"},
      {"an exemption from the audit's own failure", [](json& s) { s["exemptions"][0]["checks"] = {"audit-error"}; },
       "Unsupported value"},
      {"a setting of a check that does not exist", [](json& s) { s["checks"][0]["id"] = "pdb"; }, "Unsupported value"},
      {"a setting without its check", [](json& s) { s["checks"][0].erase("id"); }, "Required value"},
      {"an exemption of nothing", [](json& s) { s["exemptions"][0].erase("targetRef"); }, "names its workloads by"},
      {"two exemptions of one name", [](json& s) { s["exemptions"].push_back(s["exemptions"][0]); }, "Duplicate value"},
      {"a check twice", [](json& s) { s["checks"].push_back(s["checks"][0]); }, "Duplicate value"},
      {"a mode outside the list", [](json& s) { s["checks"][0]["mode"] = "Off"; }, "Unsupported value"},
      {"a result outside the list", [](json& s) { s["checks"][0]["result"] = "Pass"; }, "Unsupported value"},
      {"annotationExemptions outside the list", [](json& s) { s["annotationExemptions"] = "Sometimes"; },
       "Unsupported value"},
      {"an operator outside the list", [](json& s) { s["workloadSelector"]["matchExpressions"][0]["operator"] = "Gt"; },
       "Unsupported value"},
      {"an expiry that is no time", [](json& s) { s["exemptions"][0]["expirationTime"] = "soon"; }, "date-time"},
      {"an unknown field", [](json& s) { s["defaults"]["requests"] = 3; }, "unknown field"},
  };
  for (const Refused& row : rows) {
    SCOPED_TRACE(row.name);
    json policy = full_policy();
    row.spoil(policy["spec"]);
    EXPECT_THAT(attempt(policy), HasSubstr(row.said));
  }

  json every_check = full_policy();
  every_check["spec"]["checks"] = json::array();
  for (const audit::Check check : audit::all_checks()) {
    if (check != audit::Check::kAuditError) every_check["spec"]["checks"].push_back({{"id", audit::id_of(check)}});
  }
  EXPECT_EQ(json::parse(attempt(every_check), nullptr, false)["spec"], every_check["spec"]);
}

}  // namespace
}  // namespace shutdown_auditor::testing_support
