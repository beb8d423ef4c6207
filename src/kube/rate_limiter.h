#pragma once

#include <condition_variable>
#include <mutex>

#include "base/cancellation.h"
#include "base/clock.h"
#include "kube/error.h"

namespace shutdown_auditor::kube {

// The client's own request rate: a token bucket that starts full. Safe from any thread; waiters are served in the order
// they came. Keeps a reference to `clock`.
class RateLimiter {
 public:
  // `qps` requests a second on average, `burst` (at least 1) at once. A negative qps disables it.
  RateLimiter(double qps, int burst, base::Clock& clock);

  // Takes a token, waiting for it if need be; the time waited. kCancelled on stop. kTimeout at once when the token would
  // come after the deadline: the caller need not wait to learn it. A token not used is given back.
  Result<base::Duration> acquire(const base::Cancellation& cancel);

 private:
  base::Clock& clock_;
  const double qps_;
  const double burst_;
  std::mutex mutex_;
  std::condition_variable_any never_notified_;
  double tokens_;  // below 0: promised to waiters
  base::SteadyTime updated_;
};

}  // namespace shutdown_auditor::kube
