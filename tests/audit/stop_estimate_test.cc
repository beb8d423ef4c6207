#include "audit/stop_estimate.h"

#include "audit/builder.h"

namespace shutdown_auditor::audit {
namespace {

using testing::number;
using testing::percent;
using testing::Scene;

TEST(StopEstimateTest, DrainAndRollout) {
  struct Row {
    std::string what, kind, strategy;
    std::function<void(Scene&)> change;
    std::string drain, rollout;
    std::int64_t worst_drain, worst_rollout;
  };
  // The reference needs 60 of its 60 s; three replicas under minAvailable 2.
  for (const Row& row : std::vector<Row>{
           {"one after the other", "Deployment", "", [](Scene&) {}, "180s", "0s", 180, 0},
           {"a long grace period does not slow a rolling update", "Deployment", "", [](Scene& s) { s.grace(3600); }, "180-10800s", "0s", 10800, 0},
           {"Recreate waits for the old pods", "Deployment", "Recreate", [](Scene& s) { s.grace(90); }, "180-270s", "60-90s", 270, 90},
           {"no budget", "Deployment", "", [](Scene& s) { s.budgets.clear(); }, "60s", "0s", 60, 0},
           {"budgets not readable", "Deployment", "", [](Scene& s) { s.budgets_readable = false; }, "-", "0s", 0, 0},
           {"blocked", "Deployment", "", [](Scene& s) { s.budgets[0].min_available = number(3); }, "blocked", "0s", 0, 0},
           {"more than the grace period is cut", "Deployment", "Recreate", [](Scene& s) { s.grace(40); }, "120s", "40s", 120, 40},
           {"a hook nobody can time", "Deployment", "Recreate", [](Scene& s) { s.grace(90).app().pre_stop = testing::exec({"/drain.sh"}); }, ">=165s", ">=55s", 270, 90},
           {"in order", "StatefulSet", "", [](Scene& s) { s.grace(40); }, "120s", "120s", 120, 120},
           {"at once or not, an update goes one by one", "StatefulSet", "RollingUpdate", [](Scene& s) { s.grace(40).workload.pod_management_policy = "Parallel"; }, "120s", "120s", 120, 120},
           {"a tenth of five is one", "StatefulSet", "RollingUpdate", [](Scene& s) { s.workload.replicas = 5; s.workload.max_unavailable = percent("10%"); s.budgets.clear(); }, "60s", "300s", 60, 300},
           {"by hand", "StatefulSet", "OnDelete", [](Scene&) {}, "180s", "-", 180, 0},
           {"nodes not known", "DaemonSet", "", [](Scene&) {}, "-", "-", 0, 0},
           {"a tenth of the nodes at a time", "DaemonSet", "RollingUpdate", [](Scene& s) { s.workload.max_unavailable = percent("10%"); }, "-", "600s", 0, 600},
           {"a third", "DaemonSet", "RollingUpdate", [](Scene& s) { s.workload.max_unavailable = percent("30%"); }, "-", "240s", 0, 240},
           {"a whole number of nodes", "DaemonSet", "RollingUpdate", [](Scene& s) { s.workload.max_unavailable = number(2); }, "-", "-", 0, 0},
           {"scaled to zero", "Deployment", "", [](Scene& s) { s.workload.replicas = 0; }, "-", "-", 0, 0},
           {"nobody rolls a Pod out", "Pod", "", [](Scene& s) { s.workload.replicas.reset(); s.budgets.clear(); }, "60s", "-", 60, 0},
           {"nor a ReplicaSet", "ReplicaSet", "", [](Scene&) {}, "180s", "-", 180, 0},
           {"hostile grace", "StatefulSet", "", [](Scene& s) { s.grace(INT64_MAX); }, ">=180s", ">=180s", INT64_MAX, INT64_MAX}}) {
    Scene scene = testing::perfect();
    scene.workload.kind.kind = row.kind;
    scene.workload.strategy_type = row.strategy;
    row.change(scene);
    const StopEstimate estimate = scene.run().estimate;
    EXPECT_EQ(to_string(estimate.drain), row.drain) << row.what;
    EXPECT_EQ(to_string(estimate.rollout), row.rollout) << row.what;
    EXPECT_EQ(estimate.drain.worst_seconds, row.worst_drain) << row.what;
    EXPECT_EQ(estimate.rollout.worst_seconds, row.worst_rollout) << row.what;
  }
}

}  // namespace
}  // namespace shutdown_auditor::audit
