#include "runtime/status_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <string>
#include <thread>

#include "kube_support/fake_api.h"
#include "support/fixed_random.h"
#include "support/manual_clock.h"

namespace shutdown_auditor::runtime {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::HasSubstr;
using testing_support::eventually;
using testing_support::FakeApi;
using testing_support::FixedRandom;
using testing_support::ManualClock;

const kube::Resource kReports{"example.dev", "v1", "reports", "Report", true};

DesiredObject desired(const std::string& verdict) {
  const json identity = {{"apiVersion", "example.dev/v1"}, {"kind", "Report"},
                         {"metadata", {{"name", "web"}, {"namespace", "shop"}}}};
  json main = identity;
  main["spec"] = {{"target", "web"}};
  json status = identity;
  status["status"] = {{"verdict", verdict}};
  return {"shop", "web", main.dump(), "main-1", status.dump(), verdict};
}

class StatusWriterTest : public testing::Test {
 protected:
  StatusWriter writer(StatusWriterOptions options = {"example.dev/controller"}) {
    return {std::move(options), kReports, api, clock, random};
  }
  void fail(int times, kube::ErrorKind kind, const std::string& path_contains = "") {
    kube::Error error;
    error.kind = kind;
    error.message = std::string(kube::to_string(kind));
    api.fail(times, [path_contains](const auto& call) { return call.path.find(path_contains) != std::string::npos; },
             error);
  }
  json stored() const { return json::parse(api.get(kReports, "shop", "web").value()); }

