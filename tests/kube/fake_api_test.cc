#include "kube_support/fake_api.h"

#include <gmock/gmock.h>

#include <thread>

#include <nlohmann/json.hpp>

#include "kube/collecting_sink.h"
#include "kube/resource.h"
#include "support/manual_clock.h"

namespace shutdown_auditor::testing_support {
namespace {

using nlohmann::json;
using namespace std::chrono_literals;
const kube::Resource& kDeployments = kube::resources::kDeployments;

std::string deployment(const std::string& name, int replicas = 1) {
  return json{{"metadata", {{"namespace", "shop"}, {"name", name}}}, {"spec", {{"replicas", replicas}}}}.dump();
}

std::string type_of_line(const std::string& line) { return json::parse(line).at("type"); }

class FakeApiTest : public testing::Test {
 protected:
  kube::Result<kube::ApiResponse> send(http::Method method, const std::string& path, const json& body = {},
                                       const std::string& type = "application/json", kube::Query query = {}) {
    return api_.call({method, path, std::move(query), type, body.is_null() ? "" : body.dump()}, {});
  }

  ManualClock clock_;
  FakeApi api_{clock_};
  const std::string path_ = kube::path_of(kDeployments, "shop", "web");
};

TEST_F(FakeApiTest, CreateThenGetAndCreateAgainIsAlreadyExists) {
  const json body = {{"metadata", {{"name", "web"}}}};
  ASSERT_EQ(send(http::Method::kPost, kube::path_of(kDeployments, "shop"), body)->code, 201);
  EXPECT_EQ(json::parse(send(http::Method::kGet, path_)->body)["metadata"]["namespace"], "shop");
  EXPECT_EQ(send(http::Method::kPost, kube::path_of(kDeployments, "shop"), body).error().kind,
            kube::ErrorKind::kAlreadyExists);
}

TEST_F(FakeApiTest, PutWithAnOldVersionIsAConflict) {
  api_.put(kDeployments, deployment("web"));
  json object = json::parse(*api_.get(kDeployments, "shop", "web"));
  api_.put(kDeployments, deployment("web", 2));
  object["spec"]["replicas"] = 3;
  EXPECT_EQ(send(http::Method::kPut, path_, object).error().kind, kube::ErrorKind::kConflict);
  object["metadata"]["resourceVersion"] = api_.resource_version();
  EXPECT_TRUE(send(http::Method::kPut, path_, object));
  EXPECT_EQ(json::parse(*api_.get(kDeployments, "shop", "web"))["metadata"]["generation"], 3);
}

TEST_F(FakeApiTest, AWriteThatChangesNothingMakesNoVersion) {
  api_.put(kDeployments, deployment("web"));
  const std::string version = api_.resource_version();
  EXPECT_TRUE(send(http::Method::kPatch, path_, {{"spec", {{"replicas", 1}}}}, "application/merge-patch+json"));
  EXPECT_EQ(api_.resource_version(), version);
}

TEST_F(FakeApiTest, ApplyCreatesAndRemovesWhatItsManagerLeavesOut) {
  const kube::Query manager = {{"fieldManager", "me"}, {"force", "true"}};
  const std::string apply = "application/apply-patch+yaml";
  ASSERT_EQ(send(http::Method::kPatch, path_, {{"spec", {{"a", 1}, {"b", {{"c", 2}}}}}}, apply, manager)->code, 201);
  ASSERT_EQ(send(http::Method::kPatch, path_, {{"spec", {{"a", 1}}}}, apply, manager)->code, 200);
  EXPECT_EQ(json::parse(*api_.get(kDeployments, "shop", "web"))["spec"], json({{"a", 1}}));
}

TEST_F(FakeApiTest, StatusIsWrittenOnlyThroughItsSubresource) {
  api_.put(kDeployments, deployment("web"));
  const json patch = {{"spec", {{"replicas", 9}}}, {"status", {{"ready", true}}}};
  const std::string merge = "application/merge-patch+json";
  ASSERT_TRUE(send(http::Method::kPatch, path_ + "/status", patch, merge));
  json object = json::parse(*api_.get(kDeployments, "shop", "web"));
  EXPECT_EQ(object["spec"]["replicas"], 1);
  EXPECT_EQ(object["status"]["ready"], true);
  EXPECT_EQ(object["metadata"]["generation"], 1);
  ASSERT_TRUE(send(http::Method::kPatch, path_, {{"status", {{"ready", false}}}}, merge));
  EXPECT_EQ(json::parse(*api_.get(kDeployments, "shop", "web"))["status"]["ready"], true);
}

TEST_F(FakeApiTest, DeleteHonoursItsUidPrecondition) {
  api_.put(kDeployments, deployment("web"));
  EXPECT_EQ(send(http::Method::kDelete, path_, {{"preconditions", {{"uid", "other"}}}}).error().kind,
            kube::ErrorKind::kConflict);
  const std::string uid = json::parse(*api_.get(kDeployments, "shop", "web"))["metadata"]["uid"];
  EXPECT_TRUE(send(http::Method::kDelete, path_, {{"preconditions", {{"uid", uid}}}}));
  EXPECT_EQ(send(http::Method::kGet, path_).error().kind, kube::ErrorKind::kNotFound);
}

TEST_F(FakeApiTest, PagesComeFromOneSnapshot) {
  for (const char* name : {"a", "b", "c", "d"}) {
    api_.put(kDeployments, deployment(name));
  }
  CollectingSink sink;
  const auto first = api_.list(kDeployments, {.limit = 2}, sink, {});
  api_.remove(kDeployments, "shop", "c");
  api_.put(kDeployments, deployment("e"));
  const auto second = api_.list(kDeployments, {.continue_token = first->continue_token, .limit = 2}, sink, {});
  EXPECT_THAT(sink.names, testing::ElementsAre("a", "b", "c", "d"));
  EXPECT_EQ(second->resource_version, first->resource_version);
  EXPECT_EQ(second->continue_token, "");
}

TEST_F(FakeApiTest, AWatchReplaysWhatHappenedSinceItsVersionAndThenFollows) {
  api_.put(kDeployments, deployment("web"));
  const std::string from = api_.resource_version();
  api_.put(kDeployments, deployment("web", 2));
  auto stream = api_.watch(kDeployments, {.name_space = "shop", .resource_version = from}, {});
  ASSERT_TRUE(stream);
  EXPECT_EQ(type_of_line(**(*stream)->next({})), "MODIFIED");
  api_.remove(kDeployments, "shop", "web");
  EXPECT_EQ(type_of_line(**(*stream)->next({})), "DELETED");
  api_.send_bookmarks();
  EXPECT_EQ(type_of_line(**(*stream)->next({})), "BOOKMARK");
  api_.send_line(kDeployments, "raw");
  EXPECT_EQ(**(*stream)->next({}), "raw");
  EXPECT_EQ((*stream)->next({.deadline = clock_.now()}).error().kind, kube::ErrorKind::kTimeout);
  api_.end_watches();
  EXPECT_FALSE((*stream)->next({})->has_value());
}

TEST_F(FakeApiTest, AWatchEndsAtItsTimeout) {
  auto stream = api_.watch(kDeployments, {.resource_version = api_.resource_version(), .timeout_seconds = 5}, {});
  clock_.advance(5s);
  EXPECT_FALSE((*stream)->next({})->has_value());
}

TEST_F(FakeApiTest, SelectorsTurnALeavingObjectIntoADelete) {
  const std::string from = api_.resource_version();
  auto stream = api_.watch(kDeployments, {.label_selector = "tier=front", .resource_version = from}, {});
  json object = json::parse(deployment("web"));
  object["metadata"]["labels"] = {{"tier", "front"}};
  api_.put(kDeployments, object.dump());
  object["metadata"]["labels"] = {{"tier", "back"}};
  api_.put(kDeployments, object.dump());
  EXPECT_EQ(type_of_line(**(*stream)->next({})), "ADDED");
  EXPECT_EQ(type_of_line(**(*stream)->next({})), "DELETED");
}

TEST_F(FakeApiTest, ExpiredHistoryIs410) {
  api_.put(kDeployments, deployment("web"));
  const std::string from = api_.resource_version();
  api_.expire_history();
  EXPECT_EQ(api_.watch(kDeployments, {.resource_version = from}, {}).error().kind, kube::ErrorKind::kExpired);
  CollectingSink sink;
  const auto relist = api_.list(kDeployments, {}, sink, {});
  EXPECT_TRUE(api_.watch(kDeployments, {.resource_version = relist->resource_version}, {}));
}

TEST_F(FakeApiTest, FaultsFailOrLoseTheAnswer) {
  api_.put(kDeployments, deployment("web"));
  const kube::Error lost{.kind = kube::ErrorKind::kUnavailable, .message = "lost"};
  const auto patches = [](const SeenCall& call) { return call.verb == "patch"; };
  const auto patch = [&](int replicas) {
    return send(http::Method::kPatch, path_, {{"spec", {{"replicas", replicas}}}}, "application/merge-patch+json");
  };
  const auto stored = [&] { return json::parse(*api_.get(kDeployments, "shop", "web"))["spec"]["replicas"]; };
  api_.fail(1, patches, lost);
  api_.fail(1, patches, lost, true);
  EXPECT_FALSE(patch(2));
  EXPECT_EQ(stored(), 1);
  EXPECT_FALSE(patch(3));
  EXPECT_EQ(stored(), 3);
  EXPECT_TRUE(patch(4));
  EXPECT_EQ(api_.count("patch", "/deployments/web"), 3U);
}

TEST_F(FakeApiTest, HeldCallsEndOnReleaseStopAndDeadline) {
  api_.put(kDeployments, deployment("web"));
  api_.hold([](const SeenCall&) { return true; });
  const auto get = [&](base::Cancellation cancel) { return api_.call({.path = path_}, cancel); };
  EXPECT_EQ(get({.deadline = clock_.now()}).error().kind, kube::ErrorKind::kTimeout);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(get({.stop = stop.get_token()}).error().kind, kube::ErrorKind::kCancelled);
  bool answered = false;
  std::jthread caller([&] { answered = get({}).has_value(); });
  EXPECT_TRUE(eventually([&] { return api_.held() == 1; }));
  api_.release();
  caller.join();
  EXPECT_TRUE(answered);
}

TEST_F(FakeApiTest, UnservedResourcesAre404AndLeaveDiscovery) {
  api_.set_served(kube::resources::kRollouts, false);
  CollectingSink sink;
  EXPECT_EQ(api_.list(kube::resources::kRollouts, {}, sink, {}).error().kind, kube::ErrorKind::kNotFound);
  EXPECT_EQ(send(http::Method::kGet, "/apis/argoproj.io/v1alpha1").error().kind, kube::ErrorKind::kNotFound);
  EXPECT_TRUE(send(http::Method::kGet, "/apis/apps/v1"));
}

}  // namespace
}  // namespace shutdown_auditor::testing_support
