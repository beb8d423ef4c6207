#include "base/clock.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "support/manual_clock.h"

namespace shutdown_auditor::base {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

TEST(Clock, AfterSaturates) {
  const SteadyTime now{seconds(5)};
  EXPECT_EQ(after(now, seconds(2)), SteadyTime(seconds(7)));
  EXPECT_EQ(after(now, seconds(-2)), now);
  EXPECT_EQ(after(now, Duration::max()), kNever);
}

TEST(Clock, WaitEndsOnStopWithoutADeadline) {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::jthread waiter([&](const std::stop_token& stop) {
    std::unique_lock lock(mutex);
    EXPECT_FALSE(system_clock().wait_until(lock, changed, stop, kNever, [] { return false; }));
  });
  waiter.request_stop();  // joins: hangs when the wait ignores it
}

TEST(Clock, WaitSeesTheConditionAndTheDeadline) {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::unique_lock lock(mutex);
  EXPECT_TRUE(system_clock().wait_until(lock, changed, {}, kNever, [] { return true; }));
  EXPECT_FALSE(system_clock().wait_until(lock, changed, {}, system_clock().now(), [] { return false; }));
}

TEST(Clock, ManualClockSleepsInVirtualTime) {
  testing_support::ManualClock clock;
  std::atomic<bool> slept{false};
  std::jthread sleeper([&](const std::stop_token& stop) { slept = clock.sleep_for(hours(5), stop); });
  ASSERT_TRUE(clock.await_waiters(1));
  clock.advance(hours(4));
  EXPECT_FALSE(slept);
  clock.advance(hours(1));
  EXPECT_TRUE(testing_support::eventually([&] { return slept.load(); }));
}

}  // namespace
}  // namespace shutdown_auditor::base
