#pragma once

#include <algorithm>
#include <mutex>

#include "base/clock.h"

namespace shutdown_auditor::testing_support {

// A clock on which every wait is over at once: time jumps to its deadline. For code that waits on one thread only.
class JumpingClock final : public base::Clock {
 public:
  base::SteadyTime now() const override {
    const std::lock_guard lock(mutex_);
    return base::SteadyTime() + std::chrono::hours(1) + elapsed_;
  }
  base::WallTime wall_now() const override {
    const std::lock_guard lock(mutex_);
    return base::WallTime() + std::chrono::duration_cast<base::WallTime::duration>(elapsed_);
  }
  bool wait_until(std::unique_lock<std::mutex>&, std::condition_variable_any&, std::stop_token stop,
                  base::SteadyTime deadline, const std::function<bool()>& ready) override {
    if (!ready() && !stop.stop_requested() && deadline != base::kNever) {
      advance(std::max(base::Duration::zero(), deadline - now()));
    }
    return ready();
  }
  void advance(base::Duration by) {
    const std::lock_guard lock(mutex_);
    elapsed_ += by;
  }

 private:
  mutable std::mutex mutex_;
  base::Duration elapsed_{};
};

}  // namespace shutdown_auditor::testing_support
