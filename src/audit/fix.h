#pragma once

#include <string>
#include <vector>

#include "audit/audit.h"

// What to change so that the audit passes (`check --fix`): only numbers that follow from the manifest, the policy and the
// knowledge base, and only changes after which the same audit finds less than before.
namespace shutdown_auditor::audit {

// Why a field has the value that a fix gives it.
struct FieldReason {
  std::string container;  // empty: the workload or its pod
  std::string field;      // "terminationGracePeriodSeconds", "preStop", "readinessProbe", "env", "args", "strategy" …
  std::string text;       // one line that begins with the id of the check
};

// A finding that stays, and why nothing was computed for it, in words.
struct Unfixed {
  Finding finding;
  std::string why;
};

struct WorkloadFix {
  const objects::Workload* before = nullptr;  // borrowed
  objects::Workload after;                    // equal to `before` where there are no reasons
  std::vector<FieldReason> reasons;
  std::vector<Finding> fixed;                 // of the audit before, gone after: of any result but Skip
  std::vector<Unfixed> unfixed;               // Fail and Warn only

  bool changed() const { return !reasons.empty(); }
};

struct BudgetFix {
  const objects::PodDisruptionBudget* before = nullptr;  // borrowed; null: a new object
  objects::PodDisruptionBudget after;
  const objects::Workload* workload = nullptr;           // borrowed; the one a new object is for
  std::string why;
};

struct Fixes {
  std::vector<WorkloadFix> workloads;  // as the workloads given
  std::vector<BudgetFix> budgets;
};

// Fixes of all these workloads of one namespace, and of its budgets. A change is kept when the finding that it is for is
// gone and no other finding of any of them has become a Warn or worse; the grace period follows the other changes. Pure;
// safe from any thread; the result borrows from the arguments.
Fixes compute_fixes(const std::vector<const objects::Workload*>& workloads, const Surroundings& surroundings,
                    const Policy& policy, const AuditOptions& options);

}  // namespace shutdown_auditor::audit
