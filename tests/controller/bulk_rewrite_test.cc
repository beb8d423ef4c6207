#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controller/reconciliation.h"

// A policy change concerns every workload: each is looked at once, at a rate the server can stand.
namespace shutdown_auditor::controller {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Each;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;
using testing_support::eventually;
using testing_support::SeenCall;

class BulkRewrite : public Reconciliation {
 protected:
  static constexpr int kWorkloads = 40;

  void populate(int count = kWorkloads) {
    for (int i = 0; i < count; ++i) {
      put(api_, kube::resources::kDeployments, deployment(fmt::format("web-{:02}", i), 60));
    }
  }
  // Numbers that every audit shows.
  void set_buffer(std::int64_t buffer) {
    audit::Policy policy;
    policy.buffer_seconds = buffer;
    policy_.replace(policy);
    view_->enqueue_all(cause::kPolicy);
  }
  std::size_t status_writes() { return api_.count("apply", "/status"); }
  bool all_audited(std::size_t count) {
    return eventually([&] { return status_writes() == count; }) && idle();
  }
  std::size_t waiting() { return queue_->stats().delayed; }
  bool settles() {
    return eventually([&] {
      const auto stats = queue_->stats();
      return stats.ready + stats.processing + stats.parked == 0;
    });
  }
};

TEST_F(BulkRewrite, APolicyChangeLooksAtEachWorkloadOnceAndWritesItOnce) {
  populate();
  start();
  ASSERT_TRUE(all_audited(kWorkloads));
  for (const std::int64_t buffer : {7, 8}) {
    observer_.take();
    api_.forget_calls();
    set_buffer(buffer);
    ASSERT_TRUE(all_audited(kWorkloads));
    EXPECT_THAT(observer_.take(), testing::AllOf(SizeIs(kWorkloads), Each(Pair(testing::_, 1))));
  }
  EXPECT_THAT(event_notes(), IsEmpty());
}

TEST_F(BulkRewrite, APolicyChangeThatChangesNothingWritesNothing) {
  populate();
  start();
  ASSERT_TRUE(all_audited(kWorkloads));
  observer_.take();
  audit::Policy policy;
  policy.name = "default";
  policy_.replace(policy);
  view_->enqueue_all(cause::kPolicy);
  ASSERT_TRUE(idle());
  EXPECT_EQ(status_writes(), static_cast<std::size_t>(kWorkloads));
  EXPECT_THAT(observer_.take(), SizeIs(kWorkloads));
}

TEST_F(BulkRewrite, AnotherChangeOnTheWayKeepsTheRate) {
  populate(10);
  start({.bulk_per_second = 1});
  ASSERT_TRUE(eventually([&] { return waiting() == 9 && settles(); }));
  for (const std::int64_t buffer : {6, 7, 8}) {
    set_buffer(buffer);
    ASSERT_TRUE(settles());
  }
  EXPECT_EQ(status_writes(), 1U) << "keys that waited wrote before their turn";
  for (std::size_t second = 1; second <= 10; ++second) {
    clock_.advance(seconds(1));
    ASSERT_TRUE(settles());
    EXPECT_LE(status_writes(), 1 + second);
  }
  EXPECT_EQ(status_writes(), 11U) << "ten with the last numbers, and the first one with the old";
  EXPECT_EQ(waiting(), 0U);
  for (const std::string& text : api_.all(kShutdownAudits)) {
    EXPECT_EQ(nlohmann::json::parse(text)["status"]["budget"]["bufferSeconds"], 8);
  }
}

TEST_F(BulkRewrite, ANarrowedPolicyDeletesAtTheSameRate) {
  populate(5);
  start({.bulk_per_second = 1});
  ASSERT_TRUE(eventually([&] {
    clock_.advance(seconds(1));
    return api_.all(kShutdownAudits).size() == 5 && waiting() == 0;
  }));
  clock_.advance(seconds(10));
  ASSERT_TRUE(idle());
  audit::Policy policy;
  policy.exclude_namespaces = {"shop"};
  policy_.replace(policy);
  view_->enqueue_all(cause::kPolicy);
  ASSERT_TRUE(settles());
  EXPECT_EQ(api_.count("delete", "/shutdownaudits/"), 1U);
  clock_.advance(seconds(4));
  EXPECT_TRUE(eventually([&] { return api_.all(kShutdownAudits).empty(); }));
}

// API Priority and Fairness answers 429 with Retry-After.
TEST_F(BulkRewrite, ABusyServerMakesBulkWritesPauseAndLiveChangesOvertake) {
  populate(20);
  const auto bulk = [](const SeenCall& call) {
    return is_audit_write(call) && call.path.find("deployment-web-") != std::string::npos;
  };
  api_.fail(-1, bulk,
            {.kind = kube::ErrorKind::kTooManyRequests, .message = "busy", .code = 429, .retry_after = seconds(5)});
  start();
  ASSERT_TRUE(eventually([&] { return waiting() == 20 && settles(); }));
  const std::size_t refused = api_.count("apply");
  EXPECT_LE(refused, 2U) << "one for each worker";

  put(api_, kube::resources::kDeployments, deployment("live", 10));
  ASSERT_TRUE(eventually([&] { return status("live", "verdict") == "Fail"; }));
  ASSERT_TRUE(settles());
  clock_.advance(milliseconds(4999));
  ASSERT_TRUE(settles());
  EXPECT_EQ(api_.count("apply", "deployment-web-"), refused) << "before the time the server asked for";

  clock_.advance(milliseconds(1));
  ASSERT_TRUE(eventually([&] { return waiting() == 20 && settles(); }));
  EXPECT_LE(api_.count("apply", "deployment-web-"), refused + 2);
  api_.clear_faults();
  clock_.advance(seconds(5));
  EXPECT_TRUE(eventually([&] { return api_.all(kShutdownAudits).size() == 21; }));
  EXPECT_EQ(queue_->stats().failing, 0U) << "a busy server is no failure of a workload";
}

TEST_F(BulkRewrite, APauseVoidsTheTurnsGivenOutBefore) {
  populate(10);
  start({.bulk_per_second = 1});
  ASSERT_TRUE(eventually([&] { return waiting() == 9 && settles(); }));
  api_.fail(1, is_audit_write,
            {.kind = kube::ErrorKind::kTooManyRequests, .message = "busy", .code = 429, .retry_after = seconds(60)});
  clock_.advance(seconds(1));
  // Two parts of the first one, and the refused one.
  ASSERT_TRUE(eventually([&] { return api_.count("apply", "/shutdownaudits/") == 3 && settles(); }));
  clock_.advance(seconds(59));
  ASSERT_TRUE(settles());
  EXPECT_EQ(status_writes(), 1U);
  for (int second = 0; second < 30; ++second) {
    const std::size_t before = status_writes();
    clock_.advance(seconds(1));
    ASSERT_TRUE(settles());
    EXPECT_LE(status_writes(), before + 1);
  }
  EXPECT_EQ(status_writes(), 10U);
}

}  // namespace
}  // namespace shutdown_auditor::controller
