#include "runtime/work_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <malloc.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "support/manual_clock.h"

namespace shutdown_auditor::runtime {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing_support::eventually;
using testing_support::ManualClock;

// Takes the next key without waiting: "" when none is ready.
std::string take(WorkQueue& queue) {
  if (queue.stats().ready == 0) {
    return "";
  }
  return queue.get({})->key;
}

std::vector<std::string> take_all(WorkQueue& queue) {
  std::vector<std::string> keys;
  for (std::string key = take(queue); !key.empty(); key = take(queue)) {
    keys.push_back(key);
    queue.done(key);
  }
  return keys;
}

TEST(WorkQueue, DeliversAKeyOnceForAnyNumberOfAdds) {
  ManualClock clock;
  WorkQueue queue(clock);
  for (int i = 0; i < 5; ++i) {
    queue.add("a", Priority::kLow, 1U << i);
  }
  const auto item = queue.get({});
  ASSERT_TRUE(item);
  EXPECT_EQ(item->key, "a");
  EXPECT_EQ(item->cause, 31U) << "the causes of all adds";
  EXPECT_EQ(queue.stats().ready, 0U);
}

TEST(WorkQueue, RedeliversAKeyAddedWhileHeldExactlyOnceAfterDone) {
  ManualClock clock;
  WorkQueue queue(clock);
  queue.add("a", Priority::kLow, 1);
  ASSERT_EQ(take(queue), "a");
  queue.add("a", Priority::kLow, 2);
  queue.add("a", Priority::kHigh, 4);
  EXPECT_EQ(take(queue), "") << "never two holders";
  EXPECT_EQ(queue.stats().parked, 1U);
  queue.done("a");
  const auto again = queue.get({});
  ASSERT_TRUE(again);
  EXPECT_EQ(again->cause, 6U);
  EXPECT_EQ(again->priority, Priority::kHigh);
  queue.done("a");
  EXPECT_EQ(take(queue), "");
}

TEST(WorkQueue, IsFirstInFirstOutWithinAPriority) {
  struct Case {
    const char* what;
    std::vector<std::pair<const char*, Priority>> adds;
    std::vector<std::string> delivered;
  };
  const Case cases[] = {
      {"same priority", {{"a", Priority::kLow}, {"b", Priority::kLow}, {"c", Priority::kLow}}, {"a", "b", "c"}},
      {"live events overtake the first list", {{"a", Priority::kLow}, {"b", Priority::kHigh}}, {"b", "a"}},
      {"a promoted key goes behind those already there",
       {{"a", Priority::kLow}, {"b", Priority::kHigh}, {"c", Priority::kHigh}, {"a", Priority::kHigh}},
       {"b", "c", "a"}},
      {"a low add does not demote", {{"a", Priority::kHigh}, {"b", Priority::kHigh}, {"a", Priority::kLow}}, {"a", "b"}},
      {"a repeated add keeps its place", {{"a", Priority::kLow}, {"b", Priority::kLow}, {"a", Priority::kLow}}, {"a", "b"}},
  };
  for (const Case& c : cases) {
    ManualClock clock;
    WorkQueue queue(clock);
    for (const auto& [key, priority] : c.adds) {
      queue.add(key, priority, 0);
    }
    EXPECT_EQ(take_all(queue), c.delivered) << c.what;
  }
}

TEST(WorkQueue, TheEarliestTimeOfADelayedKeyWins) {
  struct Case {
    const char* what;
    std::vector<base::Duration> delays;
    base::Duration due;
  };
  const Case cases[] = {
      {"one", {10s}, 10s},          {"later duplicate", {10s, 20s}, 10s}, {"earlier duplicate", {20s, 10s}, 10s},
      {"zero is now", {10s, 0s}, 0s}, {"negative is now", {-5s}, 0s},
  };
  for (const Case& c : cases) {
    ManualClock clock;
    WorkQueue queue(clock);
    for (const base::Duration delay : c.delays) {
      queue.add_after("a", Priority::kLow, 0, delay);
    }
    if (c.due > 0s) {
      clock.advance(c.due - 1ns);
      EXPECT_EQ(queue.stats().ready, 0U) << c.what;
      clock.advance(1ns);
    }
    EXPECT_THAT(take_all(queue), ElementsAre("a")) << c.what;
    clock.advance(30s);
    EXPECT_THAT(take_all(queue), IsEmpty()) << c.what;
  }
}

TEST(WorkQueue, EndlessDelaysAreClampedToSixMonths) {
  for (const base::Duration delay : {base::Duration::max(), base::Duration(24h * 10000)}) {
    ManualClock clock;
    WorkQueue queue(clock);
    queue.add_after("a", Priority::kLow, 0, delay);
    clock.advance(24h * 182);
    EXPECT_EQ(queue.stats().delayed, 1U);
    clock.advance(24h);
    EXPECT_EQ(take(queue), "a");
  }
}

TEST(WorkQueue, BacksOffExponentiallyForEachKeyUntilForgotten) {
  ManualClock clock;
  WorkQueue queue(clock, {5ms, 1000s, 0, 0});
  const auto retry = [&](const char* key) { return queue.add_rate_limited(key, Priority::kLow, 0); };
  EXPECT_EQ(retry("a"), 5ms);
  EXPECT_EQ(retry("a"), 10ms);
  EXPECT_EQ(retry("a"), 20ms);
  EXPECT_EQ(retry("b"), 5ms) << "each key has its own";
  base::Duration last{};
  for (int i = 3; i < 200; ++i) {
    last = retry("a");
  }
  EXPECT_EQ(last, 1000s) << "and no overflow beyond 62 failures";
  EXPECT_EQ(queue.failures("a"), 200U);
  queue.forget("a");
  EXPECT_EQ(retry("a"), 5ms);
}

TEST(WorkQueue, RetriesOfAllKeysShareABucketAndPlainAddsDoNot) {
  ManualClock clock;
  WorkQueue queue(clock, {5ms, 1000s, 10, 100});
  base::Duration last{};
  for (int i = 0; i < 100; ++i) {
    last = queue.add_rate_limited("k" + std::to_string(i), Priority::kLow, 0);
  }
  EXPECT_EQ(last, 5ms) << "the burst";
  EXPECT_EQ(queue.add_rate_limited("over", Priority::kLow, 0), 100ms);
  EXPECT_EQ(queue.add_rate_limited("over2", Priority::kLow, 0), 200ms);
  queue.add("plain", Priority::kLow, 0);
  EXPECT_EQ(queue.stats().ready, 1U);
  clock.advance(10s);
  EXPECT_EQ(queue.add_rate_limited("later", Priority::kLow, 0), 5ms) << "the bucket has refilled";
}

TEST(WorkQueue, ShutDownWakesWaitersDrainsReadyAndDropsDelayedKeys) {
  ManualClock clock;
  WorkQueue queue(clock);
  std::vector<std::jthread> waiters;
  std::atomic<int> ended{0};
  for (int i = 0; i < 4; ++i) {
    waiters.emplace_back([&] {
      while (const auto item = queue.get({})) {
        queue.done(item->key);
      }
      ++ended;
    });
  }
  ASSERT_TRUE(clock.await_waiters(4));
  queue.shut_down();
  EXPECT_TRUE(eventually([&] { return ended == 4; }));

  WorkQueue second(clock);
  second.add("ready", Priority::kLow, 0);
  second.add_after("delayed", Priority::kLow, 0, 1s);
  second.shut_down();
  second.add("ignored", Priority::kHigh, 0);
  EXPECT_EQ(second.add_rate_limited("ignored", Priority::kHigh, 0), 0ms);
  clock.advance(10s);
  EXPECT_EQ(second.get({})->key, "ready");
  EXPECT_FALSE(second.get({}));
  second.done("ready");
}

TEST(WorkQueue, AStopTokenEndsAWaitAtOnce) {
  ManualClock clock;
  WorkQueue queue(clock);
  std::atomic<bool> ended{false};
  std::jthread waiter([&](const std::stop_token& stop) {
    EXPECT_FALSE(queue.get(stop));
    ended = true;
  });
  ASSERT_TRUE(clock.await_waiters(1));
  waiter.request_stop();
  EXPECT_TRUE(eventually([&] { return ended.load(); }));
}

TEST(WorkQueue, ShutDownWithDrainReturnsTheKeysStillHeld) {
  ManualClock clock;
  WorkQueue queue(clock);
  for (const char* key : {"b", "a", "waiting"}) {
    queue.add(key, Priority::kLow, 0);
  }
  take(queue);
  take(queue);
  EXPECT_EQ(queue.drop_queued(), 1U);
  std::vector<std::string> left;
  std::jthread drain([&] { left = queue.shut_down_with_drain({{}, clock.now() + 5s}); });
  ASSERT_TRUE(clock.await_waiters(1));
  queue.done("a");
  clock.advance(5s);
  drain.join();
  EXPECT_THAT(left, ElementsAre("b"));
  queue.done("b");
  EXPECT_THAT(queue.shut_down_with_drain({{}, base::kNever}), IsEmpty());
}

TEST(WorkQueue, NeverDeadlocksWhenShutDownRacesGetAndAdd) {
  constexpr int kThreads = 20;
  constexpr int kRounds = 1000;
  base::Clock& clock = base::system_clock();  // a manual clock polls and would hide a lost wake-up
  for (int round = 0; round < kRounds; round += kThreads) {
    std::vector<std::unique_ptr<WorkQueue>> queues;
    for (int i = 0; i < kThreads; ++i) {
      queues.push_back(std::make_unique<WorkQueue>(clock));
    }
    // Each thread adds to, takes from and finally shuts down every queue, starting at another one.
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < kThreads; ++i) {
          WorkQueue& queue = *queues[static_cast<std::size_t>((t + i) % kThreads)];
          queue.add("k" + std::to_string(t % 3), Priority::kLow, 1);
          queue.add_after("d", Priority::kHigh, 1, 1s);
          if (const auto item = queue.get({})) {
            queue.add(item->key, Priority::kLow, 2);
            queue.done(item->key);
          }
          queue.shut_down();
        }
      });
    }
    threads.clear();  // joins: a deadlock is the test's time-out
    for (const auto& queue : queues) {
      EXPECT_EQ(queue->stats().processing, 0U);
    }
  }
}

