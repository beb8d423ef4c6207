#include "base/backoff.h"

#include <algorithm>
#include <cmath>

namespace shutdown_auditor::base {

Duration backoff_delay(const BackoffPolicy& policy, std::uint32_t failures, double uniform) {
  const double max = static_cast<double>(policy.max.count());
  const double grown = static_cast<double>(policy.initial.count()) * std::pow(policy.factor, failures);
  const double capped = std::isfinite(grown) ? std::min(grown, max) : max;
  const double delay = capped * (1.0 - policy.jitter * (1.0 - uniform));
  const Duration floor = std::chrono::milliseconds(1);
  return std::max(floor, Duration(static_cast<Duration::rep>(delay)));
}

Duration Backoff::next() {
  const SteadyTime now = clock_.now();
  if (failures_ > 0 && policy_.reset_after > Duration::zero() && now - last_ >= policy_.reset_after) {
    failures_ = 0;
  }
  last_ = now;
  return backoff_delay(policy_, failures_++, random_.uniform());
}

}  // namespace shutdown_auditor::base
