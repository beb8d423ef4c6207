#pragma once

#include <string_view>

#include "controller/observer.h"
#include "kube/client.h"
#include "runtime/controller_loop.h"
#include "runtime/event_recorder.h"
#include "runtime/work_queue.h"
#include "telemetry/metrics.h"

// The observers of kube, runtime and controller, as counters of telemetry::Metrics. Each keeps a reference; as
// thread-safe as Metrics is.
namespace shutdown_auditor::app {

class ClientMetrics final : public kube::ClientObserver {
 public:
  explicit ClientMetrics(telemetry::Metrics& metrics) : metrics_(metrics) {}
  void attempt(std::string_view verb, int code, base::Duration latency) override;
  void retry(std::string_view verb, int code) override { metrics_.count_request_retry(code, verb); }
  void rate_limited(base::Duration waited) override { metrics_.observe_rate_limiter("all", waited); }
  void response_size(std::string_view verb, std::size_t bytes) override { metrics_.observe_response_size(verb, bytes); }

 private:
  telemetry::Metrics& metrics_;
};

class QueueMetrics final : public runtime::WorkQueueObserver {
 public:
  explicit QueueMetrics(telemetry::Metrics& metrics) : metrics_(metrics) {}
  void on_added() override { metrics_.queue_added(); }
  void on_taken(base::Duration waited) override { metrics_.queue_taken(waited); }
  void on_done(base::Duration worked) override { metrics_.queue_done(worked); }
  void on_retry() override { metrics_.queue_retried(); }

 private:
  telemetry::Metrics& metrics_;
};

class ReconcileMetrics final : public runtime::ReconcileObserver {
 public:
  ReconcileMetrics(telemetry::Metrics& metrics, std::size_t workers) : metrics_(metrics), workers_(workers) {}
  void on_reconcile(runtime::ReconcileOutcome outcome, base::Duration took) override;
  void on_active(int busy) override { metrics_.set_workers(static_cast<std::size_t>(busy), workers_); }

 private:
  telemetry::Metrics& metrics_;
  const std::size_t workers_;
};

class EventMetrics final : public runtime::EventObserver {
 public:
  explicit EventMetrics(telemetry::Metrics& metrics) : metrics_(metrics) {}
  void on_sent(runtime::EventType type) override { metrics_.count_event(runtime::to_string(type)); }
  void on_dropped(std::string_view) override { metrics_.count_events_dropped(1); }

 private:
  telemetry::Metrics& metrics_;
};

class AuditMetrics final : public controller::AuditObserver {
 public:
  explicit AuditMetrics(telemetry::Metrics& metrics) : metrics_(metrics) {}
  void on_audited(const controller::WorkloadKey& key, const audit::AuditResult& result, base::Duration took) override;
  void on_removed(const controller::WorkloadKey& key) override { metrics_.remove_workload(key.to_string()); }
  void on_status_write(std::string_view result) override;

 private:
  telemetry::Metrics& metrics_;
};

}  // namespace shutdown_auditor::app