TEST(WorkQueue, ADueKeyIsServedWhileTheWorkerThatWaitedFirstIsBusy) {
  ManualClock clock;
  WorkQueue queue(clock);
  std::atomic<bool> hold{true};
  std::atomic<int> served{0};
  std::vector<std::jthread> workers;
  for (int i = 0; i < 2; ++i) {
    workers.emplace_back([&] {
      while (const auto item = queue.get({})) {
        if (item->key == "long") {
          eventually([&] { return !hold; });
        } else {
          ++served;
        }
        queue.done(item->key);
      }
    });
  }
  queue.add_after("first", Priority::kLow, 0, 1s);
  ASSERT_TRUE(clock.await_waiters(2));
  queue.add("long", Priority::kLow, 0);
  ASSERT_TRUE(eventually([&] { return queue.stats().processing == 1; }));
  queue.add_after("second", Priority::kLow, 0, 2s);
  clock.advance(1s);
  EXPECT_TRUE(eventually([&] { return served == 1; }));
  clock.advance(1s);
  EXPECT_TRUE(eventually([&] { return served == 2; }));
  hold = false;
  queue.shut_down();
}

// Malloc's own count of bytes in use; 0 where a sanitizer has replaced malloc.
std::size_t bytes_in_use() { return mallinfo2().uordblks; }

