#include "audit/seconds.h"

#include <fmt/format.h>

namespace shutdown_auditor::audit {

std::int64_t saturating_add(std::int64_t a, std::int64_t b) { return a > kEndless - b ? kEndless : a + b; }

std::int64_t saturating_multiply(std::int64_t a, std::int64_t b) {
  if (a == 0 || b == 0) return 0;
  return a > kEndless / b ? kEndless : a * b;
}

std::int64_t to_ms(std::int64_t seconds) { return saturating_multiply(std::max<std::int64_t>(0, seconds), 1000); }

std::int64_t needed_seconds(std::int64_t ms) {
  if (ms == kEndless) return kEndless;
  return ms / 1000 + (ms % 1000 != 0 ? 1 : 0);
}

std::int64_t available_seconds(std::int64_t ms) { return ms == kEndless ? kEndless : ms / 1000; }

std::string seconds_text(std::int64_t ms) {
  std::string text = std::to_string(ms == kEndless ? kEndless : ms / 1000);
  const std::int64_t rest = ms == kEndless ? 0 : ms % 1000;
  if (rest == 0) return text;
  std::string fraction = fmt::format("{:03}", rest);
  fraction.erase(fraction.find_last_not_of('0') + 1);
  return text + "." + fraction;
}

}  // namespace shutdown_auditor::audit
