#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controller/reconciliation.h"

// Exemptions of the policy end at their second, without anybody asking every second.
namespace shutdown_auditor::controller {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing_support::eventually;

class Expiry : public Reconciliation {
 protected:
  void SetUp() override {
    for (const char* name : {"web", "other"}) {
      put(api_, kube::resources::kDeployments, deployment(name, 54));
      put(api_, kube::resources::kPodDisruptionBudgets, budget(name, 2));
      put(api_, kube::resources::kServices, service(name));
    }
  }
  audit::Exemption until(base::Duration from_now, const std::string& name = "web", std::vector<audit::Check> checks = {}) {
    audit::Exemption exemption;
    exemption.name = "until-" + std::to_string(from_now.count());
    exemption.target_kind = {"apps", "Deployment"};
    exemption.target_name = name;
    exemption.checks = std::move(checks);
    exemption.reason = "agreed";
    exemption.expiration = clock_.wall_now() + from_now;
    return exemption;
  }
  void set_policy(std::vector<audit::Exemption> exemptions) {
    audit::Policy policy;
    policy.name = "default";
    policy.exemptions = std::move(exemptions);
    policy_.replace(policy);
    if (view_) view_->enqueue_all(cause::kPolicy);
  }
  // Moves the clock and waits until what is due has been done.
  void pass(base::Duration time) {
    clock_.advance(time);
    ASSERT_TRUE(idle());
  }
};

TEST_F(Expiry, NotBeforeAndAtItsSecond) {
  set_policy({until(seconds(90))});
  start();
  ASSERT_TRUE(becomes("web", "Skip"));
  ASSERT_TRUE(becomes("other", "Fail"));
  observer_.take();
  pass(milliseconds(89999));
  EXPECT_EQ(status("web", "verdict"), "Skip");
  EXPECT_THAT(observer_.take(), IsEmpty()) << "it was looked at before anything could have changed";
  pass(milliseconds(1));
  EXPECT_EQ(status("web", "verdict"), "Fail");
  EXPECT_THAT(observer_.take(), ElementsAre(Pair("Deployment.apps/shop/web", 1)));
  pass(minutes(60));
  EXPECT_THAT(observer_.take(), IsEmpty());
  EXPECT_THAT(event_notes(), IsEmpty()) << "nobody changed the workload";
}

TEST_F(Expiry, EachOfSeveralInItsTurn) {
  set_policy({until(seconds(300)), until(seconds(100), "web", {audit::Check::kGraceBudget}), until(seconds(200), "other")});
  start();
  ASSERT_TRUE(becomes("web", "Skip"));
  ASSERT_TRUE(becomes("other", "Skip"));
  observer_.take();
  struct Row {
    int at;
    const char* web;
    const char* other;
    std::size_t audited;
  };
  int now = 0;
  for (const Row& row : std::vector<Row>{{99, "Skip", "Skip", 0},
                                         {100, "Skip", "Skip", 1},
                                         {199, "Skip", "Skip", 0},
                                         {200, "Skip", "Fail", 1},
                                         {299, "Skip", "Fail", 0},
                                         {300, "Fail", "Fail", 1}}) {
    SCOPED_TRACE(row.at);
    pass(seconds(row.at - now));
    now = row.at;
    EXPECT_EQ(status("web", "verdict"), row.web);
    EXPECT_EQ(status("other", "verdict"), row.other);
    EXPECT_EQ(observer_.take().size(), row.audited);
  }
}

TEST_F(Expiry, AReplacedPolicyCountsFromThenOn) {
  set_policy({until(seconds(90))});
  start();
  ASSERT_TRUE(becomes("web", "Skip"));
  pass(seconds(60));
  set_policy({until(seconds(90))});  // renewed: 150 from the start
  ASSERT_TRUE(idle());
  observer_.take();
  pass(seconds(89));
  EXPECT_EQ(status("web", "verdict"), "Skip");
  EXPECT_THAT(observer_.take(), IsEmpty()) << "the old time still counted";
  pass(seconds(1));
  EXPECT_EQ(status("web", "verdict"), "Fail");

  set_policy({until(seconds(90))});
  ASSERT_TRUE(becomes("web", "Skip"));
  set_policy({});
  ASSERT_TRUE(becomes("web", "Fail"));
  observer_.take();
  pass(seconds(90));
  EXPECT_THAT(observer_.take(), IsEmpty());
}

TEST_F(Expiry, SurvivesARestart) {
  set_policy({until(seconds(90)), until(seconds(30), "other")});
  start();
  ASSERT_TRUE(becomes("web", "Skip"));
  ASSERT_TRUE(becomes("other", "Skip"));
  stop();
  clock_.advance(seconds(60));
  start();
  ASSERT_TRUE(becomes("other", "Fail")) << "it ended while nobody ran";
  EXPECT_EQ(status("web", "verdict"), "Skip");
  pass(seconds(29));
  EXPECT_EQ(status("web", "verdict"), "Skip");
  pass(seconds(1));
  EXPECT_EQ(status("web", "verdict"), "Fail");
  EXPECT_THAT(event_notes(), IsEmpty());
}

// What a workload waits for besides may be jittered; the end of an exemption is not.
TEST_F(Expiry, IsNotDelayedByAGenerationThatWaitsToBeCaughtUp) {
  set_policy({until(seconds(305))});
  start();
  ASSERT_TRUE(becomes("web", "Skip"));
  for (const char* value : {"1", "2"}) {
    nlohmann::json scaled = deployment("web", 54);
    scaled["spec"]["progressDeadlineSeconds"] = value[0] - '0';
    put(api_, kube::resources::kDeployments, scaled);
    ASSERT_TRUE(idle());
  }
  pass(seconds(305));
  EXPECT_EQ(status("web", "verdict"), "Fail");
}

TEST_F(Expiry, AChangeOfTheWorkloadDoesNotForgetIt) {
  set_policy({until(seconds(90))});
  start();
  ASSERT_TRUE(becomes("web", "Skip"));
  pass(seconds(45));
  put(api_, kube::resources::kDeployments, deployment("web", 53));
  ASSERT_TRUE(eventually([&] { return status("web", "observedTargetGeneration") == "2"; }));
  ASSERT_TRUE(idle());
  pass(seconds(44));
  EXPECT_EQ(status("web", "verdict"), "Skip");
  pass(seconds(1));
  EXPECT_EQ(status("web", "verdict"), "Fail");
}

TEST_F(Expiry, OneThatNeverComesIsNoTrouble) {
  audit::Exemption exemption = until(seconds(0));
  exemption.expiration = base::WallTime::max();
  set_policy({exemption});
  start();
  ASSERT_TRUE(becomes("web", "Skip"));
  observer_.take();
  pass(std::chrono::hours(24));
  EXPECT_THAT(observer_.take(), IsEmpty());
}

// Many that end at once are a bulk rewrite like any other.
TEST_F(Expiry, ManyAtOnceTakeTurns) {
  std::vector<audit::Exemption> exemptions{until(seconds(90)), until(seconds(90), "other")};
  exemptions[1].name = "second";
  set_policy(exemptions);
  start({.bulk_per_second = 1});
  ASSERT_TRUE(eventually([&] {
    clock_.advance(seconds(1));
    return status("web", "verdict") == "Skip" && status("other", "verdict") == "Skip";
  }));
  ASSERT_TRUE(idle());
  api_.forget_calls();
  pass(seconds(90));
  EXPECT_EQ(api_.count("apply", "/status"), 1U);
  pass(seconds(1));
  EXPECT_EQ(api_.count("apply", "/status"), 2U);
  EXPECT_EQ(status("web", "verdict"), "Fail");
  EXPECT_EQ(status("other", "verdict"), "Fail");
}

}  // namespace
}  // namespace shutdown_auditor::controller