TEST(WorkQueue, ReturnsToItsFirstSizeAfterAMillionKeys) {
  ManualClock clock;
  WorkQueue queue(clock, {5ms, 1000s, 0, 0});
  queue.add("warm", Priority::kLow, 0);
  take_all(queue);
  const std::size_t before = bytes_in_use();
  constexpr int kKeys = 1'000'000;
  for (int i = 0; i < kKeys; ++i) {
    const std::string key = "namespace/deployment-" + std::to_string(i);
    queue.add(key, Priority::kLow, 1);
    queue.add_rate_limited(key, Priority::kLow, 1);
  }
  EXPECT_EQ(queue.stats().failing, std::size_t{kKeys});
  for (int i = 0; i < kKeys; ++i) {
    const auto item = queue.get({});
    queue.forget(item->key);
    queue.done(item->key);
  }
  const WorkQueueStats stats = queue.stats();
  EXPECT_EQ(stats.ready + stats.delayed + stats.processing + stats.parked + stats.failing, 0U);
  EXPECT_LE(bytes_in_use(), before + 65536);
}

TEST(WorkQueue, CountsAndTimesForMetrics) {
  struct Observer final : WorkQueueObserver {
    void on_added() override { ++added; }
    void on_taken(base::Duration d) override { waited = d; }
    void on_done(base::Duration d) override { worked = d; }
    void on_retry() override { ++retried; }
    int added = 0;
    int retried = 0;
    base::Duration waited{};
    base::Duration worked{};
  } seen;
  ManualClock clock;
  WorkQueue queue(clock, {}, &seen);
  queue.add("a", Priority::kLow, 0);
  queue.add("a", Priority::kLow, 0);
  EXPECT_EQ(seen.added, 1);
  clock.advance(3s);
  take(queue);
  EXPECT_EQ(seen.waited, 3s);
  clock.advance(2s);
  EXPECT_EQ(queue.stats().unfinished, 2s);
  EXPECT_EQ(queue.stats().longest_running, 2s);
  EXPECT_THAT(queue.processing(), ElementsAre("a"));
  queue.done("a");
  EXPECT_EQ(seen.worked, 2s);
  queue.add_rate_limited("a", Priority::kLow, 0);
  EXPECT_EQ(seen.retried, 1);
  EXPECT_EQ(seen.added, 2);
  queue.done("never taken");
  EXPECT_EQ(queue.stats().processing, 0U);
}

