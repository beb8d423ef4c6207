#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "app/check_options.h"
#include "app/input.h"
#include "audit/fix.h"
#include "report/shutdown_audit.h"

namespace shutdown_auditor::app {

// What was audited, what was not, and why.
struct CheckCounts {
  std::size_t workloads = 0;
  std::size_t hooks = 0;
  std::size_t owned = 0;
  std::size_t borrowing = 0;  // Rollouts whose template is another workload's
  std::size_t out_of_scope = 0;
  std::size_t old_budgets = 0;
};

struct CheckedWorkload {
  report::ShutdownAudit audit;  // with the place of each finding
};

struct CheckResult {
  std::vector<CheckedWorkload> workloads;  // in the order of the input
  CheckCounts counts;
  std::vector<audit::Fixes> fixes;  // when asked for, by namespace; borrow from the input
};

// Audits the workloads of an input beside its other objects. Audited workloads lose
// their positions. Objects that name no namespace are given one: the options',
// else the only one the input names, else "default".
CheckResult audit_input(Input& input, const CheckOptions& options, const audit::Policy& policy,
                        const audit::AuditOptions& audit_options);

}  // namespace shutdown_auditor::app
