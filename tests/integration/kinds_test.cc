#include <fmt/format.h>
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "integration/support/cluster_test_base.h"
#include "report/shutdown_audit.h"

// The kinds beside Deployments on a real API server.
namespace shutdown_auditor::testing_support {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class KindsTest : public ClusterTest {
 protected:
  void await_gone(const std::string& audit) const {
    EXPECT_TRUE(eventually([&] { return audit_named(audit).is_null(); })) << audit_named(audit).dump(1);
  }
  bool await_event(const std::string& name, std::size_t count) const {
    const bool seen = eventually([&] { return events_of(name).size() >= count; });
    EXPECT_EQ(events_of(name).size(), count);
    return seen;
  }
  std::string uid(const std::string& kind, const std::string& name) const {
    return kubectl_json({"get", kind, name})["metadata"]["uid"];
  }
  // Creation, Event, repair, deletion, and a successor of the same name.
  void follow(const std::string& kind, const std::string& api_version, const std::string& audit) const {
    apply(deployment({.name = "web", .grace = "54", .kind = kind}));
    ASSERT_TRUE(await_audit(audit, "Fail"));
    const json made = audit_named(audit);
    EXPECT_EQ(made["spec"]["targetRef"]["kind"], kind);
    EXPECT_EQ(made["metadata"]["labels"]["shutdownaudit.dev/workload-kind"], kind);
    EXPECT_EQ(made["metadata"]["ownerReferences"][0]["apiVersion"], api_version);
    EXPECT_EQ(made["metadata"]["ownerReferences"][0]["uid"], uid(kind, "web"));
    ASSERT_TRUE(await_event("web", 1));
    const json event = events_of("web")[0];
    EXPECT_EQ(event["reason"], "ShutdownAuditFailed");
    EXPECT_THAT(event.value("note", ""), AllOf(HasSubstr("54"), HasSubstr("55")));
    EXPECT_EQ(event["regarding"]["kind"], kind);
    EXPECT_EQ(event["regarding"]["apiVersion"], api_version);
    EXPECT_EQ(event["regarding"]["uid"], uid(kind, "web"));
    EXPECT_THAT(kubectl({"describe", kind, "web"}), HasSubstr("ShutdownAuditFailed"));

    apply(deployment({.name = "web", .grace = "60", .kind = kind}));
    ASSERT_TRUE(await_audit(audit, "Pass"));
    ASSERT_TRUE(await_event("web", 2));
    EXPECT_EQ(audit_named(audit)["status"]["observedTargetGeneration"],
              kubectl_json({"get", kind, "web"})["metadata"]["generation"]);

    const std::string first = uid(kind, "web");
    kubectl({"delete", kind, "web"});
    apply(deployment({.name = "web", .grace = "54", .kind = kind}));
    const std::string second = uid(kind, "web");
    ASSERT_NE(first, second);
    EXPECT_TRUE(eventually([&] {
      const json now = audit_named(audit);
      return now.is_object() && now.contains("status") && now["status"].value("targetUID", "") == second &&
             now["metadata"]["ownerReferences"][0]["uid"] == second;
    })) << audit_named(audit).dump(1);
    ASSERT_TRUE(await_audit(audit, "Fail"));
    kubectl({"delete", kind, "web"});
    await_gone(audit);
  }
};

TEST_F(KindsTest, AStatefulSetFromItsCreationToItsEnd) {
  const auto process = controller("stateful");
  ASSERT_TRUE(process->wait_for_log("started leading"));
  apply(budget("web", 2) + service("web"));
  follow("StatefulSet", "apps/v1", "statefulset-web");
}

TEST_F(KindsTest, ADaemonSetFromItsCreationToItsEnd) {
  const auto process = controller("daemon");
  ASSERT_TRUE(process->wait_for_log("started leading"));
  apply(service("web"));  // no budget: a drain passes over DaemonSets
  follow("DaemonSet", "apps/v1", "daemonset-web");
}

TEST_F(KindsTest, ABudgetOfAStatefulSet) {
  const auto process = controller("guarded");
  apply(deployment({.name = "web", .kind = "StatefulSet"}));
  const auto reason = [&] { return audit_named("statefulset-web")["status"].value("topReason", ""); };
  ASSERT_TRUE(await_audit("statefulset-web", "Warn"));
  EXPECT_EQ(reason(), "BudgetMissing");
  apply(budget("web", 2));
  ASSERT_TRUE(await_audit("statefulset-web", "Pass"));
  apply(budget("web", 3));
  ASSERT_TRUE(await_audit("statefulset-web", "Fail"));
  EXPECT_EQ(reason(), "EvictionBlocked");
  EXPECT_EQ(audit_named("statefulset-web")["status"]["disruption"]["budgets"], json({"web"}));
  kubectl({"scale", "statefulset", "web", "--replicas=4"});
  ASSERT_TRUE(await_audit("statefulset-web", "Pass"));
}

TEST_F(KindsTest, KindsThatAreSwitchedOffHaveNoAudits) {
  apply(deployment({.name = "web"}) + deployment({.name = "web", .kind = "StatefulSet"}) +
        deployment({.name = "web", .kind = "DaemonSet"}));
  {
    const auto all = controller("every-kind");
    for (const char* audit : {"deployment-web", "statefulset-web"}) ASSERT_TRUE(await_audit(audit, "Warn")) << audit;
    EXPECT_TRUE(eventually([&] { return audit_named("daemonset-web").contains("status"); }));
    all->signal(SIGTERM);
    EXPECT_EQ(all->wait_exit(), 0);
  }
  const auto some = controller("some-kinds", {"--kinds=Deployment,Rollout"});
  await_gone("statefulset-web");
  await_gone("daemonset-web");
  pass_a_sentinel("some-kinds");
  EXPECT_FALSE(audit_of("web").is_null());
  EXPECT_TRUE(audit_named("statefulset-web").is_null());
}

// Absent at the start, installed later, deleted again.
TEST_F(KindsTest, RolloutsWhileTheirTypeIsThere) {
  const std::string audit = report::audit_name({"argoproj.io", "Rollout"}, "web");
  const auto process = controller("progressive");
  ASSERT_TRUE(process->wait_for_log("started leading"));
  pass_a_sentinel("progressive");
  EXPECT_TRUE(await_health(*process, "Healthy")) << "an extension may be absent";
  for (const json& line : process->logs()) {
    if (line["level"] == "error" || line["level"] == "warn") ADD_FAILURE() << line;
  }

  kubectl({"apply", "-f", SA_SOURCE_DIR "/tests/integration/data/rollout_crd.yaml"});
  kubectl({"wait", "--for=condition=Established", "--timeout=30s", "crd/rollouts.argoproj.io"});
  apply(deployment({.name = "old", .grace = "54", .kind = "Rollout"}));
  ASSERT_TRUE(await_audit(report::audit_name({"argoproj.io", "Rollout"}, "old"), "Fail"));
  EXPECT_THAT(events_of("old"), IsEmpty()) << "it stood there before it could be seen";

  apply(budget("web", 2) + service("web"));
  follow("Rollout", "argoproj.io/v1alpha1", audit);

  // Pods from the template of a Deployment, which has its own audit.
  apply(deployment({.name = "web"}) + R"(---
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  workloadRef: {apiVersion: apps/v1, kind: Deployment, name: web}
)");
  EXPECT_TRUE(process->wait_for_log("not audited: its pods come from the workload named in spec.workloadRef, which is "
                                    "audited itself"));
  ASSERT_TRUE(eventually([&] { return !verdict_of("web").empty(); }));
  EXPECT_TRUE(audit_named(audit).is_null());

  kubectl({"delete", "crd", "rollouts.argoproj.io"});
  await_gone(report::audit_name({"argoproj.io", "Rollout"}, "old"));
  pass_a_sentinel("progressive");
  EXPECT_TRUE(await_health(*process, "Healthy"));
  EXPECT_TRUE(process->running());
}

}  // namespace
}  // namespace shutdown_auditor::testing_support
