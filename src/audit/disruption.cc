#include "audit/disruption.h"

#include <algorithm>
#include <array>
#include <limits>

#include "audit/roles.h"
#include "audit/seconds.h"
#include "base/text.h"

namespace shutdown_auditor::audit {
namespace {

constexpr std::int64_t kMaxReplicas = std::numeric_limits<std::int32_t>::max();
constexpr std::int64_t kKedaDefaultCeiling = 100;

std::int64_t clamp_replicas(std::int64_t value) { return std::clamp<std::int64_t>(value, 0, kMaxReplicas); }

constexpr std::array<std::string_view, 6> kChosenLabels{
    "pod-template-hash",        "rollouts-pod-template-hash", "controller-revision-hash", "pod-template-generation",
    "apps.kubernetes.io/pod-index", "statefulset.kubernetes.io/pod-name"};

bool is_chosen(std::string_view key) {
  return std::find(kChosenLabels.begin(), kChosenLabels.end(), key) != kChosenLabels.end();
}

// The selector without what it asks of values that controllers choose.
objects::LabelSelector without_chosen(const objects::LabelSelector& selector, const objects::StringMap& own) {
  objects::LabelSelector rest = selector;
  std::erase_if(rest.match_labels,
                [&](const auto& pair) { return is_chosen(pair.first) && objects::find(own, pair.first) == nullptr; });
  std::erase_if(rest.match_expressions, [&](const objects::SelectorRequirement& each) {
    return is_chosen(each.key) && (each.op == "In" || each.op == "NotIn") && objects::find(own, each.key) == nullptr;
  });
  return rest;
}

std::string limit_problem(std::string_view field, const objects::IntOrString& limit) {
  const std::string shown = std::string(field) + " " + base::quoted(objects::to_string(limit), 40);
  if (limit.is_string) {
    return parse_percent(limit.text) ? std::string() : shown + " is not a percentage from 0% to 100%";
  }
  return limit.number >= 0 && limit.number <= kMaxReplicas ? std::string() : shown + " is not a number of pods";
}

std::int64_t percent_of(const objects::IntOrString& limit, std::int64_t total) {
  return (parse_percent(limit.text).value_or(0) * total + 99) / 100;
}

bool counts_scale(const objects::PodDisruptionBudget& budget) {
  return budget.max_unavailable.has_value() || (budget.min_available && budget.min_available->is_string);
}

bool same_object(const objects::Workload& a, const objects::Workload& b) {
  return a.kind == b.kind && a.meta.name == b.meta.name && same_namespace(a.meta, b.meta);
}

// The ReplicaSet of a Deployment stands for the same pods.
bool is_part_of_another(const objects::Workload& workload) {
  return workload.kind.kind == "ReplicaSet" && workload.meta.controller() != nullptr;
}

objects::StringMap job_labels(const objects::JobTemplate& job) {
  objects::StringMap labels = job.pod_labels;
  for (const std::string_view key :
       {"job-name", "controller-uid", "batch.kubernetes.io/job-name", "batch.kubernetes.io/controller-uid"}) {
    if (objects::find(job.pod_labels, key) == nullptr) labels.emplace_back(std::string(key), "*");
  }
  objects::normalize(labels);
  return labels;
}

// Adds up what else the budget selects.
void read_others(const objects::Workload& workload, const Surroundings& surroundings, BudgetReading& reading) {
  const objects::PodDisruptionBudget& budget = *reading.budget;
  const ReplicaRange own = replicas_of(workload, surroundings);
  std::int64_t at_floor = own.floor;
  std::int64_t at_ceiling = own.ceiling;
  bool countable = reading.selection == Selection::kAll && has_replicas(workload);
  reading.alone = surroundings.workloads != nullptr && reading.selection == Selection::kAll;
  if (surroundings.workloads != nullptr) {
    for (const objects::Workload* other : *surroundings.workloads) {
      if (same_object(*other, workload) || is_part_of_another(*other) || !same_namespace(other->meta, workload.meta)) continue;
      const Selection selection = selects(budget, *other);
      if (selection == Selection::kNone) continue;
      const ReplicaRange range = replicas_of(*other, surroundings);
      if (has_replicas(*other) && range.ceiling == 0) continue;
      reading.alone = false;
      countable = countable && selection == Selection::kAll && has_replicas(*other);
      if (!has_replicas(*other)) reading.without_scale = other->kind.kind + " " + other->meta.name;
      at_floor = clamp_replicas(at_floor + range.floor);
      at_ceiling = clamp_replicas(at_ceiling + range.ceiling);
    }
  }
  if (surroundings.jobs != nullptr) {
    for (const objects::JobTemplate* job : *surroundings.jobs) {
      if (!same_namespace(job->meta, workload.meta) || !objects::matches(budget.selector, job_labels(*job))) continue;
      reading.alone = false;
      countable = false;
      reading.without_scale = job->kind.kind + " " + job->meta.name;
    }
  }
  if (!counts_scale(budget)) reading.without_scale.clear();

  // Nothing else can make these allow an eviction.
  const bool blocks_always = !budget.min_available && !budget.max_unavailable;
  const bool known = blocks_always || (countable && surroundings.workloads != nullptr);
  if (!known || reading.sync_failed || !reading.without_scale.empty()) return;
  reading.pods_at_floor = at_floor;
  reading.allowed_at_floor = allowed_when_ready(budget, at_floor);
  reading.allowed_at_ceiling = allowed_when_ready(budget, at_ceiling);
}

}  // namespace

bool has_replicas(const objects::Workload& workload) { return workload.kind.kind != "DaemonSet"; }

ReplicaRange replicas_of(const objects::Workload& workload, const Surroundings& surroundings) {
  const std::int64_t written = clamp_replicas(workload.replicas.value_or(1));
  ReplicaRange range{written, written, false};
  if (surroundings.autoscalers == nullptr) return range;
  for (const objects::Autoscaler* scaler : *surroundings.autoscalers) {
    const bool ours = scaler->target.kind == workload.kind.kind && scaler->target_name == workload.meta.name &&
                      (scaler->target.group.empty() || scaler->target.group == workload.kind.group) &&
                      same_namespace(scaler->meta, workload.meta);
    if (!ours) continue;
    const bool keda = scaler->kind.kind == "ScaledObject";
    // A HorizontalPodAutoscaler leaves a workload alone that was scaled to zero.
    if (!keda && workload.replicas == 0) return {0, 0, false};
    const std::int64_t floor = clamp_replicas(scaler->min_replicas.value_or(keda ? 0 : 1));
    const std::int64_t ceiling = std::max(floor, clamp_replicas(scaler->max_replicas.value_or(keda ? kKedaDefaultCeiling : floor)));
    range.floor = range.autoscaled ? std::min(range.floor, floor) : floor;
    range.ceiling = range.autoscaled ? std::max(range.ceiling, ceiling) : ceiling;
    range.autoscaled = true;
  }
  return range;
}

std::optional<std::int64_t> parse_percent(std::string_view text) {
  if (text.size() < 2 || text.back() != '%') return std::nullopt;
  text.remove_suffix(1);
  std::int64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = std::min<std::int64_t>(value * 10 + (c - '0'), 1000);
  }
  return value <= 100 ? std::optional(value) : std::nullopt;
}

