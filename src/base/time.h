#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace shutdown_auditor::base {

// RFC 3339, any fraction (kept to microseconds, the rest cut) and any offset; kInvalid otherwise. Leap second 60 is
// read as 59. Years outside 1678 to 2261 become the first or last moment WallTime can say. This is metav1.Time and metav1.MicroTime (apimachinery, pkg/apis/meta/v1).
Result<WallTime> parse_rfc3339(std::string_view text);

// "2026-11-22T18:17:03Z": metav1.Time.
std::string format_rfc3339(WallTime time);
// "2026-11-22T18:17:03.000120Z": metav1.MicroTime.
std::string format_rfc3339_micro(WallTime time);

// A duration as Go's time.ParseDuration reads it ("1h30m", "250ms", "0"); kInvalid for a missing unit, an unknown unit
// or a value beyond what nanoseconds in 64 bits hold.
Result<Duration> parse_duration(std::string_view text);
// The same form, shortest: "1h30m0s", "250ms", "0s", as Go's Duration.String() does from one second up.
std::string format_duration(Duration duration);

}  // namespace shutdown_auditor::base
