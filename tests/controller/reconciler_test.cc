#include "controller/workload_reconciler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "controller/reconciliation.h"

namespace shutdown_auditor::controller {
namespace {

using nlohmann::json;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::Contains;
using testing::HasSubstr;
using testing_support::eventually;

TEST_F(Reconciliation, StartWritesOneAuditForEachDeploymentAndNoEvent) {
  put(api_, kube::resources::kDeployments, deployment("good", 60));
  put(api_, kube::resources::kDeployments, deployment("bad", 40));
  for (const char* app : {"good", "bad"}) {
    put(api_, kube::resources::kPodDisruptionBudgets, budget(app, 2));
    put(api_, kube::resources::kServices, service(app));
  }
  start();
  ASSERT_TRUE(becomes("good", "Pass"));
  ASSERT_TRUE(becomes("bad", "Fail"));
  EXPECT_EQ(status_writes("good"), 1U);
  EXPECT_EQ(status_writes("bad"), 1U);
  EXPECT_THAT(event_notes(), testing::IsEmpty());

  const json audit = json::parse(*api_.get(kShutdownAudits, "shop", "deployment-bad"));
  EXPECT_EQ(audit["metadata"]["ownerReferences"][0]["name"], "bad");
  EXPECT_FALSE(audit["metadata"]["ownerReferences"][0].contains("controller"));
  EXPECT_FALSE(audit["metadata"].contains("finalizers"));
  EXPECT_EQ(audit["spec"]["targetRef"]["kind"], "Deployment");
}

TEST_F(Reconciliation, AChangeIsOneStatusWriteAndOneEvent) {
  put(api_, kube::resources::kDeployments, deployment("web", 60));
  put(api_, kube::resources::kPodDisruptionBudgets, budget("web", 2));
  put(api_, kube::resources::kServices, service("web"));
  start();
  ASSERT_TRUE(becomes("web", "Pass"));
  put(api_, kube::resources::kDeployments, deployment("web", 54));
  ASSERT_TRUE(becomes("web", "Fail"));
  EXPECT_EQ(status_writes("web"), 2U);
  ASSERT_TRUE(eventually([&] { return event_notes().size() == 1; }));
  EXPECT_THAT(event_notes(), Contains(HasSubstr("ShutdownAuditFailed")));
  put(api_, kube::resources::kDeployments, deployment("web", 60));
  ASSERT_TRUE(becomes("web", "Pass"));
  clock_.advance(seconds(2));  // the recorder's own limit is per second
  ASSERT_TRUE(eventually([&] { return event_notes().size() == 2; }));
  EXPECT_THAT(event_notes(), Contains(HasSubstr("ShutdownAuditPassed")));
}

TEST_F(Reconciliation, WhatChangesNothingWritesNothing) {
  put(api_, kube::resources::kDeployments, deployment("web", 60));
  put(api_, kube::resources::kPodDisruptionBudgets, budget("web", 2));
  put(api_, kube::resources::kServices, service("web"));
  start();
  ASSERT_TRUE(becomes("web", "Pass"));
  api_.forget_calls();
  json with_status = deployment("web", 60);
  with_status["status"] = {{"readyReplicas", 3}};
  put(api_, kube::resources::kDeployments, with_status);
  json pdb_status = budget("web", 2);
  pdb_status["status"] = {{"currentHealthy", 3}};
  put(api_, kube::resources::kPodDisruptionBudgets, pdb_status);
  view_->enqueue_all(cause::kResync);
  view_->enqueue_all(cause::kStart);
  ASSERT_TRUE(idle());
  EXPECT_EQ(api_.count("apply"), 0U);
  EXPECT_EQ(api_.count("create"), 0U);
}

TEST_F(Reconciliation, ScalingOnlyCatchesUpTheGenerationOnceInFiveMinutes) {
  put(api_, kube::resources::kDeployments, deployment("web", 60, 3));
  put(api_, kube::resources::kPodDisruptionBudgets, budget("web", 2));
  put(api_, kube::resources::kServices, service("web"));
  put(api_, kube::resources::kHorizontalPodAutoscalers, json::parse(R"({"apiVersion": "autoscaling/v2",
    "kind": "HorizontalPodAutoscaler", "metadata": {"name": "web", "namespace": "shop"}, "spec": {"minReplicas": 3,
    "maxReplicas": 9, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}}})"));
  start();
  ASSERT_TRUE(becomes("web", "Pass"));
  const std::size_t before = status_writes("web");
  put(api_, kube::resources::kDeployments, deployment("web", 60, 5));
  ASSERT_TRUE(eventually([&] { return status("web", "observedTargetGeneration") == "2"; }));
  put(api_, kube::resources::kDeployments, deployment("web", 60, 3));
  ASSERT_TRUE(idle());
  EXPECT_EQ(status_writes("web"), before + 1);
  EXPECT_EQ(status("web", "observedTargetGeneration"), "2");
  clock_.advance(minutes(6));
  ASSERT_TRUE(eventually([&] { return status("web", "observedTargetGeneration") == "3"; }));
  EXPECT_EQ(status_writes("web"), before + 2);
  EXPECT_EQ(status("web", "verdict"), "Pass");
  EXPECT_THAT(event_notes(), testing::IsEmpty());
}

TEST_F(Reconciliation, BudgetAndServiceChangesReachTheirWorkloads) {
  put(api_, kube::resources::kDeployments, deployment("web", 60));
  put(api_, kube::resources::kDeployments, deployment("other", 60));
  put(api_, kube::resources::kPodDisruptionBudgets, budget("web", 2));
  put(api_, kube::resources::kPodDisruptionBudgets, budget("other", 2));
  put(api_, kube::resources::kServices, service("web"));
  start();
  ASSERT_TRUE(becomes("web", "Pass"));
  const std::size_t others = status_writes("other");
  api_.remove(kube::resources::kPodDisruptionBudgets, "shop", "web");
  ASSERT_TRUE(becomes("web", "Warn"));
  EXPECT_THAT(*api_.get(kShutdownAudits, "shop", "deployment-web"), HasSubstr("pdb-missing"));
  put(api_, kube::resources::kPodDisruptionBudgets, budget("web", 3));
  ASSERT_TRUE(becomes("web", "Fail"));
  EXPECT_THAT(*api_.get(kShutdownAudits, "shop", "deployment-web"), HasSubstr("pdb-blocks-eviction"));
  EXPECT_EQ(status_writes("other"), others);
}

TEST_F(Reconciliation, ANewFailingWorkloadGetsAnEventANewPassingOneDoesNot) {
  start();
  put(api_, kube::resources::kPodDisruptionBudgets, budget("good", 2));
  put(api_, kube::resources::kServices, service("good"));
  ASSERT_TRUE(sees(1, 1));
  put(api_, kube::resources::kDeployments, deployment("good", 60));
  ASSERT_TRUE(becomes("good", "Pass"));
  put(api_, kube::resources::kDeployments, deployment("bad", 10));
  ASSERT_TRUE(becomes("bad", "Fail"));
  ASSERT_TRUE(eventually([&] { return event_notes().size() == 1; }));
  EXPECT_THAT(event_notes(), Contains(HasSubstr("ShutdownAuditFailed")));
}

TEST_F(Reconciliation, AuditsOfGoneWorkloadsAreDeleted) {
  put(api_, kube::resources::kDeployments, deployment("web", 60));
  start();
  ASSERT_TRUE(eventually([&] { return status("web", "verdict") != "absent" && idle(); }));
  api_.remove(kube::resources::kDeployments, "shop", "web");
  EXPECT_TRUE(eventually([&] { return status("web", "verdict") == "absent"; }));
}

TEST_F(Reconciliation, AStaleAuditFoundAtStartIsDeletedAForeignOneIsNot) {
  api_.put(kShutdownAudits, R"({"apiVersion": "shutdownaudit.dev/v1alpha1", "kind": "ShutdownAudit", "metadata": {"name":
    "deployment-gone", "namespace": "shop", "labels": {"app.kubernetes.io/managed-by": "shutdown-auditor"}},
    "spec": {"targetRef": {"group": "apps", "kind": "Deployment", "name": "gone"}}})");
  api_.put(kShutdownAudits, R"({"apiVersion": "shutdownaudit.dev/v1alpha1", "kind": "ShutdownAudit", "metadata": {"name":
    "deployment-mine", "namespace": "shop"},
    "spec": {"targetRef": {"group": "apps", "kind": "Deployment", "name": "mine"}}})");
  start();
  EXPECT_TRUE(eventually([&] { return status("gone", "verdict") == "absent"; }));
  ASSERT_TRUE(idle());
  EXPECT_NE(status("mine", "verdict"), "absent");
}

