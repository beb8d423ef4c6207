#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>

#include "runtime/reflector_fixture.h"
#include "runtime/scripted_api.h"

namespace shutdown_auditor::runtime {
namespace {

using kube::ErrorKind;
using kube::resources::kDeployments;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::Contains;
using testing::ElementsAre;
using ReflectorFaultTest = ReflectorTest;

// An ERROR event as the API server writes it.
std::string error_event(int code, const std::string& reason, const std::string& message = "told to fail") {
  return fmt::format(
      R"({{"type":"ERROR","object":{{"kind":"Status","apiVersion":"v1","metadata":{{}},"status":"Failure","message":"{}","reason":"{}","code":{}}}}})",
      message, reason, code);
}

std::string event(const std::string& type, const std::string& metadata, const std::string& rest = R"("spec":{})") {
  return fmt::format(R"({{"type":"{}","object":{{"apiVersion":"apps/v1","kind":"Deployment","metadata":{{{}}},{}}}}})",
                     type, metadata, rest);
}

std::vector<std::string> list_versions(const FakeApi& api) {
  std::vector<std::string> versions;
  for (const SeenCall& call : api.calls()) {
    if (call.verb == "list") versions.push_back(query_of(call, "resourceVersion"));
  }
  return versions;
}

TEST_F(ReflectorFaultTest, FailedListsAreRetriedUntilOneSucceeds) {
  put("web");
  for (const ErrorKind kind : {ErrorKind::kUnavailable, ErrorKind::kTimeout, ErrorKind::kTls, ErrorKind::kProtocol,
                               ErrorKind::kInvalid, ErrorKind::kUnauthorized, ErrorKind::kTooManyRequests}) {
    api_.fail(1, verb_is("list"), api_error(kind));
  }
  start();
  ASSERT_TRUE(advance_until([&] { return reflector_->has_synced(); }));
  EXPECT_EQ(api_.count("list"), 8U);
  EXPECT_TRUE(holds("web"));
  EXPECT_EQ(reflector_->last_error(), "");
}

TEST_F(ReflectorFaultTest, InitialConnectionFailuresBackOffExponentially) {
  api_.fail(-1, verb_is("list"), api_error(ErrorKind::kUnavailable));
  start();  // random 0.5: half of 0.8, 1.6, 3.2, … 30 s
  std::size_t lists = 1;
  for (const int ms : {400, 800, 1600, 3200, 6400, 12800, 15000, 15000}) expect_pause(lists++, std::chrono::milliseconds(ms));
}

TEST_F(ReflectorFaultTest, ExpiredWatchRelistsFromTheLastVersionSeen) {
  start_and_sync();
  const std::string version = put("web");
  ASSERT_TRUE(eventually([&] { return holds("web"); }));
  send(error_event(410, "Expired"));
  ASSERT_TRUE(eventually([&] { return api_.count("list") == 2 && api_.open_watches() == 1; }));
  EXPECT_THAT(list_versions(api_), ElementsAre("0", version));
  EXPECT_EQ(query_of(last_call("list"), "limit"), "-");
  EXPECT_EQ(observer_.count("relist expired"), 1);
}

TEST_F(ReflectorFaultTest, ExpiredStatusOnWatchStartRelists) {
  start_and_sync();
  put("web");
  ASSERT_TRUE(eventually([&] { return holds("web"); }));
  api_.expire_history();
  api_.end_watches();
  ASSERT_TRUE(eventually([&] { return api_.count("list") == 2 && api_.open_watches() == 1; }));
  put("web", 2);
  ASSERT_TRUE(eventually([&] { return holds("web", 2); }));
}

TEST_F(ReflectorFaultTest, FullListWhenTheLastVersionIsExpiredOrTooLarge) {
  start_and_sync();
  for (const auto& [kind, code] : {std::pair{ErrorKind::kExpired, 410}, std::pair{ErrorKind::kVersionTooLarge, 504}}) {
    api_.forget_calls();
    const std::string version = put("web", code);
    ASSERT_TRUE(eventually([&] { return holds("web", code); }));
    api_.fail(1, verb_is("list"), api_error(kind, code));
    send(error_event(410, "Gone"));
    ASSERT_TRUE(eventually([&] { return api_.count("list") == 2 && api_.open_watches() == 1; }));
    EXPECT_THAT(list_versions(api_), ElementsAre(version, ""));
  }
}

TEST_F(ReflectorFaultTest, ContinueTokenThatExpiresRestartsTheListWhole) {
  for (int i = 0; i < 12; ++i) put("d" + std::to_string(i));
  ReflectorOptions options;
  options.watcher.page_size = 5;
  api_.hold([](const SeenCall& call) { return query_of(call, "continue") != "-"; });
  start(options);
  ASSERT_TRUE(eventually([&] { return api_.held() == 1; }));
  remove("d0");  // in the first page already
  api_.expire_history();
  api_.release();
  ASSERT_TRUE(eventually([&] { return reflector_->has_synced(); }));
  EXPECT_EQ(query_of(last_call("list"), "limit"), "-");
  EXPECT_EQ(query_of(last_call("list"), "continue"), "-");
  EXPECT_EQ(store_.size(), 11U);
  EXPECT_EQ(store_.get("shop", "d0"), nullptr);
}

TEST_F(ReflectorFaultTest, TooManyRequestsBacksOffWithoutARelist) {
  start_and_sync();
  kube::Error busy = api_error(ErrorKind::kTooManyRequests, 429);
  busy.retry_after = seconds(2);
  api_.fail(1, verb_is("watch"), busy);
  put("web");
  ASSERT_TRUE(eventually([&] { return holds("web"); }));
  const std::string version = api_.resource_version();
  send(error_event(429, "TooManyRequests"));
  ASSERT_TRUE(advance_until([&] { return api_.count("watch") == 3; }));
  EXPECT_EQ(query_of(last_call("watch"), "resourceVersion"), version);
  EXPECT_EQ(api_.count("list"), 1U);
  EXPECT_EQ(observer_.count("watch throttled"), 2);
}

TEST_F(ReflectorFaultTest, RetryAfterIsWaitedFor) {
  kube::Error busy = api_error(ErrorKind::kTooManyRequests, 429);
  busy.retry_after = seconds(20);
  api_.fail(1, verb_is("list"), busy);
  start();
  ASSERT_TRUE(clock_.await_waiters(1));
  ASSERT_TRUE(eventually([&] { return api_.count("list") == 1; }));
  clock_.advance(seconds(20));
  EXPECT_EQ(api_.count("list"), 1U);  // and its own jitter on top, so that not all come at the same moment
  clock_.advance(seconds(1));
  EXPECT_TRUE(eventually([&] { return api_.count("list") == 2; }));
}

TEST_F(ReflectorFaultTest, RefusedConnectionsKeepTheVersion) {
  start_and_sync();
  const std::string version = put("web");
  ASSERT_TRUE(eventually([&] { return holds("web"); }));
  api_.fail(5, verb_is("watch"), api_error(ErrorKind::kUnavailable, 0, "connection refused"));
  api_.break_watches(api_error(ErrorKind::kUnavailable, 0, "connection reset"));
  ASSERT_TRUE(advance_until([&] { return api_.open_watches() == 1; }));
  EXPECT_EQ(api_.count("watch"), 7U);
  EXPECT_EQ(query_of(last_call("watch"), "resourceVersion"), version);
  EXPECT_EQ(api_.count("list"), 1U);
}

TEST_F(ReflectorFaultTest, BrokenConnectionLosesNoEvent) {
  start_and_sync();
  put("web");
  ASSERT_TRUE(eventually([&] { return holds("web"); }));
  api_.hold(verb_is("watch"));
  api_.break_watches(api_error(ErrorKind::kUnavailable, 0, "connection reset"));
  ASSERT_TRUE(eventually([&] { return api_.held() == 1; }));
  put("web", 2);
  put("db");
  remove("web");
  api_.release();
  ASSERT_TRUE(eventually([&] { return holds("db") && store_.size() == 1; }));
  EXPECT_EQ(api_.count("list"), 1U);
}

TEST_F(ReflectorFaultTest, ForbiddenIsLoudSettledAndTemporary) {
  LogCapture log;
  api_.fail(-1, verb_is("list"), api_error(ErrorKind::kForbidden, 403, "deployments.apps is forbidden"));
  start();
  ASSERT_TRUE(reflector_->wait_settled({}));
  EXPECT_EQ(reflector_->state(), SourceState::kForbidden);
  EXPECT_FALSE(reflector_->has_synced());
  EXPECT_EQ(reflector_->last_error(), "deployments.apps is forbidden");
  ASSERT_TRUE(advance_until([&] { return api_.count("list") == 6; }, std::chrono::milliseconds(500)));
  EXPECT_EQ(log.count("no permission source=deployments.apps verb=list err=deployments.apps is forbidden"), 1);
  ASSERT_TRUE(advance_until([&] { return log.count("no permission") == 2; }, seconds(1)));
  EXPECT_EQ(log.count("suppressed=0"), 1);  // the second line says how many were not logged
  api_.clear_faults();
  put("web");
  ASSERT_TRUE(advance_until([&] { return reflector_->state() == SourceState::kSynced; }));
  EXPECT_TRUE(holds("web"));
}

TEST_F(ReflectorFaultTest, ForbiddenWatchKeepsTheStoreAndTheVersion) {
  put("web");
  start_and_sync();
  api_.fail(-1, verb_is("watch"), api_error(ErrorKind::kForbidden, 403));
  clock_.advance(seconds(10));
  api_.end_watches();
  ASSERT_TRUE(eventually([&] { return reflector_->state() == SourceState::kForbidden; }));
  EXPECT_TRUE(holds("web"));
  EXPECT_TRUE(reflector_->has_synced());
  api_.clear_faults();
  ASSERT_TRUE(advance_until([&] { return reflector_->state() == SourceState::kSynced; }));
  EXPECT_EQ(api_.count("list"), 1U);
}

TEST_F(ReflectorFaultTest, AbsentTypeIsSettledAndRetriedSlowly) {
  api_.set_served(kDeployments, false);
  start();
  ASSERT_TRUE(reflector_->wait_settled({}));
  EXPECT_EQ(reflector_->state(), SourceState::kAbsent);
  std::size_t lists = 1;  // random 0.5: nine tenths of 10 s, 20 s, … 10 min
  for (const int pause : {9, 18, 36, 72, 144, 288, 540, 540}) expect_pause(lists++, seconds(pause));
  api_.set_served(kDeployments, true);
  put("web");
  ASSERT_TRUE(advance_until([&] { return reflector_->state() == SourceState::kSynced; }, seconds(30)));
  EXPECT_TRUE(holds("web"));
}

TEST_F(ReflectorFaultTest, TypeThatDisappearsUnderARunningReflectorComesBack) {
  put("web");
  start_and_sync();
  api_.set_served(kDeployments, false);
  ASSERT_TRUE(advance_until([&] { return reflector_->state() == SourceState::kAbsent; }));
  api_.set_served(kDeployments, true);
  put("db");
  ASSERT_TRUE(advance_until([&] { return reflector_->state() == SourceState::kSynced; }, seconds(5)));
  EXPECT_EQ(store_.keys(), std::vector<ObjectKey>({{"shop", "db"}}));
}

TEST_F(ReflectorFaultTest, EventWithoutAVersionRelists) {
  put("web");
  start_and_sync();
  send(event("MODIFIED", R"("namespace":"shop","name":"ghost")"));
  ASSERT_TRUE(advance_until([&] { return api_.count("list") == 2 && api_.open_watches() == 1; }));
  EXPECT_EQ(store_.size(), 1U);
  EXPECT_EQ(observer_.count("relist no_version"), 1);
}

TEST_F(ReflectorFaultTest, UnknownEventTypeIsSaidOnceAndIgnored) {
  LogCapture log;
  start_and_sync();
  send(R"({"type":"RENAMED","object":{"odd":true}})");
  send(R"({"type":"RENAMED","object":{"odd":true}})");
  put("web");
  ASSERT_TRUE(eventually([&] { return holds("web"); }));
  EXPECT_EQ(log.count("unknown type"), 1);
  EXPECT_EQ(api_.count("list"), 1U);
  EXPECT_EQ(api_.count("watch"), 1U);
}

TEST_F(ReflectorFaultTest, UndecodableEventsAreNamedAndReadAgain) {
  struct Row {
    const char* what;
    std::string line;
    std::string named;
  };
  const Row rows[] = {
      {"cut JSON", R"({"type":"MODIFIED","object":{"metadata":{"namespace":"shop","name":"web")", "object=shop/web"},
      {"not UTF-8", event("MODIFIED", "\"namespace\":\"shop\",\"name\":\"web\",\"uid\":\"\xff\""), "object=shop/web"},
      {"wrong type", event("MODIFIED", R"("namespace":"shop","name":"web","resourceVersion":"70")",
                           R"("spec":{"replicas":"three"})"), "object=shop/web"},
      {"no JSON", "<html>busy</html>", "object= "},
      {"no type", R"({"object":{}})", "object= "},
      {"no object", R"({"type":"ADDED"})", "object= "},
      {"no name", event("ADDED", R"("namespace":"shop","resourceVersion":"71")"), "metadata.name: missing"},
      {"ERROR without a Status", R"({"type":"ERROR","object":[]})", "object= "},
      {"another kind", R"({"type":"ADDED","object":{"apiVersion":"v1","kind":"Secret","metadata":{"namespace":"shop","name":"key","resourceVersion":"2"}}})", "object=shop/key"},
      {"a Table", R"({"type":"ADDED","object":{"apiVersion":"meta.k8s.io/v1","kind":"Table","metadata":{"name":"t","resourceVersion":"2"},"rows":[]}})", "object=t "},
  };
  LogCapture log;
  put("web");
  start_and_sync();
  std::size_t lists = 1;
  for (const Row& row : rows) {
    const int named = log.count(row.named);
    send(row.line);
    ++lists;
    ASSERT_TRUE(advance_until([&] { return api_.count("list") == lists && api_.open_watches() == 1; })) << row.what;
    EXPECT_EQ(log.count(row.named), named + 1) << row.what;
    EXPECT_EQ(store_.keys(), std::vector<ObjectKey>({{"shop", "web"}})) << row.what;
  }
  EXPECT_EQ(reflector_->status().undecodable, std::size(rows));
  EXPECT_EQ(observer_.count("undecodable"), static_cast<int>(std::size(rows)));
}

TEST_F(ReflectorFaultTest, UndecodableItemOfAListIsNamedAndTheRestIsUsed) {
  LogCapture log;
  put("web");
  api_.put(kDeployments,
           R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"namespace":"shop","name":"odd"},"spec":{"replicas":"three"}})");
  put("zoo");
  start_and_sync();
  EXPECT_EQ(store_.size(), 2U);
  EXPECT_EQ(store_.get("shop", "odd"), nullptr);
  EXPECT_EQ(log.count("object=shop/odd err=spec.replicas"), 1);
  EXPECT_EQ(reflector_->status().undecodable, 1U);
}

