#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "objects/workload.h"

// The numbers of a PodDisruptionBudget as kube-controller-manager computes them (pkg/controller/disruption/disruption.go:
// getExpectedPodCount, countHealthyPods, updatePdbStatus) and as its validation bounds them.
namespace shutdown_auditor::audit {

// No controller makes more pods: spec.replicas is an int32.
inline constexpr std::int64_t kMaxPods = 2147483647;

// How a controller's pods are counted: by the number its scale subresource says, or not at all.
enum class Owner : std::uint8_t {
  kScaled,        // Deployment, StatefulSet, ReplicaSet, ReplicationController, Rollout
  kWithoutScale,  // DaemonSet, Job
  kNone,          // a Pod without a controller
};
// Of the kind that owns the pods, or of the Pod itself.
Owner owner_of(const objects::GroupKind& kind);

// The pods of one controller (or one Pod without) that a budget selects. Nothing is negative.
struct SelectedPods {
  Owner owner = Owner::kScaled;
  std::int64_t scale = 0;  // spec.replicas of the controller, whether or not all of its pods are selected
  std::int64_t pods = 0;   // selected ones, in any phase
  std::int64_t ready = 0;  // of these: Ready and not being deleted
};

// status of the budget, and its condition DisruptionAllowed.
struct BudgetStatus {
  std::int64_t expected_pods = 0;
  std::int64_t desired_healthy = 0;
  std::int64_t current_healthy = 0;
  std::int64_t disruptions_allowed = 0;
  bool sync_failed = false;  // a controller without scale where the budget needs one; all numbers are 0

  // "SufficientPods", "InsufficientPods" or "SyncFailed"; the condition is True for the first only.
  std::string_view reason() const;
};

// The status of a budget that the API server accepts. Percentages round up, for both limits. A controller without any
// selected pod is not seen. Sums saturate at kMaxPods.
BudgetStatus status_of(const objects::PodDisruptionBudget& budget, const std::vector<SelectedPods>& selected);

// True when the budget counts by scale (maxUnavailable, or a percentage) and not by pods.
bool counts_scale(const objects::PodDisruptionBudget& budget);

// The percentage of "050%" -> 50, as policy/v1 accepts it: digits, a percent sign, at most 100.
std::optional<std::int64_t> parse_percent(std::string_view text);

// Why the API server refuses this budget (both limits, a bad limit, a bad selector); empty when it takes it.
std::string budget_problem(const objects::PodDisruptionBudget& budget);

}  // namespace shutdown_auditor::audit
