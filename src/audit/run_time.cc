#include "audit/run_time.h"

#include <algorithm>

namespace shutdown_auditor::audit {
namespace {

std::optional<std::int64_t> added(const std::optional<std::int64_t>& a, const std::optional<std::int64_t>& b) {
  return a && b ? std::optional(saturating_add(*a, *b)) : std::nullopt;
}

std::optional<std::int64_t> larger(const std::optional<std::int64_t>& a, const std::optional<std::int64_t>& b) {
  return a && b ? std::optional(std::max(*a, *b)) : std::nullopt;
}

}  // namespace

RunTime RunTime::exactly(std::int64_t ms) { return within(ms, ms, ms); }

RunTime RunTime::instant(bool can_fail) {
  RunTime run;
  run.can_fail = run.may_trip = can_fail;
  return run;
}

RunTime RunTime::failing() {
  RunTime run = instant(true);
  run.can_succeed = false;
  return run;
}

RunTime RunTime::unknown(std::optional<std::int64_t> nominal) {
  RunTime run = within(0, nominal, kEndless);
  run.can_fail = run.may_trip = true;
  return run;
}

RunTime RunTime::within(std::int64_t min, std::optional<std::int64_t> nominal, std::int64_t max) {
  RunTime run;
  run.min = min;
  run.nominal = nominal;
  run.max = max;
  return run;
}

RunTime RunTime::forever() {
  RunTime run = within(0, std::nullopt, kEndless);
  run.endless = run.never_ends = true;
  run.passed_certainly = run.passed_normally = run.passed_possibly = false;
  return run;
}

RunTime in_sequence(const RunTime& a, const RunTime& b) {
  if (!a.passed_possibly) return a;
  RunTime run = b;
  run.min = a.passed_certainly ? saturating_add(a.min, b.min) : a.min;
  run.nominal = a.passed_normally ? added(a.nominal, b.nominal) : a.nominal;
  run.max = saturating_add(a.max, b.max);
  run.endless = a.endless || b.endless;
  run.never_ends = a.never_ends || (a.passed_certainly && b.never_ends);
  run.passed_certainly = a.passed_certainly && b.passed_certainly;
  run.passed_normally = a.passed_normally && b.passed_normally;
  run.exits_possibly = a.exits_possibly || b.exits_possibly;
  run.exit_can_succeed = a.exit_can_succeed || b.exit_can_succeed;
  run.exit_can_fail = a.exit_can_fail || b.exit_can_fail;
  run.exits_normally = a.passed_normally ? b.exits_normally : a.exits_normally;
  run.breaks_possibly = a.breaks_possibly || b.breaks_possibly;
  run.breaks_normally = a.passed_normally ? b.breaks_normally : a.breaks_normally;
  run.continues_possibly = a.continues_possibly || b.continues_possibly;
  return run;
}

RunTime one_of(const RunTime& a, const RunTime& b, std::optional<bool> first_normally) {
  RunTime run;
  run.min = std::min(a.min, b.min);
  run.max = std::max(a.max, b.max);
  // A way that ends the script early is not the usual one: a guard for special cases.
  if (!first_normally && a.passed_normally != b.passed_normally) first_normally = a.passed_normally;
  if (first_normally) {
    const RunTime& usual = *first_normally ? a : b;
    run.nominal = usual.nominal;
    run.passed_normally = usual.passed_normally;
    run.exits_normally = usual.exits_normally;
    run.breaks_normally = usual.breaks_normally;
  } else {
    run.nominal = larger(a.nominal, b.nominal);
    run.passed_normally = a.passed_normally;
    run.exits_normally = a.exits_normally;
    run.breaks_normally = a.breaks_normally;
  }
  run.endless = a.endless || b.endless;
  run.never_ends = a.never_ends && b.never_ends;
  run.can_succeed = (a.passed_possibly && a.can_succeed) || (b.passed_possibly && b.can_succeed);
  run.can_fail = (a.passed_possibly && a.can_fail) || (b.passed_possibly && b.can_fail);
  run.polls = a.polls || b.polls;
  run.may_trip = a.may_trip || b.may_trip;
  run.passed_certainly = a.passed_certainly && b.passed_certainly;
  run.passed_possibly = a.passed_possibly || b.passed_possibly;
  run.exits_possibly = a.exits_possibly || b.exits_possibly;
  run.exit_can_succeed = a.exit_can_succeed || b.exit_can_succeed;
  run.exit_can_fail = a.exit_can_fail || b.exit_can_fail;
  run.breaks_possibly = a.breaks_possibly || b.breaks_possibly;
  run.continues_possibly = a.continues_possibly || b.continues_possibly;
  return run;
}

RunTime side_by_side(const RunTime& a, const RunTime& b) {
  RunTime run = b;
  run.min = std::max(a.min, b.min);
  run.nominal = larger(a.nominal, b.nominal);
  run.max = std::max(a.max, b.max);
  run.endless = a.endless || b.endless;
  if (a.endless) run.nominal.reset();
  return run;
}

RunTime as_process(RunTime a) {
  a.can_succeed = (a.passed_possibly && a.can_succeed) || a.exit_can_succeed;
  a.can_fail = (a.passed_possibly && a.can_fail) || a.exit_can_fail;
  a.may_trip = a.can_fail;
  a.exits_possibly = a.exits_normally = a.exit_can_succeed = a.exit_can_fail = false;
  a.breaks_possibly = a.breaks_normally = a.continues_possibly = false;
  const bool ends = !a.never_ends;
  a.passed_certainly = ends;
  a.passed_normally = ends;
  a.passed_possibly = ends;
  return a;
}

}  // namespace shutdown_auditor::audit
