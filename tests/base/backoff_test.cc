#include "base/backoff.h"

#include <gtest/gtest.h>

#include "support/fixed_random.h"
#include "support/manual_clock.h"

namespace shutdown_auditor::base {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr BackoffPolicy kNoJitter{.jitter = 0.0};

TEST(Backoff, DelaysDoubleUpToTheMaximum) {
  const Duration expected[] = {milliseconds(800), milliseconds(1600), milliseconds(3200), milliseconds(6400),
                               milliseconds(12800), milliseconds(25600), seconds(30), seconds(30)};
  std::uint32_t failures = 0;
  for (const Duration delay : expected) EXPECT_EQ(backoff_delay(kNoJitter, failures++, 0.9), delay);
  EXPECT_EQ(backoff_delay(kNoJitter, 4000000000U, 0.9), seconds(30));
}

TEST(Backoff, FullJitterIsUniformBetweenZeroAndTheDelay) {
  const BackoffPolicy policy;
  EXPECT_EQ(backoff_delay(policy, 0, 0.0), milliseconds(1));  // never zero: a loop on it cannot spin
  EXPECT_EQ(backoff_delay(policy, 0, 0.5), milliseconds(400));
  EXPECT_LT(backoff_delay(policy, 0, 0.999), milliseconds(800));
}

TEST(Backoff, StartsAgainAfterAQuietTime) {
  testing_support::ManualClock clock;
  testing_support::FixedRandom random;
  Backoff backoff(kNoJitter, clock, random);
  EXPECT_EQ(backoff.next(), milliseconds(800));
  EXPECT_EQ(backoff.next(), milliseconds(1600));
  clock.advance(minutes(2));
  EXPECT_EQ(backoff.next(), milliseconds(800));
  EXPECT_EQ(backoff.next(), milliseconds(1600));
  backoff.reset();
  EXPECT_EQ(backoff.next(), milliseconds(800));
}

}  // namespace
}  // namespace shutdown_auditor::base
