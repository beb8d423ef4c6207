#include "audit/stop_estimate.h"

#include <algorithm>

#include "audit/budget_status.h"
#include "audit/seconds.h"

namespace shutdown_auditor::audit {
namespace {

StopSpan rounds_of(std::int64_t rounds, const Budget& budget) {
  StopSpan span;
  span.state = StopSpan::State::kTimed;
  // What does not fit into the grace period is killed at its end.
  const std::int64_t stop = std::min(budget.required_seconds, budget.grace_period_seconds);
  span.expected_seconds = saturating_multiply(rounds, stop);
  span.worst_seconds = saturating_multiply(rounds, budget.grace_period_seconds);
  span.at_least = budget.required_at_least && stop < budget.grace_period_seconds && rounds > 0;
  return span;
}

StopSpan drain_of(const objects::Workload& workload, const DisruptionReading& disruption, const Budget& budget) {
  // kubectl drain leaves the pods of DaemonSets where they are.
  if (owner_of(workload.kind) == Owner::kWithoutScale) return {};
  if (disruption.drain_blocked) return StopSpan{.state = StopSpan::State::kBlocked};
  return disruption.drain_rounds ? rounds_of(*disruption.drain_rounds, budget) : StopSpan{};
}

StopSpan rollout_of(const objects::Workload& workload, const DisruptionReading& disruption, const Budget& budget) {
  const std::string& kind = workload.kind.kind;
  if (workload.strategy_type == "OnDelete") return {};
  if (kind == "DaemonSet") {
    const std::optional<objects::IntOrString>& most = workload.max_unavailable;
    const std::int64_t percent = most && most->is_string ? parse_percent(most->text).value_or(0) : 0;
    return percent > 0 ? rounds_of((100 + percent - 1) / percent, budget) : StopSpan{};
  }
  if (disruption.replicas_at_floor == 0) return {};
  if (kind == "StatefulSet") {
    return disruption.replicas_at_floor ? rounds_of(*disruption.replicas_at_floor, budget) : StopSpan{};
  }
  if (kind == "Deployment" || kind == "Rollout") return rounds_of(workload.strategy_type == "Recreate" ? 1 : 0, budget);
  return {};
}

}  // namespace

StopEstimate estimate_stop(const objects::Workload& workload, const DisruptionReading& disruption, const Budget& budget) {
  return {drain_of(workload, disruption, budget), rollout_of(workload, disruption, budget)};
}

std::string to_string(const StopSpan& span) {
  if (span.state == StopSpan::State::kBlocked) return "blocked";
  if (span.state == StopSpan::State::kNotKnown) return "-";
  const std::string expected = std::to_string(span.expected_seconds);
  if (span.at_least || span.worst_seconds == kEndless) return ">=" + expected + "s";
  if (span.expected_seconds == span.worst_seconds) return expected + "s";
  return expected + "-" + std::to_string(span.worst_seconds) + "s";
}

}  // namespace shutdown_auditor::audit
