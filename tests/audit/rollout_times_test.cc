#include "audit/rollout_times.h"

#include "audit/builder.h"

namespace shutdown_auditor::audit {
namespace {

using testing::find;
using testing::number;
using testing::percent;
using testing::result_of;
using testing::Scene;
using Limit = std::optional<objects::IntOrString>;

objects::Workload workload(std::string kind, Limit surge, Limit unavailable) {
  objects::Workload made = Scene().workload;
  made.kind.kind = std::move(kind);
  made.max_surge = std::move(surge);
  made.max_unavailable = std::move(unavailable);
  return made;
}

TEST(RolloutTimesTest, Fenceposts) {
  struct Row {
    std::int64_t replicas;
    Limit surge, unavailable;
    std::int64_t up, down, min_available, max_total;
  };
  for (const Row& row : std::vector<Row>{{1, {}, {}, 1, 0, 1, 2},
                                         {2, {}, {}, 1, 0, 2, 3},
                                         {3, percent("25%"), percent("25%"), 1, 0, 3, 4},
                                         {4, percent("25%"), percent("25%"), 1, 1, 3, 5},
                                         {10, {}, {}, 3, 2, 8, 13},
                                         {10, percent("39%"), percent("39%"), 4, 3, 7, 14},
                                         {7, percent("30%"), percent("30%"), 3, 2, 5, 10},
                                         {3, number(0), percent("25%"), 0, 1, 2, 3},
                                         {100, number(0), percent("1%"), 0, 1, 99, 100},
                                         {2, percent("0%"), percent("1%"), 0, 1, 1, 2},
                                         {1, number(1), number(0), 1, 0, 1, 2},
                                         {3, percent("100%"), percent("0%"), 3, 0, 3, 6},
                                         {4, number(0), percent("100%"), 0, 4, 0, 4},
                                         {3, number(0), number(5), 0, 3, 0, 3},
                                         {0, {}, {}, 0, 0, 0, 0},
                                         {1, number(0), number(1), 0, 1, 0, 1},
                                         {3, percent("200%"), number(0), 6, 0, 3, 9},
                                         {INT64_MAX, percent("99999999999%"), number(INT64_MAX), INT32_MAX, INT32_MAX, 0,
                                          std::int64_t{2} * INT32_MAX}}) {
    const Fenceposts posts = fenceposts_of(workload("Deployment", row.surge, row.unavailable), row.replicas);
    const std::string what = std::to_string(row.replicas) + " up " + std::to_string(row.up) + " down " + std::to_string(row.down);
    EXPECT_EQ(posts.surge, row.up) << what;
    EXPECT_EQ(posts.unavailable, row.down) << what;
    EXPECT_EQ(posts.min_available, row.min_available) << what;
    EXPECT_EQ(posts.max_total, row.max_total) << what;
  }
}

TEST(RolloutTimesTest, StrategiesTheApiServerRefuses) {
  struct Row {
    std::string type;
    Limit surge, unavailable;
    std::string problem;  // empty: accepted
  };
  for (const Row& row : std::vector<Row>{{"RollingUpdate", number(0), number(0), "both 0"},
                                         {"RollingUpdate", percent("0%"), percent("0%"), "both 0"},
                                         {"", number(0), percent("101%"), "more than 100%"},
                                         {"", percent("5"), number(0), "maxSurge \"5\""},
                                         {"", number(-1), {}, "maxSurge"},
                                         {"", {}, percent("half"), "maxUnavailable"},
                                         {"Recreate", number(1), {}, "no rollingUpdate"},
                                         {"OnDelete", {}, {}, "does not exist"},
                                         {"", percent("200%"), number(0), ""},
                                         {"Recreate", {}, {}, ""},
                                         {"", {}, {}, ""},
                                         {"", {}, number(0), ""}}) {
    objects::Workload made = workload("Deployment", row.surge, row.unavailable);
    made.strategy_type = row.type;
    const std::string problem = strategy_problem(made);
    EXPECT_EQ(problem.empty(), row.problem.empty()) << problem;
    EXPECT_THAT(problem, ::testing::HasSubstr(row.problem));
  }
  EXPECT_EQ(strategy_problem(workload("DaemonSet", number(0), number(0))), "");
}

TEST(RolloutTimesTest, DaemonSets) {
  EXPECT_EQ(daemon_set_unavailable(workload("DaemonSet", {}, percent("10%")), 5), 1);
  EXPECT_EQ(daemon_set_unavailable(workload("DaemonSet", {}, percent("30%")), 5), 2);
  EXPECT_EQ(daemon_set_unavailable(workload("DaemonSet", {}, {}), 5), 1);
}

TEST(RolloutTimesTest, UnsafeRollouts) {
  constexpr CheckResult kPass = CheckResult::kPass;
  constexpr CheckResult kInfo = CheckResult::kInfo;
  constexpr CheckResult kWarn = CheckResult::kWarn;
  struct Row {
    std::string what, kind, type;
    Limit surge, unavailable;
    std::int64_t replicas;
    bool claim;
    CheckResult result;
    std::string reason, in_message;
  };
  for (const Row& row : std::vector<Row>{
           {"defaults", "Deployment", "", {}, {}, 3, false, kPass, "", ""},
           {"defaults, one replica", "Deployment", "", {}, {}, 1, false, kPass, "", ""},
           {"all of them", "Deployment", "", {}, percent("100%"), 3, false, kWarn, "RolloutStopsAllPods", "all 3 pods at once (maxUnavailable 100%)"},
           {"all of them, whatever the surge", "Deployment", "RollingUpdate", number(1), number(3), 3, false, kWarn, "RolloutStopsAllPods", "maxUnavailable 3, maxSurge 1"},
           {"the only one", "Deployment", "", number(0), number(1), 1, false, kWarn, "RolloutStopsAllPods", "the only pod"},
           {"a large surge", "Deployment", "", percent("200%"), number(0), 3, false, kPass, "", ""},
           {"scaled to zero", "Deployment", "", {}, percent("100%"), 0, false, kPass, "", ""},
           {"nothing may change", "Deployment", "", number(0), number(0), 3, false, kWarn, "StrategyRefused", "both 0"},
           {"Recreate", "Deployment", "Recreate", {}, {}, 3, false, kInfo, "RecreateStrategy", "stops every pod"},
           {"Recreate with a claim", "Deployment", "Recreate", {}, {}, 3, true, kPass, "", ""},
           {"Rollout", "Rollout", "", {}, percent("100%"), 2, false, kWarn, "RolloutStopsAllPods", "all 2 pods"},
           {"DaemonSet", "DaemonSet", "", {}, percent("100%"), 1, false, kWarn, "RolloutStopsAllPods", "all nodes"},
           {"DaemonSet, half", "DaemonSet", "", {}, percent("50%"), 1, false, kPass, "", ""},
           {"DaemonSet by hand", "DaemonSet", "OnDelete", {}, percent("100%"), 1, false, kPass, "", ""},
           {"StatefulSet", "StatefulSet", "", {}, percent("100%"), 3, false, kPass, "", ""},
           {"ReplicaSet", "ReplicaSet", "", {}, {}, 3, false, kPass, "", ""}}) {
    Scene scene = testing::perfect();
    scene.workload.kind.kind = row.kind;
    scene.workload.strategy_type = row.type;
    scene.workload.max_surge = row.surge;
    scene.workload.max_unavailable = row.unavailable;
    scene.workload.replicas = row.replicas;
    scene.workload.pod_template.spec.mounts_persistent_volume_claim = row.claim;
    const AuditResult result = scene.run();
    EXPECT_EQ(result_of(result, Check::kRolloutUnsafe), row.result) << row.what;
    if (const Finding* finding = find(result, Check::kRolloutUnsafe); finding != nullptr) {
      EXPECT_EQ(finding->reason, row.reason) << row.what;
      EXPECT_THAT(finding->message, ::testing::HasSubstr(row.in_message)) << row.what;
    }
  }
}

}  // namespace
}  // namespace shutdown_auditor::audit
