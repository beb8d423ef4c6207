#include "runtime/event_recorder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "base/text.h"
#include "kube_support/fake_api.h"
#include "support/fixed_random.h"
#include "support/manual_clock.h"

namespace shutdown_auditor::runtime {
namespace {

using namespace std::chrono_literals;
using kube::resources::kEvents;
using nlohmann::json;
using testing::EndsWith;
using testing::StartsWith;
using testing_support::eventually;
using testing_support::FakeApi;
using testing_support::FixedRandom;
using testing_support::ManualClock;

class Counts final : public EventObserver {
 public:
  void on_sent(EventType) override {
    const std::lock_guard lock(mutex_);
    ++sent_;
  }
  void on_dropped(std::string_view why) override {
    const std::lock_guard lock(mutex_);
    ++dropped_[std::string(why)];
  }
  int sent() const {
    const std::lock_guard lock(mutex_);
    return sent_;
  }
  int dropped(const std::string& why) const {
    const std::lock_guard lock(mutex_);
    const auto found = dropped_.find(why);
    return found == dropped_.end() ? 0 : found->second;
  }

 private:
  mutable std::mutex mutex_;
  int sent_ = 0;
  std::map<std::string, int> dropped_;
};

ObjectReference web() { return {"apps/v1", "Deployment", "shop", "web", "uid-1"}; }
EventText warning(std::string note) { return {EventType::kWarning, "TooShort", "Audit", std::move(note)}; }
EventText normal(std::string note) { return {EventType::kNormal, "Fine", "Audit", std::move(note)}; }

kube::Error error_of(kube::ErrorKind kind) {
  kube::Error error;
  error.kind = kind;
  error.message = std::string(kube::to_string(kind));
  return error;
}

class EventRecorderTest : public testing::Test {
 protected:
  static EventRecorderOptions options() {
    EventRecorderOptions o;
    o.controller = "example.dev/controller";
    o.instance = "host-1";
    o.per_second = 0;
    return o;
  }
  void start(EventRecorderOptions o = options()) {
    recorder = std::make_unique<EventRecorder>(std::move(o), api, clock, random, &counts);
    recorder->start();
  }
  // Records and waits until the writer has dealt with it.
  void record(const EventText& text, const ObjectReference& regarding = web()) {
    const int before = handled();
    recorder->record(regarding, text);
    ASSERT_TRUE(eventually([&] { return handled() == before + 1; }));
  }
  int handled() const {
    return counts.sent() + counts.dropped("spam") + counts.dropped("refused") + counts.dropped("unreachable") +
           counts.dropped("queue");
  }
  json only_event() const {
    const auto all = api.all(kEvents);
    EXPECT_EQ(all.size(), 1U);
    return all.empty() ? json() : json::parse(all.front());
  }