TEST_F(ReflectorFaultTest, ListsOfAnotherKindAreRefused) {
  const char* answers[] = {
      R"({"apiVersion":"meta.k8s.io/v1","kind":"Table","metadata":{"resourceVersion":"7"},"rows":[],"items":[]})",
      R"({"apiVersion":"v1","kind":"ConfigMapList","metadata":{"resourceVersion":"7"},"items":[]})",
      R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"resourceVersion":"7"},"items":[]})",
      R"({"kind":"DeploymentList","metadata":{"resourceVersion":"7"},"items":[]})",
      R"({"apiVersion":"apps/v1","kind":"DeploymentList","metadata":{},"items":[]})",
  };
  std::atomic<std::size_t> next{0};
  ScriptedApi api(
      [&](const kube::ListOptions& options, objects::ItemSink& sink, const base::Cancellation& cancel) {
        const std::size_t number = next++;
        return number < std::size(answers) ? ScriptedApi::read_list(answers[number], sink)
                                           : api_.list(kDeployments, options, sink, cancel);
      },
      [&](const kube::WatchOptions& options, const base::Cancellation& cancel) {
        return api_.watch(kDeployments, options, cancel);
      });
  put("web");
  LogCapture log;
  start_on(api);
  ASSERT_TRUE(advance_until([&] { return reflector_->has_synced(); }, std::chrono::milliseconds(50)));
  reflector_->stop();
  EXPECT_EQ(next, std::size(answers) + 1);
  EXPECT_TRUE(holds("web"));
  EXPECT_GE(log.count("expected a list of Deployment, got meta.k8s.io/v1 Table"), 1);
}

