#include "audit/container_checks.h"

#include <fmt/format.h>

#include <algorithm>

#include "audit/seconds.h"
#include "base/text.h"

namespace shutdown_auditor::audit {
namespace {

constexpr std::size_t kMaxProblemBytes = 240;

std::string annotation_for(const PodTerms& terms, const ContainerTerms& container, std::string_view name) {
  const bool alone = terms.containers.size() == 1;
  return fmt::format("{}{}/{}", alone ? "" : container.name + ".", kAnnotationPrefix, name);
}

std::string problems_text(const PreStopReading& hook) {
  std::string text;
  for (const std::string& problem : hook.problems) {
    if (text.size() > kMaxProblemBytes) break;
    if (!text.empty()) text += "; ";
    text += base::truncate_utf8(problem, kMaxProblemBytes);
  }
  return text;
}

void check_broken(const ContainerTerms& each, Collector& out) {
  out.applies(Check::kPreStopBroken);
  const std::string problems = problems_text(each.hook);
  if (each.hook.kind == PreStopKind::kBroken) {
    const bool more = !problems.empty() && each.hook.reason.find(problems) == std::string::npos;
    out.report(Check::kPreStopBroken, CheckResult::kFail, "PreStopBroken",
               fmt::format("The preStop hook can never do what was meant: {}{}{}.", each.hook.reason, more ? "; " : "",
                           more ? problems : ""),
               "For a delay write lifecycle.preStop.sleep.seconds: 5 (Kubernetes 1.30 and later), or exec with command: "
               "[\"sleep\", \"5\"].",
               each.path + ".lifecycle.preStop", each.name);
  } else if (!problems.empty()) {
    out.report(Check::kPreStopBroken, CheckResult::kWarn, "PreStopDoubtful",
               fmt::format("Part of the preStop hook will hardly do what was meant: {}.", problems),
               "Correct it, and try the hook with kubectl exec in a running container.", each.path + ".lifecycle.preStop",
               each.name);
  }
}

void check_unknown(const PodTerms& terms, const ContainerTerms& each, Collector& out) {
  out.applies(Check::kPreStopUnknown);
  const bool unbounded = each.pre_stop.kind == PreStopKind::kUnbounded;
  if (!unbounded && each.pre_stop.kind != PreStopKind::kUnknown) return;
  if (!each.is_lower_bound() || out.reported(Check::kPreStopExceedsGrace, each.name)) return;
  std::string message = fmt::format("How long the preStop hook takes is not known: {}.", each.pre_stop.reason);
  if (each.pre_stop.min_ms > 0) message += fmt::format(" {} s of it are certain.", seconds_text(each.pre_stop.min_ms));
  out.report(Check::kPreStopUnknown, CheckResult::kWarn, unbounded ? "PreStopUnbounded" : "PreStopUnknown",
             std::move(message),
             fmt::format("Measure it and declare it on the pod template, for example {}: \"10\".",
                         annotation_for(terms, each, "pre-stop-seconds")),
             each.path + ".lifecycle.preStop", each.name);
}

// How long the container goes on serving as before: the hook until it starts the drain, and the application's own wait.
// Absent: not known.
std::optional<std::int64_t> undisturbed_ms(const ContainerTerms& each, std::int64_t wanted_ms) {
  const std::int64_t own_ms = each.delay.ms.value_or(0);
  if (each.hook.kind == PreStopKind::kBroken) return std::nullopt;  // prestop-broken says it
  if (each.pre_stop.kind == PreStopKind::kNone) return own_ms;
  if (each.hook_drains) {
    const std::int64_t before_ms = saturating_add(std::min(each.hook.min_ms, each.pre_stop.min_ms), own_ms);
    return each.is_lower_bound() && !each.hook_waits && before_ms < wanted_ms ? std::nullopt : std::optional(before_ms);
  }
  const bool judged = each.pre_stop.kind == PreStopKind::kExact || each.pre_stop.kind == PreStopKind::kRange;
  if (!judged && saturating_add(each.pre_stop.least_ms(), own_ms) < wanted_ms) return std::nullopt;
  return saturating_add(each.pre_stop.nominal_ms.value_or(each.pre_stop.least_ms()), own_ms);
}

// Endpoints forget a stopping pod only after a while; until then the container must go on serving.
void check_delay(const ContainerTerms& each, std::int64_t propagation_seconds, Collector& out) {
  out.applies(Check::kPreStopMissing);
  out.applies(Check::kPreStopShort);
  const std::int64_t wanted_ms = to_ms(propagation_seconds);
  const std::optional<std::int64_t> delay = undisturbed_ms(each, wanted_ms);
  if (!delay || *delay >= wanted_ms) return;
  const std::string remedy =
      fmt::format("Let the container go on serving for {} s: lifecycle.preStop.sleep.seconds: {}, inside the grace period.",
                  propagation_seconds, propagation_seconds);
  const bool hook = each.pre_stop.kind != PreStopKind::kNone;
  if (!hook && *delay == 0) {
    out.report(Check::kPreStopMissing, CheckResult::kWarn, "PreStopMissing",
               "No preStop hook: the stop signal comes while endpoints still send requests to this container.", remedy,
               each.path, each.name)
        .wanted = propagation_seconds;
    return;
  }
  std::string what = fmt::format("The preStop hook holds the stop signal back for {} s", seconds_text(*delay));
  if (each.hook_drains) {
    what = fmt::format("The preStop hook starts the drain after {} s", seconds_text(*delay));
  } else if (!hook) {
    what = fmt::format("The application goes on for {} s after its stop signal", seconds_text(*delay));
  } else if (each.delay.ms.value_or(0) > 0) {
    what = fmt::format("The preStop hook and the application's own wait take {} s", seconds_text(*delay));
  }
  out.report(Check::kPreStopShort, CheckResult::kWarn, "PreStopTooShort",
             fmt::format("{}; endpoints may need {} s to forget the pod.", what, propagation_seconds), remedy,
             each.hook.kind == PreStopKind::kNone ? each.path : each.path + ".lifecycle.preStop", each.name)
      .wanted = propagation_seconds;
}

}  // namespace

void check_hooks(const PodTerms& terms, const Policy& policy, Collector& out) {
  const std::int64_t propagation = policy.endpoint_propagation_seconds.value_or(kBuiltInEndpointPropagationSeconds);
  for (const ContainerTerms& each : terms.containers) {
    if (each.hook.kind != PreStopKind::kNone) {
      check_broken(each, out);
      check_unknown(terms, each, out);
    }
    if (each.role == Role::kServing) check_delay(each, propagation, out);
  }
}

}  // namespace shutdown_auditor::audit
