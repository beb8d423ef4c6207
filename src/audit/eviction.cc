#include "audit/eviction.h"

namespace shutdown_auditor::audit {

int http_status(Eviction outcome) {
  switch (outcome) {
    case Eviction::kAllowed: return 201;
    case Eviction::kRefused: return 429;
    case Eviction::kTryAgain: return 429;
    case Eviction::kOverlapping: return 500;
  }
  return 500;
}

Eviction evict(const PodState& pod, const std::vector<BudgetState>& budgets) {
  if (pod.phase != PodPhase::kRunning || pod.deleting) return Eviction::kAllowed;
  if (budgets.size() > 1) return Eviction::kOverlapping;
  if (budgets.empty()) return Eviction::kAllowed;
  const BudgetState& only = budgets.front();
  const BudgetStatus& status = only.status;
  if (!pod.ready) {
    if (only.budget->unhealthy_pod_eviction_policy == "AlwaysAllow") return Eviction::kAllowed;
    if (status.desired_healthy > 0 && status.current_healthy >= status.desired_healthy) return Eviction::kAllowed;
  }
  if (!only.observed) return Eviction::kTryAgain;
  return status.disruptions_allowed > 0 ? Eviction::kAllowed : Eviction::kRefused;
}

}  // namespace shutdown_auditor::audit
