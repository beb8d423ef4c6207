#pragma once

#include <atomic>
#include <mutex>

#include "base/clock.h"

namespace shutdown_auditor::testing_support {

// A clock that only moves when a test says so. Threads that wait on it look every real millisecond whether their
// deadline was reached, so an advance is never missed. Safe from any thread; must outlive the threads that wait.
class ManualClock final : public base::Clock {
 public:
  base::SteadyTime now() const override;
  base::WallTime wall_now() const override;
  bool wait_until(std::unique_lock<std::mutex>& lock, std::condition_variable_any& changed, std::stop_token stop,
                  base::SteadyTime deadline, const std::function<bool()>& ready) override;

  // Moves both times forward.
  void advance(base::Duration by);

  // Threads that are blocked in wait_until now.
  int waiters() const { return waiters_; }
  // Blocks (really) until at least `count` threads wait; false after 30 s.
  bool await_waiters(int count) const;

 private:
  mutable std::mutex mutex_;
  base::Duration elapsed_{};
  std::atomic<int> waiters_{0};
};

// Blocks (really) until `condition()` is true, looking every millisecond; false after 30 s.
bool eventually(const std::function<bool()>& condition);

}  // namespace shutdown_auditor::testing_support
