#include "runtime/shutdown_coordinator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "support/manual_clock.h"

namespace shutdown_auditor::runtime {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing_support::eventually;
using testing_support::ManualClock;

// "name outcome" of each phase.
std::vector<std::string> outcomes(const ShutdownReport& report) {
  std::vector<std::string> lines;
  for (const PhaseReport& phase : report.phases) {
    lines.push_back(phase.name + " " + std::string(to_string(phase.outcome)));
  }
  return lines;
}

ShutdownHandler quick(std::string name, int priority) {
  return {std::move(name), priority, 1s, [](const base::Cancellation&) { return base::Result<void>(); }};
}

TEST(ShutdownCoordinator, RunsHandlersByPriorityThenInOrderOfRegistration) {
  ManualClock clock;
  ShutdownCoordinator coordinator(clock, 25s);
  coordinator.add(quick("lease", 60));
  coordinator.add(quick("readiness", 100));
  coordinator.add(quick("first", 80));
  coordinator.add(quick("second", 80));
  EXPECT_FALSE(coordinator.started());
  EXPECT_THAT(outcomes(coordinator.run()), ElementsAre("readiness done", "first done", "second done", "lease done"));
  EXPECT_TRUE(coordinator.started());
}

TEST(ShutdownCoordinator, RunsOnceForAnyNumberOfCallers) {
  ManualClock clock;
  ShutdownCoordinator coordinator(clock, 25s);
  std::atomic<int> runs{0};
  std::atomic<bool> go{false};
  coordinator.add({"only", 1, 1s, [&](const base::Cancellation&) {
                     ++runs;
                     eventually([&] { return go.load(); });
                     return base::Result<void>();
                   }});
  std::vector<ShutdownReport> reports(4);
  {
    std::vector<std::jthread> callers;
    for (ShutdownReport& report : reports) {
      callers.emplace_back([&] { report = coordinator.run(); });
    }
    ASSERT_TRUE(eventually([&] { return runs == 1; }));
    coordinator.add(quick("too late", 1));
    go = true;
  }
  EXPECT_EQ(runs, 1);
  for (const ShutdownReport& report : reports) {
    EXPECT_THAT(outcomes(report), ElementsAre("only done"));
  }
}

TEST(ShutdownCoordinator, AFailingOrThrowingHandlerDoesNotStopTheOthers) {
  ManualClock clock;
  ShutdownCoordinator coordinator(clock, 25s);
  coordinator.add({"fails", 3, 1s, [](const base::Cancellation&) -> base::Result<void> {
                     return base::fail(base::ErrorKind::kIo, "disk full");
                   }});
  coordinator.add({"throws", 2, 1s, [](const base::Cancellation&) -> base::Result<void> {
                     throw std::runtime_error("broken");
                   }});
  coordinator.add({"throws an int", 1, 1s, [](const base::Cancellation&) -> base::Result<void> { throw 7; }});
  coordinator.add(quick("last", 0));
  const ShutdownReport report = coordinator.run();
  EXPECT_THAT(outcomes(report), ElementsAre("fails failed", "throws failed", "throws an int failed", "last done"));
  EXPECT_EQ(report.phases[0].error, "disk full");
  EXPECT_EQ(report.phases[1].error, "broken");
  EXPECT_FALSE(report.any_abandoned());
}

TEST(ShutdownCoordinator, GivesAHandlerItsDeadlineAndWaitsForOneThatKeepsIt) {
  ManualClock clock;
  ShutdownCoordinator coordinator(clock, 25s);
  coordinator.add({"drain", 1, 3s, [&](const base::Cancellation& cancel) -> base::Result<void> {
                     clock.sleep_for(cancel.deadline - clock.now(), {});
                     return base::fail(base::ErrorKind::kTimeout, "two left");
                   }});
  ShutdownReport report;
  std::jthread runner([&] { report = coordinator.run(); });
  ASSERT_TRUE(clock.await_waiters(2));
  clock.advance(3s);
  runner.join();
  EXPECT_THAT(outcomes(report), ElementsAre("drain failed"));
  EXPECT_EQ(report.took, 3s);
}

TEST(ShutdownCoordinator, AbandonsAHandlerThatOverrunsStopsItAndGoesOn) {
  ManualClock clock;
  std::atomic<bool> let_go{false};
  std::atomic<bool> told{false};
  std::atomic<bool> returned{false};
  {
    ShutdownCoordinator coordinator(clock, 25s);
    coordinator.add({"hangs", 2, 3s, [&](const base::Cancellation& cancel) -> base::Result<void> {
                       eventually([&] { return cancel.stop_requested(); });
                       told = true;
                       eventually([&] { return let_go.load(); });
                       returned = true;
                       return {};
                     }});
    coordinator.add(quick("next", 1));
    ShutdownReport report;
    std::jthread runner([&] { report = coordinator.run(); });
    ASSERT_TRUE(clock.await_waiters(1));
    clock.advance(3s);
    ASSERT_TRUE(eventually([&] { return told.load(); }));
    clock.advance(500ms);
    runner.join();
    EXPECT_THAT(outcomes(report), ElementsAre("hangs abandoned", "next done"));
    EXPECT_TRUE(report.any_abandoned());
    EXPECT_FALSE(returned);
    let_go = true;
  }
  EXPECT_TRUE(returned) << "the destructor waits: nothing dangles";
}

TEST(ShutdownCoordinator, TheBudgetBoundsAllPhasesTogether) {
  ManualClock clock;
  ShutdownCoordinator coordinator(clock, 5s);
  std::vector<base::Duration> given;
  std::mutex mutex;
  const auto use_up = [&](const base::Cancellation& cancel) -> base::Result<void> {
    {
      const std::lock_guard lock(mutex);
      given.push_back(cancel.deadline - clock.now());
    }
    clock.sleep_for(cancel.deadline - clock.now(), {});
    return {};
  };
  coordinator.add({"a", 3, 3s, use_up});
  coordinator.add({"b", 2, 3s, use_up});
  coordinator.add({"c", 1, 3s, use_up});
  ShutdownReport report;
  std::jthread runner([&] { report = coordinator.run(); });
  ASSERT_TRUE(clock.await_waiters(2));
  clock.advance(3s);
  ASSERT_TRUE(eventually([&] {
    const std::lock_guard lock(mutex);
    return given.size() == 2;
  }));
  ASSERT_TRUE(clock.await_waiters(2));
  clock.advance(2s);
  runner.join();
  EXPECT_THAT(given, ElementsAre(3s, 2s));
  EXPECT_THAT(outcomes(report), ElementsAre("a done", "b done", "c skipped"));
}

}  // namespace
}  // namespace shutdown_auditor::runtime
