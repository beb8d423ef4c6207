#include "runtime/reflector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <stdexcept>

#include "runtime/reflector_fixture.h"
#include "runtime/scripted_api.h"

namespace shutdown_auditor::runtime {
namespace {

using kube::ErrorKind;
using kube::resources::kDeployments;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

TEST_F(ReflectorTest, ListsThenFollowsChangesInOrder) {
  put("web", 1);
  put("db", 1);
  start_and_sync();
  EXPECT_THAT(changes_.lines(), UnorderedElementsAre("added shop/web 1 initial", "added shop/db 1 initial"));
  put("new", 2);
  put("web", 3);
  remove("db");
  ASSERT_TRUE(eventually([&] { return changes_.lines().size() == 5; }));
  const auto lines = changes_.lines();
  EXPECT_THAT(std::vector<std::string>(lines.begin() + 2, lines.end()),
              ElementsAre("added shop/new 2", "updated shop/web 1->3", "deleted shop/db 1"));
  EXPECT_EQ(store_.size(), 2U);
  EXPECT_EQ(store_.resource_version(), api_.resource_version());
  EXPECT_EQ(api_.count("list"), 1U);
}

TEST_F(ReflectorTest, HandlersSeeTheStoreAlreadyChanged) {
  std::atomic<int> behind{0};
  std::atomic<int> seen{0};
  WorkloadReflector::Config config;
  config.handlers = {[&](const Change<objects::Workload>& change) {
    ++seen;
    if (store_.get(change.key) != change.object) ++behind;
  }};
  WorkloadReflector reflector({api_, clock_, random_}, kDeployments, store_, std::move(config));
  put("web");
  reflector.start();
  ASSERT_TRUE(eventually([&] { return api_.open_watches() == 1; }));
  put("web", 2);
  remove("web");
  ASSERT_TRUE(eventually([&] { return seen == 3; }));
  EXPECT_EQ(behind, 0);
}

TEST_F(ReflectorTest, EmptyListIsSynced) {
  start_and_sync();
  EXPECT_EQ(store_.size(), 0U);
  EXPECT_EQ(reflector_->state(), SourceState::kSynced);
}

TEST_F(ReflectorTest, ListIsReadInPages) {
  for (int i = 0; i < 12; ++i) put("d" + std::to_string(i));
  ReflectorOptions options;
  options.watcher.page_size = 5;
  start_and_sync(options);
  EXPECT_EQ(store_.size(), 12U);
  std::vector<std::string> requests;
  for (const SeenCall& call : api_.calls()) {
    if (call.verb != "list") continue;
    requests.push_back(query_of(call, "resourceVersion") + " " + query_of(call, "limit") + " " +
                       (query_of(call, "continue") == "-" ? "first" : "next"));
  }
  EXPECT_THAT(requests, ElementsAre("0 5 first", "- 5 next", "- 5 next"));
}

TEST_F(ReflectorTest, ListItemsGetTheKindOfTheirList) {
  put("web");
  start_and_sync();
  EXPECT_EQ(store_.get("shop", "web")->kind, (objects::GroupKind{"apps", "Deployment"}));
}

TEST_F(ReflectorTest, WatchAsksForBookmarksAndARandomTimeout) {
  put("web");
  start_and_sync();
  const SeenCall watch = last_call("watch");
  EXPECT_EQ(query_of(watch, "resourceVersion"), api_.resource_version());
  EXPECT_EQ(query_of(watch, "allowWatchBookmarks"), "true");
  EXPECT_EQ(query_of(watch, "timeoutSeconds"), "265");  // the middle of [240, 290]
}

TEST_F(ReflectorTest, WatchTimeoutsSpreadOverTheirWholeRange) {
  std::set<int> timeouts;
  std::mutex mutex;
  ScriptedApi api(
      [](const kube::ListOptions&, objects::ItemSink& sink, const base::Cancellation&) {
        return ScriptedApi::read_list(
            R"({"apiVersion":"apps/v1","kind":"DeploymentList","metadata":{"resourceVersion":"7"},"items":null})", sink);
      },
      [&](const kube::WatchOptions& options, const base::Cancellation&) {
        const std::lock_guard lock(mutex);
        timeouts.insert(options.timeout_seconds);
        return kube::Result<std::unique_ptr<kube::WatchStream>>(
            base::unexpected(api_error(ErrorKind::kUnavailable, 503)));
      });
  WorkloadReflector reflector({api, clock_, base::system_random()}, kDeployments, store_, {});
  reflector.start();
  ASSERT_TRUE(advance_until(
      [&] {
        const std::lock_guard lock(mutex);
        return timeouts.size() >= 30;
      },
      seconds(30)));
  reflector.stop();
  EXPECT_GE(*timeouts.begin(), 240);
  EXPECT_LE(*timeouts.rbegin(), 290);
}

TEST_F(ReflectorTest, NullItemsAreAnEmptyList) {
  ScriptedApi api(
      [](const kube::ListOptions&, objects::ItemSink& sink, const base::Cancellation&) {
        return ScriptedApi::read_list(
            R"({"apiVersion":"apps/v1","kind":"DeploymentList","metadata":{"resourceVersion":"7"},"items":null})", sink);
      },
      [&](const kube::WatchOptions& options, const base::Cancellation& cancel) {
        return api_.watch(kDeployments, options, cancel);
      });
  start_on(api);
  ASSERT_TRUE(reflector_->wait_synced({}));
  EXPECT_EQ(store_.size(), 0U);
  EXPECT_EQ(store_.resource_version(), "7");
  reflector_->stop();
}

TEST_F(ReflectorTest, CleanEndOfTheWatchResumesWithoutAList) {
  start_and_sync();
  const std::string version = put("web");
  ASSERT_TRUE(eventually([&] { return holds("web"); }));
  api_.end_watches();
  ASSERT_TRUE(eventually([&] { return api_.count("watch") == 2; }));
  EXPECT_EQ(query_of(last_call("watch"), "resourceVersion"), version);
  put("web", 2);
  ASSERT_TRUE(eventually([&] { return holds("web", 2); }));
  EXPECT_EQ(api_.count("list"), 1U);
  EXPECT_EQ(observer_.count("watch closed"), 1);
}

TEST_F(ReflectorTest, ServerTimeoutOfTheWatchResumesAtOnce) {
  start_and_sync();
  clock_.advance(seconds(266));
  ASSERT_TRUE(eventually([&] { return api_.count("watch") == 2; }));
  EXPECT_EQ(observer_.count("watch closed"), 1);
  EXPECT_EQ(api_.count("list"), 1U);
}

TEST_F(ReflectorTest, SilentWatchIsResumedAfterSeventySecondsOnceABookmarkWasSeen) {
  start_and_sync();
  put("web");
  ASSERT_TRUE(eventually([&] { return holds("web"); }));
  api_.send_bookmarks();
  ASSERT_TRUE(eventually([&] { return reflector_->status().last_event.has_value(); }));
  put("db");  // an order: the bookmark was taken before this
  ASSERT_TRUE(eventually([&] { return holds("db") && clock_.waiters() == 1; }));
  clock_.advance(seconds(69));
  put("web", 2);  // a sign of life starts the 70 s anew
  ASSERT_TRUE(eventually([&] { return holds("web", 2) && clock_.waiters() == 1; }));
  clock_.advance(seconds(69));
  EXPECT_EQ(api_.count("watch"), 1U);
  clock_.advance(seconds(2));
  ASSERT_TRUE(eventually([&] { return api_.count("watch") == 2; }));
  EXPECT_EQ(observer_.count("watch idle"), 1);
  EXPECT_EQ(api_.count("list"), 1U);
  EXPECT_EQ(query_of(last_call("watch"), "resourceVersion"), api_.resource_version());
}

// The deadlines a reflector gives, without and with a bookmark; the first covers the wait for headers too.
TEST_F(ReflectorTest, IdleDeadlineAdaptsToBookmarksAndCoversTheStart) {
  std::vector<base::Duration> starts;
  std::vector<base::Duration> reads;
  std::mutex mutex;
  ScriptedApi api(
      [](const kube::ListOptions&, objects::ItemSink& sink, const base::Cancellation&) {
        return ScriptedApi::read_list(
            R"({"apiVersion":"apps/v1","kind":"DeploymentList","metadata":{"resourceVersion":"7"},"items":[]})", sink);
      },
      [&](const kube::WatchOptions&, const base::Cancellation& cancel) {
        const std::lock_guard lock(mutex);
        starts.push_back(cancel.deadline - clock_.now());
        std::deque<std::string> lines;
        if (starts.size() == 1) {
          lines.push_back(R"({"type":"BOOKMARK","object":{"kind":"Deployment","apiVersion":"apps/v1","metadata":{"resourceVersion":"9"}}})");
        }
        return kube::Result<std::unique_ptr<kube::WatchStream>>(std::make_unique<ScriptedStream>(
            lines, [&](const base::Cancellation& limits) -> kube::Result<std::optional<std::string>> {
              {
                const std::lock_guard inner(mutex);
                reads.push_back(limits.deadline - clock_.now());
              }
              if (starts.size() < 3) return base::unexpected(api_error(ErrorKind::kTimeout));
              clock_.sleep_for(std::chrono::hours(1), limits.stop);
              return base::unexpected(api_error(ErrorKind::kCancelled));
            }));
      });
  start_on(api);
  ASSERT_TRUE(eventually([&] {
    const std::lock_guard lock(mutex);
    return reads.size() == 3;
  }));
  reflector_->stop();
  EXPECT_THAT(starts, ElementsAre(seconds(270), seconds(70), seconds(70)));  // 265 + 5 before the bookmark
  EXPECT_THAT(reads, ElementsAre(seconds(70), seconds(70), seconds(70)));
  EXPECT_EQ(observer_.count("watch idle"), 2);
}

TEST_F(ReflectorTest, BookmarkMovesTheVersionOnly) {
  put("web");
  start_and_sync();
  api_.put(kube::resources::kServices,
           R"({"apiVersion":"v1","kind":"Service","metadata":{"namespace":"shop","name":"web"},"spec":{}})");
  api_.send_bookmarks();
  ASSERT_TRUE(eventually([&] { return store_.resource_version() == api_.resource_version(); }));
  EXPECT_EQ(changes_.lines().size(), 1U);
  EXPECT_EQ(store_.size(), 1U);
}

TEST_F(ReflectorTest, AddedForAKnownKeyIsAnUpdateAndModifiedForAnUnknownAnAdd) {
  put("web", 1);
  start_and_sync();
  send(R"({"type":"ADDED","object":{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"namespace":"shop","name":"web","resourceVersion":"50"},"spec":{"replicas":5}}})");
  send(R"({"type":"MODIFIED","object":{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"namespace":"shop","name":"db","resourceVersion":"51"},"spec":{"replicas":6}}})");
  ASSERT_TRUE(eventually([&] { return changes_.lines().size() == 3; }));
  EXPECT_THAT(changes_.lines(),
              ElementsAre("added shop/web 1 initial", "updated shop/web 1->5", "added shop/db 6"));
}

TEST_F(ReflectorTest, DeletedCarriesTheLastStateAndMovesTheVersion) {
  put("web", 1);
  start_and_sync();
  send(R"({"type":"DELETED","object":{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"namespace":"shop","name":"web","resourceVersion":"60"},"spec":{"replicas":0}}})");
  ASSERT_TRUE(eventually([&] { return store_.size() == 0; }));
  ASSERT_TRUE(eventually([&] { return changes_.has("deleted shop/web 0"); }));
  EXPECT_EQ(store_.resource_version(), "60");
}

TEST_F(ReflectorTest, RepeatedEventIsNotTold) {
  put("web", 1);
  start_and_sync();
  const std::string version = put("web", 2);
  ASSERT_TRUE(eventually([&] { return changes_.lines().size() == 2; }));
  send(fmt::format(R"({{"type":"MODIFIED","object":{{"apiVersion":"apps/v1","kind":"Deployment","metadata":{{"namespace":"shop","name":"web","resourceVersion":"{}"}},"spec":{{"replicas":2}}}}}})", version));
  put("web", 3);
  ASSERT_TRUE(eventually([&] { return holds("web", 3) && changes_.lines().size() >= 3; }));
  EXPECT_THAT(changes_.lines(), ElementsAre("added shop/web 1 initial", "updated shop/web 1->2", "updated shop/web 2->3"));
}

TEST_F(ReflectorTest, ProjectionConvertsAndLeavesOut) {
  Store<std::string> names;
  std::atomic<int> told{0};
  Reflector<std::string, objects::Workload>::Config config;
  config.projection = [](objects::Workload&& workload) -> std::optional<std::string> {
    if (workload.replicas.value_or(1) == 0) return std::nullopt;
    return workload.meta.name;
  };
  config.handlers = {[&](const Change<std::string>&) { ++told; }};
  Reflector<std::string, objects::Workload> reflector({api_, clock_, random_}, kDeployments, names, std::move(config));
  put("web", 1);
  put("off", 0);
  reflector.start();
  ASSERT_TRUE(eventually([&] { return api_.open_watches() == 1; }));
  EXPECT_EQ(names.size(), 1U);
  EXPECT_EQ(*names.get("shop", "web"), "web");
  put("off", 1);
  ASSERT_TRUE(eventually([&] { return names.size() == 2; }));
  put("web", 0);  // leaves the selection: as good as deleted
  ASSERT_TRUE(eventually([&] { return names.get("shop", "web") == nullptr && told == 3; }));
}

TEST_F(ReflectorTest, NamespacesShareOneStoreAndFailAlone) {
  put("web", 1, "a");
  put("web", 2, "b");
  put("web", 3, "c");
  ReflectorOptions in_a;
  in_a.name_space = "a";
  ReflectorOptions in_b;
  in_b.name_space = "b";
  WorkloadReflector a({api_, clock_, random_}, kDeployments, store_, {in_a, {}, {}, {}});
  WorkloadReflector b({api_, clock_, random_}, kDeployments, store_, {in_b, {}, {}, {}});
  a.start();
  b.start();
  ASSERT_TRUE(a.wait_synced({}) && b.wait_synced({}));
  EXPECT_EQ(a.name(), "deployments.apps in a");
  EXPECT_EQ(replicas("web", "a"), 1);
  EXPECT_EQ(replicas("web", "b"), 2);
  EXPECT_EQ(store_.size(), 2U);  // not c
  ASSERT_TRUE(eventually([&] { return api_.open_watches() == 2; }));
  api_.fail(-1, [](const SeenCall& call) { return call.path.find("namespaces/b/") != std::string::npos; },
            api_error(ErrorKind::kForbidden, 403));
  api_.end_watches();
  ASSERT_TRUE(advance_until([&] { return b.state() == SourceState::kForbidden; }));
  put("web", 9, "a");
  ASSERT_TRUE(advance_until([&] { return replicas("web", "a") == 9; }));
  EXPECT_EQ(a.state(), SourceState::kSynced);
  EXPECT_EQ(replicas("web", "b"), 2);
  a.stop();
  b.stop();
}

TEST_F(ReflectorTest, ExcludedNamespacesAreFilteredByTheServerWhileFew) {
  put("web", 1, "shop");
  put("dns", 1, "kube-system");
  ReflectorOptions options;
  options.excluded_namespaces = {"kube-system", "kube-public"};
  std::string selector;
  ScriptedApi api(
      [&](const kube::ListOptions& request, objects::ItemSink& sink, const base::Cancellation& cancel) {
        selector = request.field_selector;
        return api_.list(kDeployments, request, sink, cancel);
      },
      [&](const kube::WatchOptions& request, const base::Cancellation& cancel) {
        return api_.watch(kDeployments, request, cancel);
      });
  start_on(api, options);
  ASSERT_TRUE(reflector_->wait_synced({}));
  reflector_->stop();
  EXPECT_EQ(selector, "metadata.namespace!=kube-system,metadata.namespace!=kube-public");
  EXPECT_EQ(store_.size(), 1U);
}

TEST_F(ReflectorTest, ManyExcludedNamespacesAreFilteredHere) {
  put("web", 1, "shop");
  put("web", 1, "team-7");
  ReflectorOptions options;
  for (int i = 0; i < 30; ++i) options.excluded_namespaces.push_back("team-" + std::to_string(i));
  start_and_sync(options);
  EXPECT_THAT(store_.keys(), ElementsAre(ObjectKey{"shop", "web"}));
  put("late", 1, "team-8");
  const std::string version = put("late", 1, "shop");
  ASSERT_TRUE(eventually([&] { return holds("late"); }));
  EXPECT_EQ(store_.size(), 2U);
  EXPECT_EQ(store_.resource_version(), version);
}

TEST_F(ReflectorTest, ReportsAgesAndCounts) {
  start_and_sync();
  const base::SteadyTime listed = clock_.now();
  clock_.advance(seconds(5));
  put("web");
  ASSERT_TRUE(eventually([&] { return reflector_->status().last_event.has_value(); }));
  const ReflectorStatus status = reflector_->status();
  EXPECT_EQ(*status.last_list, listed);
  EXPECT_EQ(*status.last_event, listed + seconds(5));
  EXPECT_EQ(status.resource_version, api_.resource_version());
  EXPECT_EQ(status.relists, 0U);
  EXPECT_EQ(status.watch_restarts, 0U);
  api_.end_watches();
  ASSERT_TRUE(eventually([&] { return reflector_->status().watch_restarts == 1; }));
  api_.expire_history();
  api_.end_watches();
  ASSERT_TRUE(advance_until([&] { return reflector_->status().relists >= 1; }));
  EXPECT_GE(observer_.count("relist expired"), 1);
}

TEST_F(ReflectorTest, HandlerThatThrowsIsLoggedAndTheRestGoesOn) {
  LogCapture log;
  WorkloadReflector::Config config;
  config.handlers = {[](const Change<objects::Workload>&) { throw std::runtime_error("no good"); }, changes_.handler()};
  WorkloadReflector reflector({api_, clock_, random_}, kDeployments, store_, std::move(config));
  put("web");
  reflector.start();
  ASSERT_TRUE(eventually([&] { return changes_.has("added shop/web 1 initial"); }));
  EXPECT_EQ(log.count("object=shop/web err=no good"), 1);
  reflector.stop();
}

TEST_F(ReflectorTest, StopsWhileWatching) {
  start_and_sync();
  reflector_->stop();
  EXPECT_EQ(api_.open_watches(), 0);
}

TEST_F(ReflectorTest, StopsInTheMiddleOfAList) {
  api_.hold(verb_is("list"));
  start();
  ASSERT_TRUE(eventually([&] { return api_.held() == 1; }));
  reflector_->stop();
  EXPECT_FALSE(reflector_->has_synced());
  EXPECT_FALSE(reflector_->wait_synced({}));  // it never will be
}

TEST_F(ReflectorTest, StopsWhileBackingOff) {
  api_.fail(-1, verb_is("list"), api_error(ErrorKind::kUnavailable));
  start();
  ASSERT_TRUE(clock_.await_waiters(1));
  reflector_->stop();
  EXPECT_EQ(api_.count("list"), 1U);
}

TEST_F(ReflectorTest, WaitEndsAtItsDeadline) {
  api_.hold(verb_is("list"));
  start();
  std::jthread advancing([&] {
    clock_.await_waiters(2);
    clock_.advance(seconds(120));
  });
  EXPECT_FALSE(reflector_->wait_synced({{}, clock_.now() + seconds(120)}));
  EXPECT_FALSE(reflector_->settled());
}

}  // namespace
}  // namespace shutdown_auditor::runtime
