#include "audit/disruption.h"

#include <fstream>

#include <nlohmann/json.hpp>

#include "audit/builder.h"
#include "objects/decode.h"

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

TEST(DisruptionTest, Arithmetic) {
  struct Row {
    std::optional<objects::IntOrString> least, most;
    std::int64_t pods, allowed;
  };
  for (const Row& row : std::vector<Row>{{{}, number(1), 1, 1},       {{}, percent("1%"), 1, 1},     {{}, percent("30%"), 7, 3},
                                         {{}, percent("50%"), 5, 3},  {{}, number(0), 3, 0},         {{}, percent("0%"), 3, 0},
                                         {{}, percent("100%"), 3, 3}, {{}, number(5), 3, 3},         {number(1), {}, 1, 0},
                                         {number(2), {}, 3, 1},       {percent("50%"), {}, 7, 3},    {percent("80%"), {}, 5, 1},
                                         {percent("99%"), {}, 4, 0},  {percent("100%"), {}, 4, 0},   {percent("1%"), {}, 3, 2},
                                         {number(0), {}, 3, 3},       {number(5), {}, 3, 0},         {{}, {}, 3, 0},
                                         {percent("34%"), {}, 3, 1},  {percent("67%"), {}, 3, 0},    {percent("050%"), {}, 4, 2},
                                         {{}, number(1), 0, 0},       {{}, percent("100%"), INT64_MAX, INT32_MAX}}) {
    const objects::PodDisruptionBudget made = limited(row.least, row.most);
    EXPECT_EQ(allowed_when_ready(made, row.pods), row.allowed)
        << (row.least ? "min " + to_string(*row.least) : row.most ? "max " + to_string(*row.most) : "") << " of " << row.pods;
    EXPECT_EQ(budget_problem(made), "");
  }
}

TEST(DisruptionTest, RefusesWhatTheApiServerRefuses) {
  std::ifstream file(SA_SOURCE_DIR "/tests/audit/data/refused_budgets.json");
  const nlohmann::json rows = nlohmann::json::parse(file);
  EXPECT_EQ(rows.size(), 30u);
  for (const nlohmann::json& row : rows) {
    const auto decoded = objects::decode_json<objects::PodDisruptionBudget>(row["budget"].dump());
    ASSERT_TRUE(decoded.has_value()) << row["id"];
    EXPECT_NE(budget_problem(*decoded), "") << row["id"];
  }
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
           {"another condition", Check::kPdbUnsupported, [](Scene& s) { s.budgets[0].conditions = {{"DisruptionAllowed", "False", "InsufficientPods", ""}}; }, kPass, "", ""},
           {"all at once", Check::kPdbIneffective, limits({}, percent("100%")), kWarn, "BudgetIneffective", "every pod go at once"},
           {"minAvailable 0", Check::kPdbIneffective, limits(number(0), {}), kWarn, "BudgetIneffective", "minAvailable 0"},
           {"99% of 3 rounds up", Check::kPdbIneffective, limits({}, percent("99%")), kWarn, "BudgetIneffective", "99%"},
           {"one of three", Check::kPdbIneffective, limits({}, number(1)), kPass, "", ""},
           {"one replica", Check::kPdbIneffective, limits({}, number(1), 1), kPass, "", ""},
           {"one", Check::kSingleReplica, [](Scene& s) { s.workload.replicas = 1; }, kInfo, "SingleReplica", "One replica"},
           {"left out", Check::kSingleReplica, [](Scene& s) { s.workload.replicas.reset(); }, kInfo, "SingleReplica", "One replica"},
           {"autoscaler's floor", Check::kSingleReplica, [](Scene& s) { s.autoscalers = {scaler("HorizontalPodAutoscaler", 1, 4)}; }, kInfo, "SingleReplica", "autoscaler's minimum"},
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

// Namespaces that existed on a real cluster with every pod ready: what the eviction API answered for each workload.
TEST(DisruptionTest, PredictsWhatTheEvictionApiAnswered) {
  std::ifstream file(SA_SOURCE_DIR "/tests/audit/data/evictions.json");
  const nlohmann::json cases = nlohmann::json::parse(file);
  int compared = 0;
  for (const nlohmann::json& each : cases) {
    Scene scene;
    scene.budgets.clear();
    scene.services.clear();
    std::vector<objects::Workload> workloads;
    bool autoscaled = false;
    for (const nlohmann::json& object : each["objects"]) {
      const std::string kind = object["kind"];
      const std::string text = object.dump();
      if (kind == "PodDisruptionBudget") {
        const auto decoded = objects::decode_json<objects::PodDisruptionBudget>(text);
        ASSERT_TRUE(decoded.has_value()) << each["id"];
        scene.budgets.push_back(*decoded);
      } else if (kind == "Job") {
        const auto decoded = objects::decode_json<objects::JobTemplate>(text);
        ASSERT_TRUE(decoded.has_value()) << each["id"];
        scene.jobs.push_back(*decoded);
      } else if (kind == "HorizontalPodAutoscaler") {
        autoscaled = true;
      } else {
        const auto decoded = objects::decode_json<objects::Workload>(text);
        ASSERT_TRUE(decoded.has_value()) << each["id"];
        workloads.push_back(*decoded);
      }
    }
    if (autoscaled) continue;  // judged at its floor, recorded elsewhere in its range
    for (const objects::Workload& workload : workloads) {
      if (!each["evict"].contains(workload.meta.name) || workload.kind.kind == "DaemonSet") continue;
      scene.workload = workload;
      scene.others = workloads;
      const AuditResult result = scene.run();
      const bool partly = std::any_of(scene.budgets.begin(), scene.budgets.end(), [&](const auto& pdb) {
        return selects(pdb, workload) == Selection::kSome;
      });
      const bool over_uncountable = std::any_of(scene.budgets.begin(), scene.budgets.end(), [&](const auto& pdb) {
        return selects(pdb, workload) == Selection::kAll && pdb.min_available && !pdb.min_available->is_string &&
               (!scene.jobs.empty() || std::any_of(workloads.begin(), workloads.end(), [&](const auto& w) {
                 return w.kind.kind == "DaemonSet" && selects(pdb, w) == Selection::kAll;
               }));
      });
      if (partly || over_uncountable) continue;  // the manifests do not tell
      const int predicted = find(result, Check::kPdbOverlapping) != nullptr     ? 500
                            : find(result, Check::kPdbUnsupported) != nullptr   ? 429
                            : find(result, Check::kPdbBlocksEviction) != nullptr ? 429
                                                                                 : 201;
      EXPECT_EQ(predicted, each["evict"][workload.meta.name].get<int>()) << each["id"] << " " << workload.meta.name;
      ++compared;
    }
  }
  EXPECT_EQ(compared, 170);
}

}  // namespace
}  // namespace shutdown_auditor::audit
