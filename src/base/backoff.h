#pragma once

#include <chrono>
#include <cstdint>

#include "base/clock.h"
#include "base/random.h"

namespace shutdown_auditor::base {

struct BackoffPolicy {
  Duration initial = std::chrono::milliseconds(800);
  Duration max = std::chrono::seconds(30);
  double factor = 2.0;
  // Share of each delay that is random: 0 none, 1 "full jitter" (uniform between 0 and the delay).
  double jitter = 1.0;
  // A gap between two failures of at least this long starts again at `initial`; zero means never.
  Duration reset_after = std::chrono::minutes(2);
};

// The delay after `failures` earlier failures (0 = first): initial * factor^failures, at most max, less its random
// part; `uniform` is in [0, 1). Never overflows and never is below 1 ms, so that a loop on it cannot spin.
Duration backoff_delay(const BackoffPolicy& policy, std::uint32_t failures, double uniform);

// Growing delays of one retry loop. For one thread.
class Backoff {
 public:
  // Keeps references: both must outlive it.
  Backoff(BackoffPolicy policy, Clock& clock, Random& random) : policy_(policy), clock_(clock), random_(random) {}

  // The delay before the next try; counts one failure.
  Duration next();
  void reset() { failures_ = 0; }
  std::uint32_t failures() const { return failures_; }

 private:
  BackoffPolicy policy_;
  Clock& clock_;
  Random& random_;
  std::uint32_t failures_ = 0;
  SteadyTime last_{};
};

}  // namespace shutdown_auditor::base
