#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace shutdown_auditor::telemetry {

// Content-Type of render(): Prometheus text exposition format 0.0.4.
inline constexpr std::string_view kMetricsContentType = "text/plain; version=0.0.4; charset=utf-8";

struct MetricsOptions {
  std::string version;
  std::string revision;
  std::string host;                      // of the API server, host:port without a path
  std::string queue = "workload";        // label `name` (and `controller`) of the workqueue series
  std::string lease = "shutdown-auditor";  // label `name` of the leader election series
  bool by_namespace = true;              // false: workload and finding series have no namespace label
  bool per_workload = false;             // shutdownaudit_workload_shortfall_seconds, one series a workload
};

// What one audited workload adds to the gauges.
struct WorkloadSample {
  std::string name_space;
  std::string kind;
  std::string name;
  std::string verdict;
  std::vector<std::pair<std::string, std::string>> findings;  // check id, result
  std::int64_t shortfall_seconds = 0;
};

// Every metric of the process. Names and labels are those of docs/operations.md; workqueue_*, rest_client_* and
// leader_election_* follow k8s.io/component-base (metrics/prometheus) so that existing dashboards work. All series whose
// labels are known before are there at 0 from the start. Durations are seconds in the output. Safe from any thread.
class Metrics {
 public:
  explicit Metrics(const MetricsOptions& options);
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // Client of the API server. `code` 0: no response came (label "<error>", as in client-go).
  void count_request(int code, std::string_view method);
  void count_request_retry(int code, std::string_view method);
  void observe_request(std::string_view method, base::Duration took);
  void observe_rate_limiter(std::string_view method, base::Duration waited);
  void observe_response_size(std::string_view method, std::size_t bytes);

  // Work queue.
  void queue_added();
  void queue_taken(base::Duration waited);
  void queue_done(base::Duration worked);
  void queue_retried();
  void set_queue(std::size_t depth, base::Duration unfinished, base::Duration longest_running);

  // Leader election. `slow_paths` is the running total.
  void set_leader(bool leading, std::uint64_t slow_paths);

  // Reconciliations; `result` is success, error, requeue or requeue_after.
  void count_reconcile(std::string_view result, base::Duration took);
  void count_reconcile_panic();
  void set_workers(std::size_t active, std::size_t limit);
  void observe_audit(base::Duration took);
  // success, error or unchanged.
  void count_status_write(std::string_view result);
  // Warning or Normal.
  void count_event(std::string_view type);
  void count_events_dropped(std::uint64_t count);
  void set_last_full_audit(base::WallTime time);

  // The workload gauges: what `key` adds replaces what it added before. Only series that are not 0 are exported.
  void set_workload(std::string_view key, WorkloadSample sample);
  void remove_workload(std::string_view key);
  // When this process stops being the leader: another exports them now.
  void clear_workloads();

  // Runs at the start of every render(), to bring gauges up to date that nobody pushes (queue depth, leadership). Set
  // before the first render.
  void before_render(std::function<void()> refresh);
  // The text for GET /metrics, the process_* series of this process included.
  std::string render() const;

 private:
  struct Series;
  std::unique_ptr<Series> series_;
};

}  // namespace shutdown_auditor::telemetry
