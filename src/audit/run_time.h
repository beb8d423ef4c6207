#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "audit/seconds.h"

namespace shutdown_auditor::audit {

// How long a part of a hook runs and where it leads, in milliseconds. What cannot be known is never taken as short: `min`
// is provable, `max` is kEndless when no limit is known.
struct RunTime {
  std::int64_t min = 0;
  std::optional<std::int64_t> nominal = 0;  // when all goes as usual; absent: nobody can tell
  std::int64_t max = 0;
  bool endless = false;     // goes on until something outside happens: sleep infinity, a loop that polls
  bool never_ends = false;  // for certain

  // The exit status, should it end.
  bool can_succeed = true;
  bool can_fail = false;
  bool polls = false;       // the status tells how far something else is; no course is the usual one
  bool may_trip = false;    // a failure that `set -e` looks at

  // Is what stands behind it reached: for certain, as a rule, at all.
  bool passed_certainly = true;
  bool passed_normally = true;
  bool passed_possibly = true;
  bool exits_possibly = false;  // some way ends the whole shell
  bool exits_normally = false;
  bool exit_can_succeed = false;  // the status with which it then ends
  bool exit_can_fail = false;
  bool breaks_possibly = false;  // some way leaves the loop around it
  bool breaks_normally = false;
  bool continues_possibly = false;

  static RunTime exactly(std::int64_t ms);
  static RunTime instant(bool can_fail = false);  // over at once
  static RunTime failing();                       // over at once, with an error
  // No limit known; `nominal` when it is normally that quick.
  static RunTime unknown(std::optional<std::int64_t> nominal = std::nullopt);
  static RunTime within(std::int64_t min, std::optional<std::int64_t> nominal, std::int64_t max);
  static RunTime forever();
};

// First `a`, then `b` from where `a` leads.
RunTime in_sequence(const RunTime& a, const RunTime& b);
// One or the other; `normal` says which as a rule, absent: the longer one.
RunTime one_of(const RunTime& a, const RunTime& b, std::optional<bool> first_normally);
// Both at once, until the last is over; the status of `b`.
RunTime side_by_side(const RunTime& a, const RunTime& b);
// As the whole of a process of its own: exits end nothing but that.
RunTime as_process(RunTime a);

}  // namespace shutdown_auditor::audit
