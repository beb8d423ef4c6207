#pragma once

#include <atomic>
#include <atomic>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "app/controller_options.h"
#include "app/metric_adapters.h"
#include "audit/policy.h"
#include "controller/policy_follower.h"
#include "controller/workload_reconciler.h"
#include "http/server.h"
#include "kube/connection.h"
#include "runtime/leader_elector.h"
#include "runtime/manager.h"
#include "telemetry/health.h"
#include "telemetry/metrics.h"

namespace shutdown_auditor::app {

// What every part of the process reports to; made first, destroyed last.
struct ProcessTelemetry {
  // `server`: the API server's address, for labels.
  ProcessTelemetry(const ControllerOptions& options, const std::string& server);

  telemetry::Metrics metrics;
  telemetry::Health health;
  ClientMetrics client;
  QueueMetrics queue;
  EventMetrics events;
  AuditMetrics audits;
  ReconcileMetrics reconciles;
};

// The controller without what surrounds it (flags, signals, connection). For one thread; one run.
class ControllerProcess {
 public:
  // Keeps the references.
  ControllerProcess(const ControllerOptions& options, kube::Connection& connection, ProcessTelemetry& telemetry,
                    audit::Policy policy);
  ControllerProcess(const ControllerProcess&) = delete;
  ControllerProcess& operator=(const ControllerProcess&) = delete;

  // Checks the election's numbers (kInvalid) and opens the servers' ports (kIo).
  base::Result<void> prepare();
  // Works until `stop`, then takes everything down in order. The exit status: 0, or 1 when the caches did not become
  // complete in time. Does not return when a shutdown phase had to be abandoned: it ends the process.
  int run(const std::stop_token& stop);

 private:
  base::Result<void> prepare_election();
  base::Result<void> serve(const std::string& what, const std::string& address,
                           const std::vector<std::pair<std::string, http::Server::Handler>>& handlers);
  void add_health();
  void refresh_metrics();
  std::string one_failure(const std::string& all) const;

  const ControllerOptions& options_;
  base::Clock& clock_;
  kube::Connection& connection_;
  ProcessTelemetry& telemetry_;
  controller::PolicyKeeper policy_;
  runtime::Fence fence_;
  runtime::FencedApi fenced_;
  runtime::StatusWriter writer_;
  runtime::EventRecorder recorder_;
  runtime::WorkQueue queue_;
  controller::BulkPacer pacer_;
  controller::ClusterView view_;
  controller::WorkloadReconciler reconciler_;
  std::atomic<bool> full_audit_runs_{false};  // every workload was queued; ends when the queue was seen empty
  std::optional<controller::PolicyFollower> follower_;  // without --policy
  std::optional<runtime::ControllerLoop> loop_;
  std::unique_ptr<runtime::LeaderElector> elector_;     // with --leader-elect
  runtime::ShutdownCoordinator coordinator_;
  std::optional<runtime::Manager> manager_;
  std::vector<std::unique_ptr<http::Server>> servers_;
};

}  // namespace shutdown_auditor::app