TEST_F(Reconciliation, ARecreatedWorkloadGetsANewAudit) {
  put(api_, kube::resources::kDeployments, deployment("web", 60));
  start();
  ASSERT_TRUE(eventually([&] { return status("web", "verdict") != "absent" && idle(); }));
  const std::string first_uid = status("web", "targetUID");
  // Deleted and made again while nobody looked: the audit still belongs to the predecessor.
  view_->follow(false);
  api_.remove(kube::resources::kDeployments, "shop", "web");
  put(api_, kube::resources::kDeployments, deployment("web", 60));
  ASSERT_TRUE(eventually([&] {
    const auto now = view_->workload({{"apps", "Deployment"}, "shop", "web"});
    return now && now->meta.uid != first_uid;
  }));
  view_->follow(true);
  view_->enqueue_all(cause::kStart);
  EXPECT_TRUE(eventually([&] { return status("web", "targetUID") != first_uid && status("web", "verdict") != "absent"; }));
  EXPECT_EQ(api_.count("delete", "/shutdownaudits/deployment-web"), 1U);
}

TEST_F(Reconciliation, TamperingIsRepairedWithoutAnEvent) {
  put(api_, kube::resources::kDeployments, deployment("web", 60));
  put(api_, kube::resources::kPodDisruptionBudgets, budget("web", 2));
  put(api_, kube::resources::kServices, service("web"));
  start();
  ASSERT_TRUE(becomes("web", "Pass"));
  json audit = json::parse(*api_.get(kShutdownAudits, "shop", "deployment-web"));
  audit["status"]["verdict"] = "Fail";
  put(api_, kShutdownAudits, audit);
  ASSERT_TRUE(becomes("web", "Pass"));
  api_.remove(kShutdownAudits, "shop", "deployment-web");
  ASSERT_TRUE(becomes("web", "Pass"));
  EXPECT_THAT(event_notes(), testing::IsEmpty());
}

