#include "kube/credentials.h"

#include <gmock/gmock.h>

#include <atomic>

#include "kube/log_capture.h"
#include "support/temp_dir.h"
#include "support/manual_clock.h"

namespace shutdown_auditor::kube {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing_support::eventually;
using testing_support::LogCapture;
using testing_support::ManualClock;
using testing_support::TempDir;

TEST(TokenFile, IsTrimmedAndReadAgainAfterFiftySeconds) {
  ManualClock clock;
  const TempDir dir;
  TokenFile credentials(dir.write("token", "  one\n"), clock);
  EXPECT_EQ(*credentials.token({}), "one");
  dir.write("token", "two\n");
  clock.advance(49s);
  EXPECT_EQ(*credentials.token({}), "one");
  clock.advance(1s);
  EXPECT_EQ(*credentials.token({}), "two");
}

TEST(TokenFile, KeepsTheLastGoodTokenAndSaysSoOnce) {
  ManualClock clock;
  const TempDir dir;
  TokenFile credentials(dir.write("token", "good"), clock);
  ASSERT_EQ(*credentials.token({}), "good");
  LogCapture::clear();
  dir.write("token", " \n");
  for (int i = 0; i < 3; ++i) {
    clock.advance(60s);
    EXPECT_EQ(*credentials.token({}), "good");
  }
  EXPECT_EQ(LogCapture::count("token file cannot be used"), 1);
  dir.remove("token");
  clock.advance(60s);
  EXPECT_EQ(*credentials.token({}), "good");
  dir.write("token", "better");
  clock.advance(60s);
  EXPECT_EQ(*credentials.token({}), "better");
}

TEST(TokenFile, WithoutAnythingGoodItFails) {
  ManualClock clock;
  const TempDir dir;
  TokenFile missing(dir / "token", clock);
  EXPECT_THAT(missing.token({}).error().message, HasSubstr(dir / "token"));
  TokenFile empty(dir.write("empty", "\n"), clock);
  EXPECT_THAT(empty.token({}).error().message, HasSubstr("is empty"));
  TokenFile lines(dir.write("lines", "a\r\nX-Evil: 1"), clock);
  EXPECT_THAT(lines.token({}).error().message, HasSubstr("more than one line"));
  TokenFile folder(dir.path(), clock);
  EXPECT_FALSE(folder.token({}));
}

TEST(TokenFile, A401MakesItReadAgainAtOnceUnlessItWasReadSince) {
  ManualClock clock;
  const TempDir dir;
  TokenFile credentials(dir.write("token", "one"), clock);
  ASSERT_EQ(*credentials.token({}), "one");
  const base::SteadyTime started = clock.now();
  dir.write("token", "two");
  EXPECT_TRUE(credentials.invalidate(started));
  clock.advance(1s);
  EXPECT_EQ(*credentials.token({}), "two");
  dir.write("token", "three");
  EXPECT_TRUE(credentials.invalidate(started));  // "two" was read after that request had started
  EXPECT_EQ(*credentials.token({}), "two");
}

TEST(StaticToken, NeverChanges) {
  StaticToken credentials("fixed");
  EXPECT_EQ(*credentials.token({}), "fixed");
  EXPECT_FALSE(credentials.invalidate(base::kNever));
  EXPECT_EQ(*StaticToken().token({}), "");
}

class ExecCredentialsTest : public testing::Test {
 protected:
  // Each run gives token-1, token-2, …, good for `lifetime_`.
  ExecCredentials::Run counting() {
    return [this](const std::stop_token&) -> base::Result<ExecCredential> {
      ExecCredential credential{.token = "token-" + std::to_string(++runs_)};
      if (lifetime_ > base::Duration::zero()) {
        credential.expires = clock_.wall_now() + std::chrono::duration_cast<base::WallTime::duration>(lifetime_);
      }
      return credential;
    };
  }

  ManualClock clock_;
  std::atomic<int> runs_ = 0;
  base::Duration lifetime_{};
};

TEST_F(ExecCredentialsTest, AreKeptUntilTheyExpire) {
  lifetime_ = 10min;
  ExecCredentials credentials(counting(), clock_);
  EXPECT_EQ(*credentials.token({}), "token-1");
  clock_.advance(9min);
  EXPECT_EQ(*credentials.token({}), "token-1");
  clock_.advance(1min);
  EXPECT_EQ(*credentials.token({}), "token-2");
}

TEST_F(ExecCredentialsTest, WithoutExpiryTheyAreKeptUntilA401) {
  ExecCredentials credentials(counting(), clock_);
  EXPECT_EQ(*credentials.token({}), "token-1");
  const base::SteadyTime started = clock_.now();
  clock_.advance(24h);
  EXPECT_EQ(*credentials.token({}), "token-1");
  EXPECT_TRUE(credentials.invalidate(started));
  EXPECT_EQ(*credentials.token({}), "token-2");
  EXPECT_TRUE(credentials.invalidate(started));  // a late 401 of the same time: token-2 is newer
  EXPECT_EQ(*credentials.token({}), "token-2");
}

TEST_F(ExecCredentialsTest, OneRunServesEveryoneWhoWaits) {
  std::atomic<bool> open = false;
  ExecCredentials credentials(
      [&](const std::stop_token&) -> base::Result<ExecCredential> {
        ++runs_;
        eventually([&] { return open.load(); });
        return ExecCredential{.token = "shared"};
      },
      clock_);
  std::atomic<int> served = 0;
  {
    std::vector<std::jthread> callers;
    for (int i = 0; i < 8; ++i) {
      callers.emplace_back([&] { served += *credentials.token({}) == "shared" ? 1 : 0; });
    }
    EXPECT_TRUE(clock_.await_waiters(8));
    open = true;
  }
  EXPECT_EQ(served, 8);
  EXPECT_EQ(runs_, 1);
}

TEST_F(ExecCredentialsTest, ACallerCanGiveUpWhileTheRunGoesOn) {
  std::atomic<bool> open = false;
  ExecCredentials credentials(
      [&](const std::stop_token&) -> base::Result<ExecCredential> {
        ++runs_;
        eventually([&] { return open.load(); });
        return ExecCredential{.token = "late"};
      },
      clock_);
  EXPECT_EQ(credentials.token({.deadline = clock_.now()}).error().kind, base::ErrorKind::kTimeout);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(credentials.token({.stop = stop.get_token()}).error().kind, base::ErrorKind::kCancelled);
  open = true;
  EXPECT_EQ(*credentials.token({}), "late");
  EXPECT_EQ(runs_, 1);
}

TEST_F(ExecCredentialsTest, AFailureIsToldAndTheNextCallTriesAgain) {
  ExecCredentials credentials(
      [&](const std::stop_token&) -> base::Result<ExecCredential> {
        if (++runs_ == 1) {
          return base::fail(base::ErrorKind::kIo, "broken");
        }
        return ExecCredential{.token = "ok"};
      },
      clock_);
  EXPECT_EQ(credentials.token({}).error().message, "broken");
  EXPECT_EQ(*credentials.token({}), "ok");
}

TEST_F(ExecCredentialsTest, TheDestructorEndsARun) {
  std::atomic<bool> ended = false;
  {
    ExecCredentials credentials(
        [&](const std::stop_token& stop) -> base::Result<ExecCredential> {
          ended = eventually([&] { return stop.stop_requested(); });
          return base::fail(base::ErrorKind::kCancelled, "stopped");
        },
        clock_);
    EXPECT_FALSE(credentials.token({.deadline = clock_.now()}));
  }
  EXPECT_TRUE(ended);
}

}  // namespace
}  // namespace shutdown_auditor::kube
