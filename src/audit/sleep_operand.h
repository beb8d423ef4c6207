#pragma once

#include <cstdint>
#include <string_view>

namespace shutdown_auditor::audit {

// One operand of sleep(1), as GNU coreutils and busybox agree on it.
struct SleepOperand {
  enum class Kind : std::uint8_t {
    kTime,      // `ms` holds it
    kInfinite,  // "infinity", "inf"
    kDisputed,  // GNU reads it ("1e3", "0x10"), busybox refuses it
    kInvalid,   // both refuse it: sleep ends at once with status 1
  };
  Kind kind = Kind::kInvalid;
  std::int64_t ms = 0;  // rounded up, saturating
};

// Digits with an optional fraction and an optional suffix s, m, h or d; or infinity. Linear in the length.
SleepOperand parse_sleep_operand(std::string_view text);

}  // namespace shutdown_auditor::audit
