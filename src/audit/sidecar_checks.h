#pragma once

#include <vector>

#include "audit/collector.h"
#include "audit/grace_budget.h"
#include "audit/injection.h"
#include "audit/roles.h"

namespace shutdown_auditor::audit {

// sidecar-stops-first: traffic sidecars that are plain containers are told to stop at the same moment as the application,
// so that they must last as long as its hook and its drain. Native sidecars outlast the main containers by themselves
// (KEP-753), unless their own hook, which starts with all others, stops them. Only known times count, except that a
// sidecar that stops at once is too short for any request.
void check_sidecars(const std::vector<ContainerView>& views, const PodTerms& terms, Collector& out);

// sidecar-injected: what is asked for and not in the template cannot be judged.
void check_injection(const std::vector<InjectedSidecar>& missing, const PodTerms& terms, Collector& out);

}  // namespace shutdown_auditor::audit
