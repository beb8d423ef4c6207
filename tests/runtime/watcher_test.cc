#include "runtime/watcher.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "runtime/resource_version.h"

namespace shutdown_auditor::runtime {
namespace {

using kube::ErrorKind;
using std::chrono::milliseconds;
using std::chrono::seconds;

kube::Error error_of(ErrorKind kind, int code = 0, std::string reason = {}) {
  kube::Error error;
  error.kind = kind;
  error.code = code;
  error.reason = std::move(reason);
  return error;
}

objects::ListMeta page(std::string version, std::string continue_token = {}) {
  objects::ListMeta meta;
  meta.resource_version = std::move(version);
  meta.continue_token = std::move(continue_token);
  return meta;
}

// One line per step: "list rv=0 limit=500", "list continue=abc limit=500", "watch rv=7", with "+backoff" or "+absent".
std::string text_of(const WatcherStep& step) {
  std::string text = step.kind == WatcherStep::Kind::kWatch ? "watch" : "list";
  if (step.resource_version) text += " rv=" + *step.resource_version;
  if (!step.continue_token.empty()) text += " continue=" + step.continue_token;
  if (step.limit > 0) text += " limit=" + std::to_string(step.limit);
  if (step.delay == Delay::kBackoff) text += " +backoff";
  if (step.delay == Delay::kAbsent) text += " +absent";
  return text;
}

// A watcher that has listed at version 7 and watches.
Watcher watching(WatcherOptions options = {}) {
  Watcher watcher(options);
  watcher.start();
  watcher.page_listed(page("7"));
  return watcher;
}

// A watcher that has seen an event since.
Watcher watching_with_progress() {
  Watcher watcher = watching();
  watcher.event(WatchEventType::kModified, "8");
  return watcher;
}

TEST(Watcher, ListsFromTheWatchCacheFirst) { EXPECT_EQ(text_of(Watcher().start()), "list rv=0 limit=500"); }

TEST(Watcher, QuorumFlagListsFromEtcdFirst) {
  WatcherOptions options;
  options.quorum_first_list = true;
  EXPECT_EQ(text_of(Watcher(options).start()), "list rv= limit=500");
}

TEST(Watcher, WatchesFromTheVersionOfTheList) {
  Watcher watcher;
  watcher.start();
  EXPECT_EQ(text_of(watcher.page_listed(page("7"))), "watch rv=7");
  EXPECT_EQ(watcher.state(), Watcher::State::kWatching);
}

TEST(Watcher, RelistsAtTheLastVersionSeenAndWithoutLimit) {
  Watcher watcher = watching_with_progress();
  EXPECT_EQ(text_of(watcher.error_event(error_of(ErrorKind::kExpired, 410))), "list rv=8");
}

TEST(Watcher, FollowsContinueTokensWithTheLimitAndWithoutAVersion) {
  Watcher watcher;
  watcher.start();
  const WatcherStep second = watcher.page_listed(page("7", "abc"));
  EXPECT_EQ(text_of(second), "list continue=abc limit=500");
  EXPECT_FALSE(second.first_page());
  EXPECT_EQ(watcher.state(), Watcher::State::kListing);
  EXPECT_EQ(text_of(watcher.page_listed(page("7"))), "watch rv=7");
}

TEST(Watcher, KeepsPagingWhenTheServerHasNoWatchCache) {
  Watcher watcher;
  watcher.start();
  watcher.page_listed(page("7", "abc"));
  watcher.page_listed(page("7"));
  EXPECT_EQ(text_of(watcher.error_event(error_of(ErrorKind::kExpired, 410))), "list rv=7 limit=500 +backoff");
}

TEST(Watcher, ExpiredOrTooLargeListFallsBackToEtcdOnce) {
  for (const ErrorKind kind : {ErrorKind::kExpired, ErrorKind::kVersionTooLarge}) {
    Watcher watcher = watching_with_progress();
    EXPECT_EQ(text_of(watcher.error_event(error_of(ErrorKind::kExpired, 410))), "list rv=8");
    EXPECT_EQ(text_of(watcher.list_failed(error_of(kind))), "list rv= limit=500");
    // Nothing to fall back to any more: the same again, after a while.
    EXPECT_EQ(text_of(watcher.list_failed(error_of(kind))), "list rv= limit=500 +backoff");
    // A success makes it normal again.
    EXPECT_EQ(text_of(watcher.page_listed(page("20"))), "watch rv=20");
    EXPECT_EQ(text_of(watcher.error_event(error_of(ErrorKind::kExpired, 410))), "list rv=20 +backoff");
  }
}

TEST(Watcher, OtherListFailuresKeepTheVersion) {
  for (const ErrorKind kind : {ErrorKind::kUnavailable, ErrorKind::kTimeout, ErrorKind::kTls, ErrorKind::kUnauthorized,
                               ErrorKind::kForbidden, ErrorKind::kTooManyRequests, ErrorKind::kProtocol}) {
    Watcher watcher = watching_with_progress();
    watcher.error_event(error_of(ErrorKind::kExpired, 410));
    EXPECT_EQ(text_of(watcher.list_failed(error_of(kind))), "list rv=8 +backoff") << to_string(kind);
  }
}

TEST(Watcher, ExpiredContinueTokenRestartsTheListWithoutLimit) {
  Watcher watcher;
  watcher.start();
  watcher.page_listed(page("7", "abc"));
  const WatcherStep again = watcher.list_failed(error_of(ErrorKind::kExpired, 410));
  EXPECT_EQ(text_of(again), "list rv=0");
  EXPECT_TRUE(again.first_page());
  // When even that fails, pages may do better.
  EXPECT_EQ(text_of(watcher.list_failed(error_of(ErrorKind::kTimeout))), "list rv=0 limit=500 +backoff");
}

TEST(Watcher, FailureInTheMiddleOfAListStartsFromItsFirstPage) {
  Watcher watcher;
  watcher.start();
  watcher.page_listed(page("7", "abc"));
  const WatcherStep again = watcher.list_failed(error_of(ErrorKind::kUnavailable));
  EXPECT_TRUE(again.first_page());
  EXPECT_EQ(text_of(again), "list rv=0 limit=500 +backoff");
}

TEST(Watcher, ListWithoutAVersionIsAnError) {
  for (const char* version : {"", "0"}) {
    Watcher watcher;
    watcher.start();
    EXPECT_EQ(text_of(watcher.page_listed(page(version))), "list rv=0 limit=500 +backoff");
    EXPECT_EQ(watcher.resource_version(), "");
  }
}

TEST(Watcher, RepeatedContinueTokenIsAnErrorNotALoop) {
  Watcher watcher;
  watcher.start();
  watcher.page_listed(page("7", "abc"));
  EXPECT_EQ(text_of(watcher.page_listed(page("7", "abc"))), "list rv=0 limit=500 +backoff");
}

TEST(Watcher, AbsentResourceTypeIsListedAgainSlowly) {
  Watcher fresh;
  fresh.start();
  EXPECT_EQ(text_of(fresh.list_failed(error_of(ErrorKind::kNotFound, 404))), "list rv=0 limit=500 +absent");
  Watcher watcher = watching();
  EXPECT_EQ(text_of(watcher.watch_failed(error_of(ErrorKind::kNotFound, 404))), "list rv=7 +absent");
}

TEST(Watcher, CleanEndResumesAtOnceFromTheLastVersion) {
  Watcher watcher = watching_with_progress();
  EXPECT_EQ(text_of(watcher.stream_ended(seconds(250))), "watch rv=8");
}

TEST(Watcher, VeryShortWatchWithoutEventsIsAFailure) {
  Watcher watcher = watching();
  EXPECT_EQ(text_of(watcher.stream_ended(milliseconds(999))), "watch rv=7 +backoff");
  EXPECT_EQ(text_of(watcher.stream_ended(seconds(1))), "watch rv=7");
  watcher.event(WatchEventType::kAdded, "9");
  EXPECT_EQ(text_of(watcher.stream_ended(milliseconds(1))), "watch rv=9");
  // The event counted for its own watch only.
  EXPECT_EQ(text_of(watcher.stream_ended(milliseconds(1))), "watch rv=9 +backoff");
}

TEST(Watcher, ShortWatchThatOnlyRepeatsTheVersionIsAFailure) {
  Watcher watcher = watching();
  watcher.event(WatchEventType::kBookmark, "7");
  EXPECT_EQ(text_of(watcher.stream_ended(milliseconds(1))), "watch rv=7 +backoff");
}

TEST(Watcher, ExpiredWatchRelistsWhetherEventOrStatus) {
  Watcher by_event = watching_with_progress();
  EXPECT_EQ(text_of(by_event.error_event(error_of(ErrorKind::kExpired, 410, "Expired"))), "list rv=8");
  Watcher by_status = watching_with_progress();
  EXPECT_EQ(text_of(by_status.watch_failed(error_of(ErrorKind::kExpired, 410, "Gone"))), "list rv=8");
}

TEST(Watcher, ListAndWatchThatExpireInTurnBackOff) {
  Watcher watcher = watching();
  EXPECT_EQ(text_of(watcher.watch_failed(error_of(ErrorKind::kExpired, 410))), "list rv=7 +backoff");
}

TEST(Watcher, TooLargeVersionOnAWatchRelistsAtThatVersion) {
  Watcher watcher = watching_with_progress();
  EXPECT_EQ(text_of(watcher.watch_failed(error_of(ErrorKind::kVersionTooLarge, 504))), "list rv=8");
}

TEST(Watcher, InternalErrorsAreRetriedThenRelisted) {
  for (const char* reason : {"InternalError", "StorageReadError"}) {
    Watcher watcher = watching();
    const kube::Error error = error_of(ErrorKind::kUnavailable, 500, reason);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(text_of(watcher.error_event(error)), "watch rv=7 +backoff");
    EXPECT_EQ(text_of(watcher.error_event(error)), "list rv=7 +backoff");
  }
}

TEST(Watcher, ProgressForgivesInternalErrors) {
  Watcher watcher = watching();
  const kube::Error error = error_of(ErrorKind::kUnavailable, 500, "InternalError");
  for (int i = 0; i < 3; ++i) watcher.error_event(error);
  watcher.event(WatchEventType::kModified, "8");
  EXPECT_EQ(text_of(watcher.error_event(error)), "watch rv=8 +backoff");
}


TEST(Watcher, WatchFailuresThatKeepTheVersion) {
  for (const kube::Error& error :
       {error_of(ErrorKind::kTooManyRequests, 429), error_of(ErrorKind::kUnavailable), error_of(ErrorKind::kTimeout),
        error_of(ErrorKind::kUnavailable, 503), error_of(ErrorKind::kTls), error_of(ErrorKind::kUnauthorized, 401),
        error_of(ErrorKind::kForbidden, 403)}) {
    Watcher started = watching();
    EXPECT_EQ(text_of(started.watch_failed(error)), "watch rv=7 +backoff") << to_string(error.kind);
    Watcher event = watching();
    EXPECT_EQ(text_of(event.error_event(error)), "watch rv=7 +backoff") << to_string(error.kind);
  }
}

TEST(Watcher, OtherErrorEventsRelist) {
  for (const ErrorKind kind : {ErrorKind::kInvalid, ErrorKind::kProtocol, ErrorKind::kConflict}) {
    Watcher watcher = watching();
    EXPECT_EQ(text_of(watcher.error_event(error_of(kind))), "list rv=7 +backoff") << to_string(kind);
  }
}

TEST(Watcher, RetryAfterIsPassedOn) {
  kube::Error error = error_of(ErrorKind::kTooManyRequests, 429);
  error.retry_after = seconds(3);
  Watcher watcher = watching();
  EXPECT_EQ(watcher.watch_failed(error).at_least, seconds(3));
  Watcher lister;
  lister.start();
  EXPECT_EQ(lister.list_failed(error).at_least, seconds(3));
}

TEST(Watcher, BrokenStreamResumesFromTheLastCompleteEvent) {
  Watcher watcher = watching_with_progress();
  EXPECT_EQ(text_of(watcher.stream_broken(error_of(ErrorKind::kUnavailable), milliseconds(5))), "watch rv=8");
  EXPECT_EQ(text_of(watcher.stream_broken(error_of(ErrorKind::kUnavailable), seconds(10))), "watch rv=8");
  EXPECT_EQ(text_of(watcher.stream_broken(error_of(ErrorKind::kUnavailable), milliseconds(5))), "watch rv=8 +backoff");
}

TEST(Watcher, BrokenLineIsTriedAgainOnceThenPassedByAList) {
  Watcher watcher = watching_with_progress();
  const kube::Error line = error_of(ErrorKind::kProtocol);
  EXPECT_EQ(text_of(watcher.stream_broken(line, seconds(10))), "watch rv=8 +backoff");
  watcher.event(WatchEventType::kModified, "9");
  EXPECT_EQ(text_of(watcher.stream_broken(line, seconds(10))), "watch rv=9 +backoff");
  EXPECT_EQ(text_of(watcher.stream_broken(line, seconds(10))), "list rv=9 +backoff");
}

TEST(Watcher, SilenceResumesWithoutARelist) {
  Watcher watcher = watching_with_progress();
  EXPECT_EQ(text_of(watcher.idle_expired()), "watch rv=8");
}

TEST(Watcher, EveryKindOfEventMovesTheVersion) {
  Watcher watcher = watching();
  int version = 8;
  for (const WatchEventType type : {WatchEventType::kAdded, WatchEventType::kModified, WatchEventType::kDeleted,
                                    WatchEventType::kBookmark}) {
    EXPECT_FALSE(watcher.event(type, std::to_string(version)));
    EXPECT_EQ(watcher.resource_version(), std::to_string(version++));
  }
}

TEST(Watcher, EventWithoutAVersionRelists) {
  Watcher watcher = watching();
  const auto step = watcher.event(WatchEventType::kModified, "");
  ASSERT_TRUE(step);
  EXPECT_EQ(text_of(*step), "list rv=7 +backoff");
}

TEST(Watcher, UnknownEventTypeIsIgnored) {
  Watcher watcher = watching();
  EXPECT_FALSE(watcher.event(WatchEventType::kUnknown, "99"));
  EXPECT_EQ(watcher.resource_version(), "7");
  EXPECT_EQ(watch_event_type("RENAMED"), WatchEventType::kUnknown);
  EXPECT_EQ(watch_event_type("BOOKMARK"), WatchEventType::kBookmark);
}

TEST(Watcher, UndecodableEventRelists) {
  Watcher watcher = watching();
  EXPECT_EQ(text_of(watcher.undecodable_event()), "list rv=7 +backoff");
}

TEST(ResourceVersion, ComparesDecimalIntegersOnly) {
  struct Row {
    const char* a;
    const char* b;
    std::optional<std::strong_ordering> order;
  };
  const Row rows[] = {
      {"7", "7", std::strong_ordering::equal},
      {"9", "10", std::strong_ordering::less},
      {"100", "99", std::strong_ordering::greater},
      {"0", "1", std::strong_ordering::less},
      {"99999999999999999999999", "100000000000000000000000", std::strong_ordering::less},
      {"", "1", std::nullopt},
      {"07", "7", std::nullopt},
      {"-1", "1", std::nullopt},
      {"+1", "1", std::nullopt},
      {"1.0", "1", std::nullopt},
      {"abc", "abc", std::nullopt},
  };
  for (const Row& row : rows) EXPECT_EQ(compare_resource_versions(row.a, row.b), row.order) << row.a << " " << row.b;
  EXPECT_TRUE(reached("10", "9"));
  EXPECT_FALSE(reached("9", "10"));
  EXPECT_TRUE(reached("abc", "abc"));
  EXPECT_FALSE(reached("abc", "abd"));
}

}  // namespace
}  // namespace shutdown_auditor::runtime
