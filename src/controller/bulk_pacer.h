#pragma once

#include <algorithm>
#include <mutex>

#include "base/clock.h"

namespace shutdown_auditor::controller {

// Hands out turns for bulk rewrites (install, policy change, upgrade) at an even rate. Nobody waits here: a caller whose
// turn is later puts its key back into the queue until then, so that live changes overtake. Safe from any thread.
class BulkPacer {
 public:
  // `per_second` 0: every turn is now. Keeps the reference.
  BulkPacer(base::Clock& clock, int per_second)
      : clock_(clock),
        interval_(per_second > 0 ? base::Duration(std::chrono::seconds(1)) / per_second : base::Duration::zero()) {}

  // Takes the next turn; how long until it comes.
  base::Duration take() {
    const std::lock_guard lock(mutex_);
    const base::SteadyTime now = clock_.now();
    if (next_ < now) next_ = now;
    const base::Duration wait = next_ - now;
    next_ += interval_;
    return wait;
  }

  // The server asked for a pause: turns that are taken from now on come after it, and those given out before are void
  // (paused). True when no pause was on.
  bool pause(base::Duration length) {
    const std::lock_guard lock(mutex_);
    const base::SteadyTime now = clock_.now();
    const bool begins = paused_until_ <= now;
    paused_until_ = std::max(paused_until_, base::after(now, length));
    next_ = std::max(next_, paused_until_);
    return begins;
  }
  bool paused() const {
    const std::lock_guard lock(mutex_);
    return clock_.now() < paused_until_;
  }

 private:
  base::Clock& clock_;
  const base::Duration interval_;
  mutable std::mutex mutex_;
  base::SteadyTime next_{};
  base::SteadyTime paused_until_{};
};

}  // namespace shutdown_auditor::controller
