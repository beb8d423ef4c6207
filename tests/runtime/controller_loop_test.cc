#include "runtime/controller_loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <new>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "base/log.h"
#include "support/fixed_random.h"
#include "support/manual_clock.h"

namespace shutdown_auditor::runtime {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing_support::eventually;
using testing_support::FixedRandom;
using testing_support::ManualClock;

using Outcome = base::Result<Action, ReconcileError>;

// Does what the test says and remembers every pass.
class Scripted final : public Reconciler {
 public:
  Outcome reconcile(const Request& request, ReconcileContext& context) override {
    std::function<Outcome(const Request&, ReconcileContext&)> next;
    {
      const std::lock_guard lock(mutex_);
      seen_.push_back(request);
      ids_.insert(context.reconcile_id);
      next = script_;
    }
    return next ? next(request, context) : Action::await_change();
  }
  void then(std::function<Outcome(const Request&, ReconcileContext&)> script) {
    const std::lock_guard lock(mutex_);
    script_ = std::move(script);
  }
  std::vector<Request> seen() const {
    const std::lock_guard lock(mutex_);
    return seen_;
  }
  std::size_t count() const { return seen().size(); }
  std::size_t ids() const {
    const std::lock_guard lock(mutex_);
    return ids_.size();
  }

 private:
  mutable std::mutex mutex_;
  std::vector<Request> seen_;
  std::set<std::string> ids_;
  std::function<Outcome(const Request&, ReconcileContext&)> script_;
};

class Counts final : public ReconcileObserver {
 public:
  void on_reconcile(ReconcileOutcome outcome, base::Duration) override {
    const std::lock_guard lock(mutex_);
    ++outcomes_[std::string(to_string(outcome))];
  }
  void on_timeout() override { ++timeouts; }
  int of(const std::string& outcome) const {
    const std::lock_guard lock(mutex_);
    const auto found = outcomes_.find(outcome);
    return found == outcomes_.end() ? 0 : found->second;
  }
  std::atomic<int> timeouts{0};

 private:
  mutable std::mutex mutex_;
  std::map<std::string, int> outcomes_;
};

class ControllerLoopTest : public testing::Test {
 protected:
  ControllerLoop& make(ControllerLoopOptions options) {
    options.name = "test";
    loop = std::make_unique<ControllerLoop>(std::move(options), queue, reconciler, clock, random, &counts);
    return *loop;
  }
  void start(int workers = 1) {
    ControllerLoopOptions options;
    options.workers = workers;
    make(options).start();
  }
  bool passes(std::size_t count) {
    return eventually([&] { return reconciler.count() == count && queue.stats().processing == 0; });
  }
  ReconcileError error(std::string message, bool terminal = false) { return {std::move(message), terminal}; }

