#pragma once

#include <cstdint>
#include <vector>

#include "audit/budget_status.h"

namespace shutdown_auditor::audit {

enum class PodPhase : std::uint8_t { kPending, kRunning, kSucceeded, kFailed };

// What the eviction API looks at in a pod.
struct PodState {
  PodPhase phase = PodPhase::kRunning;
  bool ready = true;
  bool deleting = false;
};

// A budget that selects the pod, with its status as stored.
struct BudgetState {
  const objects::PodDisruptionBudget* budget = nullptr;  // borrowed
  BudgetStatus status;
  bool observed = true;  // status.observedGeneration has caught up with the budget
};

enum class Eviction : std::uint8_t {
  kAllowed,     // the pod is deleted
  kRefused,     // its budget allows no disruption
  kTryAgain,    // the controller has not seen the budget's last change
  kOverlapping  // several budgets select the pod
};
// 201, 429, 429 (with a Retry-After of 10 s) and 500.
int http_status(Eviction outcome);

// What POST …/pods/NAME/eviction answers, in the order pkg/registry/core/pod/storage/eviction.go (Create) decides.
Eviction evict(const PodState& pod, const std::vector<BudgetState>& budgets);

}  // namespace shutdown_auditor::audit
