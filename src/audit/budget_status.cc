#include "audit/budget_status.h"

#include <algorithm>

#include "base/text.h"

namespace shutdown_auditor::audit {
namespace {

std::int64_t clamp_pods(std::int64_t value) { return std::clamp<std::int64_t>(value, 0, kMaxPods); }

std::string limit_problem(std::string_view field, const objects::IntOrString& limit) {
  const std::string shown = std::string(field) + " " + base::quoted(objects::to_string(limit), 40);
  if (limit.is_string) {
    return parse_percent(limit.text) ? std::string() : shown + " is not a percentage from 0% to 100%";
  }
  return limit.number >= 0 && limit.number <= kMaxPods ? std::string() : shown + " is not a number of pods";
}

std::int64_t resolve(const objects::IntOrString& limit, std::int64_t total) {
  return limit.is_string ? (parse_percent(limit.text).value_or(0) * total + 99) / 100 : limit.number;
}

}  // namespace

Owner owner_of(const objects::GroupKind& kind) {
  if (kind.kind == "Pod") return Owner::kNone;
  return kind.kind == "DaemonSet" || kind.kind == "Job" || kind.kind == "CronJob" ? Owner::kWithoutScale : Owner::kScaled;
}

std::string_view BudgetStatus::reason() const {
  if (sync_failed) return "SyncFailed";
  return disruptions_allowed > 0 ? "SufficientPods" : "InsufficientPods";
}

BudgetStatus status_of(const objects::PodDisruptionBudget& budget, const std::vector<SelectedPods>& selected) {
  BudgetStatus status;
  std::int64_t scale = 0;
  std::int64_t pods = 0;
  bool without_scale = false;
  for (const SelectedPods& each : selected) {
    if (each.pods <= 0) continue;
    without_scale = without_scale || each.owner == Owner::kWithoutScale;
    if (each.owner == Owner::kScaled) scale = clamp_pods(scale + clamp_pods(each.scale));
    pods = clamp_pods(pods + clamp_pods(each.pods));
    status.current_healthy = clamp_pods(status.current_healthy + clamp_pods(each.ready));
  }
  if (counts_scale(budget) && without_scale) return BudgetStatus{.sync_failed = true};
  if (budget.max_unavailable) {
    status.expected_pods = scale;
    status.desired_healthy = std::max<std::int64_t>(0, scale - resolve(*budget.max_unavailable, scale));
  } else if (budget.min_available) {
    status.expected_pods = budget.min_available->is_string ? scale : pods;
    status.desired_healthy = resolve(*budget.min_available, scale);
  }
  if (status.expected_pods > 0) {
    status.disruptions_allowed = std::max<std::int64_t>(0, status.current_healthy - status.desired_healthy);
  }
  return status;
}

bool counts_scale(const objects::PodDisruptionBudget& budget) {
  return budget.max_unavailable.has_value() || (budget.min_available && budget.min_available->is_string);
}

std::optional<std::int64_t> parse_percent(std::string_view text) {
  if (text.size() < 2 || text.back() != '%') return std::nullopt;
  text.remove_suffix(1);
  std::int64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = std::min<std::int64_t>(value * 10 + (c - '0'), 1000);
  }
  return value <= 100 ? std::optional(value) : std::nullopt;
}

std::string budget_problem(const objects::PodDisruptionBudget& budget) {
  if (budget.min_available && budget.max_unavailable) return "it sets both minAvailable and maxUnavailable";
  if (budget.min_available) {
    if (std::string problem = limit_problem("minAvailable", *budget.min_available); !problem.empty()) return problem;
  }
  if (budget.max_unavailable) {
    if (std::string problem = limit_problem("maxUnavailable", *budget.max_unavailable); !problem.empty()) return problem;
  }
  const std::optional<std::string>& policy = budget.unhealthy_pod_eviction_policy;
  if (policy && *policy != "IfHealthyBudget" && *policy != "AlwaysAllow") {
    return "unhealthyPodEvictionPolicy is " + base::quoted(*policy, 40);
  }
  return budget.selector ? objects::selector_problem(*budget.selector) : std::string();
}

}  // namespace shutdown_auditor::audit