TEST_F(ReflectorFaultTest, StoreServesTheOldStateUntilTheNewListIsComplete) {
  for (int i = 0; i < 6; ++i) put("d" + std::to_string(i));
  ReflectorOptions options;
  options.watcher.page_size = 4;
  start_and_sync(options);
  api_.forget_calls();
  api_.hold([](const SeenCall& call) { return query_of(call, "continue") != "-"; });
  api_.expire_history();
  api_.end_watches();
  ASSERT_TRUE(advance_until([&] { return api_.held() == 1; }));
  remove("d1");
  put("d0", 9);
  // One page of the new list is here; readers still see the old list, whole.
  EXPECT_EQ(store_.size(), 6U);
  EXPECT_EQ(replicas("d0"), 1);
  // The list fails half-way: nothing changes.
  api_.fail(1, verb_is("list"), api_error(ErrorKind::kUnavailable));
  api_.release();
  ASSERT_TRUE(eventually([&] { return api_.count("list") == 2 && clock_.waiters() == 1; }));
  EXPECT_EQ(store_.size(), 6U);
  EXPECT_EQ(replicas("d0"), 1);
  ASSERT_TRUE(advance_until([&] { return store_.size() == 5; }));
  EXPECT_EQ(replicas("d0"), 9);
}

TEST_F(ReflectorFaultTest, KeysMissingFromANewListAreDeletedOnceWithTheirLastState) {
  put("gone", 4);
  put("same", 1);
  put("changed", 1);
  start_and_sync();
  api_.hold(verb_is("list"));
  api_.expire_history();
  api_.end_watches();
  ASSERT_TRUE(advance_until([&] { return api_.held() == 1; }));
  remove("gone");
  put("changed", 2);
  put("new", 1);
  api_.release();
  ASSERT_TRUE(eventually([&] { return changes_.has("deleted shop/gone 4 unknown relist"); }));
  const auto lines = changes_.lines();
  EXPECT_THAT(std::vector<std::string>(lines.begin() + 3, lines.end()),
              testing::UnorderedElementsAre("deleted shop/gone 4 unknown relist", "updated shop/changed 1->2 relist",
                                            "added shop/new 1 relist"));
}