  ManualClock clock;
  FixedRandom random;
  WorkQueue queue{clock};
  Scripted reconciler;
  Counts counts;
  std::unique_ptr<ControllerLoop> loop;
};

TEST_F(ControllerLoopTest, WhatAPassReturnsDecidesWhatFollows) {
  struct Case {
    const char* what;
    std::function<Outcome(const Request&, ReconcileContext&)> script;
    const char* counted;
    std::uint32_t failures;  // of the key afterwards
    bool again;
    base::Duration after;
  };
  const Case cases[] = {
      {"success", [](const auto&, auto&) -> Outcome { return Action::await_change(); }, "success", 0, false, 0s},
      {"requeue", [](const auto&, auto&) -> Outcome { return Action::again_after(10s, 64); }, "requeue_after", 0, true, 10s},
      {"error",
       [](const auto&, auto&) -> Outcome { return base::unexpected(ReconcileError{"down", false}); }, "error", 2, true, 10ms},
      {"terminal", [](const auto&, auto&) -> Outcome { return base::unexpected(ReconcileError{"bad", true}); },
       "terminal_error", 0, false, 0s},
      {"exception", [](const auto&, auto&) -> Outcome { throw std::runtime_error("bug"); }, "panic", 2, true, 10ms},
      {"out of memory", [](const auto&, auto&) -> Outcome { throw std::bad_alloc(); }, "panic", 2, true, 10ms},
      {"anything thrown", [](const auto&, auto&) -> Outcome { throw 7; }, "panic", 2, true, 10ms},
  };
  start();
  for (const Case& c : cases) {
    const std::string key = c.what;
    const int counted = counts.of(c.counted);
    const std::size_t before = reconciler.count();
    queue.add_rate_limited(key, Priority::kHigh, 5);  // a failure earlier
    clock.advance(5ms);
    reconciler.then(c.script);
    ASSERT_TRUE(passes(before + 1)) << c.what;
    ASSERT_TRUE(eventually([&] { return counts.of(c.counted) == counted + 1; })) << c.what;
    EXPECT_EQ(queue.failures(key), c.failures) << c.what;
    EXPECT_EQ(queue.stats().delayed, c.again ? 1U : 0U) << c.what;
    if (c.again) {
      reconciler.then(nullptr);
      clock.advance(c.after);
      ASSERT_TRUE(passes(before + 2)) << c.what;
      const Request again = reconciler.seen().back();
      EXPECT_EQ(again.key, key);
      const bool timer = c.counted == std::string("requeue_after");
      EXPECT_EQ(again.cause, timer ? 64U : 5U) << c.what << ": a retry keeps why it began";
      EXPECT_EQ(again.priority, timer ? Priority::kLow : Priority::kHigh) << c.what;
    }
  }
  EXPECT_EQ(reconciler.ids(), reconciler.count()) << "each pass has an id of its own";
}

TEST_F(ControllerLoopTest, RequeuesAreSpreadByTenPercentEitherWay) {
  start();
  for (const auto& [uniform, due] : {std::pair{0.0, 90s}, std::pair{0.5, 100s}}) {
    random.set(uniform);
    const std::size_t before = reconciler.count();
    reconciler.then([](const auto&, auto&) -> Outcome { return Action::again_after(100s); });
    queue.add("a", Priority::kHigh, 0);
    ASSERT_TRUE(passes(before + 1));
    ASSERT_TRUE(eventually([&] { return queue.stats().delayed == 1; }));
    reconciler.then(nullptr);
    clock.advance(due - 1s);
    EXPECT_EQ(queue.stats().delayed, 1U);
    clock.advance(1001ms);
    ASSERT_TRUE(passes(before + 2));
  }
}

TEST_F(ControllerLoopTest, AMomentThatMattersIsNotSpread) {
  start();
  random.set(0.0);
  reconciler.then([](const auto&, auto&) -> Outcome { return Action::again_exactly_after(100s, 64); });
  queue.add("a", Priority::kHigh, 0);
  ASSERT_TRUE(passes(1));
  ASSERT_TRUE(eventually([&] { return queue.stats().delayed == 1; }));
  reconciler.then(nullptr);
  clock.advance(99999ms);
  EXPECT_EQ(queue.stats().delayed, 1U);
  clock.advance(1ms);
  ASSERT_TRUE(passes(2));
  EXPECT_EQ(reconciler.seen().back().cause, 64U);
}

TEST_F(ControllerLoopTest, APassHasADeadlineThatCallsSeeAndMetricsCount) {
  start();
  std::atomic<bool> timed_out{false};
  reconciler.then([&](const auto&, ReconcileContext& context) -> Outcome {
    EXPECT_EQ(context.cancel.deadline - clock.now(), 60s);
    clock.sleep_for(context.cancel.deadline - clock.now(), context.cancel.stop);  // a call that blocks until then
    timed_out = clock.now() >= context.cancel.deadline;
    return base::unexpected(ReconcileError{"timed out", false});
  });
  queue.add("a", Priority::kHigh, 0);
  ASSERT_TRUE(eventually([&] { return reconciler.count() == 1 && clock.waiters() == 1; }));
  EXPECT_EQ(counts.timeouts, 0);
  clock.advance(60s);
  ASSERT_TRUE(eventually([&] { return counts.timeouts == 1; }));
  EXPECT_TRUE(timed_out);
  EXPECT_EQ(counts.of("error"), 1);
}

TEST_F(ControllerLoopTest, AThrowingControllerStopsNobodyAndTurnsUnhealthyWhenItGoesOn) {
  start();
  WorkQueue other_queue(clock);
  Scripted other;
  ControllerLoopOptions options;
  options.name = "other";
  ControllerLoop second(options, other_queue, other, clock, random);
  second.start();
  reconciler.then([](const auto&, auto&) -> Outcome { throw std::runtime_error("bug"); });
  for (int i = 1; i <= 21; ++i) {
    EXPECT_TRUE(loop->healthy()) << i;
    queue.add("key " + std::to_string(i), Priority::kHigh, 0);
    ASSERT_TRUE(eventually([&] { return counts.of("panic") == i; }));
  }
  EXPECT_FALSE(loop->healthy()) << "more than 20 in a minute";
  other_queue.add("b", Priority::kHigh, 0);
  EXPECT_TRUE(eventually([&] { return other.count() == 1; }));
  EXPECT_TRUE(second.healthy());
  reconciler.then(nullptr);
  clock.advance(2min);
  EXPECT_TRUE(loop->healthy()) << "a minute without";
  queue.add("b", Priority::kHigh, 0);
  EXPECT_TRUE(eventually([&] { return counts.of("success") >= 1; })) << "the worker is alive";
}

TEST_F(ControllerLoopTest, LogsAFailureOnceWithItsReconcileId) {
  std::mutex mutex;
  std::vector<std::map<std::string, std::string>> lines;
  base::set_log_sink(
      [&](base::LogLevel, std::string_view, std::string_view message, const base::LogField* fields, std::size_t count) {
        const std::lock_guard lock(mutex);
        std::map<std::string, std::string> line{{"msg", std::string(message)}};
        for (std::size_t i = 0; i < count; ++i) {
          line.emplace(fields[i].key, fields[i].value);
        }
        lines.push_back(std::move(line));
      },
      base::LogLevel::kDebug);
  start();
  reconciler.then([](const auto&, auto&) -> Outcome { throw std::runtime_error("bug"); });
  queue.add("shop/web", Priority::kHigh, 0);
  ASSERT_TRUE(eventually([&] { return counts.of("panic") == 1; }));
  loop->stop({{}, clock.now()});
  base::set_log_sink(nullptr, base::LogLevel::kError);
  int failures = 0;
  for (auto& line : lines) {
    if (line["msg"] == "reconcile failed") {
      ++failures;
      EXPECT_EQ(line["controller"], "test");
      EXPECT_EQ(line["key"], "shop/web");
      EXPECT_EQ(line["err"], "bug");
      EXPECT_EQ(line["reconcileID"].size(), 16U);
    }
  }
  EXPECT_EQ(failures, 1);
}

TEST_F(ControllerLoopTest, WorkersReconcileDifferentKeysAtOnceAndOneKeyNeverTwice) {
  std::atomic<int> busy{0};
  std::atomic<bool> go{false};
  std::mutex mutex;
  std::set<std::string> held;
  std::atomic<bool> doubled{false};
  reconciler.then([&](const Request& request, auto&) -> Outcome {
    {
      const std::lock_guard lock(mutex);
      doubled = doubled || !held.insert(request.key).second;
    }
    ++busy;
    eventually([&] { return go.load(); });
    const std::lock_guard lock(mutex);
    held.erase(request.key);
    return Action::await_change();
  });
  for (const char* key : {"a", "b", "c", "d", "e", "a", "b"}) {
    queue.add(key, Priority::kHigh, 0);
  }
  start(4);
  EXPECT_TRUE(eventually([&] { return busy == 4; }));
  queue.add("a", Priority::kHigh, 0);
  go = true;
  EXPECT_TRUE(eventually([&] { return reconciler.count() == 6 && queue.stats().processing == 0; }));
  EXPECT_FALSE(doubled);
}

TEST_F(ControllerLoopTest, ResyncAddsEveryKeyAtLowPriorityEachTenHoursOrSo) {
  ControllerLoopOptions options;
  options.workers = 1;
  options.resync_keys = [] { return std::vector<std::string>{"a", "b"}; };
  options.resync_cause = 8;
  random.set(0.0);
  make(options).start();
  ASSERT_TRUE(clock.await_waiters(2));
  clock.advance(9h - 1s);
  EXPECT_EQ(queue.stats().ready + reconciler.count(), 0U);
  clock.advance(1s);
  ASSERT_TRUE(passes(2));
  EXPECT_EQ(reconciler.seen()[0].cause, 8U);
  EXPECT_EQ(reconciler.seen()[0].priority, Priority::kLow);
  random.set(0.999);
  ASSERT_TRUE(clock.await_waiters(2));
  clock.advance(9h);
  ASSERT_TRUE(passes(4)) << "drawn anew each time";
  ASSERT_TRUE(clock.await_waiters(2));
  clock.advance(10h + 59min);
  EXPECT_EQ(reconciler.count(), 4U);
  clock.advance(1min);
  ASSERT_TRUE(passes(6));
}

TEST_F(ControllerLoopTest, StopDropsQueuedKeysAndFinishesThoseInWork) {
  start();
  std::atomic<bool> go{false};
  reconciler.then([&](const auto&, ReconcileContext& context) -> Outcome {
    eventually([&] { return go.load(); });
    EXPECT_FALSE(context.cancel.stop_requested()) << "not cancelled while there is time";
    return Action::await_change();
  });
  queue.add("in work", Priority::kHigh, 0);
  ASSERT_TRUE(eventually([&] { return reconciler.count() == 1; }));
  queue.add("queued", Priority::kHigh, 0);
  std::vector<std::string> left{"?"};
  std::jthread stopping([&] { left = loop->stop({{}, clock.now() + 12s}); });
  ASSERT_TRUE(clock.await_waiters(1));
  go = true;
  stopping.join();
  EXPECT_THAT(left, IsEmpty());
  EXPECT_EQ(reconciler.count(), 1U);
  loop->start();
  queue.add("later", Priority::kHigh, 0);
  EXPECT_EQ(queue.stats().ready, 0U) << "nothing begins again";
}

TEST_F(ControllerLoopTest, StopCancelsAtItsDeadlineAndNamesWhatStillRuns) {
  std::atomic<bool> let_go{false};
  reconciler.then([&](const Request& request, ReconcileContext& context) -> Outcome {
    if (request.key == "obeys") {
      clock.sleep_for(1h, context.cancel.stop);
    } else {
      eventually([&] { return let_go.load(); });
    }
    return base::unexpected(ReconcileError{"cancelled", false});
  });
  start(2);
  queue.add("obeys", Priority::kHigh, 0);
  queue.add("hangs", Priority::kHigh, 0);
  ASSERT_TRUE(eventually([&] { return reconciler.count() == 2 && clock.waiters() == 1; }));
  std::vector<std::string> left;
  std::jthread stopping([&] { left = loop->stop({{}, clock.now() + 12s}); });
  ASSERT_TRUE(clock.await_waiters(2));
  clock.advance(12s);
  ASSERT_TRUE(eventually([&] { return queue.processing() == std::vector<std::string>{"hangs"}; }));
  ASSERT_TRUE(clock.await_waiters(1));
  clock.advance(2s);
  stopping.join();
  EXPECT_THAT(left, ElementsAre("hangs"));
  let_go = true;
  ASSERT_TRUE(eventually([&] { return queue.processing().empty(); }));  // it still reads let_go
}

TEST_F(ControllerLoopTest, StopWithoutStartIsRightAndPreventsAStart) {
  ControllerLoop& idle = make({});
  queue.add("a", Priority::kHigh, 0);
  EXPECT_THAT(idle.stop({{}, clock.now() + 12s}), IsEmpty());
  idle.start();
  EXPECT_FALSE(idle.started());
  EXPECT_EQ(reconciler.count(), 0U);
}

}  // namespace
}  // namespace shutdown_auditor::runtime
