#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <stop_token>

namespace shutdown_auditor::base {

using SteadyTime = std::chrono::steady_clock::time_point;
using WallTime = std::chrono::system_clock::time_point;
using Duration = std::chrono::steady_clock::duration;  // nanoseconds

// "No deadline."
inline constexpr SteadyTime kNever = SteadyTime::max();

// `now + delay` without overflow: kNever when the sum is not representable; a negative delay counts as 0.
SteadyTime after(SteadyTime now, Duration delay);

// Time and waiting, passed in wherever a module needs either, so that tests run on a virtual clock.
// All methods are safe to call from any thread.
class Clock {
 public:
  virtual ~Clock() = default;

  // Monotonic; for time-outs, back-off and leases.
  virtual SteadyTime now() const = 0;
  // Calendar time; for what people and API objects see.
  virtual WallTime wall_now() const = 0;

  // Waits on `changed` (with `lock` held, as std::condition_variable_any does) until `ready()` is true, `stop` is
  // requested or `deadline` has passed; returns ready(). Whoever changes what `ready` reads holds the same mutex and
  // notifies `changed`.
  virtual bool wait_until(std::unique_lock<std::mutex>& lock, std::condition_variable_any& changed,
                          std::stop_token stop, SteadyTime deadline, const std::function<bool()>& ready) = 0;

  // Sleeps for `duration`; false when `stop` ended it early.
  bool sleep_for(Duration duration, const std::stop_token& stop);
};

// The machine's clock. Has no state; lives until the process ends.
Clock& system_clock();

}  // namespace shutdown_auditor::base