TEST_F(ReflectorFaultTest, UnchangedObjectsOfARelistAreKeptNotDoubled) {
  put("web");
  start_and_sync();
  const auto before = store_.get("shop", "web");
  send(error_event(410, "Expired"));
  ASSERT_TRUE(advance_until([&] { return api_.count("list") == 2 && api_.open_watches() == 1; }));
  EXPECT_EQ(store_.get("shop", "web"), before);
  EXPECT_EQ(changes_.lines().size(), 1U);
}

TEST_F(ReflectorFaultTest, EventsQueuedBehindARelistCannotResurrectAKey) {
  put("ghost");
  start_and_sync();
  api_.hold(verb_is("list"));
  send(error_event(410, "Expired"));
  send(event("MODIFIED", R"("namespace":"shop","name":"ghost","resourceVersion":"80")"));
  remove("ghost");
  ASSERT_TRUE(advance_until([&] { return api_.held() == 1; }));
  api_.release();
  ASSERT_TRUE(eventually([&] { return store_.size() == 0 && api_.open_watches() == 1; }));
  put("after");
  ASSERT_TRUE(eventually([&] { return holds("after"); }));
  EXPECT_EQ(store_.get("shop", "ghost"), nullptr);
}

TEST_F(ReflectorFaultTest, StorageReadErrorIsRetriedThenTheStoreIsReplaced) {
  put("corrupt");
  put("web");
  start_and_sync();
  // The object was deleted without being readable: no DELETED event will come, only this error.
  api_.hold(verb_is("list"));
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(advance_until([&] { return api_.open_watches() == 1; }));
    EXPECT_EQ(api_.held(), 0) << i;
    send(error_event(500, "StorageReadError", "unable to transform key"));
    ASSERT_TRUE(eventually([&] { return api_.open_watches() == 0; }));
  }
  ASSERT_TRUE(advance_until([&] { return api_.held() == 1; }));
  EXPECT_EQ(observer_.count("watch internal_error"), 3);
  remove("corrupt");
  api_.release();
  ASSERT_TRUE(eventually([&] { return store_.size() == 1; }));
  EXPECT_EQ(observer_.count("relist internal_error"), 1);
}

