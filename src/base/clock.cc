#include "base/clock.h"

namespace shutdown_auditor::base {

SteadyTime after(SteadyTime now, Duration delay) {
  if (delay <= Duration::zero()) {
    return now;
  }
  return delay >= kNever - now ? kNever : now + delay;
}

bool Clock::sleep_for(Duration duration, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any never_notified;
  std::unique_lock lock(mutex);
  wait_until(lock, never_notified, stop, after(now(), duration), [] { return false; });
  return !stop.stop_requested();
}

namespace {

class SystemClock final : public Clock {
 public:
  SteadyTime now() const override { return std::chrono::steady_clock::now(); }
  WallTime wall_now() const override { return std::chrono::system_clock::now(); }

  bool wait_until(std::unique_lock<std::mutex>& lock, std::condition_variable_any& changed, std::stop_token stop,
                  SteadyTime deadline, const std::function<bool()>& ready) override {
    if (deadline == kNever) {
      return changed.wait(lock, std::move(stop), [&] { return ready(); });
    }
    return changed.wait_until(lock, std::move(stop), deadline, [&] { return ready(); });
  }
};

}  // namespace

Clock& system_clock() {
  static SystemClock clock;
  return clock;
}

}  // namespace shutdown_auditor::base
