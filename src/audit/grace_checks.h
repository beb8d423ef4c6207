#pragma once

#include "audit/collector.h"
#include "audit/grace_budget.h"
#include "audit/policy.h"

namespace shutdown_auditor::audit {

// True unless the policy switched the check off.
bool is_enabled(const Policy& policy, Check check);

// grace-budget, grace-unverified, grace-zero, grace-ceiling, prestop-exceeds-grace, prestop-range: what the sums say.
void check_grace(const PodTerms& terms, const GraceReading& reading, const Policy& policy, Collector& out);

}  // namespace shutdown_auditor::audit