TEST_F(ReflectorFaultTest, ListAndWatchThatContradictEachOtherDoNotSpin) {
  start_and_sync();
  api_.fail(-1, verb_is("watch"), api_error(ErrorKind::kExpired, 410));
  api_.end_watches();
  ASSERT_TRUE(advance_until([&] { return api_.count("list") >= 6; }));
  const std::size_t lists = api_.count("list");
  ASSERT_TRUE(eventually([&] { return clock_.waiters() == 1; }));
  clock_.advance(seconds(60));  // at half of 30 s at most, a few more
  ASSERT_TRUE(eventually([&] { return api_.count("list") > lists; }));
  EXPECT_LE(api_.count("list"), lists + 10);
}

TEST_F(ReflectorFaultTest, ExceptionInTheLoopIsLoggedAndTheLoopBeginsAgain) {
  LogCapture log;
  std::atomic<int> lists{0};
  ScriptedApi api(
      [&](const kube::ListOptions& options, objects::ItemSink& sink, const base::Cancellation& cancel) {
        if (lists++ == 0) throw std::bad_alloc();
        return api_.list(kDeployments, options, sink, cancel);
      },
      [&](const kube::WatchOptions& options, const base::Cancellation& cancel) {
        return api_.watch(kDeployments, options, cancel);
      });
  put("web");
  start_on(api);
  ASSERT_TRUE(advance_until([&] { return reflector_->has_synced(); }));
  reflector_->stop();
  EXPECT_EQ(lists, 2);
  EXPECT_EQ(log.count("begins again source=deployments.apps err=std::bad_alloc"), 1);
}

}  // namespace
}  // namespace shutdown_auditor::runtime
