#pragma once

#include <optional>

#include "audit/audit.h"
#include "objects/pod.h"

namespace shutdown_auditor::audit {

// How long a preStop hook takes, read from the manifest alone. Absent: kNone. kExact has all three times equal; kRange
// has a nominal between them; kUnbounded never ends and has no maximum (its minimum is the largest int64 when that is
// certain); kUnknown has the provable minimum only; kBroken has the times of what still runs. A hook runs inside the
// grace period and is bounded by nothing else (Kubernetes, "Container Lifecycle Hooks"; KEP-3960 for sleep; a tcpSocket
// hook fails at once; an httpGet hook has no time-out).
PreStopReading read_pre_stop(const std::optional<objects::Handler>& hook);

}  // namespace shutdown_auditor::audit
