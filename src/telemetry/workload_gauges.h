#pragma once

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "telemetry/metrics.h"

namespace shutdown_auditor::telemetry {

// Counts workloads by verdict and findings by check from what each workload adds, so that a scrape costs as much as it
// has series, not workloads. Part of Metrics. Safe from any thread.
class WorkloadGauges final : public prometheus::Collectable {
 public:
  WorkloadGauges(bool by_namespace, bool per_workload) : by_namespace_(by_namespace), per_workload_(per_workload) {}

  void set(std::string_view key, WorkloadSample sample);
  void remove(std::string_view key);
  void clear();
  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  struct FindingKey {
    std::string name_space, check, result;
    auto operator<=>(const FindingKey&) const = default;
  };
  void add(const WorkloadSample& sample, std::int64_t sign);

  const bool by_namespace_;
  const bool per_workload_;
  mutable std::mutex mutex_;
  std::map<std::string, WorkloadSample, std::less<>> samples_;
  std::map<std::pair<std::string, std::string>, std::int64_t> workloads_;  // namespace, verdict
  std::map<FindingKey, std::int64_t> findings_;
};

}  // namespace shutdown_auditor::telemetry
