#include <fmt/format.h>
#include <gmock/gmock.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "integration/support/cluster_test_base.h"

// Changes of workloads, budgets and services are followed, each with one status write; the API server's audit log is
// the witness.
namespace shutdown_auditor::testing_support {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class FollowTest : public ClusterTest {
 protected:
  static void SetUpTestSuite() { start_cluster({.controller_manager = true, .apiserver_args = {}}); }

  std::vector<std::string> told(const std::string& name) const {
    std::vector<std::string> reasons;
    for (const json& event : events_of(name)) reasons.push_back(event.value("reason", ""));
    return reasons;
  }
  // How often something was told: equal Events are one object with a count.
  std::size_t times_told(const std::string& name) const {
    std::size_t times = 0;
    for (const json& event : events_of(name)) {
      times += event.value("series", json::object()).value("count", std::size_t{1});
    }
    return times;
  }
};

TEST_F(FollowTest, OneStatusWriteAndOneEventForEachRealChange) {
  const auto process = controller("follower");
  ASSERT_TRUE(process->wait_for_log("started leading"));
  const auto change_grace = [&](const std::string& grace) { apply(deployment({.name = "web", .grace = grace})); };
  struct Step {
    const char* what;
    std::function<void()> change;
    const char* verdict;
    const char* reason;   // topReason
    std::size_t writes;   // of the status, in total
    std::size_t events;   // in total, counted with their repetitions
  };
  const std::vector<Step> steps{
      {"create", [&] { change_grace("60"); }, "Warn", "BudgetMissing", 1, 1},
      {"a budget appears", [&] { apply(budget("web", 2)); }, "Pass", "", 2, 2},
      {"a service appears: the container serves now", [&] { apply(service("web")); }, "Pass", "", 3, 2},
      {"a shorter grace period", [&] { change_grace("54"); }, "Fail", "GracePeriodTooShort", 4, 3},
      {"shorter still: other numbers, the same check", [&] { change_grace("53"); }, "Fail", "GracePeriodTooShort", 5, 3},
      {"long enough again", [&] { change_grace("60"); }, "Pass", "", 6, 4},
      {"a label of the Deployment", [&] { kubectl({"label", "deployment", "web", "team=x"}); }, "Pass", "", 6, 4},
      // The API server raises the generation for it: only that is caught up.
      {"an annotation of others", [&] { kubectl({"annotate", "deployment", "web", "example.com/a=b"}); }, "Pass", "", 7, 4},
      {"the budget blocks every eviction", [&] { apply(budget("web", 3)); }, "Fail", "EvictionBlocked", 8, 5},
      {"the budget is deleted", [&] { kubectl({"delete", "pdb", "web"}); }, "Warn", "BudgetMissing", 9, 6},
      {"the service is deleted", [&] { kubectl({"delete", "service", "web"}); }, "Warn", "BudgetMissing", 10, 6},
      {"a second Deployment", [&] { apply(deployment({.name = "other"})); }, "Warn", "BudgetMissing", 10, 6},
  };
  for (const Step& step : steps) {
    SCOPED_TRACE(step.what);
    step.change();
    EXPECT_TRUE(eventually([&] { return status_writes("follower", "web") >= step.writes; }));
    ASSERT_TRUE(await_verdict("web", step.verdict));
    pass_a_sentinel("follower");
    EXPECT_EQ(status_writes("follower", "web"), step.writes) << describe(writes_of("follower"));
    const json status = audit_of("web")["status"];
    EXPECT_EQ(status.value("topReason", ""), step.reason);
    EXPECT_EQ(status["observedTargetGeneration"],
              kubectl_json({"get", "deployment", "web"})["metadata"]["generation"]);
    EXPECT_TRUE(eventually([&] { return times_told("web") >= step.events; }));
    EXPECT_EQ(times_told("web"), step.events);
  }
  // The last one equals the first: it became its series.
  EXPECT_THAT(told("web"), ElementsAre("ShutdownAuditWarned", "ShutdownAuditPassed", "ShutdownAuditFailed",
                                       "ShutdownAuditPassed", "ShutdownAuditFailed"));
  EXPECT_EQ(events_of("web")[0]["series"]["count"], 2);

  // The main resource is written once: identity and owner never change.
  std::size_t main_writes = 0;
  for (const AuditEntry& entry : writes_of("follower")) {
    main_writes += entry.resource == "shutdownaudits" && entry.subresource.empty() && entry.name == "deployment-web";
    EXPECT_LT(entry.code, 300) << describe({entry});
  }
  EXPECT_EQ(main_writes, 1u);

  kubectl({"delete", "deployment", "web"});
  EXPECT_TRUE(eventually([&] { return audit_of("web").is_null(); }));
  pass_a_sentinel("follower");
  EXPECT_TRUE(audit_of("web").is_null()) << "it came back";
  process->signal(SIGTERM);
  EXPECT_EQ(process->wait_exit(), 0);
}

TEST_F(FollowTest, EventsReadWellInKubectl) {
  const auto process = controller("teller");
  ASSERT_TRUE(process->wait_for_log("started leading"));
  apply(deployment({.name = "web", .grace = "54"}));
  ASSERT_TRUE(eventually([&] { return !events_of("web").empty(); }));
  const json event = events_of("web").at(0);
  EXPECT_EQ(event["type"], "Warning");
  EXPECT_EQ(event["reason"], "ShutdownAuditFailed");
  EXPECT_EQ(event["action"], "Audit");
  EXPECT_EQ(event["reportingController"], "shutdownaudit.dev/controller");
  EXPECT_THAT(event.value("note", ""), AllOf(HasSubstr("54"), HasSubstr("55")));
  EXPECT_EQ(event["regarding"]["apiVersion"], "apps/v1");
  EXPECT_EQ(event["regarding"]["kind"], "Deployment");
  EXPECT_EQ(event["regarding"]["name"], "web");
  EXPECT_EQ(event["regarding"]["uid"], kubectl_json({"get", "deployment", "web"})["metadata"]["uid"]);
  EXPECT_THAT(kubectl({"get", "events"}), AllOf(HasSubstr("ShutdownAuditFailed"), HasSubstr("deployment/web")));
  EXPECT_THAT(kubectl({"describe", "deployment", "web"}), HasSubstr("ShutdownAuditFailed"));
}

TEST_F(FollowTest, WhatStoodBeforeTheStartIsAuditedWithoutEvents) {
  for (int i = 0; i < 5; ++i) apply(deployment({.name = fmt::format("old-{}", i), .grace = "20"}));
  const auto audit = [&](const std::string& name, const std::string& labels) {
    apply(fmt::format("{{apiVersion: shutdownaudit.dev/v1alpha1, kind: ShutdownAudit, metadata: {{name: {0}, labels: {1}}}, "
                      "spec: {{targetRef: {{group: apps, kind: Deployment, name: {2}}}}}}}",
                      name, labels, name.substr(name.find('-') + 1)));
  };
  audit("deployment-stale", "{app.kubernetes.io/managed-by: shutdown-auditor}");
  audit("deployment-foreign", "{app.kubernetes.io/managed-by: somebody}");

  const auto process = controller("starter");
  EXPECT_TRUE(eventually([&] { return status_writes("starter") >= 5; }));
  EXPECT_TRUE(eventually([&] { return audit_of("stale").is_null(); }));
  pass_a_sentinel("starter");
  EXPECT_FALSE(audit_of("foreign").is_null());
  for (int i = 0; i < 5; ++i) {
    const std::string name = fmt::format("old-{}", i);
    EXPECT_EQ(verdict_of(name), "Fail");
    EXPECT_EQ(status_writes("starter", name), 1u);
    EXPECT_THAT(events_of(name), IsEmpty());
  }
}

// Deleted and made anew under the same name: the audit belongs to the new one.
TEST_F(FollowTest, ARecreatedWorkloadGetsAnAuditOfItsOwn) {
  const auto process = controller("recreator");
  ASSERT_TRUE(process->wait_for_log("started leading"));
  for (const char* grace : {"54", "60", "54"}) {
    apply(deployment({.name = "web", .replicas = 1, .grace = grace}));
    const json uid = kubectl_json({"get", "deployment", "web"})["metadata"]["uid"];
    EXPECT_TRUE(eventually([&] {
      const json audit = audit_of("web");
      return audit.is_object() && audit.contains("status") && audit["status"].value("targetUID", json()) == uid &&
             audit["metadata"]["ownerReferences"][0]["uid"] == uid;
    })) << audit_of("web").dump(1);
    EXPECT_EQ(verdict_of("web"), std::string(grace) == "60" ? "Pass" : "Fail");
    kubectl({"delete", "deployment", "web"});
  }
  EXPECT_TRUE(eventually([&] { return audit_of("web").is_null(); }));
}

// Somebody edits or deletes an audit: it is put right.
TEST_F(FollowTest, AnEditedOrDeletedAuditIsRestored) {
  const auto process = controller("restorer");
  apply(deployment({.name = "web", .grace = "54"}));
  ASSERT_TRUE(await_verdict("web", "Fail"));
  kubectl({"patch", "sda", "deployment-web", "--subresource=status", "--type=merge", "-p",
           R"({"status": {"verdict": "Pass"}})"});
  ASSERT_TRUE(await_verdict("web", "Fail"));
  kubectl({"label", "sda", "deployment-web", "app.kubernetes.io/managed-by-"});
  EXPECT_TRUE(eventually([&] { return audit_of("web")["metadata"]["labels"].contains("app.kubernetes.io/managed-by"); }));
  kubectl({"delete", "sda", "deployment-web"});
  ASSERT_TRUE(await_verdict("web", "Fail"));
}

TEST_F(FollowTest, OnlyTheNamespacesAsked) {
  const std::string other = ns() + "-other";
  ASSERT_TRUE(cluster().kubectl({"create", "namespace", other}));
  ASSERT_TRUE(cluster().kubectl({"apply", "-n", other, "-f", "-"}, deployment({.name = "web"})));
  apply(deployment({.name = "web"}));
  const auto process = controller("narrow", {"--namespaces=" + ns()});
  ASSERT_TRUE(await_verdict("web", "Warn"));
  pass_a_sentinel("narrow");
  EXPECT_THAT(*cluster().kubectl({"get", "sda", "-n", other, "-o", "name"}), IsEmpty());
  ASSERT_TRUE(cluster().kubectl({"delete", "deployment", "-n", other, "web"}));
}

}  // namespace
}  // namespace shutdown_auditor::testing_support
