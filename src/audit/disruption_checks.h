#pragma once

#include "audit/collector.h"

namespace shutdown_auditor::audit {

// pdb-missing, pdb-blocks-eviction, pdb-overlapping, pdb-unsupported, pdb-ineffective, single-replica; returns what the
// status shows about disruption. Applies to kinds with replicas that are not scaled to nothing.
DisruptionReading check_disruption(const objects::Workload& workload, const Surroundings& surroundings, Collector& out);

}  // namespace shutdown_auditor::audit
