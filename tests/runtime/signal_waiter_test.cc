#include "runtime/signal_waiter.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <csignal>

#include "support/manual_clock.h"

namespace shutdown_auditor::runtime {
namespace {

using testing_support::eventually;

class SignalWaiterTest : public testing::Test {
 protected:
  void SetUp() override {
    pthread_sigmask(SIG_SETMASK, nullptr, &before_);
    SignalWaiter::block_signals();
  }
  void TearDown() override { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

TEST_F(SignalWaiterTest, TurnsSignalsIntoCalls) {
  for (const int signal : {SIGTERM, SIGINT}) {
    std::atomic<int> terminated{0};
    std::atomic<int> user1{0};
    std::atomic<int> user2{0};
    auto waiter = SignalWaiter::create({[&](int which) { terminated = which; }, [&] { ++user1; }, [&] { ++user2; }});
    ASSERT_TRUE(waiter);
    kill(getpid(), SIGUSR1);
    EXPECT_TRUE(eventually([&] { return user1 == 1; }));
    kill(getpid(), SIGUSR2);
    EXPECT_TRUE(eventually([&] { return user2 == 1; }));
    kill(getpid(), signal);
    EXPECT_TRUE(eventually([&] { return terminated == signal; }));
  }
}

TEST_F(SignalWaiterTest, IgnoresUserSignalsWithoutAFunctionAndEndsWithoutAnySignal) {
  std::atomic<int> terminated{0};
  auto waiter = SignalWaiter::create({[&](int) { ++terminated; }, nullptr, nullptr});
  ASSERT_TRUE(waiter);
  kill(getpid(), SIGUSR1);
  kill(getpid(), SIGUSR2);
  kill(getpid(), SIGTERM);  // delivered after the others: the lowest number comes first
  EXPECT_TRUE(eventually([&] { return terminated == 1; }));
  (*waiter).reset();
  waiter = SignalWaiter::create({[](int) {}, nullptr, nullptr});
  (*waiter).reset();
}

TEST_F(SignalWaiterTest, IgnoresWritesToClosedPipes) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  close(ends[0]);
  EXPECT_EQ(write(ends[1], "x", 1), -1) << "and lives";
  close(ends[1]);
}

TEST_F(SignalWaiterTest, ASecondSignalEndsTheProcessAtOnceWithStatusOne) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        SignalWaiter::block_signals();
        std::atomic<int> seen{0};
        const auto waiter = SignalWaiter::create({[&](int) { ++seen; }, nullptr, nullptr});
        kill(getpid(), SIGTERM);
        eventually([&] { return seen == 1; });
        kill(getpid(), SIGINT);
        eventually([] { return false; });  // hangs, like a shutdown that does not come to its end
        _exit(0);
      },
      testing::ExitedWithCode(1), "");
}

}  // namespace
}  // namespace shutdown_auditor::runtime
