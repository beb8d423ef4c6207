#pragma once

#include "audit/fix.h"
#include "audit/fix_ways.h"

namespace shutdown_auditor::audit {

// The checks that a PodDisruptionBudget answers: pdb-*.
bool is_about_budgets(Check check);

// Adds to `fixes` the budgets to create and to change, and which findings of the workloads that leaves. A budget concerns
// every workload that it selects, so what is proposed for all of them is tried together, and what harms one is dropped.
void fix_budgets(const FixContext& context, Fixes& fixes);

}  // namespace shutdown_auditor::audit
