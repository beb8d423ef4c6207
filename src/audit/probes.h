#pragma once

#include <vector>

#include "audit/collector.h"
#include "audit/grace_budget.h"
#include "audit/roles.h"
#include "objects/pod.h"

namespace shutdown_auditor::audit {

// readiness-probe-missing, liveness-probe-missing (serving containers), probes-identical, probe-always-succeeds and
// probe-grace (every container with probes). `views` and `terms.containers` are of the same containers in the same
// order. Defaults of absent numbers are the API server's (core/v1 SetDefaults_Probe).
void check_probes(const std::vector<ContainerView>& views, const PodTerms& terms, Collector& out);

// The probe runs a command that succeeds in time whatever the application does.
bool always_succeeds(const objects::Probe& probe, const objects::Container& container);

}  // namespace shutdown_auditor::audit
