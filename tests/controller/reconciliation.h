#pragma once

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "controller/cause.h"
#include "controller/workload_reconciler.h"
#include "kube_support/fake_api.h"
#include "support/fixed_random.h"
#include "support/manual_clock.h"

namespace shutdown_auditor::controller {

// The reference workload of docs: needs 60 with everything declared. Any kind: the spec's fields that a kind does not have
// are left out.
inline nlohmann::json workload(const std::string& kind, const std::string& name, int grace, int replicas = 3) {
  nlohmann::json object = nlohmann::json::parse(fmt::format(R"({{
    "metadata": {{"name": "{0}", "namespace": "shop"}},
    "spec": {{
      "replicas": {2}, "selector": {{"matchLabels": {{"app": "{0}"}}}},
      "template": {{
        "metadata": {{"labels": {{"app": "{0}"}},
          "annotations": {{"shutdownaudit.dev/max-request-seconds": "30", "shutdownaudit.dev/cleanup-seconds": "20"}}}},
        "spec": {{"terminationGracePeriodSeconds": {1}, "containers": [{{
          "name": "app", "image": "app:1", "ports": [{{"containerPort": 8080}}],
          "lifecycle": {{"preStop": {{"exec": {{"command": ["sh", "-c", "sleep 5"]}}}}}},
          "readinessProbe": {{"httpGet": {{"path": "/ready", "port": 8080}}, "periodSeconds": 5}},
          "livenessProbe": {{"httpGet": {{"path": "/live", "port": 8080}}, "periodSeconds": 20}}}}]}}}}}}}})",
                                                            name, grace, replicas));
  object["apiVersion"] = kind == "Rollout" ? "argoproj.io/v1alpha1" : "apps/v1";
  object["kind"] = kind;
  if (kind == "DaemonSet") object["spec"].erase("replicas");
  if (kind == "StatefulSet") object["spec"]["serviceName"] = name;
  if (kind == "Rollout") object["spec"]["strategy"] = {{"canary", {{"maxSurge", 1}, {"maxUnavailable", 0}}}};
  return object;
}

inline nlohmann::json deployment(const std::string& name, int grace, int replicas = 3) {
  return workload("Deployment", name, grace, replicas);
}

inline nlohmann::json budget(const std::string& app, int min_available) {
  return nlohmann::json::parse(fmt::format(R"({{"apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
    "metadata": {{"name": "{0}", "namespace": "shop"}},
    "spec": {{"minAvailable": {1}, "selector": {{"matchLabels": {{"app": "{0}"}}}}}}}})", app, min_available));
}

inline nlohmann::json service(const std::string& app) {
  return nlohmann::json::parse(fmt::format(R"({{"apiVersion": "v1", "kind": "Service",
    "metadata": {{"name": "{0}", "namespace": "shop"}},
    "spec": {{"selector": {{"app": "{0}"}}, "ports": [{{"port": 80, "targetPort": 8080}}]}}}})", app));
}

inline void put(testing_support::FakeApi& api, const kube::Resource& resource, const nlohmann::json& object) {
  api.put(resource, object.dump());
}

// How often each workload was audited. Safe from any thread.
class CountingObserver : public AuditObserver {
 public:
  void on_audited(const WorkloadKey& key, const audit::AuditResult&, base::Duration) override {
    const std::lock_guard lock(mutex_);
    ++audits_[key.to_string()];
  }
  std::map<std::string, int> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(audits_, {});
  }

 private:
  std::mutex mutex_;
  std::map<std::string, int> audits_;
};

// A controller without leader election on an API in memory.
class Reconciliation : public testing::Test {
 protected:
  ~Reconciliation() override { stop(); }