  ManualClock clock;
  FixedRandom random;
  FakeApi api{clock};
  Counts counts;
  std::unique_ptr<EventRecorder> recorder;
};

TEST_F(EventRecorderTest, WritesEveryFieldOfAnEventsV1Event) {
  start();
  recorder->record(web(), warning("needs 60 s, has 30 s"),
                   ObjectReference{"policy/v1", "PodDisruptionBudget", "shop", "pdb", "uid-2"});
  ASSERT_TRUE(eventually([&] { return counts.sent() == 1; }));
  const json event = only_event();
  EXPECT_EQ(event["apiVersion"], "events.k8s.io/v1");
  EXPECT_EQ(event["metadata"]["namespace"], "shop");
  EXPECT_THAT(event["metadata"]["name"].get<std::string>(), StartsWith("web."));
  EXPECT_EQ(event["eventTime"], "2026-01-01T00:00:00.000000Z");
  EXPECT_EQ(event["reportingController"], "example.dev/controller");
  EXPECT_EQ(event["reportingInstance"], "host-1");
  EXPECT_EQ(event["action"], "Audit");
  EXPECT_EQ(event["reason"], "TooShort");
  EXPECT_EQ(event["type"], "Warning");
  EXPECT_EQ(event["note"], "needs 60 s, has 30 s");
  const json regarding = {{"apiVersion", "apps/v1"}, {"kind", "Deployment"}, {"namespace", "shop"},
                          {"name", "web"}, {"uid", "uid-1"}};
  EXPECT_EQ(event["regarding"], regarding);
  EXPECT_EQ(event["related"]["name"], "pdb");
  EXPECT_FALSE(event.contains("series"));
}

TEST_F(EventRecorderTest, CutsLongFieldsBetweenCharacters) {
  EventRecorderOptions o = options();
  o.instance = std::string(200, 'h');
  start(o);
  std::string euros;
  for (int i = 0; i < 500; ++i) {
    euros += "\xE2\x82\xAC";
  }
  recorder->record(web(), {EventType::kWarning, std::string(300, 'R'), std::string(300, 'A'), euros + "\xFF"});
  ASSERT_TRUE(eventually([&] { return counts.sent() == 1; }));
  const json event = only_event();
  const std::string note = event["note"];
  EXPECT_LE(note.size(), 1024U);
  EXPECT_GT(note.size(), 1015U);
  EXPECT_TRUE(base::is_utf8(note));
  EXPECT_LE(event["reason"].get<std::string>().size(), 128U);
  EXPECT_LE(event["action"].get<std::string>().size(), 128U);
  EXPECT_LE(event["reportingInstance"].get<std::string>().size(), 128U);
}

TEST_F(EventRecorderTest, NamesAreDnsNamesMadeOfObjectContentAndTime) {
  struct Case {
    std::string object;
    std::string prefix;
  };
  const Case cases[] = {{"web", "web."},
                        {"system:node:a", "systemnodea."},
                        {"::", "event."},
                        {"a-", "a."},
                        {std::string(253, 'x'), std::string(236, 'x') + "."}};
  start();
  std::size_t count = 0;
  for (const Case& c : cases) {
    record(warning("n"), {"v1", "Thing", "shop", c.object, "u" + std::to_string(count)});
    EXPECT_EQ(api.all(kEvents).size(), ++count);
    bool found = false;
    for (const std::string& text : api.all(kEvents)) {
      const std::string name = json::parse(text)["metadata"]["name"];
      EXPECT_LE(name.size(), 253U);
      found = found || (name.starts_with(c.prefix) && name.size() == c.prefix.size() + 16);
    }
    EXPECT_TRUE(found) << c.object;
  }
}

TEST_F(EventRecorderTest, EventsOnClusterScopedObjectsGoToDefault) {
  start();
  record(warning("n"), {"v1", "Node", "", "node-1", "u"});
  const json event = only_event();
  EXPECT_EQ(event["metadata"]["namespace"], "default");
  EXPECT_FALSE(event["regarding"].contains("namespace"));
}

TEST_F(EventRecorderTest, EqualEventsWithinSixMinutesBecomeASeries) {
  start();
  record(warning("same"));
  clock.advance(1min);
  record(warning("same"));
  EXPECT_EQ(only_event()["series"]["count"], 2) << "the second is written at once";
  EXPECT_EQ(only_event()["series"]["lastObservedTime"], "2026-01-01T00:01:00.000000Z");
  for (int i = 0; i < 3; ++i) {
    clock.advance(5min);
    record(warning("same"));
  }
  EXPECT_EQ(only_event()["series"]["count"], 2) << "later ones wait";
  EXPECT_EQ(api.count("patch"), 1U);
  for (int i = 0; i < 3; ++i) {
    clock.advance(5min);
    record(warning("same"));
  }
  EXPECT_TRUE(eventually([&] { return only_event()["series"]["count"] == 8; })) << "refreshed after 30 min";
  EXPECT_EQ(api.count("create"), 1U);
  EXPECT_EQ(api.count("patch"), 2U);
}

TEST_F(EventRecorderTest, TheEndOfASeriesWritesItsCountAndStartsAnew) {
  start();
  for (int i = 0; i < 3; ++i) {
    record(warning("same"));
  }
  EXPECT_EQ(api.count("patch"), 1U);
  clock.advance(6min + 1s);
  EXPECT_TRUE(eventually([&] { return api.count("patch") == 2; }));
  EXPECT_EQ(only_event()["series"]["count"], 3);
  record(warning("same"));
  EXPECT_EQ(api.all(kEvents).size(), 2U);
}

TEST_F(EventRecorderTest, AnythingDifferentIsAnotherEvent) {
  start();
  record(warning("note"));
  EventText other = warning("note");
  other.type = EventType::kNormal;
  record(other);
  other = warning("note");
  other.reason = "Other";
  record(other);
  other = warning("note");
  other.action = "Other";
  record(other);
  record(warning("other note"));
  ObjectReference recreated = web();
  recreated.uid = "uid-9";
  record(warning("note"), recreated);
  EXPECT_EQ(api.count("create"), 6U);
  EXPECT_EQ(api.count("patch"), 0U);
}

TEST_F(EventRecorderTest, ASeriesThatExpiredOnTheServerIsCreatedAgain) {
  start();
  record(warning("same"));
  const std::string name = only_event()["metadata"]["name"];
  api.remove(kEvents, "shop", name);
  record(warning("same"));
  const json again = only_event();
  EXPECT_EQ(again["metadata"]["name"], name);
  EXPECT_EQ(again["series"]["count"], 2);
  for (const auto& call : api.calls()) {
    EXPECT_EQ(call.body.find("resourceVersion"), std::string::npos);
  }
}

TEST_F(EventRecorderTest, TheSpamFilterAllowsABurstOf25AndOnePer5MinutesForEachObjectAndType) {
  start();
  for (int i = 0; i < 30; ++i) {
    record(normal("n" + std::to_string(i)));
  }
  EXPECT_EQ(counts.sent(), 25);
  EXPECT_EQ(counts.dropped("spam"), 5);
  record(warning("w"));
  EXPECT_EQ(counts.sent(), 26) << "Normal events cannot starve a Warning";
  record(normal("elsewhere"), {"apps/v1", "Deployment", "shop", "other", "uid-2"});
  EXPECT_EQ(counts.sent(), 27) << "nor other objects";
  clock.advance(5min - 1s);
  record(normal("early"));
  EXPECT_EQ(counts.dropped("spam"), 6);
  clock.advance(1s);
  record(normal("in time"));
  EXPECT_EQ(counts.sent(), 28);
}

TEST_F(EventRecorderTest, RecordingNeverBlocksAndDropsTheNewestOverTheLimit) {
  EventRecorderOptions o = options();
  o.spam_burst = 1e6;
  recorder = std::make_unique<EventRecorder>(o, api, clock, random, &counts);
  for (int i = 0; i < 1003; ++i) {
    EXPECT_EQ(recorder->record(web(), normal(std::to_string(i))), i < 1000) << i;
  }
  EXPECT_EQ(recorder->queued(), 1000U);
  EXPECT_EQ(counts.dropped("queue"), 3);
  recorder->start();
  EXPECT_TRUE(eventually([&] { return counts.sent() == 1000; }));
}

TEST_F(EventRecorderTest, RecordingDoesNotWaitForASlowServer) {
  start();
  api.hold([](const auto&) { return true; });
  recorder->record(web(), normal("first"));
  ASSERT_TRUE(eventually([&] { return api.held() == 1; }));
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(recorder->record(web(), warning(std::to_string(i))));
  }
  EXPECT_EQ(recorder->queued(), 100U);
  api.release();
}

TEST_F(EventRecorderTest, SendsAtMostFiveRequestsInAnySecond) {
  EventRecorderOptions o = options();
  o.per_second = 5;
  start(o);
  for (int i = 0; i < 12; ++i) {
    recorder->record(web(), warning(std::to_string(i)));
  }
  for (const std::size_t expected : {5U, 10U, 12U}) {
    ASSERT_TRUE(eventually([&] { return counts.sent() == static_cast<int>(expected); }));
    ASSERT_TRUE(clock.await_waiters(1));
    clock.advance(999ms);
    EXPECT_EQ(api.calls().size(), expected);
    clock.advance(1ms);
  }
}

TEST_F(EventRecorderTest, RetriesOnlyWhatANetworkCanCure) {
  struct Case {
    kube::ErrorKind kind;
    bool retried;
  };
  const Case cases[] = {
      {kube::ErrorKind::kUnavailable, true}, {kube::ErrorKind::kTimeout, true},
      {kube::ErrorKind::kTls, true},         {kube::ErrorKind::kTooManyRequests, true},
      {kube::ErrorKind::kForbidden, false},  {kube::ErrorKind::kInvalid, false},
      {kube::ErrorKind::kNotFound, false},   {kube::ErrorKind::kUnauthorized, false},
      {kube::ErrorKind::kConflict, false},
  };
  start();
  for (const Case& c : cases) {
    api.forget_calls();
    const int refused = counts.dropped("refused");
    const int sent = counts.sent();
    api.fail(1, [](const auto&) { return true; }, error_of(c.kind));
    recorder->record(web(), warning(std::string(kube::to_string(c.kind))));
    if (c.retried) {
      ASSERT_TRUE(eventually([&] { return api.calls().size() == 1 && clock.waiters() == 1; }));
      clock.advance(5s);  // half of 10 s by FixedRandom
      EXPECT_TRUE(eventually([&] { return counts.sent() == sent + 1; })) << kube::to_string(c.kind);
    } else {
      EXPECT_TRUE(eventually([&] { return counts.dropped("refused") == refused + 1; })) << kube::to_string(c.kind);
      EXPECT_EQ(api.calls().size(), 1U);
    }
  }
}

TEST_F(EventRecorderTest, AnAnswerThatWasLostIsNotAnotherEvent) {
  start();
  api.fail(1, [](const auto&) { return true; }, error_of(kube::ErrorKind::kUnavailable), true);
  recorder->record(web(), warning("once"));
  ASSERT_TRUE(eventually([&] { return api.calls().size() == 1 && clock.waiters() == 1; }));
  clock.advance(5s);
  EXPECT_TRUE(eventually([&] { return counts.sent() == 1; })) << "AlreadyExists is success";
  only_event();
}

TEST_F(EventRecorderTest, GivesUpAfterTwelveTriesTenSecondsApart) {
  start();
  api.fail(-1, [](const auto&) { return true; }, error_of(kube::ErrorKind::kUnavailable));
  recorder->record(web(), warning("lost"));
  for (std::size_t tries = 1; tries < 12; ++tries) {
    ASSERT_TRUE(eventually([&] { return api.calls().size() == tries && clock.waiters() == 1; }));
    clock.advance(tries == 1 ? 5s : 10s);
  }
  EXPECT_TRUE(eventually([&] { return counts.dropped("unreachable") == 1; }));
  EXPECT_EQ(api.calls().size(), 12U);
}

TEST_F(EventRecorderTest, StopFlushesWhatIsQueuedAndTheCountsOfSeries) {
  start();
  for (int i = 0; i < 3; ++i) {
    record(warning("same"));
  }
  api.hold([](const auto&) { return true; });
  recorder->record(web(), normal("a"));
  ASSERT_TRUE(eventually([&] { return api.held() == 1; }));
  recorder->record(web(), normal("b"));
  std::size_t dropped = 99;
  std::jthread stopping([&] { dropped = recorder->stop({{}, clock.now() + 2s}); });
  ASSERT_TRUE(clock.await_waiters(2));
  EXPECT_TRUE(eventually([&] { return !recorder->record(web(), normal("late")); }));
  api.release();
  stopping.join();
  EXPECT_EQ(dropped, 0U);
  EXPECT_EQ(api.all(kEvents).size(), 3U);
  EXPECT_EQ(api.count("patch"), 2U) << "3 was not written yet";
}

TEST_F(EventRecorderTest, StopEndsAtItsDeadlineWithoutRetriesAndCountsTheRest) {
  for (const bool hang : {true, false}) {
    api.release();
    start();
    const int lost = counts.dropped("shutdown");
    if (hang) {
      api.hold([](const auto&) { return true; });
    } else {
      api.fail(-1, [](const auto&) { return true; }, error_of(kube::ErrorKind::kUnavailable));
    }
    for (const char* note : {"a", "b", "c"}) {
      recorder->record(web(), normal(note));
    }
    ASSERT_TRUE(eventually([&] { return recorder->queued() == 2 && clock.waiters() == 1; }));
    std::size_t dropped = 99;
    std::jthread stopping([&] { dropped = recorder->stop({{}, clock.now() + 2s}); });
    if (hang) {
      ASSERT_TRUE(clock.await_waiters(2));
      clock.advance(2s);
      stopping.join();
      EXPECT_EQ(dropped, 2U);
      EXPECT_EQ(counts.dropped("shutdown"), lost + 3) << "the cancelled one too";
    } else {
      stopping.join();  // without any time passing
      EXPECT_EQ(counts.dropped("unreachable"), 3);
    }
    EXPECT_FALSE(recorder->record(web(), normal("late")));
  }
}

TEST_F(EventRecorderTest, RemembersABoundedNumberOfObjects) {
  EventRecorderOptions o = options();
  o.key_limit = 2;
  start(o);
  const auto object = [](const char* name) { return ObjectReference{"v1", "Thing", "shop", name, name}; };
  record(warning("n"), object("a"));
  record(warning("n"), object("b"));
  record(warning("n"), object("a"));  // a series; b is now the least recently used
  record(warning("n"), object("c"));  // drops b
  record(warning("n"), object("a"));
  EXPECT_EQ(api.count("create"), 3U);
  record(warning("n"), object("b"));
  EXPECT_EQ(api.count("create"), 4U) << "b was forgotten, a was not";
}

}  // namespace
}  // namespace shutdown_auditor::runtime
