#include "base/cancellation.h"

#include <gtest/gtest.h>

namespace shutdown_auditor::base {
namespace {

using std::chrono::seconds;

TEST(Cancellation, LimitedKeepsTheEarlierDeadline) {
  const SteadyTime now{seconds(10)};
  const Cancellation none;
  EXPECT_EQ(none.limited(now, seconds(5)).deadline, SteadyTime(seconds(15)));
  const Cancellation soon{{}, SteadyTime(seconds(12))};
  EXPECT_EQ(soon.limited(now, seconds(5)).deadline, SteadyTime(seconds(12)));
  EXPECT_EQ(none.limited(now, Duration::max()).deadline, kNever);
}

TEST(Cancellation, LinkedStopFollowsEitherParent) {
  for (const int which : {0, 1}) {
    std::stop_source parents[2];
    const LinkedStop linked(parents[0].get_token(), parents[1].get_token());
    EXPECT_FALSE(linked.token().stop_requested());
    parents[which].request_stop();
    EXPECT_TRUE(linked.token().stop_requested());
    EXPECT_FALSE(parents[1 - which].stop_requested());
  }
}

TEST(Cancellation, LinkedStopOfAStoppedParentIsStoppedAtOnce) {
  std::stop_source parent;
  parent.request_stop();
  EXPECT_TRUE(LinkedStop(parent.get_token()).token().stop_requested());
}

}  // namespace
}  // namespace shutdown_auditor::base
