#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>

// Whole seconds and milliseconds as int64 that saturate: a manifest may hold any number. Nothing here is negative.
namespace shutdown_auditor::audit {

inline constexpr std::int64_t kEndless = std::numeric_limits<std::int64_t>::max();

// a + b and a * b, both at least 0, held at kEndless.
std::int64_t saturating_add(std::int64_t a, std::int64_t b);
std::int64_t saturating_multiply(std::int64_t a, std::int64_t b);

// Milliseconds of whole seconds; a negative number counts as 0.
std::int64_t to_ms(std::int64_t seconds);
// What is needed: rounded up to seconds; kEndless stays kEndless.
std::int64_t needed_seconds(std::int64_t ms);
// What is there: rounded down to seconds.
std::int64_t available_seconds(std::int64_t ms);

// "5", "0.5", "1.25": milliseconds as decimal seconds for a message.
std::string seconds_text(std::int64_t ms);

}  // namespace shutdown_auditor::audit
