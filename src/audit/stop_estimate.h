#pragma once

#include <string>

#include "audit/audit.h"

namespace shutdown_auditor::audit {

// How long stopping takes, rounds of pods that stop together times the stop of one. New pods that have to become ready in
// between come on top: how long they start is not in a manifest.
//
// Drain: all nodes of the workload's pods are drained, each pod goes as soon as its PodDisruptionBudget allows.
// Rollout: a Deployment's rolling update does not wait for the pods it has told to stop (0 s), Recreate waits for one
// stop, a StatefulSet stops one pod after the other (its maxUnavailable is behind a feature gate that is off by default up
// to Kubernetes 1.36), a DaemonSet ceil(nodes / maxUnavailable) times (only with a percentage is that known without the
// nodes).
StopEstimate estimate_stop(const objects::Workload& workload, const DisruptionReading& disruption, const Budget& budget);

// For a table: "120s", "120-180s" (expected and at worst), ">=120s" (a part is not known), "blocked", "-" (not known, or
// there is nothing to wait for).
std::string to_string(const StopSpan& span);

}  // namespace shutdown_auditor::audit
