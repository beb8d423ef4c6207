#pragma once

#include "audit/collector.h"

namespace shutdown_auditor::audit {

// rollout-unsafe: a rolling update that may take every pod at once, a strategy the API server refuses, or the Recreate
// strategy (not when the pods mount a PersistentVolumeClaim, where it is the right one). Deployments, Rollouts and
// DaemonSets; a StatefulSet replaces one pod at a time, and OnDelete replaces nothing by itself.
void check_rollout(const objects::Workload& workload, const Surroundings& surroundings, Collector& out);

}  // namespace shutdown_auditor::audit
