#include "telemetry/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <sstream>

#include "telemetry/process_metrics.h"
#include "telemetry/workload_gauges.h"

namespace shutdown_auditor::telemetry {
namespace {

using prometheus::Counter;
using prometheus::Family;
using prometheus::Gauge;
using prometheus::Histogram;
using prometheus::Labels;
using Buckets = Histogram::BucketBoundaries;

double seconds(base::Duration duration) { return std::chrono::duration<double>(duration).count(); }

// Of component-base, so that dashboards made for other controllers fit.
const Buckets kRequestSeconds{0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60};
const Buckets kResponseBytes{64, 256, 512, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216};
const Buckets kQueueSeconds{1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1, 10, 100, 1000};
const Buckets kReconcileSeconds{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60};
const Buckets kAuditSeconds{1e-6, 1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 1e-2, 0.1, 1};

Counter& counter(prometheus::Registry& registry, const char* name, const char* help, const Labels& labels = {}) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry).Add(labels);
}

Gauge& gauge(prometheus::Registry& registry, const char* name, const char* help, const Labels& labels = {}) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry).Add(labels);
}

Histogram& histogram(prometheus::Registry& registry, const char* name, const char* help, const Buckets& buckets,
                     const Labels& labels = {}) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(registry).Add(labels, buckets);
}

Family<Counter>& counters(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}

Family<Histogram>& histograms(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(registry);
}

std::string code_text(int code) { return code == 0 ? "<error>" : std::to_string(code); }

}  // namespace

struct Metrics::Series {
  explicit Series(const MetricsOptions& options)
      : host(options.host),
        queue{{"name", options.queue}, {"controller", options.queue}},
        lease{{"name", options.lease}},
        workloads(options.by_namespace, options.per_workload) {
    gauge(registry, "shutdown_auditor_build_info", "Always 1; the labels say what runs.",
          {{"version", options.version}, {"revision", options.revision}})
        .Set(1);
    for (const char* method : {"GET", "PATCH", "POST", "PUT", "DELETE"}) {
      requests.Add({{"code", "200"}, {"method", method}, {"host", host}});
      request_seconds.Add({{"verb", method}, {"host", host}}, kRequestSeconds);
    }
    for (const char* result : {"success", "error", "requeue", "requeue_after"}) {
      reconciles.Add({{"result", result}});
    }
    for (const char* result : {"success", "error", "unchanged"}) {
      status_writes.Add({{"result", result}});
    }
    for (const char* type : {"Normal", "Warning"}) {
      events.Add({{"type", type}});
    }
  }

  prometheus::Registry registry;
  const std::string host;
  const Labels queue;
  const Labels lease;
  WorkloadGauges workloads;
  std::function<void()> refresh;

  Family<Counter>& requests = counters(registry, "rest_client_requests_total",
                                       "Requests to the API server by status code, method and host.");
  Family<Counter>& retries = counters(registry, "rest_client_request_retries_total",
                                      "Requests sent again, by the code that caused it, verb and host.");
  Family<Histogram>& request_seconds =
      histograms(registry, "rest_client_request_duration_seconds", "Request latency by verb and host.");
  Family<Histogram>& limiter_seconds =
      histograms(registry, "rest_client_rate_limiter_duration_seconds", "Waits for the client's own rate limit.");
  Family<Histogram>& response_bytes =
      histograms(registry, "rest_client_response_size_bytes", "Size of response bodies by verb and host.");

  Gauge& depth = gauge(registry, "workqueue_depth", "Keys that wait in the work queue.", queue);
  Counter& adds = counter(registry, "workqueue_adds_total", "Keys added to the work queue.", queue);
  Histogram& queue_seconds = histogram(registry, "workqueue_queue_duration_seconds",
                                       "How long a key waited before it was taken.", kQueueSeconds, queue);
  Histogram& work_seconds = histogram(registry, "workqueue_work_duration_seconds", "How long a key was worked on.",
                                      kQueueSeconds, queue);
  Gauge& unfinished = gauge(registry, "workqueue_unfinished_work_seconds",
                            "Sum of how long the keys in work have been so.", queue);
  Gauge& longest = gauge(registry, "workqueue_longest_running_processor_seconds",
                         "How long the oldest key in work has been so.", queue);
  Counter& queue_retries = counter(registry, "workqueue_retries_total", "Keys added again after a failure.", queue);

  Gauge& leading = gauge(registry, "leader_election_master_status", "1 while this process is the leader.", lease);
  Counter& slow_paths = counter(registry, "leader_election_slowpath_total",
                                "Tries for the lease that had to read it first.", lease);