  ManualClock clock;
  FixedRandom random{0.0};
  FakeApi api{clock};
};

TEST_F(StatusWriterTest, CreatesTheObjectAndItsStatusByServerSideApply) {
  const auto result = writer().write(desired("Fail"), std::nullopt, {});
  ASSERT_TRUE(result);
  EXPECT_TRUE(result->wrote_main);
  EXPECT_TRUE(result->wrote_status);
  EXPECT_EQ(stored()["status"]["verdict"], "Fail");
  EXPECT_EQ(stored()["spec"]["target"], "web");
  EXPECT_EQ(result->resource_version, stored()["metadata"]["resourceVersion"]);
  const auto calls = api.calls();
  ASSERT_EQ(calls.size(), 2U);
  EXPECT_EQ(calls[0].path, "/apis/example.dev/v1/namespaces/shop/reports/web");
  EXPECT_EQ(calls[1].path, "/apis/example.dev/v1/namespaces/shop/reports/web/status");
  for (const auto& call : calls) {
    EXPECT_EQ(call.verb, "apply");
    EXPECT_EQ(call.content_type, "application/apply-patch+yaml");
    EXPECT_EQ(call.query, (kube::Query{{"fieldManager", "example.dev/controller"}, {"force", "true"}}));
    const json body = json::parse(call.body);
    EXPECT_EQ(body["kind"], "Report");
    EXPECT_EQ(body["metadata"]["name"], "web");
    EXPECT_FALSE(body["metadata"].contains("resourceVersion"));
    EXPECT_FALSE(body["metadata"].contains("managedFields"));
  }
}

TEST_F(StatusWriterTest, AHundredEqualPassesAreOneWrite) {
  const StatusWriter w = writer();
  std::optional<KnownObject> known{{"main-1", "old", "1", false}};
  api.put(kReports, desired("old").main);
  for (int pass = 0; pass < 100; ++pass) {
    const DesiredObject want = desired("Pass");
    const auto result = w.write(want, known, {});
    ASSERT_TRUE(result);
    EXPECT_EQ(result->wrote_status, pass == 0);
    EXPECT_FALSE(result->wrote_main);
    known = KnownObject{want.main_digest, want.status_digest, result->resource_version, false};
  }
  EXPECT_EQ(api.calls().size(), 1U);
  EXPECT_EQ(known->resource_version, stored()["metadata"]["resourceVersion"]);
}

TEST_F(StatusWriterTest, WritesOnlyThePartThatDiffers) {
  struct Case {
    const char* what;
    std::optional<KnownObject> known;
    std::size_t calls;
    bool main;
    bool status;
  };
  const Case cases[] = {
      {"new", std::nullopt, 2, true, true},
      {"equal", KnownObject{"main-1", "Pass", "5", false}, 0, false, false},
      {"status differs", KnownObject{"main-1", "Fail", "5", false}, 1, false, true},
      {"main differs", KnownObject{"main-0", "Pass", "5", false}, 1, true, false},
      {"both differ", KnownObject{"main-0", "Fail", "5", false}, 2, true, true},
      {"being deleted", KnownObject{"main-0", "Fail", "5", true}, 0, false, false},
  };
  for (const Case& c : cases) {
    api.put(kReports, desired("x").main);
    api.forget_calls();
    const auto result = writer().write(desired("Pass"), c.known, {});
    ASSERT_TRUE(result) << c.what;
    EXPECT_EQ(api.calls().size(), c.calls) << c.what;
    EXPECT_EQ(result->wrote_main, c.main) << c.what;
    EXPECT_EQ(result->wrote_status, c.status) << c.what;
    if (c.calls == 0) {
      EXPECT_EQ(result->resource_version, "5") << c.what;
    }
  }
}

TEST_F(StatusWriterTest, AnObjectThatIsGoneNeedsNoStatus) {
  const auto result = writer().write(desired("Pass"), KnownObject{"main-1", "Fail", "5", false}, {});
  ASSERT_TRUE(result);
  EXPECT_TRUE(result->gone);
  EXPECT_FALSE(result->wrote_status);
  fail(1, kube::ErrorKind::kNotFound);
  EXPECT_FALSE(writer().write(desired("Pass"), std::nullopt, {})) << "a missing resource type or namespace is an error";
}

TEST_F(StatusWriterTest, InvalidIsFinalAfterOneRequest) {
  fail(-1, kube::ErrorKind::kInvalid);
  const auto result = writer().write(desired("Pass"), std::nullopt, {});
  EXPECT_EQ(result.error().kind, kube::ErrorKind::kInvalid);
  EXPECT_EQ(api.calls().size(), 1U);
}

TEST_F(StatusWriterTest, RefusesABodyOverTheLimitWithoutSendingIt) {
  StatusWriterOptions options{"example.dev/controller"};
  DesiredObject big = desired("Pass");
  big.status = std::string(256 * 1024 + 1, ' ');
  const auto result = writer(options).write(big, KnownObject{"main-1", "Fail", "5", false}, {});
  EXPECT_EQ(result.error().kind, kube::ErrorKind::kInvalid);
  EXPECT_THAT(result.error().message, HasSubstr("shop/web: 262145 bytes to write, the limit is 262144"));
  EXPECT_TRUE(api.calls().empty());
}

TEST_F(StatusWriterTest, RetriesConflictsAtMostFiveTimesWithAPauseBetween) {
  struct Case {
    int failures;
    bool succeeds;
    std::size_t calls;
  };
  for (const Case& c : {Case{1, true, 3}, Case{4, true, 6}, Case{-1, false, 5}}) {
    api.remove(kReports, "shop", "web");
    api.clear_faults();
    api.forget_calls();
    fail(c.failures, kube::ErrorKind::kConflict);
    std::optional<kube::Result<WriteResult>> result;
    std::atomic<bool> ended{false};
    std::jthread writing([&] {
      result = writer().write(desired("Pass"), std::nullopt, {});
      ended = true;
    });
    ASSERT_TRUE(eventually([&] {
      clock.advance(1ms);
      return ended.load();
    }));
    EXPECT_EQ(result->has_value(), c.succeeds) << c.failures;
    EXPECT_EQ(api.calls().size(), c.calls) << c.failures;
  }
}

TEST_F(StatusWriterTest, AStopOrADeadlineEndsTheRetries) {
  fail(-1, kube::ErrorKind::kConflict);
  EXPECT_FALSE(writer().write(desired("Pass"), std::nullopt, {{}, clock.now()}));
  EXPECT_EQ(api.calls().size(), 1U);
}

TEST_F(StatusWriterTest, WithoutForceAConflictNamesTheOtherManager) {
  kube::Error conflict;
  conflict.kind = kube::ErrorKind::kConflict;
  conflict.message = "Apply failed with 1 conflict";
  conflict.causes = {{"FieldManagerConflict", "conflict with \"kubectl\" using example.dev/v1", ".status.verdict"}};
  api.fail(-1, [](const auto&) { return true; }, conflict);
  const auto result = writer({"example.dev/controller", false}).write(desired("Pass"), std::nullopt, {});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, kube::ErrorKind::kConflict);
  EXPECT_THAT(result.error().message, HasSubstr("conflict with \"kubectl\" using example.dev/v1 (.status.verdict)"));
  ASSERT_EQ(api.calls().size(), 1U);
  EXPECT_EQ(api.calls()[0].query, (kube::Query{{"fieldManager", "example.dev/controller"}}));
}

TEST_F(StatusWriterTest, DeletesOnlyTheObjectWithThatUid) {
  api.put(kReports, desired("x").main);
  const std::string uid = stored()["metadata"]["uid"];
  const auto other = writer().remove("shop", "web", "another-uid", {});
  ASSERT_TRUE(other);
  EXPECT_FALSE(*other);
  EXPECT_TRUE(api.get(kReports, "shop", "web"));
  EXPECT_TRUE(writer().remove("shop", "web", uid, {}).value());
  EXPECT_FALSE(api.get(kReports, "shop", "web"));
  EXPECT_FALSE(writer().remove("shop", "web", uid, {}).value()) << "gone already";
  fail(1, kube::ErrorKind::kForbidden);
  EXPECT_EQ(writer().remove("shop", "web", uid, {}).error().kind, kube::ErrorKind::kForbidden);
}

}  // namespace
}  // namespace shutdown_auditor::runtime
