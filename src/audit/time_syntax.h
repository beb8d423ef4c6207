#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace shutdown_auditor::audit {

// How a program writes durations, and what a bare number means to it.
enum class TimeSyntax : std::uint8_t {
  kIntSeconds,
  kFloatSeconds,
  kIntMillis,
  kGo,           // time.ParseDuration: "1h2m3.5s"; a bare number only when it is 0
  kGoOrSeconds,  // Traefik: the same, or whole seconds
  kSpring,       // DurationStyle: "45s" or ISO-8601; a bare number is milliseconds
  kQuarkus,      // "45s" or ISO-8601; a bare number is seconds
  kMicronaut,    // "45s" or ISO-8601
  kIso8601,      // "PT30S"
  kDropwizard,   // "30s", "30 seconds"
  kProtobuf,     // Istio: Go's form
  kGranian,      // "1m30s" or seconds, 1 s to 30 min
  kNginx,        // "1m30s", "500ms"; a bare number is seconds
  kHaproxy,      // "30s"; a bare number is milliseconds
  kPhpFpm,       // "30s"; a bare number is seconds
};

struct WrittenTime {
  std::int64_t ms = 0;  // saturates; parts of a millisecond are rounded up
  std::string note;     // read otherwise than meant, in words; empty: fine
};

// Reads `text` the way the program would; kInvalid with the reason when the program refuses it. Linear, never throws.
base::Result<WrittenTime> parse_time(TimeSyntax syntax, std::string_view text);

}  // namespace shutdown_auditor::audit
