#pragma once

#include "audit/collector.h"
#include "audit/grace_budget.h"
#include "audit/roles.h"

namespace shutdown_auditor::audit {

// prestop-broken, prestop-unknown, prestop-missing, prestop-short: each container's hook by itself. Run after
// check_grace, which speaks first about a hook that is too long.
void check_hooks(const PodTerms& terms, const Policy& policy, Collector& out);

}  // namespace shutdown_auditor::audit
