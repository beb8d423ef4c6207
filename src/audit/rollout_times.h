#pragma once

#include <cstdint>
#include <string>

#include "objects/workload.h"

// How many pods a rolling update may replace at a time.
namespace shutdown_auditor::audit {

// maxSurge and maxUnavailable as numbers of pods (pkg/controller/deployment/util, ResolveFenceposts and MaxUnavailable):
// percentages of surge round up, of unavailable down, both zero become one unavailable; never more than there are.
struct Fenceposts {
  std::int64_t surge = 0;
  std::int64_t unavailable = 0;
  std::int64_t min_available = 0;
  std::int64_t max_total = 0;  // without those that are still stopping
};
// Of a Deployment or Rollout whose strategy the API server accepts; both limits default to 25%.
Fenceposts fenceposts_of(const objects::Workload& workload, std::int64_t replicas);

// maxUnavailable of a DaemonSet over that many nodes: rounds up, default 1, at least 1
// (pkg/controller/daemon/util/daemonset_util.go).
std::int64_t daemon_set_unavailable(const objects::Workload& workload, std::int64_t nodes);

// Why the API server refuses the strategy of this Deployment (pkg/apis/apps/validation); empty when it takes it, and for
// other kinds.
std::string strategy_problem(const objects::Workload& workload);

}  // namespace shutdown_auditor::audit