std::string budget_problem(const objects::PodDisruptionBudget& budget) {
  if (budget.min_available && budget.max_unavailable) return "it sets both minAvailable and maxUnavailable";
  if (budget.min_available) {
    if (std::string problem = limit_problem("minAvailable", *budget.min_available); !problem.empty()) return problem;
  }
  if (budget.max_unavailable) {
    if (std::string problem = limit_problem("maxUnavailable", *budget.max_unavailable); !problem.empty()) return problem;
  }
  const std::string& policy = budget.unhealthy_pod_eviction_policy;
  if (!policy.empty() && policy != "IfHealthyBudget" && policy != "AlwaysAllow") {
    return "unhealthyPodEvictionPolicy is " + base::quoted(policy, 40);
  }
  return budget.selector ? objects::selector_problem(*budget.selector) : std::string();
}

std::int64_t allowed_when_ready(const objects::PodDisruptionBudget& budget, std::int64_t pods) {
  pods = clamp_replicas(pods);
  std::int64_t desired = pods;
  if (budget.max_unavailable) {
    const objects::IntOrString& limit = *budget.max_unavailable;
    desired = std::max<std::int64_t>(0, pods - (limit.is_string ? percent_of(limit, pods) : limit.number));
  } else if (budget.min_available) {
    const objects::IntOrString& limit = *budget.min_available;
    desired = limit.is_string ? percent_of(limit, pods) : limit.number;
  }
  return std::max<std::int64_t>(0, pods - desired);
}

Selection selects(const objects::PodDisruptionBudget& budget, const objects::Workload& workload) {
  if (!budget.selector || !same_namespace(budget.meta, workload.meta)) return Selection::kNone;
  const objects::StringMap& own = workload.pod_template.meta.labels;
  const objects::LabelSelector rest = without_chosen(*budget.selector, own);
  const bool asks_chosen = rest.match_labels.size() != budget.selector->match_labels.size() ||
                           rest.match_expressions.size() != budget.selector->match_expressions.size();
  if (!objects::matches(asks_chosen ? rest : *budget.selector, pod_labels(workload))) return Selection::kNone;
  return asks_chosen ? Selection::kSome : Selection::kAll;
}

std::vector<BudgetReading> budgets_of(const objects::Workload& workload, const Surroundings& surroundings) {
  std::vector<BudgetReading> readings;
  if (surroundings.budgets == nullptr) return readings;
  for (const objects::PodDisruptionBudget* budget : *surroundings.budgets) {
    const Selection selection = selects(*budget, workload);
    if (selection == Selection::kNone || !budget_problem(*budget).empty()) continue;
    BudgetReading reading;
    reading.budget = budget;
    reading.selection = selection;
    for (const objects::Condition& condition : budget->conditions) {
      if (condition.type == "DisruptionAllowed" && condition.status == "False" && condition.reason == "SyncFailed") {
        reading.sync_failed = true;
        reading.sync_message = condition.message;
      }
    }
    read_others(workload, surroundings, reading);
    readings.push_back(std::move(reading));
  }
  std::sort(readings.begin(), readings.end(), [](const BudgetReading& a, const BudgetReading& b) {
    return a.budget->meta.name < b.budget->meta.name;
  });
  return readings;
}

}  // namespace shutdown_auditor::audit
