#pragma once

#include <atomic>

#include "base/clock.h"

namespace shutdown_auditor::testing_support {

// The machine's clock, set forward by a test: for code between a virtual clock and real sockets. Deadlines computed from
// it come later in real time, never earlier.
class OffsetClock final : public base::Clock {
 public:
  base::SteadyTime now() const override { return base::system_clock().now() + base::Duration(offset_.load()); }
  base::WallTime wall_now() const override {
    return base::system_clock().wall_now() +
           std::chrono::duration_cast<base::WallTime::duration>(base::Duration(offset_.load()));
  }
  bool wait_until(std::unique_lock<std::mutex>& lock, std::condition_variable_any& changed, std::stop_token stop,
                  base::SteadyTime deadline, const std::function<bool()>& ready) override {
    const base::SteadyTime real =
        deadline == base::kNever ? deadline : deadline - base::Duration(offset_.load());
    return base::system_clock().wait_until(lock, changed, std::move(stop), real, ready);
  }
  void advance(base::Duration by) { offset_ += by.count(); }

 private:
  std::atomic<base::Duration::rep> offset_{0};
};

}  // namespace shutdown_auditor::testing_support