TEST_F(Reconciliation, BulkWritesTakeTurnsAndLiveChangesOvertake) {
  for (int i = 0; i < 10; ++i) {
    put(api_, kube::resources::kDeployments, deployment("web-" + std::to_string(i), 60));
  }
  start({.bulk_per_second = 1});
  ASSERT_TRUE(eventually([&] { return queue_->stats().delayed == 9 && queue_->stats().processing == 0; }));
  EXPECT_EQ(api_.count("apply", "/status"), 1U);
  put(api_, kube::resources::kDeployments, deployment("live", 10));
  ASSERT_TRUE(becomes("live", "Fail"));
  EXPECT_EQ(api_.count("apply", "/status"), 2U);
  clock_.advance(minutes(1));
  EXPECT_TRUE(eventually([&] { return api_.count("apply", "/status") == 11; }));
}

TEST_F(Reconciliation, ExcludedNamespacesAreOutOfScope) {
  json system = deployment("dns", 5);
  system["metadata"]["namespace"] = "kube-system";
  put(api_, kube::resources::kDeployments, system);
  put(api_, kube::resources::kDeployments, deployment("web", 60));
  start();
  ASSERT_TRUE(eventually([&] { return status("web", "verdict") != "absent" && idle(); }));
  EXPECT_FALSE(api_.get(kShutdownAudits, "kube-system", "deployment-dns"));
}

TEST_F(Reconciliation, AFailedWriteIsTriedAgainARefusedOneIsNot) {
  put(api_, kube::resources::kDeployments, deployment("web", 60));
  api_.fail(2, is_audit_write, {.kind = kube::ErrorKind::kUnavailable, .message = "gone for lunch"});
  start();
  ASSERT_TRUE(eventually([&] {
    clock_.advance(std::chrono::milliseconds(10));
    return status("web", "verdict") != "absent" && status("web", "verdict") != "null";
  }));
  ASSERT_TRUE(idle());
  api_.forget_calls();
  api_.fail(-1, is_audit_write, {.kind = kube::ErrorKind::kInvalid, .message = "no", .code = 422});
  put(api_, kube::resources::kDeployments, deployment("web", 10));
  ASSERT_TRUE(eventually([&] { return api_.count("apply") == 1; }));
  ASSERT_TRUE(eventually([&] { return queue_->stats().processing == 0; }));
  clock_.advance(minutes(10));
  ASSERT_TRUE(idle());
  EXPECT_EQ(api_.count("apply"), 1U);
}

}  // namespace
}  // namespace shutdown_auditor::controller
