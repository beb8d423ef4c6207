#include "support/manual_clock.h"

#include <condition_variable>

namespace shutdown_auditor::testing_support {
namespace {

constexpr std::chrono::seconds kCap{30};

void nap() {
  std::mutex mutex;
  std::condition_variable never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, std::chrono::milliseconds(1));
}

}  // namespace

base::SteadyTime ManualClock::now() const {
  const std::lock_guard lock(mutex_);
  // An offset, because some code treats the epoch as "never".
  return base::SteadyTime(std::chrono::hours(1000)) + elapsed_;
}

base::WallTime ManualClock::wall_now() const {
  const std::lock_guard lock(mutex_);
  return base::WallTime(std::chrono::seconds(1767225600)) +
         std::chrono::duration_cast<base::WallTime::duration>(elapsed_);  // from 2026-01-01T00:00:00Z
}

bool ManualClock::wait_until(std::unique_lock<std::mutex>& lock, std::condition_variable_any& changed,
                             std::stop_token stop, base::SteadyTime deadline, const std::function<bool()>& ready) {
  ++waiters_;
  while (!ready() && !stop.stop_requested() && now() < deadline) {
    changed.wait_for(lock, std::chrono::milliseconds(1));
  }
  --waiters_;
  return ready();
}

void ManualClock::advance(base::Duration by) {
  const std::lock_guard lock(mutex_);
  elapsed_ += by;
}

bool ManualClock::await_waiters(int count) const {
  return eventually([&] { return waiters_ >= count; });
}

bool eventually(const std::function<bool()>& condition) {
  const auto give_up = std::chrono::steady_clock::now() + kCap;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > give_up) return false;
    nap();
  }
  return true;
}

}  // namespace shutdown_auditor::testing_support
