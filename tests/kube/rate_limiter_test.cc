#include "kube/rate_limiter.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "support/manual_clock.h"

namespace shutdown_auditor::kube {
namespace {

using namespace std::chrono_literals;
using testing_support::eventually;
using testing_support::ManualClock;

TEST(RateLimiter, ABurstIsFreeAndThenTokensComeAtTheRate) {
  ManualClock clock;
  RateLimiter limiter(20, 40, clock);
  for (int i = 0; i < 40; ++i) {
    ASSERT_EQ(*limiter.acquire({}), base::Duration::zero()) << i;
  }
  std::atomic<int> passed = 0;
  std::jthread caller([&] {
    const auto waited = limiter.acquire({});
    EXPECT_GE(*waited, 50ms);
    EXPECT_LT(*waited, 51ms);
    ++passed;
  });
  ASSERT_TRUE(clock.await_waiters(1));
  EXPECT_EQ(passed, 0);
  clock.advance(51ms);
  EXPECT_TRUE(eventually([&] { return passed == 1; }));
}

TEST(RateLimiter, IdleTimeNeverSavesMoreThanABurst) {
  ManualClock clock;
  RateLimiter limiter(20, 2, clock);
  clock.advance(1h);
  EXPECT_TRUE(limiter.acquire({}));
  EXPECT_TRUE(limiter.acquire({}));
  EXPECT_EQ(limiter.acquire({.deadline = clock.now()}).error().kind, ErrorKind::kTimeout);
}

TEST(RateLimiter, MinusOneDisablesIt) {
  ManualClock clock;
  RateLimiter limiter(-1, 1, clock);
  for (int i = 0; i < 10'000; ++i) {
    ASSERT_TRUE(limiter.acquire({.deadline = clock.now()}));
  }
}

TEST(RateLimiter, ADeadlineThatCannotBeMetFailsAtOnce) {
  ManualClock clock;
  RateLimiter limiter(1, 1, clock);
  EXPECT_TRUE(limiter.acquire({}));
  const auto refused = limiter.acquire({.deadline = clock.now() + 500ms});
  EXPECT_EQ(refused.error().kind, ErrorKind::kTimeout);
  EXPECT_NE(refused.error().message.find("--kube-api-qps"), std::string::npos);
  // The refused one took nothing: in time the next is free.
  clock.advance(1001ms);
  EXPECT_EQ(*limiter.acquire({}), base::Duration::zero());
}

TEST(RateLimiter, StopEndsAWaitAndGivesTheTokenBack) {
  ManualClock clock;
  RateLimiter limiter(1, 1, clock);
  EXPECT_TRUE(limiter.acquire({}));
  std::stop_source stop;
  std::jthread caller([&] {
    EXPECT_EQ(limiter.acquire({.stop = stop.get_token()}).error().kind, ErrorKind::kCancelled);
  });
  ASSERT_TRUE(clock.await_waiters(1));
  stop.request_stop();
  caller.join();
  clock.advance(1001ms);
  EXPECT_EQ(*limiter.acquire({}), base::Duration::zero());
  EXPECT_EQ(limiter.acquire({.stop = stop.get_token()}).error().kind, ErrorKind::kCancelled);
}

}  // namespace
}  // namespace shutdown_auditor::kube
