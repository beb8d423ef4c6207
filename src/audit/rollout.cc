#include "audit/rollout.h"

#include <fmt/format.h>

#include "audit/disruption.h"
#include "audit/rollout_times.h"
#include "base/text.h"

namespace shutdown_auditor::audit {
namespace {

std::string shown(const objects::IntOrString& value) { return base::truncate_utf8(objects::to_string(value), 20); }

void check_daemon_set(const objects::Workload& workload, Collector& out) {
  // How many nodes there are is not known; a percentage speaks of all of them.
  const bool everything = workload.max_unavailable && workload.max_unavailable->is_string &&
                          daemon_set_unavailable(workload, kMaxPods) == kMaxPods;
  if (!everything) return;
  out.report(Check::kRolloutUnsafe, CheckResult::kWarn, "RolloutStopsAllPods",
             fmt::format("A rolling update may stop the pods of all nodes at once (maxUnavailable {}).",
                         shown(*workload.max_unavailable)),
             "Set maxUnavailable to 1 or a small percentage.", "spec.updateStrategy.rollingUpdate.maxUnavailable");
}

void check_deployment(const objects::Workload& workload, std::int64_t replicas, Collector& out) {
  if (const std::string problem = strategy_problem(workload); !problem.empty()) {
    out.report(Check::kRolloutUnsafe, CheckResult::kWarn, "StrategyRefused",
               fmt::format("The API server refuses this strategy: {}.", problem),
               "Set maxUnavailable 0 and maxSurge 1: a new pod is ready before an old one stops.", "spec.strategy");
    return;
  }
  if (workload.strategy_type == "Recreate") {
    if (workload.pod_template.spec.mounts_persistent_volume_claim) return;
    out.report(Check::kRolloutUnsafe, CheckResult::kInfo, "RecreateStrategy",
               "The strategy Recreate stops every pod before it starts the first new one.",
               "Use RollingUpdate with maxUnavailable 0 unless two versions must never run together.", "spec.strategy");
    return;
  }
  const Fenceposts posts = fenceposts_of(workload, replicas);
  if (posts.min_available > 0) return;
  out.report(Check::kRolloutUnsafe, CheckResult::kWarn, "RolloutStopsAllPods",
             fmt::format("A rolling update may stop {} at once (maxUnavailable {}{}).",
                         replicas == 1 ? std::string("the only pod") : fmt::format("all {} pods", replicas),
                         workload.max_unavailable ? shown(*workload.max_unavailable) : "25%, the default",
                         workload.max_surge ? ", maxSurge " + shown(*workload.max_surge) : ""),
             "Set maxUnavailable 0 and maxSurge 1: a new pod is ready before an old one stops.",
             "spec.strategy.rollingUpdate.maxUnavailable");
}

}  // namespace

void check_rollout(const objects::Workload& workload, const Surroundings& surroundings, Collector& out) {
  const std::string& kind = workload.kind.kind;
  if (kind == "DaemonSet") {
    out.applies(Check::kRolloutUnsafe);
    if (workload.strategy_type != "OnDelete") check_daemon_set(workload, out);
  } else if (kind == "Deployment" || kind == "Rollout") {
    const std::int64_t replicas = replicas_of(workload, surroundings).floor;
    if (replicas == 0) return;
    out.applies(Check::kRolloutUnsafe);
    check_deployment(workload, replicas, out);
  }
}

}  // namespace shutdown_auditor::audit
