#include "audit/disruption.h"

#include "audit/builder.h"

namespace shutdown_auditor::audit {
namespace {

using testing::budget;
using testing::find;
using testing::map_of;
using testing::number;
using testing::percent;
using testing::result_of;
using testing::Scene;

constexpr CheckResult kPass = CheckResult::kPass;
constexpr CheckResult kInfo = CheckResult::kInfo;
constexpr CheckResult kWarn = CheckResult::kWarn;
constexpr CheckResult kFail = CheckResult::kFail;

objects::PodDisruptionBudget limited(std::optional<objects::IntOrString> least, std::optional<objects::IntOrString> most) {
  objects::PodDisruptionBudget made = budget("web", map_of({{"app", "web"}}));
  made.min_available = std::move(least);
  made.max_unavailable = std::move(most);
  return made;
}

objects::LabelSelector expression(std::string key, std::string op, std::vector<std::string> values = {}) {
  return {{}, {{std::move(key), std::move(op), std::move(values)}}};
}

TEST(DisruptionTest, Selectors) {
  struct Row {
    std::string what;
    std::optional<objects::LabelSelector> selector;
    Selection selection;
  };
  for (const Row& row : std::vector<Row>{
           {"nil", std::nullopt, Selection::kNone},
           {"empty", objects::LabelSelector{}, Selection::kAll},
           {"label", objects::LabelSelector{map_of({{"app", "web"}}), {}}, Selection::kAll},
           {"label and another", objects::LabelSelector{map_of({{"app", "web"}, {"tier", "be"}}), {}}, Selection::kNone},
           {"In", expression("app", "In", {"api", "web"}), Selection::kAll},
           {"NotIn", expression("app", "NotIn", {"api"}), Selection::kAll},
           {"NotIn, key absent", expression("env", "NotIn", {"prod"}), Selection::kAll},
           {"Exists", expression("env", "Exists"), Selection::kNone},
           {"DoesNotExist", expression("env", "DoesNotExist"), Selection::kAll},
           {"label and expression", objects::LabelSelector{map_of({{"app", "web"}}), {{"app", "NotIn", {"web"}}}}, Selection::kNone},
           {"In without values", expression("app", "In"), Selection::kNone},
           {"Exists with values", expression("app", "Exists", {"web"}), Selection::kNone},
           {"operator in lower case", expression("app", "in", {"web"}), Selection::kNone},
           {"label of the Deployment", objects::LabelSelector{map_of({{"team", "shop"}}), {}}, Selection::kNone},
           {"hash exists", expression("pod-template-hash", "Exists"), Selection::kAll},
           {"hash does not exist", expression("pod-template-hash", "DoesNotExist"), Selection::kNone},
           {"one hash", objects::LabelSelector{map_of({{"app", "web"}, {"pod-template-hash", "5d5f"}}), {}}, Selection::kSome},
           {"hash of another kind", expression("controller-revision-hash", "Exists"), Selection::kNone}}) {
    objects::PodDisruptionBudget made = budget("web", {});
    made.selector = row.selector;
    EXPECT_EQ(selects(made, Scene().workload), row.selection) << row.what;
  }
  objects::PodDisruptionBudget elsewhere = budget("web", map_of({{"app", "web"}}));
  elsewhere.meta.namespace_ = "other";
  EXPECT_EQ(selects(elsewhere, Scene().workload), Selection::kNone);
}

objects::Autoscaler scaler(std::string kind, std::optional<std::int64_t> least, std::optional<std::int64_t> most) {
  objects::Autoscaler made;
  made.kind = {kind == "ScaledObject" ? "keda.sh" : "autoscaling", kind};
  made.meta.namespace_ = "shop";
  made.target = {"apps", "Deployment"};
  made.target_name = "web";
  made.min_replicas = least;
  made.max_replicas = most;
  return made;
}

objects::Workload other(std::string kind, std::string name, std::optional<std::int64_t> replicas) {
  objects::Workload made = Scene().workload;
  made.kind.kind = std::move(kind);
  made.meta.name = std::move(name);
  made.replicas = replicas;
  return made;
}

TEST(DisruptionTest, Checks) {
  struct Row {
    std::string what;
    Check check;
    std::function<void(Scene&)> change;
    CheckResult result;
    std::string reason, in_message;
  };
  const auto limits = [](std::optional<objects::IntOrString> least, std::optional<objects::IntOrString> most, std::int64_t replicas = 3) {
    return [=](Scene& s) {
      s.budgets = {limited(least, most)};
      s.workload.replicas = replicas;
    };
  };
  const auto near = [](std::string name, std::optional<objects::LabelSelector> selector) {
    return [=](Scene& s) {
      s.budgets = {budget(name, {})};
      s.budgets[0].selector = selector;
      s.budgets[0].min_available = number(2);
    };
  };
  const objects::LabelSelector own{map_of({{"team", "shop"}}), {}};
  for (const Row& row : std::vector<Row>{
           {"none", Check::kPdbMissing, [](Scene& s) { s.budgets.clear(); }, kWarn, "BudgetMissing", "3 replicas and no PodDisruptionBudget"},
           {"none, one replica", Check::kPdbMissing, [](Scene& s) { s.budgets.clear(); s.workload.replicas = 1; }, kPass, "", ""},
           {"none, replicas left out", Check::kPdbMissing, [](Scene& s) { s.budgets.clear(); s.workload.replicas.reset(); }, kPass, "", ""},
           {"none, scaled to zero", Check::kPdbMissing, [](Scene& s) { s.budgets.clear(); s.workload.replicas = 0; }, kPass, "", ""},
           {"none, DaemonSet", Check::kPdbMissing, [](Scene& s) { s.budgets.clear(); s.workload.kind.kind = "DaemonSet"; }, kPass, "", ""},
           {"none, autoscaler from 2", Check::kPdbMissing, [](Scene& s) { s.budgets.clear(); s.workload.replicas = 1; s.autoscalers = {scaler("HorizontalPodAutoscaler", 2, 5)}; }, kWarn, "BudgetMissing", "2 replicas"},
           {"none, autoscaler from 1", Check::kPdbMissing, [](Scene& s) { s.budgets.clear(); s.autoscalers = {scaler("HorizontalPodAutoscaler", {}, 5)}; }, kPass, "", ""},
           {"none in the files", Check::kPdbMissing, [](Scene& s) { s.budgets.clear(); s.budgets_may_be_elsewhere = true; }, kInfo, "BudgetMissing", "none in the input"},
           {"not readable", Check::kPdbMissing, [](Scene& s) { s.budgets_readable = false; }, kInfo, "BudgetsNotReadable", "not known"},
           {"selects", Check::kPdbMissing, [](Scene&) {}, kPass, "", ""},
           {"own labels", Check::kPdbMissing, near("web-pdb", own), kWarn, "BudgetMismatch", "PodDisruptionBudget web-pdb selects the Deployment's own labels, not its template's"},
           {"no selector", Check::kPdbMissing, near("web", std::nullopt), kWarn, "BudgetMismatch", "has no selector"},
           {"one label off", Check::kPdbMissing, near("x", objects::LabelSelector{map_of({{"app", "web"}, {"tier", "fe"}}), {}}), kWarn, "BudgetMismatch", "wants tier=fe, the template has no tier"},
           {"same name", Check::kPdbMissing, near("web", objects::LabelSelector{map_of({{"app", "Web"}}), {}}), kWarn, "BudgetMismatch", "wants app=Web, the template has app=web"},
           {"left out on purpose", Check::kPdbMissing, near("x", objects::LabelSelector{map_of({{"app", "web"}}), {{"app", "NotIn", {"web"}}}}), kWarn, "BudgetMissing", "no PodDisruptionBudget"},
           {"of another workload", Check::kPdbMissing, near("api", objects::LabelSelector{map_of({{"app", "api"}}), {}}), kWarn, "BudgetMissing", "no PodDisruptionBudget"},
           {"refused", Check::kPdbMissing, limits(percent("150%"), {}), kWarn, "BudgetMismatch", "the API server refuses it: minAvailable"},
           {"minAvailable = replicas", Check::kPdbBlocksEviction, limits(number(3), {}), kFail, "EvictionBlocked", "minAvailable 3) allows no disruption with all 3 pods ready"},
           {"maxUnavailable 0", Check::kPdbBlocksEviction, limits({}, number(0)), kFail, "EvictionBlocked", "maxUnavailable 0"},
           {"neither", Check::kPdbBlocksEviction, limits({}, {}), kFail, "BudgetWithoutLimit", "neither"},
           {"minAvailable 2 of 3", Check::kPdbBlocksEviction, limits(number(2), {}), kPass, "", ""},
           {"minAvailable 1 of 1", Check::kPdbBlocksEviction, limits(number(1), {}, 1), kFail, "EvictionBlocked", "1 pod ready"},
           {"scaled to zero", Check::kPdbBlocksEviction, limits(number(1), {}, 0), kPass, "", ""},
           {"at the autoscaler's floor", Check::kPdbBlocksEviction, [](Scene& s) { s.autoscalers = {scaler("HorizontalPodAutoscaler", 2, 6)}; }, kWarn, "EvictionBlocked", "at the autoscaler's minimum"},
           {"up to the autoscaler's ceiling", Check::kPdbBlocksEviction, [&](Scene& s) { s.budgets = {limited(percent("100%"), {})}; s.autoscalers = {scaler("HorizontalPodAutoscaler", 2, 6)}; }, kFail, "EvictionBlocked", "2 pods"},
           {"whatever spec.replicas is now", Check::kPdbBlocksEviction, [](Scene& s) { s.workload.replicas = 2; s.autoscalers = {scaler("HorizontalPodAutoscaler", 3, 6)}; }, kPass, "", ""},
           {"KEDA to zero", Check::kPdbBlocksEviction, [](Scene& s) { s.workload.replicas = 1; s.autoscalers = {scaler("ScaledObject", {}, {})}; }, kPass, "", ""},
           {"two workloads, enough together", Check::kPdbBlocksEviction, [](Scene& s) { s.workload.replicas = 2; s.others = {other("StatefulSet", "db", 2)}; }, kPass, "", ""},
           {"two workloads, not enough", Check::kPdbBlocksEviction, [&](Scene& s) { s.budgets = {limited(number(4), {})}; s.workload.replicas = 2; s.others = {other("StatefulSet", "db", 2)}; }, kFail, "EvictionBlocked", "all 4 pods ready that it selects"},
           {"others not known", Check::kPdbBlocksEviction, [&](Scene& s) { s.budgets = {limited(number(3), {})}; s.others_readable = false; }, kPass, "", ""},
           {"others not known, neither", Check::kPdbBlocksEviction, [&](Scene& s) { s.budgets = {limited({}, {})}; s.others_readable = false; }, kFail, "BudgetWithoutLimit", "neither"},
           {"its own ReplicaSet", Check::kPdbBlocksEviction, [&](Scene& s) { s.budgets = {limited(number(3), {})}; s.others = {other("ReplicaSet", "web-1", 3)}; s.others[0].meta.owners = {{"apps/v1", "Deployment", "web", "1", true}}; }, kFail, "EvictionBlocked", "3 pods"},
           {"some pods of a StatefulSet", Check::kPdbBlocksEviction, [&](Scene& s) { s.workload.kind.kind = "StatefulSet"; s.budgets = {limited({}, number(0))}; s.budgets[0].selector = objects::LabelSelector{map_of({{"apps.kubernetes.io/pod-index", "0"}}), {}}; }, kPass, "", ""},
           {"two", Check::kPdbOverlapping, [](Scene& s) { s.budgets.push_back(budget("all", {})); s.budgets.back().max_unavailable = number(1); }, kFail, "BudgetsOverlap", "(all, web)"},
           {"two silence blocking", Check::kPdbBlocksEviction, [](Scene& s) { s.budgets.push_back(budget("all", {})); }, kPass, "", ""},
           {"one", Check::kPdbOverlapping, [](Scene&) {}, kPass, "", ""},
           {"DaemonSet under a percentage", Check::kPdbUnsupported, [&](Scene& s) { s.budgets = {limited({}, percent("50%"))}; s.others = {other("DaemonSet", "logs", {})}; }, kFail, "OwnerWithoutScale", "DaemonSet logs"},
           {"Job under maxUnavailable", Check::kPdbUnsupported, [&](Scene& s) { s.budgets = {limited({}, number(1))}; s.jobs = {{{"batch", "Job"}, {}, map_of({{"app", "web"}})}}; s.jobs[0].meta.name = "load"; }, kFail, "OwnerWithoutScale", "Job load"},
           {"DaemonSet under a number", Check::kPdbUnsupported, [](Scene& s) { s.others = {other("DaemonSet", "logs", {})}; }, kPass, "", ""},
           {"silences blocking", Check::kPdbBlocksEviction, [&](Scene& s) { s.budgets = {limited({}, number(0))}; s.others = {other("DaemonSet", "logs", {})}; }, kPass, "", ""},
           {"the cluster says so", Check::kPdbUnsupported, [](Scene& s) { s.budgets[0].conditions = {{"DisruptionAllowed", "False", "SyncFailed", "no scale"}}; }, kFail, "SyncFailed", "no scale"},
           {"the DaemonSet itself", Check::kPdbUnsupported, [&](Scene& s) { s.budgets = {limited({}, number(1))}; s.workload.kind.kind = "DaemonSet"; }, kFail, "OwnerWithoutScale", "(maxUnavailable 1) selects the pods of DaemonSet web"},
           {"the DaemonSet itself, whole number", Check::kPdbUnsupported, [](Scene& s) { s.workload.kind.kind = "DaemonSet"; }, kPass, "", ""},
           {"a DaemonSet is not blocked", Check::kPdbBlocksEviction, [&](Scene& s) { s.budgets = {limited({}, {})}; s.workload.kind.kind = "DaemonSet"; }, kPass, "", ""},
           {"a Rollout has a scale", Check::kPdbUnsupported, [&](Scene& s) { s.budgets = {limited({}, number(1))}; s.workload.kind = {"argoproj.io", "Rollout"}; }, kPass, "", ""},
           {"CronJob under a percentage", Check::kPdbUnsupported, [&](Scene& s) { s.budgets = {limited(percent("10%"), {})}; s.jobs = {{{"batch", "CronJob"}, {}, map_of({{"app", "web"}})}}; s.jobs[0].meta.name = "nightly"; }, kFail, "OwnerWithoutScale", "also selects the pods of CronJob nightly"},
           {"bare Pod under maxUnavailable", Check::kPdbUnsupported, [&](Scene& s) { s.budgets = {limited({}, percent("100%"))}; s.workload.kind = {"", "Pod"}; s.workload.replicas.reset(); }, kFail, "PodsWithoutScale", "only Pods without a controller"},
           {"bare Pods under a whole number", Check::kPdbUnsupported, [&](Scene& s) { s.budgets = {limited(number(1), {})}; s.workload.kind = {"", "Pod"}; s.workload.replicas.reset(); s.others = {other("Pod", "two", {})}; s.others[0].kind.group = ""; }, kPass, "", ""},
           {"bare Pods silence blocking", Check::kPdbBlocksEviction, [&](Scene& s) { s.budgets = {limited({}, number(1))}; s.workload.kind = {"", "Pod"}; s.workload.replicas.reset(); }, kPass, "", ""},
           {"bare Pod beside a Deployment", Check::kPdbUnsupported, [&](Scene& s) { s.budgets = {limited({}, number(1))}; s.others = {other("Pod", "one", {})}; }, kPass, "", ""},
           {"bare Pod beside a Deployment is healthy", Check::kPdbBlocksEviction, [&](Scene& s) { s.budgets = {limited({}, number(0))}; s.others = {other("Pod", "one", {})}; }, kPass, "", ""},
           {"a Pod that a controller owns is counted there", Check::kPdbBlocksEviction, [&](Scene& s) { s.budgets = {limited({}, number(0))}; s.others = {other("Pod", "one", {})}; s.others[0].meta.owners = {{"apps/v1", "ReplicaSet", "web-1", "1", true}}; }, kFail, "EvictionBlocked", "all 3 pods ready:"},
           {"two over a DaemonSet", Check::kPdbOverlapping, [](Scene& s) { s.workload.kind.kind = "DaemonSet"; s.budgets.push_back(budget("all", {})); }, kFail, "BudgetsOverlap", "(all, web)"},
           {"another condition", Check::kPdbUnsupported, [](Scene& s) { s.budgets[0].conditions = {{"DisruptionAllowed", "False", "InsufficientPods", ""}}; }, kPass, "", ""},
           {"all at once", Check::kPdbIneffective, limits({}, percent("100%")), kWarn, "BudgetIneffective", "every pod go at once"},
           {"minAvailable 0", Check::kPdbIneffective, limits(number(0), {}), kWarn, "BudgetIneffective", "minAvailable 0"},
           {"99% of 3 rounds up", Check::kPdbIneffective, limits({}, percent("99%")), kWarn, "BudgetIneffective", "99%"},
           {"crashing pods are stuck", Check::kPdbIneffective, limits({}, percent("100%")), kWarn, "BudgetIneffective", "still blocks a drain while none of them is ready"},
           {"crashing pods may go", Check::kPdbIneffective, [&](Scene& s) { s.budgets = {limited({}, percent("100%"))}; s.budgets[0].unhealthy_pod_eviction_policy = "AlwaysAllow"; }, kWarn, "BudgetIneffective", "with all 3 pods ready."},
           {"shared with another", Check::kPdbIneffective, [&](Scene& s) { s.budgets = {limited(number(1), {})}; s.others = {other("StatefulSet", "db", 2)}; }, kWarn, "SharedBudgetIneffective", "lets 4 of the 5 pods that it selects go at once, and they may be all 3 of this Deployment"},
           {"shared and less than its own", Check::kPdbIneffective, [&](Scene& s) { s.budgets = {limited({}, number(2))}; s.others = {other("StatefulSet", "db", 2)}; }, kPass, "", ""},
           {"one of three", Check::kPdbIneffective, limits({}, number(1)), kPass, "", ""},
           {"one replica", Check::kPdbIneffective, limits({}, number(1), 1), kPass, "", ""},
           {"one", Check::kSingleReplica, [](Scene& s) { s.workload.replicas = 1; }, kInfo, "SingleReplica", "One replica"},
           {"left out", Check::kSingleReplica, [](Scene& s) { s.workload.replicas.reset(); }, kInfo, "SingleReplica", "One replica"},
           {"autoscaler's floor", Check::kSingleReplica, [](Scene& s) { s.autoscalers = {scaler("HorizontalPodAutoscaler", 1, 4)}; }, kInfo, "SingleReplica", "autoscaler's minimum"},
           {"bare Pod", Check::kSingleReplica, [](Scene& s) { s.workload.kind = {"", "Pod"}; s.workload.replicas.reset(); }, kInfo, "PodWithoutController", "nothing makes a new one"},
           {"DaemonSet", Check::kSingleReplica, [](Scene& s) { s.workload.kind.kind = "DaemonSet"; s.workload.replicas.reset(); }, kPass, "", ""},
           {"zero", Check::kSingleReplica, [](Scene& s) { s.workload.replicas = 0; }, kPass, "", ""},
           {"three", Check::kSingleReplica, [](Scene&) {}, kPass, "", ""}}) {
    Scene scene = testing::perfect();
    row.change(scene);
    const AuditResult result = scene.run();
    const std::string name = std::string(id_of(row.check)) + ": " + row.what;
    EXPECT_EQ(result_of(result, row.check), row.result) << name;
    if (const Finding* finding = find(result, row.check); finding != nullptr) {
      EXPECT_EQ(finding->reason, row.reason) << name;
      EXPECT_THAT(finding->message, ::testing::HasSubstr(row.in_message)) << name;
    }
  }
}

TEST(DisruptionTest, Replicas) {
  struct Row {
    std::optional<std::int64_t> written;
    std::vector<objects::Autoscaler> scalers;
    std::int64_t floor, ceiling;
  };
  objects::Autoscaler foreign = scaler("HorizontalPodAutoscaler", 7, 9);
  foreign.target_name = "api";
  for (const Row& row : std::vector<Row>{{{}, {}, 1, 1},
                                         {5, {}, 5, 5},
                                         {INT64_MAX, {}, INT32_MAX, INT32_MAX},
                                         {-3, {}, 0, 0},
                                         {5, {scaler("HorizontalPodAutoscaler", 2, 9)}, 2, 9},
                                         {5, {scaler("HorizontalPodAutoscaler", {}, 9)}, 1, 9},
                                         {0, {scaler("HorizontalPodAutoscaler", 2, 9)}, 0, 0},
                                         {5, {scaler("HorizontalPodAutoscaler", 9, 2)}, 9, 9},
                                         {5, {scaler("ScaledObject", {}, {})}, 0, 100},
                                         {5, {scaler("ScaledObject", 2, 4), scaler("HorizontalPodAutoscaler", 2, 4)}, 2, 4},
                                         {5, {foreign}, 5, 5}}) {
    Scene scene;
    scene.workload.replicas = row.written;
    std::vector<const objects::Autoscaler*> list;
    for (const objects::Autoscaler& each : row.scalers) list.push_back(&each);
    Surroundings around;
    around.autoscalers = &list;
    const ReplicaRange range = replicas_of(scene.workload, around);
    EXPECT_EQ(range.floor, row.floor);
    EXPECT_EQ(range.ceiling, row.ceiling);
  }
}

// Adding up for every workload anew, or once for all of them, is the same.
TEST(DisruptionTest, SurveyedOnce) {
  std::vector<objects::PodDisruptionBudget> budgets{limited({}, number(1)), limited(number(3), {}), limited({}, {}),
                                                    limited(percent("30%"), {}), limited(percent("150%"), {})};
  for (objects::PodDisruptionBudget& each : budgets) each.selector = objects::LabelSelector{};
  budgets[1].selector = objects::LabelSelector{map_of({{"app", "web"}}), {}};
  std::vector<std::vector<objects::Workload>> namespaces{
      {other("Deployment", "web", 3)},
      {other("Deployment", "web", 3), other("StatefulSet", "db", 2), other("Deployment", "off", 0)},
      {other("Deployment", "web", 3), other("DaemonSet", "logs", {}), other("Pod", "one", {})},
      {other("Pod", "one", {}), other("Pod", "two", {})}};
  const objects::Autoscaler autoscaler = scaler("HorizontalPodAutoscaler", 2, 6);
  const std::vector<const objects::Autoscaler*> scalers{&autoscaler};
  for (const std::vector<objects::Workload>& workloads : namespaces) {
    std::vector<const objects::Workload*> workload_list;
    for (const objects::Workload& each : workloads) workload_list.push_back(&each);
    std::vector<const objects::PodDisruptionBudget*> budget_list;
    for (const objects::PodDisruptionBudget& each : budgets) budget_list.push_back(&each);
    Surroundings around;
    around.budgets = &budget_list;
    around.workloads = &workload_list;
    around.autoscalers = &scalers;
    const BudgetSurvey survey(around);
    EXPECT_EQ(survey.find(budgets.back()), nullptr) << "the API server refuses it";
    Surroundings surveyed = around;
    surveyed.survey = &survey;
    for (const objects::Workload& each : workloads) {
      const std::vector<BudgetReading> fresh = budgets_of(each, around);
      const std::vector<BudgetReading> kept = budgets_of(each, surveyed);
      ASSERT_EQ(fresh.size(), kept.size());
      EXPECT_EQ(fresh.size(), 4u);
      for (std::size_t i = 0; i < fresh.size(); ++i) {
        EXPECT_EQ(fresh[i].alone, kept[i].alone) << each.meta.name;
        EXPECT_EQ(fresh[i].only_bare_pods, kept[i].only_bare_pods) << each.meta.name;
        EXPECT_EQ(fresh[i].without_scale, kept[i].without_scale) << each.meta.name;
        ASSERT_EQ(fresh[i].at_floor.has_value(), kept[i].at_floor.has_value()) << each.meta.name;
        if (!fresh[i].at_floor) continue;
        EXPECT_EQ(fresh[i].at_floor->disruptions_allowed, kept[i].at_floor->disruptions_allowed) << each.meta.name;
        EXPECT_EQ(fresh[i].at_ceiling->disruptions_allowed, kept[i].at_ceiling->disruptions_allowed) << each.meta.name;
      }
    }
  }
}

TEST(DisruptionTest, DrainRounds) {
  struct Row {
    std::string what;
    std::function<void(Scene&)> change;
    std::optional<std::int64_t> rounds;
    bool blocked;
  };
  for (const Row& row : std::vector<Row>{
           {"one of three at a time", [](Scene&) {}, 3, false},
           {"no budget", [](Scene& s) { s.budgets.clear(); }, 1, false},
           {"budgets not readable", [](Scene& s) { s.budgets_readable = false; }, {}, false},
           {"30% of 10", [](Scene& s) { s.workload.replicas = 10; s.budgets = {limited({}, percent("30%"))}; }, 4, false},
           {"shared", [](Scene& s) { s.others = {other("StatefulSet", "db", 2)}; s.budgets = {limited({}, number(2))}; }, 3, false},
           {"blocked", [](Scene& s) { s.budgets = {limited({}, number(0))}; }, {}, true},
           {"two budgets", [](Scene& s) { s.budgets.push_back(budget("all", {})); }, {}, true},
           {"without scale", [](Scene& s) { s.others = {other("DaemonSet", "logs", {})}; s.budgets = {limited({}, number(1))}; }, {}, true},
           {"nodes not known", [](Scene& s) { s.others = {other("DaemonSet", "logs", {})}; }, {}, false},
           {"scaled to zero", [](Scene& s) { s.workload.replicas = 0; }, {}, false}}) {
    Scene scene = testing::perfect();
    row.change(scene);
    const DisruptionReading reading = scene.run().disruption;
    EXPECT_EQ(reading.drain_rounds, row.rounds) << row.what;
    EXPECT_EQ(reading.drain_blocked, row.blocked) << row.what;
  }
}

}  // namespace
}  // namespace shutdown_auditor::audit
