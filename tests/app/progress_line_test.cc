#include "app/progress_line.h"

#include <gtest/gtest.h>

#include <sstream>

namespace shutdown_auditor::app {
namespace {

using std::chrono::milliseconds;

TEST(ProgressLine, IsShownAfterASecondAndTakenBack) {
  std::ostringstream err;
  {
    ProgressLine line(err, true);
    line.update(milliseconds(999), 5);
    EXPECT_EQ(err.str(), "");
    line.update(milliseconds(1000), 1);
    line.update(milliseconds(1100), 12);
    EXPECT_EQ(err.str(), "\r\x1b[Kreading the cluster: 1 object\r\x1b[Kreading the cluster: 12 objects");
    err.str("");
  }
  EXPECT_EQ(err.str(), "\r\x1b[K");
}

TEST(ProgressLine, WhatWasNeverShownIsNotTakenBack) {
  std::ostringstream err;
  { ProgressLine(err, true).update(milliseconds(500), 1); }
  { ProgressLine(err, false).update(milliseconds(5000), 1); }
  EXPECT_EQ(err.str(), "");
}

}  // namespace
}  // namespace shutdown_auditor::app
