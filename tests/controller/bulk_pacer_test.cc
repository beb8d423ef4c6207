#include "controller/bulk_pacer.h"

#include <gtest/gtest.h>

#include "support/manual_clock.h"

namespace shutdown_auditor::controller {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(BulkPacer, TurnsComeAtAnEvenRate) {
  testing_support::ManualClock clock;
  BulkPacer pacer(clock, 50);
  EXPECT_EQ(pacer.take(), milliseconds(0));
  EXPECT_EQ(pacer.take(), milliseconds(20));
  EXPECT_EQ(pacer.take(), milliseconds(40));
  clock.advance(milliseconds(50));
  EXPECT_EQ(pacer.take(), milliseconds(10));
}

TEST(BulkPacer, TurnsNobodyTookAreNotSaved) {
  testing_support::ManualClock clock;
  BulkPacer pacer(clock, 1);
  EXPECT_EQ(pacer.take(), seconds(0));
  clock.advance(seconds(100));
  EXPECT_EQ(pacer.take(), seconds(0));
  EXPECT_EQ(pacer.take(), seconds(1));
}

TEST(BulkPacer, ZeroMeansNoLimit) {
  testing_support::ManualClock clock;
  BulkPacer pacer(clock, 0);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(pacer.take(), seconds(0));
}

TEST(BulkPacer, AfterAPauseTurnsGoOnAtTheSameRate) {
  testing_support::ManualClock clock;
  BulkPacer pacer(clock, 1);
  EXPECT_FALSE(pacer.paused());
  EXPECT_TRUE(pacer.pause(seconds(5)));
  EXPECT_FALSE(pacer.pause(seconds(3))) << "already on, and not shortened";
  EXPECT_TRUE(pacer.paused());
  EXPECT_EQ(pacer.take(), seconds(5));
  EXPECT_EQ(pacer.take(), seconds(6));
  clock.advance(seconds(5));
  EXPECT_FALSE(pacer.paused());
  EXPECT_EQ(pacer.take(), seconds(2));
  EXPECT_TRUE(pacer.pause(seconds(1)));
  EXPECT_EQ(pacer.take(), seconds(3)) << "a pause shorter than the queue moves nothing";
}

TEST(BulkPacer, APauseHoldsWithoutARateToo) {
  testing_support::ManualClock clock;
  BulkPacer pacer(clock, 0);
  pacer.pause(seconds(5));
  EXPECT_EQ(pacer.take(), seconds(5));
  EXPECT_EQ(pacer.take(), seconds(5));
  clock.advance(seconds(5));
  EXPECT_EQ(pacer.take(), seconds(0));
}

}  // namespace
}  // namespace shutdown_auditor::controller
