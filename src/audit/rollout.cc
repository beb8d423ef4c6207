#include "audit/rollout.h"

#include <fmt/format.h>

#include <algorithm>

#include "audit/disruption.h"
#include "base/text.h"

namespace shutdown_auditor::audit {
namespace {

const objects::IntOrString kQuarter{true, 0, "25%"};

std::int64_t resolve(const objects::IntOrString& value, std::int64_t replicas, bool up) {
  if (!value.is_string) return std::max<std::int64_t>(0, value.number);
  return (parse_percent(value.text).value_or(0) * replicas + (up ? 99 : 0)) / 100;
}

std::int64_t unavailable(const objects::Workload& workload, std::int64_t replicas) {
  std::int64_t down = resolve(workload.max_unavailable.value_or(kQuarter), replicas, false);
  const std::int64_t surge = resolve(workload.max_surge.value_or(kQuarter), replicas, true);
  if (down == 0 && surge == 0) down = 1;
  return std::min(down, replicas);
}

}  // namespace

void check_rollout(const objects::Workload& workload, const Surroundings& surroundings, Collector& out) {
  const std::string& kind = workload.kind.kind;
  const bool deployment = kind == "Deployment" || kind == "Rollout";
  if (!deployment && kind != "DaemonSet") return;
  const std::int64_t replicas = deployment ? replicas_of(workload, surroundings).floor : 1;
  if (replicas == 0) return;
  out.applies(Check::kRolloutUnsafe);
  if (deployment && workload.strategy_type == "Recreate") {
    if (workload.pod_template.spec.mounts_persistent_volume_claim) return;
    out.report(Check::kRolloutUnsafe, CheckResult::kInfo, "RecreateStrategy",
               "The strategy Recreate stops every pod before it starts the first new one.",
               "Use RollingUpdate with maxUnavailable 0 unless two versions must never run together.", "spec.strategy");
    return;
  }
  if (!workload.strategy_type.empty() && workload.strategy_type != "RollingUpdate") return;
  const bool everything = deployment ? unavailable(workload, replicas) == replicas
                                     : workload.max_unavailable && workload.max_unavailable->is_string &&
                                           parse_percent(workload.max_unavailable->text) == 100;
  if (!everything) return;
  const std::string limit =
      workload.max_unavailable ? base::truncate_utf8(objects::to_string(*workload.max_unavailable), 20) : std::string("25%");
  out.report(Check::kRolloutUnsafe, CheckResult::kWarn, "RolloutStopsAllPods",
             deployment ? fmt::format("A rolling update may stop {} at once (maxUnavailable {}{}).",
                                      replicas == 1 ? std::string("the only pod") : fmt::format("all {} pods", replicas), limit,
                                      workload.max_surge ? ", maxSurge " + base::truncate_utf8(objects::to_string(*workload.max_surge), 20) : "")
                        : fmt::format("A rolling update may stop the pods of all nodes at once (maxUnavailable {}).", limit),
             deployment ? "Set maxUnavailable 0 and maxSurge 1: a new pod is ready before an old one stops."
                        : "Set maxUnavailable to 1 or a small percentage.",
             deployment ? "spec.strategy.rollingUpdate.maxUnavailable" : "spec.updateStrategy.rollingUpdate.maxUnavailable");
}

}  // namespace shutdown_auditor::audit
