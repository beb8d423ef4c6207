#include "base/in_order.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <numeric>
#include <stdexcept>
#include <vector>

namespace shutdown_auditor::base {
namespace {

TEST(InOrder, ResultsComeInTheOrderOfTheWork) {
  for (const unsigned threads : {0U, 1U, 2U, 5U}) {
    std::vector<int> taken;
    InOrder<int> work(threads, [&](int& result) { taken.push_back(result); });
    for (int i = 0; i < 500; ++i) {
      work.add([i] {
        if (i % 7 == 0) std::this_thread::yield();
        return i;
      });
    }
    work.finish();
    std::vector<int> wanted(500);
    std::iota(wanted.begin(), wanted.end(), 0);
    EXPECT_EQ(taken, wanted) << threads << " threads";
  }
}

// The first piece ends only when the second has begun: one thread could never do it.
TEST(InOrder, PiecesAreUnderWayAtOnce) {
  std::mutex mutex;
  std::condition_variable changed;
  int begun = 0;
  const auto meet = [&] {
    std::unique_lock lock(mutex);
    ++begun;
    changed.notify_all();
    changed.wait(lock, [&] { return begun == 2; });
    return begun;
  };
  std::vector<int> taken;
  InOrder<int> work(2, [&](int& result) { taken.push_back(result); });
  work.add(meet);
  work.add(meet);
  work.finish();
  EXPECT_THAT(taken, testing::ElementsAre(2, 2));
}

TEST(InOrder, FewResultsWait) {
  std::atomic<int> made{0};
  int taken = 0;
  InOrder<int> work(2, [&](int&) { ++taken; });
  for (int i = 0; i < 200; ++i) {
    work.add([&] { return ++made; });
    EXPECT_LE(i + 1 - taken, 4);
  }
  work.finish();
  EXPECT_EQ(taken, 200);
}

TEST(InOrder, WhatTheWorkThrowsComesOut) {
  for (const unsigned threads : {0U, 2U}) {
    int taken = 0;
    InOrder<int> work(threads, [&](int&) { ++taken; });
    work.add([] { return 1; });
    EXPECT_THROW(
        {
          work.add([]() -> int { throw std::runtime_error("no"); });
          work.finish();
        },
        std::runtime_error);
    EXPECT_EQ(taken, 1);
  }
}

TEST(InOrder, AResultIsDestroyedWhereItWasMade) {
  std::atomic<int> elsewhere{0}, alive{0};
  class Made {
   public:
    Made(std::atomic<int>& elsewhere, std::atomic<int>& alive) : elsewhere_(elsewhere), alive_(alive) { ++alive_; }
    Made(const Made&) = delete;
    Made& operator=(const Made&) = delete;
    ~Made() {
      --alive_;
      if (std::this_thread::get_id() != thread_) ++elsewhere_;
    }

   private:
    std::atomic<int>& elsewhere_;
    std::atomic<int>& alive_;
    std::thread::id thread_ = std::this_thread::get_id();
  };
  int taken = 0;
  {
    InOrder<std::unique_ptr<Made>> work(3, [&](std::unique_ptr<Made>& made) { taken += made != nullptr ? 1 : 0; });
    for (int i = 0; i < 100; ++i) {
      work.add([&] { return std::make_unique<Made>(elsewhere, alive); });
    }
    work.finish();
  }
  EXPECT_EQ(taken, 100);
  EXPECT_EQ(elsewhere, 0);
  EXPECT_EQ(alive, 0);
}

// What is given up waits for nothing but the work that runs.
TEST(InOrder, MayBeGivenUp) {
  std::atomic<int> made{0};
  {
    InOrder<int> work(1, [](int&) {});
    work.add([&] { return ++made; });
    work.add([&] { return ++made; });
  }
  EXPECT_LE(made, 2);
}

}  // namespace
}  // namespace shutdown_auditor::base
