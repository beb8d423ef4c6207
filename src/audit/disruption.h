#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "audit/audit.h"
#include "audit/budget_status.h"
#include "objects/workload.h"

// Which PodDisruptionBudgets select a workload's pods, and what they allow (Kubernetes, "Specifying a Disruption Budget
// for your Application").
namespace shutdown_auditor::audit {

// Between which numbers of replicas a workload lives; equal without an autoscaler. {0, 0}: scaled to nothing.
struct ReplicaRange {
  std::int64_t floor = 1;
  std::int64_t ceiling = 1;
  bool autoscaled = false;
};
ReplicaRange replicas_of(const objects::Workload& workload, const Surroundings& surroundings);

// Which of a workload's pods a budget selects; kSome when that hangs on a label whose value a controller chooses.
enum class Selection : std::uint8_t { kNone, kSome, kAll };
Selection selects(const objects::PodDisruptionBudget& budget, const objects::Workload& workload);

// A budget that selects the audited workload, and what else it selects.
struct BudgetReading {
  const objects::PodDisruptionBudget* budget = nullptr;
  Selection selection = Selection::kNone;
  bool alone = false;             // it selects nothing else in the namespace
  bool only_bare_pods = false;    // all it selects are Pods without a controller
  std::string without_scale;      // "DaemonSet logs": an owner whose pods the controller cannot count
  bool sync_failed = false;       // the cluster says so
  std::string sync_message;
  // The status with every pod ready: with all autoscalers at their floor, and at their ceiling. Absent when it cannot be
  // known from manifests.
  std::optional<BudgetStatus> at_floor;
  std::optional<BudgetStatus> at_ceiling;
};

// What the budgets of a namespace select, added up once for many audits of it. For one set of Surroundings whose lists hold
// every workload that is audited with it; borrows from them. Constant afterwards: safe from any thread.
class BudgetSurvey {
 public:
  // Calls its argument once with each workload, which need not live longer than the call.
  using EachWorkload = std::function<void(const std::function<void(const objects::Workload&)>&)>;

  explicit BudgetSurvey(const Surroundings& surroundings);
  // The workloads come from `each_workload`; surroundings.workloads says only whether they are known, by not being null.
  BudgetSurvey(const Surroundings& surroundings, const EachWorkload& each_workload);
  // Null for a budget that is not one of them or that the API server would refuse; `selection` is of nobody.
  const BudgetReading* find(const objects::PodDisruptionBudget& budget) const;

 private:
  std::unordered_map<const objects::PodDisruptionBudget*, BudgetReading> readings_;
};

// The budgets of the namespace that select the workload's pods, by name. Empty when budgets cannot be read. Budgets the
// API server would refuse are left out.
std::vector<BudgetReading> budgets_of(const objects::Workload& workload, const Surroundings& surroundings);

// False for kinds whose number of pods no manifest tells: only overlapping and uncountable budgets are reported.
bool has_replicas(const objects::Workload& workload);

// A Pod without a controller, audited as a workload of its own.
bool is_bare_pod(const objects::Workload& workload);

}  // namespace shutdown_auditor::audit
