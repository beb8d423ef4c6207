#include "audit/grace_budget.h"

#include <algorithm>
#include <array>

#include "audit/seconds.h"

namespace shutdown_auditor::audit {
namespace {

constexpr std::int64_t kMinSecondsAfterSignal = 2;  // the kubelet's minimumGracePeriodInSeconds

// Buffer included: how long the pod takes when only this main container counted, then the sidecars one by one.
struct Total {
  std::int64_t ms = 0;
  std::optional<std::size_t> sidecar;  // whose own hook outlasts everything before it
  bool buffered = false;
};

// The buffer is for times that somebody knows; a framework that takes none is no such time.
bool anything_known(const ContainerTerms& container) {
  const auto counts = [](const Term& term) {
    return term.known() && (*term.ms > 0 || term.evidence == Evidence::kDeclared || term.evidence == Evidence::kPolicy);
  };
  return counts(container.delay) || (container.drains && (counts(container.drain()) || counts(container.cleanup)));
}

std::int64_t after_signal_ms(const ContainerTerms& container, SumLevel level) {
  const std::int64_t drain = saturating_add(term_ms(container.delay, level), term_ms(container.drain(), level));
  return container.drains ? saturating_add(drain, term_ms(container.cleanup, level)) : drain;
}

// All hooks start together; a sidecar's stop signal waits for the main containers and the sidecars after it.
Total chain(const PodTerms& terms, const ContainerTerms& main, SumLevel level, std::int64_t budget_seconds) {
  Total total;
  total.ms = needs_ms(main, level, budget_seconds);
  bool known = anything_known(main);
  for (std::size_t i = terms.containers.size(); i-- > 0;) {
    const ContainerTerms& sidecar = terms.containers[i];
    if (!terms.stops_last(sidecar)) continue;
    const std::int64_t hook = hook_ms(sidecar.pre_stop, level, budget_seconds);
    if (hook > total.ms) {
      total.ms = hook;
      total.sidecar = i;
    }
    total.ms = saturating_add(total.ms, after_signal_ms(sidecar, level));
    known = known || anything_known(sidecar);
  }
  total.buffered = level == SumLevel::kKnown ? known : level != SumLevel::kProvable;
  if (total.buffered) total.ms = saturating_add(total.ms, terms.buffer.ms.value_or(0));
  return total;
}

struct Decided {
  std::int64_t ms = 0;
  std::size_t container = 0;
  std::size_t main = 0;
  bool buffered = false;
};

// The sum grows with the main container's own need, so only the neediest can decide: of those with a known time, for
// which the buffer counts, and of the others.
Decided decide(const PodTerms& terms, SumLevel level) {
  const std::int64_t budget_seconds = terms.budget_seconds();
  struct Candidate {
    std::optional<std::size_t> index;
    std::int64_t own_ms = 0;
  };
  std::array<Candidate, 2> neediest;
  for (std::size_t i = 0; i < terms.containers.size(); ++i) {
    const ContainerTerms& container = terms.containers[i];
    if (terms.stops_last(container)) continue;
    const std::int64_t own_ms = needs_ms(container, level, budget_seconds);
    Candidate& candidate = neediest.at(anything_known(container) ? 0 : 1);
    if (!candidate.index || own_ms > candidate.own_ms) candidate = {i, own_ms};
  }
  Decided best;
  std::int64_t best_own_ms = -1;  // of equals the one that needs more itself: a sidecar's hook may hide the difference
  for (const Candidate& candidate : neediest) {
    if (!candidate.index) continue;
    const Total total = chain(terms, terms.containers[*candidate.index], level, budget_seconds);
    const bool better = total.ms != best.ms ? total.ms > best.ms : candidate.own_ms > best_own_ms;
    if (best_own_ms >= 0 && !better) continue;
    best = {total.ms, total.sidecar.value_or(*candidate.index), *candidate.index, total.buffered};
    best_own_ms = candidate.own_ms;
  }
  return best;
}

std::optional<std::int64_t> shown(const Term& term) {
  return term.ms ? std::optional(needed_seconds(*term.ms)) : std::nullopt;
}

Evidence weakest(const ContainerTerms& container, const Term& buffer) {
  Evidence evidence = std::max(container.drain().evidence, buffer.evidence);
  if (container.drains) evidence = std::max(evidence, container.cleanup.evidence);
  if (container.delay.ms.value_or(0) > 0) evidence = std::max(evidence, container.delay.evidence);
  if (container.pre_stop.kind != PreStopKind::kNone) {
    evidence = std::max(evidence, container.is_lower_bound() ? Evidence::kUnknown : container.pre_stop_evidence);
  }
  if (container.role_assumed) evidence = std::max(evidence, Evidence::kAssumed);
  return evidence;
}

// The terms of the deciding container.
void show_terms(const PodTerms& terms, const GraceReading& reading, const Decided& expected, Budget& budget) {
  const ContainerTerms& deciding = terms.containers.at(expected.container);
  budget.container = deciding.name;
  if (!deciding.is_lower_bound()) {
    budget.pre_stop_seconds = needed_seconds(hook_ms(deciding.pre_stop, SumLevel::kExpected, reading.budget_seconds));
  }
  budget.delay_seconds = shown(deciding.delay);
  budget.max_request_seconds = shown(deciding.max_request);
  budget.drain_seconds = shown(deciding.drain());
  budget.cleanup_seconds = deciding.drains ? shown(deciding.cleanup) : 0;
  const std::int64_t main = needs_ms(terms.containers[expected.main], SumLevel::kExpected, reading.budget_seconds);
  const bool any_sidecar = std::any_of(terms.containers.begin(), terms.containers.end(),
                                       [&](const ContainerTerms& each) { return terms.stops_last(each); });
  if (any_sidecar && expected.container == expected.main && expected.ms != kEndless) {
    budget.sidecar_seconds = needed_seconds(expected.ms - terms.buffer.ms.value_or(0) - main);
  }
  const std::int64_t budget_ms = to_ms(reading.budget_seconds);
  const bool any_hook = deciding.pre_stop.kind != PreStopKind::kNone;
  const std::int64_t longest = any_hook ? deciding.pre_stop.max_ms.value_or(budget_ms) : 0;
  budget.seconds_after_signal =
      std::max(kMinSecondsAfterSignal, available_seconds(std::max<std::int64_t>(0, budget_ms - longest)));
  budget.evidence = weakest(deciding, terms.buffer);
}

}  // namespace

bool GraceReading::over(std::int64_t sum_ms) const { return needed_seconds(sum_ms) > budget_seconds; }

std::int64_t term_ms(const Term& term, SumLevel level) {
  if (!term.ms) return 0;
  const bool written = term.evidence == Evidence::kDeclared || term.evidence == Evidence::kDetected;
  if (level == SumLevel::kProvable) return written ? *term.ms : 0;
  if (level == SumLevel::kKnown) return term.known() ? *term.ms : 0;
  return *term.ms;
}

std::int64_t hook_ms(const PreStopReading& hook, SumLevel level, std::int64_t budget_seconds) {
  std::int64_t ms = hook.least_ms();
  if (level == SumLevel::kExpectedMax && hook.max_ms) {
    ms = *hook.max_ms;
  } else if (level != SumLevel::kProvable) {
    ms = hook.nominal_ms ? *hook.nominal_ms : hook.max_ms.value_or(hook.least_ms());
  }
  return ms == kEndless && !hook.max_ms ? to_ms(budget_seconds) : ms;
}

std::int64_t serving_ms(const ContainerTerms& container, SumLevel level, std::int64_t budget_seconds) {
  const std::int64_t hook = hook_ms(container.pre_stop, level, budget_seconds);
  const std::int64_t drain = saturating_add(term_ms(container.delay, level), term_ms(container.drain(), level));
  if (!container.hook_drains) return saturating_add(hook, drain);
  // What a hook does after it started the drain may be cut short by the program's end: its minimum is what comes before.
  const std::int64_t least = hook_ms(container.pre_stop, SumLevel::kProvable, budget_seconds);
  const std::int64_t before = std::min(least, container.hook.min_ms);
  return std::max(hook, saturating_add(before, drain));
}

std::int64_t needs_ms(const ContainerTerms& container, SumLevel level, std::int64_t budget_seconds) {
  const std::int64_t served = serving_ms(container, level, budget_seconds);
  return container.drains ? saturating_add(served, term_ms(container.cleanup, level)) : served;
}

GraceReading add_up(const PodTerms& terms) {
  GraceReading reading;
  reading.budget_seconds = terms.budget_seconds();
  const Decided provable = decide(terms, SumLevel::kProvable);
  const Decided known = decide(terms, SumLevel::kKnown);
  const Decided expected = decide(terms, SumLevel::kExpected);
  reading.provable_ms = provable.ms;
  reading.known_ms = known.ms;
  reading.known_buffer = known.buffered;
  reading.expected_ms = expected.ms;
  const bool any_range = std::any_of(terms.containers.begin(), terms.containers.end(), [](const ContainerTerms& each) {
    return each.pre_stop.max_ms != each.pre_stop.nominal_ms;
  });
  reading.expected_max_ms = any_range ? decide(terms, SumLevel::kExpectedMax).ms : expected.ms;
  reading.deciding = {provable.container, known.container, expected.container};

  Budget& budget = reading.budget;
  budget.grace_period_explicit = terms.grace_seconds.has_value();
  const std::int64_t written = terms.grace_seconds.value_or(kDefaultGraceSeconds);
  budget.grace_period_seconds = written < 0 ? 1 : written;
  budget.ceiling_seconds = terms.ceiling_seconds;
  show_terms(terms, reading, expected, budget);
  budget.buffer_seconds = needed_seconds(terms.buffer.ms.value_or(0));
  budget.required_seconds = needed_seconds(reading.expected_ms);
  budget.required_at_least = std::any_of(terms.containers.begin(), terms.containers.end(),
                                         [](const ContainerTerms& each) { return each.is_lower_bound(); });
  const bool assumed = reading.expected_ms != reading.known_ms;
  budget.required_text =
      (budget.required_at_least ? ">=" : assumed ? "~" : "") + std::to_string(budget.required_seconds);
  budget.provable_seconds = needed_seconds(reading.provable_ms);
  budget.shortfall_seconds = std::max<std::int64_t>(0, budget.required_seconds - reading.budget_seconds);
  return reading;
}

}  // namespace shutdown_auditor::audit
