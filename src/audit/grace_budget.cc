#include "audit/grace_budget.h"

#include <algorithm>

#include "audit/prestop.h"
#include "audit/seconds.h"

namespace shutdown_auditor::audit {
namespace {

constexpr std::int64_t kDefaultGraceSeconds = 30;  // core/v1 DefaultTerminationGracePeriodSeconds
constexpr std::int64_t kMinSecondsAfterSignal = 2;  // the kubelet's minimumGracePeriodInSeconds

// Buffer included: how long the pod takes when only this main container counted, then the sidecars one by one.
struct Total {
  std::int64_t ms = 0;
  std::optional<std::size_t> sidecar;  // whose own hook outlasts everything before it
};

Term first_known(const std::optional<std::int64_t>& declared_ms, const std::optional<std::int64_t>& policy_seconds,
                 std::int64_t built_in_seconds) {
  if (declared_ms) return {declared_ms, Evidence::kDeclared};
  if (policy_seconds) return {to_ms(*policy_seconds), Evidence::kPolicy};
  return {to_ms(built_in_seconds), Evidence::kAssumed};
}

std::int64_t hook_ms(const PreStopReading& hook, SumLevel level, std::int64_t budget_seconds) {
  std::int64_t ms = hook.min_ms;
  if (level == SumLevel::kExpectedMax && hook.max_ms) {
    ms = *hook.max_ms;
  } else if (level != SumLevel::kProvable) {
    ms = hook.nominal_ms ? *hook.nominal_ms : hook.max_ms.value_or(hook.min_ms);
  }
  // A hook that never ends takes the whole budget, which is all there is of it to count.
  return ms == kEndless && !hook.max_ms ? to_ms(budget_seconds) : ms;
}

bool lower_bound(const PreStopReading& hook) {
  return hook.kind == PreStopKind::kUnknown || hook.kind == PreStopKind::kUnbounded;
}

bool is_stopped_last(const PodTerms& terms, const ContainerTerms& container) {
  return container.role == Role::kSidecar && terms.ordered_sidecars;
}

// All hooks start together; a sidecar's stop signal waits for the main containers and the sidecars after it.
Total chain(const PodTerms& terms, const ContainerTerms& main, SumLevel level, std::int64_t budget_seconds) {
  Total total{needs_ms(main, level, budget_seconds), std::nullopt};
  bool known = main.max_request.known() || main.cleanup.known();
  for (std::size_t i = terms.containers.size(); i-- > 0;) {
    const ContainerTerms& sidecar = terms.containers[i];
    if (!is_stopped_last(terms, sidecar)) continue;
    const std::int64_t hook = hook_ms(sidecar.pre_stop, level, budget_seconds);
    if (hook > total.ms) total = {hook, i};
    total.ms = saturating_add(total.ms, term_ms(sidecar.max_request, level));
    total.ms = saturating_add(total.ms, term_ms(sidecar.cleanup, level));
    known = known || sidecar.max_request.known() || sidecar.cleanup.known();
  }
  const bool buffered = level == SumLevel::kKnown ? known : level != SumLevel::kProvable;
  if (buffered) total.ms = saturating_add(total.ms, terms.buffer.ms.value_or(0));
  return total;
}

struct Decided {
  std::int64_t ms = 0;
  std::size_t container = 0;
  std::size_t main = 0;
};

Decided decide(const PodTerms& terms, SumLevel level) {
  Decided best;
  bool first = true;
  for (std::size_t i = 0; i < terms.containers.size(); ++i) {
    if (is_stopped_last(terms, terms.containers[i])) continue;
    const Total total = chain(terms, terms.containers[i], level, terms.budget_seconds());
    // Of equals the one that needs more itself: a sidecar's hook may hide the difference.
    const bool better = total.ms > best.ms ||
                        (total.ms == best.ms && needs_ms(terms.containers[i], level, terms.budget_seconds()) >
                                                    needs_ms(terms.containers[best.main], level, terms.budget_seconds()));
    if (first || better) best = {total.ms, total.sidecar.value_or(i), i};
    first = false;
  }
  return best;
}

std::optional<std::int64_t> shown(const Term& term) {
  return term.ms ? std::optional(needed_seconds(*term.ms)) : std::nullopt;
}

Evidence weakest(const ContainerTerms& container, const Term& buffer) {
  Evidence evidence = std::max({container.max_request.evidence, container.cleanup.evidence, buffer.evidence});
  if (container.pre_stop.kind != PreStopKind::kNone) evidence = std::max(evidence, container.pre_stop_evidence);
  if (container.role_assumed) evidence = std::max(evidence, Evidence::kAssumed);
  return evidence;
}

ContainerTerms terms_of(const ContainerView& view, const Annotations& annotations, const Policy& policy,
                        const DeclaredTimes& pod, bool pod_pre_stop) {
  ContainerTerms terms;
  terms.name = view.container->name;
  terms.role = view.role;
  terms.path = view.path;
  terms.role_assumed = view.role_assumed;
  terms.hook = read_pre_stop(view.container->pre_stop);
  terms.pre_stop = terms.hook;
  terms.pre_stop_evidence = lower_bound(terms.hook) ? Evidence::kUnknown : Evidence::kDetected;

  DeclaredTimes declared = annotations.of(view.container->name);
  if (!declared.pre_stop_ms && pod_pre_stop) declared.pre_stop_ms = pod.pre_stop_ms;
  if (!declared.max_request_ms) declared.max_request_ms = pod.max_request_ms;
  if (!declared.cleanup_ms) declared.cleanup_ms = pod.cleanup_ms;
  if (declared.pre_stop_ms) {
    terms.pre_stop = {PreStopKind::kExact, *declared.pre_stop_ms, declared.pre_stop_ms, declared.pre_stop_ms, "declared"};
    terms.pre_stop_evidence = Evidence::kDeclared;
  }
  if (view.takes_defaults || declared.max_request_ms) {
    terms.max_request = first_known(declared.max_request_ms, policy.max_request_seconds, kBuiltInMaxRequestSeconds);
  }
  if (view.takes_defaults || declared.cleanup_ms) {
    terms.cleanup = first_known(declared.cleanup_ms, policy.cleanup_seconds, kBuiltInCleanupSeconds);
  }
  return terms;
}

}  // namespace

std::int64_t PodTerms::budget_seconds() const {
  const std::int64_t grace = std::max<std::int64_t>(1, grace_seconds.value_or(kDefaultGraceSeconds));
  return ceiling_seconds ? std::min(grace, std::max<std::int64_t>(1, *ceiling_seconds)) : grace;
}

bool GraceReading::over(std::int64_t sum_ms) const { return needed_seconds(sum_ms) > budget_seconds; }

PodTerms gather_terms(const objects::Workload& workload, const std::vector<ContainerView>& views,
                      const Annotations& annotations, const Policy& policy, const AuditOptions& options) {
  PodTerms terms;
  terms.grace_seconds = workload.pod_template.spec.termination_grace_period_seconds;
  terms.ceiling_seconds = policy.max_grace_period_seconds;
  terms.buffer = first_known(annotations.buffer_ms, policy.buffer_seconds, kBuiltInBufferSeconds);
  terms.ordered_sidecars = options.kubernetes_minor >= 29;

  // What is declared for the pod speaks of the containers that serve; without any, of all main containers. A declared
  // hook time is for those that have a hook.
  const bool any_serving =
      std::any_of(views.begin(), views.end(), [](const ContainerView& view) { return view.role == Role::kServing; });
  const auto addressed = [&](const ContainerView& view) {
    return view.role == (any_serving ? Role::kServing : Role::kMain);
  };
  const bool any_hook = std::any_of(views.begin(), views.end(), [&](const ContainerView& view) {
    return addressed(view) && view.container->pre_stop.has_value();
  });
  static const DeclaredTimes kNothing;
  for (const ContainerView& view : views) {
    const bool pod_pre_stop = addressed(view) && (view.container->pre_stop.has_value() || !any_hook);
    terms.containers.push_back(
        terms_of(view, annotations, policy, addressed(view) ? annotations.pod : kNothing, pod_pre_stop));
  }
  return terms;
}

std::int64_t term_ms(const Term& term, SumLevel level) {
  if (!term.ms) return 0;
  const bool written = term.evidence == Evidence::kDeclared || term.evidence == Evidence::kDetected;
  if (level == SumLevel::kProvable) return written ? *term.ms : 0;
  if (level == SumLevel::kKnown) return term.known() ? *term.ms : 0;
  return *term.ms;
}

std::int64_t needs_ms(const ContainerTerms& container, SumLevel level, std::int64_t budget_seconds) {
  const std::int64_t work = saturating_add(term_ms(container.max_request, level), term_ms(container.cleanup, level));
  return saturating_add(hook_ms(container.pre_stop, level, budget_seconds), work);
}

GraceReading add_up(const PodTerms& terms) {
  GraceReading reading;
  reading.budget_seconds = terms.budget_seconds();
  reading.provable_ms = decide(terms, SumLevel::kProvable).ms;
  reading.known_ms = decide(terms, SumLevel::kKnown).ms;
  reading.expected_max_ms = decide(terms, SumLevel::kExpectedMax).ms;
  const Decided expected = decide(terms, SumLevel::kExpected);
  reading.expected_ms = expected.ms;
  reading.deciding = expected.container;

  const ContainerTerms& deciding = terms.containers.at(expected.container);
  Budget& budget = reading.budget;
  budget.grace_period_explicit = terms.grace_seconds.has_value();
  const std::int64_t written = terms.grace_seconds.value_or(kDefaultGraceSeconds);
  budget.grace_period_seconds = written < 0 ? 1 : written;
  budget.ceiling_seconds = terms.ceiling_seconds;
  budget.container = deciding.name;
  if (!lower_bound(deciding.pre_stop)) {
    budget.pre_stop_seconds =
        needed_seconds(hook_ms(deciding.pre_stop, SumLevel::kExpected, reading.budget_seconds));
  }
  budget.max_request_seconds = shown(deciding.max_request);
  budget.drain_seconds = shown(deciding.max_request);
  budget.cleanup_seconds = shown(deciding.cleanup);
  const std::int64_t main = needs_ms(terms.containers[expected.main], SumLevel::kExpected, reading.budget_seconds);
  const bool any_sidecar = std::any_of(terms.containers.begin(), terms.containers.end(), [&](const ContainerTerms& each) {
    return is_stopped_last(terms, each);
  });
  if (any_sidecar && expected.container == expected.main && expected.ms != kEndless) {
    budget.sidecar_seconds = needed_seconds(expected.ms - terms.buffer.ms.value_or(0) - main);
  }
  budget.buffer_seconds = needed_seconds(terms.buffer.ms.value_or(0));
  budget.required_seconds = needed_seconds(reading.expected_ms);
  budget.required_at_least = std::any_of(terms.containers.begin(), terms.containers.end(),
                                         [](const ContainerTerms& each) { return lower_bound(each.pre_stop); });
  const bool assumed = reading.expected_ms != reading.known_ms;
  budget.required_text =
      (budget.required_at_least ? ">=" : assumed ? "~" : "") + std::to_string(budget.required_seconds);
  budget.provable_seconds = needed_seconds(reading.provable_ms);
  budget.shortfall_seconds = std::max<std::int64_t>(0, budget.required_seconds - reading.budget_seconds);
  const std::int64_t budget_ms = to_ms(reading.budget_seconds);
  const std::int64_t longest = deciding.pre_stop.kind == PreStopKind::kNone ? 0 : deciding.pre_stop.max_ms.value_or(budget_ms);
  budget.seconds_after_signal =
      std::max(kMinSecondsAfterSignal, available_seconds(std::max<std::int64_t>(0, budget_ms - longest)));
  budget.evidence = weakest(deciding, terms.buffer);
  return reading;
}

}  // namespace shutdown_auditor::audit
