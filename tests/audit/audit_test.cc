// What comes of the findings: settings, owners, exemptions, verdict, order, counts.
#include "audit/audit.h"

#include "audit/builder.h"
#include "audit/seconds.h"
#include "base/time.h"
#include "objects/decode.h"

namespace shutdown_auditor::audit {
namespace {

using testing::find;
using testing::result_of;
using testing::Scene;

Scene failing() { return testing::perfect().grace(54); }

Exemption exemption(std::string name, std::vector<Check> checks = {}) {
  Exemption made;
  made.name = std::move(name);
  made.checks = std::move(checks);
  made.reason = "agreed";
  return made;
}

TEST(AuditTest, NoContainersIsAnError) {
  Scene scene;
  scene.workload.pod_template.spec.containers.clear();
  scene.annotate("shutdownaudit.dev/ignore", "all of it");
  const AuditResult result = scene.run();
  EXPECT_EQ(result.verdict, Verdict::kError);
  EXPECT_EQ(result.top_reason, "NoContainers");
  EXPECT_EQ(result.summary.error, 1);
  EXPECT_EQ(result.findings.at(0).id(), "audit-error");
}

TEST(AuditTest, WorstFirstThenCatalogueOrder) {
  Scene scene = failing();
  scene.app().readiness_probe.reset();
  scene.app().pre_stop = testing::exec({"sleep", "4"});
  scene.grace(53);
  scene.workload.strategy_type = "Recreate";
  scene.budgets.clear();
  const AuditResult result = scene.run();
  std::vector<std::string> order;
  for (const Finding& finding : result.findings) order.push_back(finding.id());
  EXPECT_EQ(order, (std::vector<std::string>{"grace-budget", "prestop-short/app", "readiness-probe-missing/app", "pdb-missing",
                                             "rollout-unsafe"}));
  EXPECT_EQ(result.verdict, Verdict::kFail);
  EXPECT_EQ(result.top_reason, "GracePeriodTooShort");
  EXPECT_EQ(result.summary.fail, 1);
  EXPECT_EQ(result.summary.warn, 3);
  EXPECT_EQ(result.summary.info, 1);
}

TEST(AuditTest, ChecksAreCountedOnce) {
  Scene scene = testing::perfect();
  scene.workload.pod_template.spec.containers.push_back(testing::container("other"));
  scene.workload.pod_template.spec.containers[1].liveness_probe.reset();
  scene.workload.pod_template.spec.containers[1].pre_stop = testing::shell("sleep 5");
  scene.app().liveness_probe.reset();
  const AuditResult result = scene.run();
  EXPECT_EQ(result.findings.size(), 2u);
  EXPECT_EQ(result.summary.warn, 1);
}

TEST(AuditTest, PolicySettings) {
  Scene scene = failing();
  scene.policy.checks = {{Check::kGraceBudget, true, CheckResult::kInfo}};
  AuditResult result = scene.run();
  EXPECT_EQ(result.verdict, Verdict::kPass);
  EXPECT_EQ(result.summary.info, 1);

  const int passed = testing::perfect().run().summary.pass;
  scene.policy.checks = {{Check::kGraceBudget, false, {}}};
  result = scene.run();
  EXPECT_EQ(result.verdict, Verdict::kPass);
  EXPECT_TRUE(result.findings.empty());
  EXPECT_EQ(result.summary.pass, passed - 1) << "a check that is off is not counted";

  Scene undeclared;
  undeclared.policy.checks = {{Check::kGraceUnverified, true, CheckResult::kFail}};
  EXPECT_EQ(undeclared.run().verdict, Verdict::kFail);
}

TEST(AuditTest, WhatAnotherControllerMadeWarnsAtMost) {
  Scene scene = failing();
  scene.workload.meta.owners = {{"example.com/v1", "Shop", "main", "1", true}};
  const AuditResult result = scene.run();
  EXPECT_EQ(result.verdict, Verdict::kWarn);
  EXPECT_THAT(result.findings.at(0).remediation, ::testing::StartsWith("In Shop main, which made this Deployment: Set "));
  scene.workload.meta.owners[0].controller = false;
  EXPECT_EQ(scene.run().verdict, Verdict::kFail);
}

TEST(AuditTest, AnnotationExemptsOneCheck) {
  Scene scene = failing();
  scene.app().readiness_probe.reset();
  scene.annotate("shutdownaudit.dev/ignore-grace-budget", "short requests");
  const AuditResult result = scene.run();
  EXPECT_EQ(result.verdict, Verdict::kWarn);
  EXPECT_EQ(result.summary.skip, 1);
  const Finding* finding = find(result, Check::kGraceBudget);
  EXPECT_EQ(finding->result, CheckResult::kSkip);
  EXPECT_EQ(finding->exemption_source, "Annotation");
  EXPECT_EQ(finding->exemption_name, "shutdownaudit.dev/ignore-grace-budget");
  EXPECT_EQ(finding->exemption_reason, "short requests");
  EXPECT_EQ(finding->exemption_expiration, "");

  Scene container = testing::perfect();
  container.app().readiness_probe.reset();
  container.annotate("app.shutdownaudit.dev/ignore-readiness-probe-missing", "x");
  EXPECT_EQ(container.run().verdict, Verdict::kPass);
  container.workload.pod_template.spec.containers.push_back(testing::container("two"));
  container.workload.pod_template.spec.containers[1].readiness_probe.reset();
  EXPECT_EQ(container.run().verdict, Verdict::kWarn);
}

TEST(AuditTest, AnnotationExemptsTheWhole) {
  Scene scene = failing();
  scene.annotate("shutdownaudit.dev/ignore", "test rig");
  EXPECT_EQ(scene.run().verdict, Verdict::kSkip);
  EXPECT_EQ(scene.run().top_reason, "GracePeriodTooShort");
  scene.policy.annotation_exemptions_allowed = false;
  EXPECT_EQ(scene.run().verdict, Verdict::kFail);
  Scene perfect = testing::perfect();
  perfect.annotate("shutdownaudit.dev/ignore", "test rig");
  EXPECT_EQ(perfect.run().verdict, Verdict::kSkip);
}

TEST(AuditTest, PolicyExemptions) {
  struct Row {
    std::string_view what;
    std::function<void(Exemption&)> change;
    Verdict verdict;
  };
  const auto labels = [](std::string key) { return objects::LabelSelector{testing::map_of({{std::move(key), "shop"}}), {}}; };
  for (const Row& row : std::vector<Row>{
           {"whole", [](Exemption&) {}, Verdict::kSkip},
           {"kind", [](Exemption& e) { e.target_kind = {"apps", "Deployment"}; }, Verdict::kSkip},
           {"other kind", [](Exemption& e) { e.target_kind = {"apps", "StatefulSet"}; }, Verdict::kFail},
           {"name", [](Exemption& e) { e.target_namespace = "shop"; e.target_name = "web"; }, Verdict::kSkip},
           {"other name", [](Exemption& e) { e.target_name = "api"; }, Verdict::kFail},
           {"other namespace", [](Exemption& e) { e.target_namespace = "prod"; }, Verdict::kFail},
           {"labels", [&](Exemption& e) { e.workload_selector = labels("team"); }, Verdict::kSkip},
           {"other labels", [&](Exemption& e) { e.workload_selector = labels("unit"); }, Verdict::kFail},
           {"namespace labels", [&](Exemption& e) { e.namespace_selector = labels("area"); }, Verdict::kSkip},
           {"other namespace labels", [&](Exemption& e) { e.namespace_selector = labels("unit"); }, Verdict::kFail},
           {"this check", [](Exemption& e) { e.checks = {Check::kGraceBudget}; }, Verdict::kPass},
           {"another check", [](Exemption& e) { e.checks = {Check::kPdbMissing}; }, Verdict::kFail}}) {
    Scene scene = failing();
    scene.namespace_labels = testing::map_of({{"area", "shop"}});
    Exemption made = exemption("night");
    row.change(made);
    scene.policy.exemptions = {made};
    EXPECT_EQ(scene.run().verdict, row.verdict) << row.what;
  }
}

TEST(AuditTest, ExemptionsExpire) {
  Scene scene = failing();
  scene.policy.exemptions = {exemption("night", {Check::kGraceBudget})};
  scene.policy.exemptions[0].expiration = *base::parse_rfc3339("2027-01-31T00:00:00Z");
  scene.options.now = *base::parse_rfc3339("2027-01-30T23:59:59Z");
  EXPECT_EQ(scene.run().verdict, Verdict::kPass);
  EXPECT_EQ(find(scene.run(), Check::kGraceBudget)->exemption_expiration, "2027-01-31T00:00:00Z");

  scene.options.now = *base::parse_rfc3339("2027-01-31T00:00:00Z");
  const AuditResult result = scene.run();
  EXPECT_EQ(result.verdict, Verdict::kFail);
  ASSERT_NE(find(result, Check::kExemptionExpired), nullptr);
  EXPECT_THAT(find(result, Check::kExemptionExpired)->message, ::testing::HasSubstr("\"night\" (agreed) ended at 2027-01-31"));

  scene.grace(60);
  EXPECT_EQ(result_of(scene.run(), Check::kExemptionExpired), CheckResult::kPass) << "it has nothing left to cover";
}

// The same verdict from a document as an API server sends it, every field the audit reads included.
TEST(AuditTest, ReadsADecodedDeployment) {
  const auto decoded = objects::decode_json<objects::Workload>(R"({"apiVersion":"apps/v1","kind":"Deployment",
    "metadata":{"name":"web","namespace":"shop","annotations":{"shutdownaudit.dev/max-request-seconds":"30"}},
    "spec":{"replicas":3,"strategy":{"type":"RollingUpdate","rollingUpdate":{"maxUnavailable":"25%","maxSurge":"25%"}},
     "template":{"metadata":{"labels":{"app":"web"},"annotations":{"shutdownaudit.dev/cleanup-seconds":"20"}},
      "spec":{"terminationGracePeriodSeconds":59,"containers":[{"name":"app","ports":[{"name":"http","containerPort":8080}],
       "lifecycle":{"preStop":{"exec":{"command":["sh","-c","sleep 5"]}}},
       "readinessProbe":{"httpGet":{"path":"/ready","port":8080}},"livenessProbe":{"httpGet":{"path":"/live","port":8080}}}]}}}})");
  ASSERT_TRUE(decoded.has_value()) << decoded.error().message;
  Scene scene;
  scene.workload = *decoded;
  const AuditResult result = scene.run();
  EXPECT_EQ(result.verdict, Verdict::kWarn);
  EXPECT_EQ(result.top_reason, "GracePeriodTooShort");
  EXPECT_EQ(result.findings.size(), 1u);
  EXPECT_EQ(result.budget.required_text, "60");
}

TEST(AuditTest, ABareWorkloadIsAudited) {
  objects::Workload workload;
  workload.pod_template.spec.containers.emplace_back();
  const AuditResult result = audit(workload, {}, {}, {});
  EXPECT_EQ(result.verdict, Verdict::kUnverified);
  EXPECT_EQ(result.budget.required_text, "~55");
}

// Names and numbers at their limits: texts stay within 512 bytes (checked by run), nothing overflows.
TEST(AuditTest, HostileNames) {
  const std::string huge(5000, 'x');
  const std::string odd = "a\n\"\x01\xff" + huge;
  for (const std::string& name : {huge, odd}) {
    Scene scene = failing();
    scene.workload.meta.name = name;
    scene.workload.meta.owners = {{"v1", name, name, "1", true}};
    scene.app().name = name;
    scene.app().pre_stop = testing::exec({name, name});
    scene.app().readiness_probe = objects::Probe{testing::exec({"true"}), kEndless, kEndless, kEndless, kEndless, kEndless, -7};
    scene.app().liveness_probe = scene.app().readiness_probe;
    scene.annotate("shutdownaudit.dev/" + name, name).annotate(name + ".shutdownaudit.dev/" + name, name);
    scene.budgets[0].meta.name = name;
    scene.budgets[0].selector->match_labels = testing::map_of({{name, name}, {"app", "web"}});
    scene.budgets.push_back(testing::budget(name + "2", {}));
    scene.budgets.push_back(testing::budget(name + "3", {}));
    scene.workload.max_unavailable = testing::percent(name);
    scene.services[0].ports[0].target_port = testing::percent(name);
    scene.policy.exemptions = {exemption(name, {Check::kPdbMissing})};
    EXPECT_EQ(scene.run().verdict, Verdict::kWarn);
  }
}

}  // namespace
}  // namespace shutdown_auditor::audit
