#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "controller/reconciliation.h"

// Every kind of workload that is audited, and what makes one not audited.
namespace shutdown_auditor::controller {
namespace {

using nlohmann::json;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;
using testing_support::eventually;

struct KindRow {
  const char* kind;
  const kube::Resource& resource;
  const char* group;
  const char* api_version;
  const char* audit_prefix;  // a group other than apps adds a digest
};

const std::vector<KindRow>& kind_rows() {
  static const std::vector<KindRow> rows{
      {"Deployment", kube::resources::kDeployments, "apps", "apps/v1", "deployment-web"},
      {"StatefulSet", kube::resources::kStatefulSets, "apps", "apps/v1", "statefulset-web"},
      {"DaemonSet", kube::resources::kDaemonSets, "apps", "apps/v1", "daemonset-web"},
      {"Rollout", kube::resources::kRollouts, "argoproj.io", "argoproj.io/v1alpha1", "rollout-web-"},
  };
  return rows;
}

using Kinds = Reconciliation;

TEST_F(Kinds, EachIsFollowedFromItsCreationToItsEnd) {
  start();
  put(api_, kube::resources::kServices, service("web"));
  for (const KindRow& row : kind_rows()) {
    SCOPED_TRACE(row.kind);
    const std::string name = report::audit_name({row.group, row.kind}, "web");
    EXPECT_THAT(name, StartsWith(row.audit_prefix));
    const bool guarded = std::string(row.kind) != "DaemonSet";
    if (guarded) put(api_, kube::resources::kPodDisruptionBudgets, budget("web", 2));
    ASSERT_TRUE(sees(guarded ? 1 : 0, 1));

    put(api_, row.resource, workload(row.kind, "web", 54));
    ASSERT_TRUE(audit_becomes(name, "Fail"));
    const json audit = json::parse(*api_.get(kShutdownAudits, "shop", name));
    EXPECT_EQ(audit["spec"]["targetRef"], json({{"group", row.group}, {"kind", row.kind}, {"name", "web"}}));
    EXPECT_EQ(audit["metadata"]["labels"]["shutdownaudit.dev/workload-kind"], row.kind);
    const json owner = audit["metadata"]["ownerReferences"][0];
    EXPECT_EQ(owner["apiVersion"], row.api_version);
    EXPECT_EQ(owner["kind"], row.kind);
    EXPECT_FALSE(owner.contains("controller"));
    const auto told = [&] {
      std::vector<std::string> versions;
      for (const std::string& text : api_.all(kube::resources::kEvents)) {
        const json regarding = json::parse(text)["regarding"];
        if (regarding["kind"] == row.kind) versions.push_back(regarding["apiVersion"]);
      }
      return versions;
    };
    clock_.advance(std::chrono::seconds(2));  // the recorder's own limit is per second
    EXPECT_TRUE(eventually([&] { return !told().empty(); }));
    EXPECT_THAT(told(), testing::ElementsAre(row.api_version));

    put(api_, row.resource, workload(row.kind, "web", 60));
    ASSERT_TRUE(audit_becomes(name, "Pass"));

    const std::string first_uid = status_of(name, "targetUID");
    api_.remove(row.resource, "shop", "web");
    ASSERT_TRUE(eventually([&] { return status_of(name, "verdict") == "absent"; }));
    put(api_, row.resource, workload(row.kind, "web", 54));
    ASSERT_TRUE(audit_becomes(name, "Fail"));
    EXPECT_NE(status_of(name, "targetUID"), first_uid);
    api_.remove(row.resource, "shop", "web");
    ASSERT_TRUE(eventually([&] { return status_of(name, "verdict") == "absent"; }));
    ASSERT_TRUE(idle());
    api_.remove(kube::resources::kPodDisruptionBudgets, "shop", "web");
  }
}

TEST_F(Kinds, WorkloadsOfOneNameHaveAuditsOfTheirOwn) {
  for (const KindRow& row : kind_rows()) put(api_, row.resource, workload(row.kind, "web", 54));
  start();
  for (const KindRow& row : kind_rows()) {
    EXPECT_TRUE(audit_becomes(report::audit_name({row.group, row.kind}, "web"), "Fail")) << row.kind;
  }
  EXPECT_EQ(api_.all(kShutdownAudits).size(), kind_rows().size());
  EXPECT_THAT(event_notes(), IsEmpty());
}

TEST_F(Kinds, WhatAnotherOperatorMadeGetsAtMostAWarning) {
  start();
  for (const KindRow& row : kind_rows()) {
    json owned = workload(row.kind, "web", 54);
    owned["metadata"]["ownerReferences"] = {{{"apiVersion", "db.example.com/v1"}, {"kind", "Database"}, {"name", "orders"},
                                             {"uid", "u"}, {"controller", true}}};
    put(api_, row.resource, owned);
    const std::string name = report::audit_name({row.group, row.kind}, "web");
    ASSERT_TRUE(audit_becomes(name, "Warn"));
    EXPECT_THAT(*api_.get(kShutdownAudits, "shop", name), HasSubstr("In Database orders"));
  }
}

TEST_F(Kinds, RolloutsAreFoundOnceTheirTypeIsInstalled) {
  const std::string name = report::audit_name({"argoproj.io", "Rollout"}, "web");
  api_.set_served(kube::resources::kRollouts, false);
  put(api_, kube::resources::kDeployments, deployment("web", 54));
  start();
  ASSERT_TRUE(becomes("web", "Fail"));
  api_.set_served(kube::resources::kRollouts, true);
  put(api_, kube::resources::kRollouts, workload("Rollout", "web", 54));
  ASSERT_TRUE(eventually([&] {
    clock_.advance(std::chrono::minutes(10));
    return status_of(name, "verdict") == "Fail";
  }));
  ASSERT_TRUE(idle());
  EXPECT_THAT(event_notes(), IsEmpty()) << "it stood there before it could be seen";
}

TEST(KindsNames, OnlyExtensionsMayBeMissing) {
  EXPECT_TRUE(is_extension("rollouts.argoproj.io"));
  EXPECT_TRUE(is_extension("scaledobjects.keda.sh"));
  EXPECT_FALSE(is_extension("statefulsets.apps"));
  EXPECT_FALSE(is_extension("shutdownaudits.shutdownaudit.dev"));
}

// Argo Rollouts: spec.workloadRef lends the template of a Deployment, which has an audit already.
TEST_F(Kinds, ARolloutThatBorrowsItsTemplateIsNotAudited) {
  const std::string name = report::audit_name({"argoproj.io", "Rollout"}, "web");
  json borrowing = workload("Rollout", "web", 54);
  borrowing["spec"].erase("template");
  borrowing["spec"]["workloadRef"] = {{"apiVersion", "apps/v1"}, {"kind", "Deployment"}, {"name", "web"}};
  put(api_, kube::resources::kRollouts, borrowing);
  put(api_, kube::resources::kDeployments, deployment("web", 54));
  start();
  ASSERT_TRUE(becomes("web", "Fail"));
  EXPECT_EQ(status_of(name, "verdict"), "absent");

  put(api_, kube::resources::kRollouts, workload("Rollout", "web", 54));
  ASSERT_TRUE(audit_becomes(name, "Fail"));
  put(api_, kube::resources::kRollouts, borrowing);
  EXPECT_TRUE(eventually([&] { return status_of(name, "verdict") == "absent"; }));
}

TEST_F(Kinds, AuditsOfAKindThatIsSwitchedOffAreDeleted) {
  for (const KindRow& row : kind_rows()) put(api_, row.resource, workload(row.kind, "web", 54));
  start();
  ASSERT_TRUE(eventually([&] { return api_.all(kShutdownAudits).size() == kind_rows().size() && idle(); }));
  stop();

  start({.bulk_per_second = 0, .kinds = {"Deployment", "DaemonSet"}});
  EXPECT_TRUE(eventually([&] { return api_.all(kShutdownAudits).size() == 2; }));
  EXPECT_EQ(status_of("deployment-web", "verdict"), "Fail");
  EXPECT_EQ(status_of("daemonset-web", "verdict"), "Fail");
  put(api_, kube::resources::kStatefulSets, workload("StatefulSet", "web", 60));
  ASSERT_TRUE(idle());
  EXPECT_EQ(status_of("statefulset-web", "verdict"), "absent");
  stop();

  start();
  EXPECT_TRUE(eventually([&] { return api_.all(kShutdownAudits).size() == kind_rows().size() && idle(); }));
}

TEST_F(Kinds, AKindThatCannotBeReadKeepsItsAuditsAndTheOthersGoOn) {
  for (const KindRow& row : kind_rows()) put(api_, row.resource, workload(row.kind, "web", 54));
  start();
  ASSERT_TRUE(eventually([&] { return api_.all(kShutdownAudits).size() == kind_rows().size() && idle(); }));
  stop();

  const auto stateful = [](const testing_support::SeenCall& call) {
    return call.verb == "list" && call.path.find("/statefulsets") != std::string::npos;
  };
  api_.fail(-1, stateful, {.kind = kube::ErrorKind::kForbidden, .message = "no", .code = 403});
  put(api_, kube::resources::kDeployments, deployment("web", 53));
  start();
  ASSERT_TRUE(eventually([&] { return status("web", "observedTargetGeneration") == "2"; }));
  ASSERT_TRUE(idle());
  EXPECT_EQ(api_.all(kShutdownAudits).size(), kind_rows().size());

  api_.clear_faults();
  put(api_, kube::resources::kStatefulSets, workload("StatefulSet", "web", 60));
  EXPECT_TRUE(eventually([&] {
    clock_.advance(std::chrono::minutes(1));
    return status_of("statefulset-web", "observedTargetGeneration") == "2";
  }));
  EXPECT_THAT(event_notes(), IsEmpty()) << "nobody changed it while it could be seen";
}

// A budget counts the pods of every kind: one that changes is news for the others below it.
TEST_F(Kinds, ABudgetIsSharedAcrossKinds) {
  put(api_, kube::resources::kStatefulSets, workload("StatefulSet", "web", 60));
  put(api_, kube::resources::kServices, service("web"));
  put(api_, kube::resources::kPodDisruptionBudgets, budget("web", 2));
  start();
  ASSERT_TRUE(audit_becomes("statefulset-web", "Pass"));
  put(api_, kube::resources::kPodDisruptionBudgets, budget("web", 3));
  ASSERT_TRUE(audit_becomes("statefulset-web", "Fail"));
  EXPECT_THAT(*api_.get(kShutdownAudits, "shop", "statefulset-web"), HasSubstr("pdb-blocks-eviction"));
  put(api_, kube::resources::kRollouts, workload("Rollout", "web", 60, 1));
  ASSERT_TRUE(audit_becomes("statefulset-web", "Pass"));
}

}  // namespace
}  // namespace shutdown_auditor::controller