  struct Settings {
    int bulk_per_second = 0;
    std::vector<std::string> kinds = {};
  };
  void start() { start(Settings()); }
  void start(const Settings& settings) {
    queue_.emplace(clock_);
    recorder_.emplace(runtime::EventRecorderOptions{"shutdownaudit.dev/controller", "test"}, api_, clock_, random_);
    pacer_.emplace(clock_, settings.bulk_per_second);
    ClusterView::Options scope;
    scope.audited_kinds = settings.kinds;
    view_.emplace(runtime::ReflectorLoop::Context{api_, clock_, random_, nullptr}, *queue_, scope);
    reconciler_.emplace(WorkloadReconciler::Parts{*view_, policy_, writer_, *recorder_, *pacer_, clock_, observer_},
                        ReconcilerOptions{});
    runtime::ControllerLoopOptions options;
    options.name = "workload";
    options.workers = 2;
    loop_.emplace(options, *queue_, *reconciler_, clock_, random_);
    for (runtime::ReflectorLoop* reflector : view_->reflectors()) {
      reflector->start();
      ASSERT_TRUE(reflector->wait_settled({{}, clock_.now() + std::chrono::seconds(30)}));
    }
    recorder_->start();
    view_->follow(true);
    view_->enqueue_all(cause::kStart);
    loop_->start();
  }
  // As when the process ends; start() begins a new one on the same cluster.
  void stop() {
    if (!loop_) return;
    loop_->stop({});
    recorder_->stop({});
    for (runtime::ReflectorLoop* reflector : view_->reflectors()) reflector->stop();
    loop_.reset();
    reconciler_.reset();
    view_.reset();
    recorder_.reset();
    queue_.reset();
  }

  std::string status_of(const std::string& audit, const char* field) {
    const auto text = api_.get(kShutdownAudits, "shop", audit);
    if (!text) return "absent";
    const nlohmann::json object = nlohmann::json::parse(*text);
    const nlohmann::json value = object.value("status", nlohmann::json::object()).value(field, nlohmann::json());
    return value.is_string() ? value.get<std::string>() : value.dump();
  }
  std::string status(const std::string& deployment, const char* field) {
    return status_of("deployment-" + deployment, field);
  }
  bool audit_becomes(const std::string& audit, const std::string& verdict) {
    const bool reached = testing_support::eventually([&] { return status_of(audit, "verdict") == verdict; });
    if (!reached) ADD_FAILURE() << audit << " is " << status_of(audit, "verdict") << ", not " << verdict;
    return reached && idle();
  }
  bool becomes(const std::string& deployment, const std::string& verdict) {
    return audit_becomes("deployment-" + deployment, verdict);
  }
  bool idle() {
    return testing_support::eventually([&] {
      const runtime::WorkQueueStats stats = queue_->stats();
      return stats.ready == 0 && stats.processing == 0 && stats.parked == 0 && view_->ledger().pending() == 0;
    });
  }
  // Waits until the view has so many budgets and services: each type has a watch of its own.
  bool sees(std::size_t budgets, std::size_t services) {
    return testing_support::eventually([&] {
      const NamespaceSnapshot snapshot = view_->snapshot("shop");
      const audit::Surroundings around = snapshot.surroundings();
      return around.budgets->size() == budgets && around.services->size() == services;
    });
  }
  std::size_t status_writes(const std::string& deployment) {
    return api_.count("apply", "/shutdownaudits/deployment-" + deployment + "/status");
  }
  std::vector<std::string> event_notes() {
    std::vector<std::string> notes;
    for (const std::string& text : api_.all(kube::resources::kEvents)) {
      const nlohmann::json event = nlohmann::json::parse(text);
      notes.push_back(event["reason"].get<std::string>() + ": " + event["note"].get<std::string>());
    }
    return notes;
  }
  static bool is_audit_write(const testing_support::SeenCall& call) {
    return call.verb == "apply" && call.path.find("/shutdownaudits/") != std::string::npos;
  }

  testing_support::ManualClock clock_;
  testing_support::FixedRandom random_;
  testing_support::FakeApi api_{clock_};
  PolicyKeeper policy_;
  runtime::StatusWriter writer_{{"shutdownaudit.dev/controller"}, kShutdownAudits, api_, clock_, random_};
  CountingObserver observer_;
  std::optional<runtime::WorkQueue> queue_;
  std::optional<runtime::EventRecorder> recorder_;
  std::optional<BulkPacer> pacer_;
  std::optional<ClusterView> view_;
  std::optional<WorkloadReconciler> reconciler_;
  std::optional<runtime::ControllerLoop> loop_;
};

}  // namespace shutdown_auditor::controller
