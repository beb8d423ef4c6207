#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "integration/support/cluster_test_base.h"

// A controller whose user may not do everything: what it cannot know it says, once, and it goes on with the rest.
namespace shutdown_auditor::testing_support {
namespace {

using nlohmann::json;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class PermissionTest : public ClusterTest {
 protected:
  // What docs/operations.md says the controller needs.
  static json rules() {
    return json::parse(R"([
      {"apiGroups": ["apps"], "resources": ["deployments", "statefulsets", "daemonsets"], "verbs": ["get", "list", "watch"]},
      {"apiGroups": ["argoproj.io"], "resources": ["rollouts"], "verbs": ["get", "list", "watch"]},
      {"apiGroups": ["policy"], "resources": ["poddisruptionbudgets"], "verbs": ["get", "list", "watch"]},
      {"apiGroups": [""], "resources": ["services", "namespaces"], "verbs": ["get", "list", "watch"]},
      {"apiGroups": ["autoscaling"], "resources": ["horizontalpodautoscalers"], "verbs": ["get", "list", "watch"]},
      {"apiGroups": ["keda.sh"], "resources": ["scaledobjects"], "verbs": ["get", "list", "watch"]},
      {"apiGroups": ["batch"], "resources": ["jobs", "cronjobs"], "verbs": ["get", "list", "watch"]},
      {"apiGroups": ["shutdownaudit.dev"], "resources": ["shutdownpolicies"], "verbs": ["get", "list", "watch"]},
      {"apiGroups": ["shutdownaudit.dev"], "resources": ["shutdownpolicies/status"], "verbs": ["patch"]},
      {"apiGroups": ["shutdownaudit.dev"], "resources": ["shutdownaudits"], "verbs": ["get", "list", "watch", "create", "patch", "delete"]},
      {"apiGroups": ["shutdownaudit.dev"], "resources": ["shutdownaudits/status"], "verbs": ["patch"]},
      {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["get", "create", "update"]},
      {"apiGroups": ["events.k8s.io"], "resources": ["events"], "verbs": ["create", "patch"]}])");
  }
  // Gives the user all of it but these resources.
  void grant(const std::string& user, const std::vector<std::string>& without = {}) const {
    json allowed = rules();
    for (json& rule : allowed) {
      json& resources = rule["resources"];
      for (const std::string& resource : without) {
        resources.erase(std::remove(resources.begin(), resources.end(), resource), resources.end());
      }
    }
    std::erase_if(allowed.get_ref<json::array_t&>(), [](const json& rule) { return rule["resources"].empty(); });
    const json role = {{"apiVersion", "rbac.authorization.k8s.io/v1"},
                       {"kind", "ClusterRole"},
                       {"metadata", {{"name", user}}},
                       {"rules", allowed}};
    const json binding = {{"apiVersion", "rbac.authorization.k8s.io/v1"},
                          {"kind", "ClusterRoleBinding"},
                          {"metadata", {{"name", user}}},
                          {"roleRef", {{"apiGroup", "rbac.authorization.k8s.io"}, {"kind", "ClusterRole"}, {"name", user}}},
                          {"subjects", {{{"apiGroup", "rbac.authorization.k8s.io"}, {"kind", "User"}, {"name", user}}}}};
    apply(role.dump());
    apply(binding.dump());
  }
  std::unique_ptr<ControllerProcess> started(const std::string& user, std::vector<std::string> args = {}) {
    const auto kubeconfig = cluster().kubeconfig_for(user);
    EXPECT_TRUE(kubeconfig) << kubeconfig.error().message;
    return controller_with(*kubeconfig, std::move(args));
  }
  std::vector<std::string> reasons_of(const std::string& name) const {
    std::vector<std::string> reasons;
    const json audit = audit_of(name);
    if (!audit.is_object()) return reasons;
    for (const json& finding : audit["status"].value("findings", json::array())) reasons.push_back(finding["reason"]);
    return reasons;
  }
};

TEST_F(PermissionTest, TheDocumentedRulesAreEnough) {
  grant("complete");
  apply(deployment({.name = "web", .grace = "54"}) + budget("web", 2));
  const auto process = started("complete");
  ASSERT_TRUE(await_verdict("web", "Fail"));
  apply(deployment({.name = "web", .grace = "60"}));
  ASSERT_TRUE(await_verdict("web", "Pass"));
  EXPECT_TRUE(eventually([&] { return events_of("web").size() == 1; }));
  EXPECT_TRUE(await_health(*process, "Healthy"));
  process->signal(SIGTERM);
  EXPECT_EQ(process->wait_exit(), 0);
  for (const AuditEntry& entry : cluster().audit_log()) {
    if (entry.user == "complete") {
      EXPECT_NE(entry.code, 403) << describe({entry});
    }
  }
}

TEST_F(PermissionTest, BudgetsThatCannotBeReadAreNotMissing) {
  grant("no-budgets", {"poddisruptionbudgets"});
  apply(deployment({.name = "web"}));
  const auto process = started("no-budgets");
  ASSERT_TRUE(eventually([&] { return !verdict_of("web").empty(); }));
  EXPECT_NE(verdict_of("web"), "Warn");
  EXPECT_THAT(reasons_of("web"), ::testing::Not(Contains("BudgetMissing")));
  EXPECT_TRUE(await_health(*process, "Degraded"));
  EXPECT_EQ(process->http_get("/health").status, 200);
  EXPECT_EQ(process->http_get("/readyz").status, 200);
  const auto said = process->logs("no permission");
  ASSERT_EQ(said.size(), 1u) << process->output();
  EXPECT_THAT(said[0].value("source", ""), HasSubstr("poddisruptionbudgets"));
  EXPECT_THAT(said[0].value("err", ""), HasSubstr("no-budgets"));

  // Once granted it looks again by itself, although there is no budget that would tell.
  grant("no-budgets");
  ASSERT_TRUE(await_verdict("web", "Warn"));
  EXPECT_THAT(reasons_of("web"), Contains("BudgetMissing"));
  EXPECT_TRUE(await_health(*process, "Healthy"));
}

TEST_F(PermissionTest, DeploymentsThatCannotBeReadAreNotGone) {
  grant("reader");
  apply(deployment({.name = "web"}));
  {
    const auto process = started("reader");
    ASSERT_TRUE(await_verdict("web", "Warn"));
  }
  grant("reader", {"deployments"});
  const auto process = started("reader", {"--leader-elect=false"});
  ASSERT_TRUE(process->wait_for_log("started leading"));
  EXPECT_TRUE(await_health(*process, "Degraded"));
  EXPECT_EQ(process->logs("no permission").size(), 1u) << process->output();
  EXPECT_FALSE(audit_of("web").is_null()) << "an audit was deleted although nobody knows that its workload is gone";

  apply(deployment({.name = "web", .grace = "54"}));
  grant("reader");
  ASSERT_TRUE(await_verdict("web", "Fail"));
}

TEST_F(PermissionTest, AKindThatCannotBeReadIsNotAuditedAndTheOthersAre) {
  grant("partial", {"statefulsets"});
  apply(deployment({.name = "web", .grace = "54", .kind = "StatefulSet"}));
  apply(deployment({.name = "web", .grace = "54"}));
  const auto process = started("partial");
  ASSERT_TRUE(await_verdict("web", "Fail"));
  EXPECT_TRUE(audit_named("statefulset-web").is_null());
  EXPECT_TRUE(await_health(*process, "Degraded"));
  EXPECT_EQ(process->http_get("/readyz").status, 200);
  const auto said = process->logs("no permission");
  ASSERT_EQ(said.size(), 1u) << process->output();
  EXPECT_THAT(said[0].value("source", ""), HasSubstr("statefulsets"));

  grant("partial");
  ASSERT_TRUE(await_audit("statefulset-web", "Fail"));
  EXPECT_TRUE(await_health(*process, "Healthy"));
  EXPECT_THAT(events_of("web"), IsEmpty()) << "nobody changed it while it could be seen";
}

TEST_F(PermissionTest, NoRightsAtAllAreSaidOnceAndWaitedFor) {
  apply(deployment({.name = "web"}));
  const auto process = started("nobody");
  ASSERT_TRUE(process->wait_for_log("lease request failed"));
  EXPECT_EQ(process->http_get("/livez").status, 200);
  EXPECT_TRUE(await_health(*process, "Degraded"));
  for (const json& line : process->logs()) {
    if (line["level"] == "error" || line["level"] == "warn") {
      EXPECT_THAT(line.value("err", ""), HasSubstr("nobody")) << line;
      EXPECT_LE(line.value("err", "").size(), 300u) << line;
    }
  }
  std::map<std::string, int> complaints;
  for (const json& line : process->logs("no permission")) ++complaints[line["source"]];
  for (const auto& [source, count] : complaints) EXPECT_EQ(count, 1) << source;

  grant("nobody");
  ASSERT_TRUE(await_verdict("web", "Warn"));
}

TEST_F(PermissionTest, RulesThatForbidWritingAreSaid) {
  grant("spectator", {"shutdownaudits/status"});
  apply(deployment({.name = "web"}));
  const auto process = started("spectator");
  ASSERT_TRUE(process->wait_for_log("reconcile failed"));
  EXPECT_THAT(process->logs("reconcile failed")[0].value("err", ""), HasSubstr("shutdownaudits/status"));
  EXPECT_TRUE(process->running());
  grant("spectator");
  ASSERT_TRUE(await_verdict("web", "Warn"));
}

}  // namespace
}  // namespace shutdown_auditor::testing_support