  Family<Counter>& reconciles =
      counters(registry, "shutdownaudit_reconcile_total", "Reconciliations of a workload by result.");
  Counter& reconcile_errors =
      counter(registry, "shutdownaudit_reconcile_errors_total", "Reconciliations that ended in an error.");
  Counter& reconcile_panics =
      counter(registry, "shutdownaudit_reconcile_panics_total", "Reconciliations that ended in an exception.");
  Histogram& reconcile_seconds = histogram(registry, "shutdownaudit_reconcile_time_seconds",
                                           "Time of one reconciliation, writes included.", kReconcileSeconds);
  Gauge& active_workers = gauge(registry, "shutdownaudit_reconcile_active_workers", "Workers that hold a key.");
  Gauge& max_workers = gauge(registry, "shutdownaudit_reconcile_max_concurrent", "Workers there are.");
  Histogram& audit_seconds = histogram(registry, "shutdownaudit_audit_duration_seconds",
                                       "Time of one audit without reads and writes.", kAuditSeconds);
  Family<Counter>& status_writes =
      counters(registry, "shutdownaudit_status_writes_total", "Writes of a ShutdownAudit's status by result.");
  Family<Counter>& events = counters(registry, "shutdownaudit_events_total", "Events recorded by type.");
  Counter& events_dropped = counter(registry, "shutdownaudit_events_dropped_total", "Events that were not sent.");
  Gauge& last_full_audit = gauge(registry, "shutdownaudit_last_full_audit_timestamp_seconds",
                                 "Unix time at which every workload had been audited; 0 before the first time.");
};

Metrics::Metrics(const MetricsOptions& options) : series_(std::make_unique<Series>(options)) {}
Metrics::~Metrics() = default;

void Metrics::count_request(int code, std::string_view method) {
  series_->requests.Add({{"code", code_text(code)}, {"method", std::string(method)}, {"host", series_->host}})
      .Increment();
}

void Metrics::count_request_retry(int code, std::string_view method) {
  series_->retries.Add({{"code", code_text(code)}, {"verb", std::string(method)}, {"host", series_->host}})
      .Increment();
}

void Metrics::observe_request(std::string_view method, base::Duration took) {
  series_->request_seconds.Add({{"verb", std::string(method)}, {"host", series_->host}}, kRequestSeconds)
      .Observe(seconds(took));
}

void Metrics::observe_rate_limiter(std::string_view method, base::Duration waited) {
  series_->limiter_seconds.Add({{"verb", std::string(method)}, {"host", series_->host}}, kRequestSeconds)
      .Observe(seconds(waited));
}

void Metrics::observe_response_size(std::string_view method, std::size_t bytes) {
  series_->response_bytes.Add({{"verb", std::string(method)}, {"host", series_->host}}, kResponseBytes)
      .Observe(static_cast<double>(bytes));
}

void Metrics::queue_added() { series_->adds.Increment(); }
void Metrics::queue_taken(base::Duration waited) { series_->queue_seconds.Observe(seconds(waited)); }
void Metrics::queue_done(base::Duration worked) { series_->work_seconds.Observe(seconds(worked)); }
void Metrics::queue_retried() { series_->queue_retries.Increment(); }

void Metrics::set_queue(std::size_t depth, base::Duration unfinished, base::Duration longest_running) {
  series_->depth.Set(static_cast<double>(depth));
  series_->unfinished.Set(seconds(unfinished));
  series_->longest.Set(seconds(longest_running));
}

void Metrics::set_leader(bool leading, std::uint64_t slow_paths) {
  series_->leading.Set(leading ? 1 : 0);
  // A counter can only be moved forward, and does nothing for a negative step.
  series_->slow_paths.Increment(static_cast<double>(slow_paths) - series_->slow_paths.Value());
}

void Metrics::count_reconcile(std::string_view result, base::Duration took) {
  series_->reconciles.Add({{"result", std::string(result)}}).Increment();
  series_->reconcile_seconds.Observe(seconds(took));
  if (result == "error") {
    series_->reconcile_errors.Increment();
  }
}

void Metrics::count_reconcile_panic() { series_->reconcile_panics.Increment(); }

void Metrics::set_workers(std::size_t active, std::size_t limit) {
  series_->active_workers.Set(static_cast<double>(active));
  series_->max_workers.Set(static_cast<double>(limit));
}

void Metrics::observe_audit(base::Duration took) { series_->audit_seconds.Observe(seconds(took)); }

void Metrics::count_status_write(std::string_view result) {
  series_->status_writes.Add({{"result", std::string(result)}}).Increment();
}

void Metrics::count_event(std::string_view type) { series_->events.Add({{"type", std::string(type)}}).Increment(); }

void Metrics::count_events_dropped(std::uint64_t count) {
  series_->events_dropped.Increment(static_cast<double>(count));
}

void Metrics::set_last_full_audit(base::WallTime time) {
  series_->last_full_audit.Set(std::chrono::duration<double>(time.time_since_epoch()).count());
}

void Metrics::set_workload(std::string_view key, WorkloadSample sample) {
  series_->workloads.set(key, std::move(sample));
}
void Metrics::remove_workload(std::string_view key) { series_->workloads.remove(key); }
void Metrics::clear_workloads() { series_->workloads.clear(); }

void Metrics::before_render(std::function<void()> refresh) { series_->refresh = std::move(refresh); }

std::string Metrics::render() const {
  if (series_->refresh) {
    series_->refresh();
  }
  const prometheus::TextSerializer serializer;
  std::ostringstream out;
  serializer.Serialize(out, series_->registry.Collect());
  serializer.Serialize(out, series_->workloads.Collect());
  serializer.Serialize(out, process_metrics());
  return out.str();
}

}  // namespace shutdown_auditor::telemetry
