#pragma once

#include "audit/audit.h"
#include "objects/pod.h"

namespace shutdown_auditor::audit {

// How long a container's preStop hook takes and what it does, read from the manifest alone: the hook, the container's env
// and, for which shell sh is and whether it has one, the name of its image. Absent: kNone. kExact has all three times
// equal; kRange has a maximum, and a nominal when one is known; kUnbounded goes on until something outside it happens;
// kUnknown has the provable minimum, and a nominal when only a limit is missing; kBroken has the times of what still
// runs. A hook runs inside the grace period and is bounded by nothing else (Kubernetes, "Container Lifecycle Hooks";
// KEP-3960 for sleep; a tcpSocket hook fails at once; an httpGet hook has no time-out, and any status is a success).
PreStopReading read_pre_stop(const objects::Container& container);

}  // namespace shutdown_auditor::audit
