#include "audit/container_checks.h"

#include <fmt/format.h>

#include "audit/seconds.h"

namespace shutdown_auditor::audit {
namespace {

std::string annotation_for(const PodTerms& terms, const ContainerTerms& container, std::string_view name) {
  const bool alone = terms.containers.size() == 1;
  return fmt::format("{}{}/{}", alone ? "" : container.name + ".", kAnnotationPrefix, name);
}

void check_broken(const ContainerTerms& each, Collector& out) {
  out.applies(Check::kPreStopBroken);
  if (each.hook.kind != PreStopKind::kBroken) return;
  out.report(Check::kPreStopBroken, CheckResult::kFail, "PreStopBroken",
             fmt::format("The preStop hook can never do what was meant: {}.", each.hook.reason),
             "For a delay write lifecycle.preStop.sleep.seconds: 5 (Kubernetes 1.30 and later), or exec with command: "
             "[\"sleep\", \"5\"].",
             each.path + ".lifecycle.preStop", each.name);
}

void check_unknown(const PodTerms& terms, const ContainerTerms& each, Collector& out) {
  out.applies(Check::kPreStopUnknown);
  const bool unbounded = each.pre_stop.kind == PreStopKind::kUnbounded;
  if (!unbounded && each.pre_stop.kind != PreStopKind::kUnknown) return;
  if (out.reported(Check::kPreStopExceedsGrace, each.name)) return;
  std::string message = fmt::format("How long the preStop hook takes is not known: {}.", each.pre_stop.reason);
  if (each.pre_stop.min_ms > 0) message += fmt::format(" {} s of it are certain.", seconds_text(each.pre_stop.min_ms));
  out.report(Check::kPreStopUnknown, CheckResult::kWarn, unbounded ? "PreStopUnbounded" : "PreStopUnknown",
             std::move(message),
             fmt::format("Measure it and declare it on the pod template, for example {}: \"10\".",
                         annotation_for(terms, each, "pre-stop-seconds")),
             each.path + ".lifecycle.preStop", each.name);
}

// Endpoints forget a stopping pod only after a while; until then the container must go on serving.
void check_delay(const ContainerTerms& each, std::int64_t propagation_seconds, Collector& out) {
  out.applies(Check::kPreStopMissing);
  out.applies(Check::kPreStopShort);
  const std::string remedy =
      fmt::format("Let the container go on serving for {} s: lifecycle.preStop.sleep.seconds: {}, inside the grace period.",
                  propagation_seconds, propagation_seconds);
  if (propagation_seconds == 0) return;
  if (each.pre_stop.kind == PreStopKind::kNone) {
    out.report(Check::kPreStopMissing, CheckResult::kWarn, "PreStopMissing",
               "No preStop hook: the stop signal comes while endpoints still send requests to this container.", remedy,
               each.path, each.name);
    return;
  }
  const bool judged = each.pre_stop.kind == PreStopKind::kExact || each.pre_stop.kind == PreStopKind::kRange;
  if (!judged || each.hook.kind == PreStopKind::kBroken) return;
  const std::int64_t delay = each.pre_stop.nominal_ms.value_or(each.pre_stop.min_ms);
  if (delay >= to_ms(propagation_seconds)) return;
  out.report(Check::kPreStopShort, CheckResult::kWarn, "PreStopTooShort",
             fmt::format("The preStop hook holds the stop signal back for {} s; endpoints may need {} s to forget the pod.",
                         seconds_text(delay), propagation_seconds),
             remedy, each.hook.kind == PreStopKind::kNone ? each.path : each.path + ".lifecycle.preStop", each.name);
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
