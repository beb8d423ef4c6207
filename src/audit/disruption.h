#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "audit/audit.h"
#include "objects/workload.h"

// What PodDisruptionBudgets allow, by the arithmetic of kube-controller-manager's disruption controller and the
// eviction API (Kubernetes, "Specifying a Disruption Budget for your Application").
namespace shutdown_auditor::audit {

// Between which numbers of replicas a workload lives; equal without an autoscaler. {0, 0}: scaled to nothing.
struct ReplicaRange {
  std::int64_t floor = 1;
  std::int64_t ceiling = 1;
  bool autoscaled = false;
};
ReplicaRange replicas_of(const objects::Workload& workload, const Surroundings& surroundings);

// The percentage of "050%" -> 50, as policy/v1 accepts it: digits, a percent sign, at most 100.
std::optional<std::int64_t> parse_percent(std::string_view text);

// Why the API server refuses this budget (both limits, a bad limit, a bad selector); empty when it takes it.
std::string budget_problem(const objects::PodDisruptionBudget& budget);

// disruptionsAllowed of a valid budget over `pods` pods, all ready, whose owners' scales sum to the same number.
// Percentages round up; a budget without a limit allows none.
std::int64_t allowed_when_ready(const objects::PodDisruptionBudget& budget, std::int64_t pods);

// Which of a workload's pods a budget selects; kSome when that hangs on a label whose value a controller chooses.
enum class Selection : std::uint8_t { kNone, kSome, kAll };
Selection selects(const objects::PodDisruptionBudget& budget, const objects::Workload& workload);

// A budget that selects the audited workload, and what else it selects.
struct BudgetReading {
  const objects::PodDisruptionBudget* budget = nullptr;
  Selection selection = Selection::kNone;
  bool alone = false;             // it selects nothing else in the namespace
  std::string without_scale;      // "DaemonSet logs": an owner whose pods the controller cannot count
  bool sync_failed = false;       // the cluster says so
  std::string sync_message;
  // disruptionsAllowed with every pod ready: with all autoscalers at their floor, and at their ceiling. Absent when it
  // cannot be known from manifests.
  std::optional<std::int64_t> allowed_at_floor;
  std::optional<std::int64_t> allowed_at_ceiling;
  std::int64_t pods_at_floor = 0;  // of everything it selects
};

// The budgets of the namespace that select the workload's pods, by name. Empty when budgets cannot be read. Budgets the
// API server would refuse are left out.
std::vector<BudgetReading> budgets_of(const objects::Workload& workload, const Surroundings& surroundings);

// Kinds without a number of replicas of their own: no disruption check applies.
bool has_replicas(const objects::Workload& workload);

}  // namespace shutdown_auditor::audit
