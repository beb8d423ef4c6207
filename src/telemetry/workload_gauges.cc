#include "telemetry/workload_gauges.h"

namespace shutdown_auditor::telemetry {
namespace {

prometheus::MetricFamily gauge_family(std::string name, std::string help) {
  return {std::move(name), std::move(help), prometheus::MetricType::Gauge, {}};
}

void add_sample(prometheus::MetricFamily& family, std::vector<prometheus::ClientMetric::Label> labels,
                std::int64_t value) {
  prometheus::ClientMetric metric;
  metric.label = std::move(labels);
  metric.gauge.value = static_cast<double>(value);
  family.metric.push_back(std::move(metric));
}

template <class Map>
void change(Map& counts, typename Map::key_type key, std::int64_t by) {
  const auto entry = counts.try_emplace(std::move(key), 0).first;
  entry->second += by;
  if (entry->second == 0) {
    counts.erase(entry);
  }
}

}  // namespace

void WorkloadGauges::set(std::string_view key, WorkloadSample sample) {
  const std::lock_guard lock(mutex_);
  const auto [entry, is_new] = samples_.try_emplace(std::string(key));
  if (!is_new) {
    add(entry->second, -1);
  }
  entry->second = std::move(sample);
  add(entry->second, 1);
}

void WorkloadGauges::remove(std::string_view key) {
  const std::lock_guard lock(mutex_);
  if (const auto entry = samples_.find(key); entry != samples_.end()) {
    add(entry->second, -1);
    samples_.erase(entry);
  }
}

void WorkloadGauges::clear() {
  const std::lock_guard lock(mutex_);
  samples_.clear();
  workloads_.clear();
  findings_.clear();
}

void WorkloadGauges::add(const WorkloadSample& sample, std::int64_t sign) {
  const std::string name_space = by_namespace_ ? sample.name_space : "";
  change(workloads_, {name_space, sample.verdict}, sign);
  for (const auto& [check, result] : sample.findings) {
    change(findings_, {name_space, check, result}, sign);
  }
}

std::vector<prometheus::MetricFamily> WorkloadGauges::Collect() const {
  auto workloads = gauge_family("shutdownaudit_workloads", "Audited workloads by verdict.");
  auto findings = gauge_family("shutdownaudit_findings", "Findings by check and result.");
  auto shortfalls = gauge_family("shutdownaudit_workload_shortfall_seconds",
                                 "Seconds by which the grace period is too short for what the workload needs.");
  const auto labels = [this](const std::string& name_space, std::vector<prometheus::ClientMetric::Label> others) {
    if (by_namespace_) {
      others.insert(others.begin(), {"namespace", name_space});
    }
    return others;
  };
  const std::lock_guard lock(mutex_);
  for (const auto& [key, count] : workloads_) {
    add_sample(workloads, labels(key.first, {{"verdict", key.second}}), count);
  }
  for (const auto& [key, count] : findings_) {
    add_sample(findings, labels(key.name_space, {{"check", key.check}, {"result", key.result}}), count);
  }
  if (per_workload_) {
    for (const auto& [key, sample] : samples_) {
      add_sample(shortfalls, {{"namespace", sample.name_space}, {"kind", sample.kind}, {"name", sample.name}},
                 sample.shortfall_seconds);
    }
  }
  std::vector<prometheus::MetricFamily> families{std::move(workloads), std::move(findings)};
  if (per_workload_) {
    families.push_back(std::move(shortfalls));
  }
  return families;
}

}  // namespace shutdown_auditor::telemetry
