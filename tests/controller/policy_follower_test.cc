#include "controller/policy_follower.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "kube_support/fake_api.h"
#include "support/fixed_random.h"
#include "support/manual_clock.h"

namespace shutdown_auditor::controller {
namespace {

using nlohmann::json;
using testing_support::eventually;

std::string policy(const std::string& name, const std::string& defaults) {
  return fmt::format(R"({{"apiVersion": "shutdownaudit.dev/v1alpha1", "kind": "ShutdownPolicy",
    "metadata": {{"name": "{}"}}, "spec": {{"defaults": {}}}}})", name, defaults);
}

class Following : public testing::Test {
 protected:
  ~Following() override {
    follower_.loop().stop({});
    follower_.source().stop();
  }

  void start() {
    follower_.source().start();
    ASSERT_TRUE(follower_.source().wait_settled({{}, clock_.now() + std::chrono::seconds(30)}));
    follower_.lead();
    follower_.loop().start();
  }
  // "True/InForce", or "" without the condition.
  std::string accepted(const std::string& name) {
    const auto text = api_.get(kShutdownPolicies, "", name);
    const json object = text ? json::parse(*text) : json::object();
    if (!object.contains("status")) return "";
    const json condition = object["status"]["conditions"][0];
    return condition["status"].get<std::string>() + "/" + condition["reason"].get<std::string>();
  }
  std::optional<std::int64_t> cleanup() { return keeper_.current()->cleanup_seconds; }

  testing_support::ManualClock clock_;
  testing_support::FixedRandom random_;
  testing_support::FakeApi api_{clock_};
  PolicyKeeper keeper_;
  std::atomic<int> changes_{0};
  PolicyFollower follower_{{api_, api_, clock_, random_, keeper_, [this] { ++changes_; }}, "default"};
};

TEST_F(Following, TheNamedPolicyComesIntoForce) {
  api_.put(kShutdownPolicies, policy("default", R"({"cleanupSeconds": 7})"));
  api_.put(kShutdownPolicies, policy("spare", R"({"cleanupSeconds": 99})"));
  start();
  EXPECT_EQ(cleanup(), 7);
  EXPECT_EQ(keeper_.current()->name, "default");
  EXPECT_EQ(changes_, 1);
  EXPECT_TRUE(eventually([&] { return accepted("default") == "True/InForce"; }));
  EXPECT_TRUE(eventually([&] { return accepted("spare") == "False/NotSelected"; }));
}

TEST_F(Following, AnInvalidPolicyLeavesTheLastGoodOneInForce) {
  api_.put(kShutdownPolicies, policy("default", R"({"cleanupSeconds": 7})"));
  start();
  api_.put(kShutdownPolicies, policy("default", R"({"cleanupSeconds": -1})"));
  EXPECT_TRUE(eventually([&] { return accepted("default") == "False/Invalid"; }));
  EXPECT_EQ(cleanup(), 7);
  EXPECT_NE(follower_.problem(), "");
  EXPECT_EQ(changes_, 1);
  api_.put(kShutdownPolicies, policy("default", R"({"cleanupSeconds": 8})"));
  EXPECT_TRUE(eventually([&] { return cleanup() == 8 && accepted("default") == "True/InForce"; }));
  EXPECT_EQ(follower_.problem(), "");
}

TEST_F(Following, DeletingItBringsTheBuiltInNumbersBack) {
  api_.put(kShutdownPolicies, policy("default", R"({"cleanupSeconds": 7})"));
  start();
  api_.remove(kShutdownPolicies, "", "default");
  EXPECT_TRUE(eventually([&] { return !cleanup().has_value() && changes_ == 2; }));
}

TEST_F(Following, AStatusThatIsRightIsNotWrittenAgain) {
  api_.put(kShutdownPolicies, policy("default", R"({"cleanupSeconds": 7})"));
  start();
  ASSERT_TRUE(eventually([&] { return accepted("default") == "True/InForce"; }));
  ASSERT_TRUE(eventually([&] { return api_.count("get", "/shutdownpolicies/default") >= 1; }));
  const std::size_t reads = api_.count("get", "/shutdownpolicies/default");
  follower_.lead();
  ASSERT_TRUE(eventually([&] { return api_.count("get", "/shutdownpolicies/default") > reads; }));
  EXPECT_EQ(api_.count("apply", "/shutdownpolicies/default/status"), 1U);
}

TEST_F(Following, WithoutTheResourceTypeTheBuiltInNumbersHold) {
  api_.set_served(kShutdownPolicies, false);
  start();
  EXPECT_FALSE(cleanup().has_value());
  EXPECT_EQ(follower_.problem(), "");
}

}  // namespace
}  // namespace shutdown_auditor::controller
