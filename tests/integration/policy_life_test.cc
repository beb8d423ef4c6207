#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/time.h"
#include "integration/support/cluster_test_base.h"

// A ShutdownPolicy on a real API server: in force, replaced, refused, deleted, and with exemptions that end.
namespace shutdown_auditor::testing_support {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class PolicyLifeTest : public ClusterTest {
 protected:
  void TearDown() override {
    kubectl({"delete", "shutdownpolicies", "--all"});
    ClusterTest::TearDown();
  }
  void apply_policy(const json& spec, const std::string& name = "default") const {
    apply(json{{"apiVersion", "shutdownaudit.dev/v1alpha1"}, {"kind", "ShutdownPolicy"}, {"metadata", {{"name", name}}},
               {"spec", spec}}.dump());
  }
  // "True/InForce" once the condition is about the policy's present generation.
  std::string accepted(const std::string& name = "default") const {
    const json policy = kubectl_json({"get", "shutdownpolicy", name});
    const json status = policy.value("status", json::object());
    const json conditions = status.value("conditions", json::array());
    for (const json& condition : conditions) {
      if (condition["type"] != "Accepted" || condition["observedGeneration"] != policy["metadata"]["generation"]) continue;
      return condition["status"].get<std::string>() + "/" + condition["reason"].get<std::string>();
    }
    return {};
  }
  bool becomes(const std::string& state, const std::string& name = "default") const {
    const bool seen = eventually([&] { return accepted(name) == state; });
    EXPECT_EQ(accepted(name), state);
    return seen;
  }
  static json exemption(const std::string& name, const std::string& workload, base::WallTime until) {
    return {{"name", name}, {"targetRef", {{"kind", "Deployment"}, {"name", workload}}}, {"reason", "agreed"},
            {"expirationTime", base::format_rfc3339(until)}};
  }
  // A Fail that anything but an exemption leaves a Fail.
  void failing(const std::string& name) const { apply(deployment({.name = name, .grace = "20"})); }
};

TEST_F(PolicyLifeTest, InForceReplacedRefusedAndDeleted) {
  apply(deployment({.name = "web", .replicas = 1, .grace = "60", .declared = false}));
  const auto process = controller("ruled");
  ASSERT_TRUE(await_verdict("web", "Pass"));

  apply_policy({{"defaults", {{"maxRequestSeconds", 40}, {"cleanupSeconds", 20}}}});
  ASSERT_TRUE(await_verdict("web", "Warn"));
  ASSERT_TRUE(becomes("True/InForce"));
  EXPECT_EQ(audit_of("web")["status"]["policyRef"], "default");

  // The schema lets it through, the controller does not: the last good one stays.
  apply_policy({{"defaults", {{"maxRequestSeconds", 1}}},
                {"workloadSelector", {{"matchExpressions", {{{"key", "a"}, {"operator", "In"}, {"values", json::array()}}}}}}});
  ASSERT_TRUE(becomes("False/Invalid"));
  pass_a_sentinel("ruled");
  EXPECT_EQ(verdict_of("web"), "Warn");
  EXPECT_TRUE(await_health(*process, "Degraded"));

  apply_policy({{"defaults", {{"maxRequestSeconds", 40}}}}, "spare");
  ASSERT_TRUE(becomes("False/NotSelected", "spare"));

  apply_policy({{"defaults", {{"maxRequestSeconds", 30}, {"cleanupSeconds", 20}}}});
  ASSERT_TRUE(await_verdict("web", "Pass"));
  ASSERT_TRUE(becomes("True/InForce"));
  apply_policy({{"defaults", {{"maxRequestSeconds", 50}, {"cleanupSeconds", 20}}}});
  ASSERT_TRUE(await_verdict("web", "Warn"));
  kubectl({"delete", "shutdownpolicy", "default"});
  ASSERT_TRUE(await_verdict("web", "Pass"));
  EXPECT_TRUE(await_health(*process, "Healthy"));
  EXPECT_THAT(events_of("web"), IsEmpty()) << "a policy never tells";
}

TEST_F(PolicyLifeTest, ANarrowerPolicyDeletesAuditsAWiderOneBringsThemBack) {
  apply(deployment({.name = "web", .label = "team: a"}) + deployment({.name = "other"}));
  const auto process = controller("scoped");
  ASSERT_TRUE(await_audits({"web", "other"}));
  apply_policy({{"workloadSelector", {{"matchLabels", {{"team", "a"}}}}}});
  ASSERT_TRUE(await_audits({"web"}));
  apply_policy({{"excludeNamespaces", {ns()}}});
  ASSERT_TRUE(await_audits({}));
  apply_policy(json::object());
  ASSERT_TRUE(await_audits({"web", "other"}));
}

TEST_F(PolicyLifeTest, APolicyChangeWritesEachAuditOnceAtTheRateAsked) {
  constexpr int kCount = 30;
  std::string all;
  for (int i = 0; i < kCount; ++i) all += deployment({.name = fmt::format("web-{:02}", i)});
  apply(all);
  const auto process = controller("paced", {"--bulk-writes-per-second=10"});
  ASSERT_TRUE(eventually([&] { return status_writes("paced") == kCount; }));
  const std::string before = writes_of("paced").back().timestamp;

  apply_policy({{"defaults", {{"bufferSeconds", 9}}}});
  ASSERT_TRUE(eventually([&] { return status_writes("paced") >= 2 * kCount; }));
  pass_a_sentinel("paced");
  EXPECT_EQ(status_writes("paced"), 2u * kCount + 1) << describe(writes_of("paced"));
  std::vector<std::string> times;
  for (const AuditEntry& entry : writes_of("paced")) {
    const bool rewrite = entry.resource == "shutdownaudits" && entry.timestamp > before && entry.name.find("web-") != std::string::npos;
    if (rewrite) times.push_back(entry.timestamp);
  }
  ASSERT_EQ(times.size(), static_cast<std::size_t>(kCount)) << "one write for each: its status";
  const auto took = *base::parse_rfc3339(times.back()) - *base::parse_rfc3339(times.front());
  EXPECT_GE(took, seconds(kCount - 1) / 10 - milliseconds(100)) << "faster than asked";
}

// The condition's transition time is the moment of the verdict, in whole seconds.
TEST_F(PolicyLifeTest, ExemptionsEndAtTheirSecondAlsoAfterARestart) {
  const auto changed_at = [&](const std::string& name) {
    const json audit = audit_of(name);
    for (const json& condition : audit["status"]["conditions"]) {
      if (condition["type"] == "Compliant") return *base::parse_rfc3339(condition["lastTransitionTime"].get<std::string>());
    }
    return base::WallTime();
  };
  failing("first");
  failing("second");
  const auto now = std::chrono::floor<seconds>(base::system_clock().wall_now());
  const base::WallTime first = now + seconds(8);
  const base::WallTime second = now + seconds(16);
  apply_policy({{"exemptions", {exemption("a", "first", first), exemption("b", "second", second)}}});
  {
    const auto process = controller("patient");
    ASSERT_TRUE(await_verdict("first", "Skip"));
    ASSERT_TRUE(await_verdict("second", "Skip"));
    ASSERT_TRUE(await_verdict("first", "Fail"));
    EXPECT_GE(changed_at("first"), first);
    EXPECT_LE(changed_at("first"), first + seconds(1));
    EXPECT_EQ(verdict_of("second"), "Skip");
    EXPECT_EQ(status_writes("patient", "first"), 2u);
    process->signal(SIGTERM);
    EXPECT_EQ(process->wait_exit(), 0);
  }
  const auto process = controller("successor");
  ASSERT_TRUE(process->wait_for_log("started leading"));
  ASSERT_TRUE(await_verdict("second", "Fail"));
  EXPECT_GE(changed_at("second"), second);
  EXPECT_LE(changed_at("second"), second + seconds(1));
  EXPECT_EQ(status_writes("successor"), 1u) << describe(writes_of("successor"));
  EXPECT_THAT(events_of("first"), IsEmpty());
  EXPECT_THAT(events_of("second"), IsEmpty());
}

}  // namespace
}  // namespace shutdown_auditor::testing_support
