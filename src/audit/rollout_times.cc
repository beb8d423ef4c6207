#include "audit/rollout_times.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "audit/budget_status.h"
#include "audit/seconds.h"
#include "base/text.h"

namespace shutdown_auditor::audit {
namespace {

const objects::IntOrString kQuarter{true, 0, "25%"};

// "200%" -> 200: maxSurge may be more than all.
std::optional<std::int64_t> percentage(std::string_view text) {
  if (text.size() < 2 || text.back() != '%') return std::nullopt;
  text.remove_suffix(1);
  std::int64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = std::min(value * 10 + (c - '0'), kMaxPods);
  }
  return value;
}

std::int64_t resolve(const objects::IntOrString& value, std::int64_t replicas, bool up) {
  if (!value.is_string) return std::clamp<std::int64_t>(value.number, 0, kMaxPods);
  const std::int64_t scaled = saturating_add(saturating_multiply(percentage(value.text).value_or(0), replicas), up ? 99 : 0);
  return std::min(scaled / 100, kMaxPods);
}

bool is_zero(const objects::IntOrString& value) {
  return value.is_string ? percentage(value.text) == 0 : value.number == 0;
}

std::string limit_problem(std::string_view field, const objects::IntOrString& value) {
  const bool fine = value.is_string ? percentage(value.text).has_value() : value.number >= 0 && value.number <= kMaxPods;
  if (fine) return {};
  return std::string(field) + " " + base::quoted(objects::to_string(value), 40) +
         " is neither a number of pods nor a percentage";
}

}  // namespace

Fenceposts fenceposts_of(const objects::Workload& workload, std::int64_t replicas) {
  replicas = std::clamp<std::int64_t>(replicas, 0, kMaxPods);
  Fenceposts posts;
  posts.surge = resolve(workload.max_surge.value_or(kQuarter), replicas, true);
  posts.unavailable = resolve(workload.max_unavailable.value_or(kQuarter), replicas, false);
  if (posts.surge == 0 && posts.unavailable == 0) posts.unavailable = 1;
  posts.unavailable = std::min(posts.unavailable, replicas);
  posts.min_available = replicas - posts.unavailable;
  posts.max_total = replicas + posts.surge;
  return posts;
}

std::int64_t daemon_set_unavailable(const objects::Workload& workload, std::int64_t nodes) {
  if (!workload.max_unavailable) return 1;
  return std::max<std::int64_t>(1, resolve(*workload.max_unavailable, std::clamp<std::int64_t>(nodes, 0, kMaxPods), true));
}

std::string strategy_problem(const objects::Workload& workload) {
  if (workload.kind.kind != "Deployment") return {};
  const std::string& type = workload.strategy_type;
  if (!type.empty() && type != "RollingUpdate" && type != "Recreate") {
    return "the strategy " + base::quoted(type, 40) + " does not exist";
  }
  if (type == "Recreate") {
    return workload.max_surge || workload.max_unavailable ? "Recreate takes no rollingUpdate" : std::string();
  }
  if (workload.max_surge) {
    if (std::string problem = limit_problem("maxSurge", *workload.max_surge); !problem.empty()) return problem;
  }
  if (!workload.max_unavailable) return {};
  if (std::string problem = limit_problem("maxUnavailable", *workload.max_unavailable); !problem.empty()) return problem;
  if (workload.max_unavailable->is_string && !parse_percent(workload.max_unavailable->text)) {
    return "maxUnavailable " + base::quoted(workload.max_unavailable->text, 40) + " is more than 100%";
  }
  if (workload.max_surge && is_zero(*workload.max_surge) && is_zero(*workload.max_unavailable)) {
    return "maxSurge and maxUnavailable are both 0, so nothing could be replaced";
  }
  return {};
}

}  // namespace shutdown_auditor::audit