// The same rules in the plainest form: a map of what waits, searched each time.
struct Model {
  struct Entry {
    Priority priority;
    std::uint32_t cause;
    long due;  // in steps
  };
  std::map<std::string, Entry> waiting;
  std::set<std::string> held;

  void add(const std::string& key, Priority priority, std::uint32_t cause, long now, long due) {
    due = std::max(due, now);
    Entry& entry = waiting.try_emplace(key, Entry{priority, cause, due}).first->second;
    entry.cause |= cause;
    entry.due = std::min(entry.due, due);
    entry.priority = std::max(entry.priority, priority);
  }
  // Every key that may be delivered now: ties between keys that became due together are not specified.
  std::set<std::string> candidates(long now) const {
    std::set<std::string> keys;
    for (const auto& [key, entry] : waiting) {
      if (entry.due <= now && !held.contains(key)) {
        keys.insert(key);
      }
    }
    return keys;
  }
};

TEST(WorkQueue, AgreesWithAReferenceModelOnRandomHistories) {
  for (std::uint32_t seed = 1; seed <= 200; ++seed) {
    std::mt19937 random(seed);
    const auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
    ManualClock clock;
    WorkQueue queue(clock);
    Model model;
    long now = 0;
    for (int step = 0; step < 300; ++step) {
      const std::string key(1, static_cast<char>('a' + below(6)));
      const Priority priority = below(2) == 0 ? Priority::kLow : Priority::kHigh;
      const std::uint32_t cause = 1U << below(5);
      switch (below(5)) {
        case 0:
          queue.add(key, priority, cause);
          model.add(key, priority, cause, now, now);
          break;
        case 1: {
          const int delay = below(20) - 2;
          queue.add_after(key, priority, cause, std::chrono::seconds(delay));
          model.add(key, priority, cause, now, now + delay);
          break;
        }
        case 2: {
          const std::set<std::string> allowed = model.candidates(now);
          ASSERT_EQ(queue.stats().ready, allowed.size()) << "seed " << seed << " step " << step;
          if (allowed.empty()) {
            break;
          }
          const WorkItem item = *queue.get({});
          ASSERT_TRUE(allowed.contains(item.key)) << "seed " << seed << " step " << step;
          const Model::Entry expected = model.waiting.at(item.key);
          EXPECT_EQ(item.cause, expected.cause) << "seed " << seed << " step " << step;
          EXPECT_EQ(item.priority, expected.priority) << "seed " << seed << " step " << step;
          if (item.priority == Priority::kLow) {
            for (const std::string& other : allowed) {
              EXPECT_EQ(model.waiting.at(other).priority, Priority::kLow) << "seed " << seed << " step " << step;
            }
          }
          model.waiting.erase(item.key);
          model.held.insert(item.key);
          break;
        }
        case 3:
          if (model.held.contains(key)) {
            queue.done(key);
            model.held.erase(key);
          }
          break;
        default:
          clock.advance(1s);
          ++now;
      }
      const WorkQueueStats stats = queue.stats();
      ASSERT_EQ(stats.ready + stats.delayed + stats.parked, model.waiting.size()) << "seed " << seed << " step " << step;
      ASSERT_EQ(stats.processing, model.held.size());
    }
  }
}

TEST(WorkQueue, ManyWorkersLoseAndDoubleNothing) {
  base::Clock& clock = base::system_clock();
  WorkQueue queue(clock);
  constexpr int kKeys = 50;
  std::array<std::atomic<int>, kKeys> holders{};
  std::array<std::atomic<std::uint32_t>, kKeys> seen{};
  std::atomic<bool> doubled{false};
  std::vector<std::jthread> workers;
  for (int i = 0; i < 8; ++i) {
    workers.emplace_back([&] {
      while (const auto item = queue.get({})) {
        const auto k = static_cast<std::size_t>(std::stoi(item->key));
        doubled = doubled || ++holders[k] != 1;
        seen[k] |= item->cause;
        --holders[k];
        queue.done(item->key);
      }
    });
  }
  {
    std::vector<std::jthread> adders;
    for (unsigned bit = 0; bit < 4; ++bit) {
      adders.emplace_back([&, bit] {
        for (int round = 0; round < 200; ++round) {
          for (int k = 0; k < kKeys; ++k) {
            queue.add(std::to_string(k), bit % 2 == 0 ? Priority::kLow : Priority::kHigh,
                      1U << (bit * 8U + static_cast<unsigned>(round) % 8U));
          }
        }
      });
    }
  }
  queue.shut_down();
  workers.clear();
  EXPECT_FALSE(doubled);
  for (const auto& causes : seen) {
    EXPECT_EQ(causes, 0xffffffffU) << "every cause of every key was delivered";
  }
}

}  // namespace
}  // namespace shutdown_auditor::runtime
