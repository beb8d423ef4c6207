#pragma once

#include "audit/collector.h"

namespace shutdown_auditor::audit {

// rollout-unsafe: a rolling update that may take every pod at once, or the Recreate strategy (not when the pods mount a
// PersistentVolumeClaim, where it is the right one). Deployments, Rollouts and DaemonSets; the arithmetic is the
// deployment controller's (maxSurge rounds up, maxUnavailable down, 1 when both are 0).
void check_rollout(const objects::Workload& workload, const Surroundings& surroundings, Collector& out);

}  // namespace shutdown_auditor::audit
