#pragma once

#include <vector>

#include "audit/collector.h"
#include "audit/grace_budget.h"
#include "audit/roles.h"

namespace shutdown_auditor::audit {

// signal-not-delivered, signal-not-graceful, drain-unbounded, drain-too-short: what each container's program does when
// it is told to stop. `terms` are of the same views, in the same order.
void check_signals(const std::vector<ContainerView>& views, const PodTerms& terms, Collector& out);

}  // namespace shutdown_auditor::audit
