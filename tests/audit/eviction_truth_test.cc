// 370 namespaces that existed on a real API server with its disruption controller: status numbers, condition and what the
// eviction API answered, against the engine's arithmetic; and what the audit says about the manifests alone.
#include <fstream>
#include <map>
#include <set>

#include <nlohmann/json.hpp>

#include "audit/builder.h"
#include "audit/disruption.h"
#include "audit/eviction.h"
#include "audit/roles.h"
#include "objects/decode.h"

namespace shutdown_auditor::audit {
namespace {

using nlohmann::json;
using testing::Scene;

const json& cases() {
  static const json kCases = [] {
    std::ifstream file(SA_SOURCE_DIR "/tests/audit/data/disruptions.json");
    return json::parse(file);
  }();
  return kCases;
}

std::string space_of(const json& entry) { return entry.value("elsewhere", false) ? "elsewhere" : "shop"; }

objects::GroupKind kind_of(const std::string& kind) {
  if (kind == "Pod" || kind == "ReplicationController") return {"", kind};
  return {kind == "Job" ? "batch" : "apps", kind};
}

objects::StringMap labels_of(const json& entry) {
  objects::StringMap labels;
  for (const auto& [key, value] : entry.at("labels").items()) labels.emplace_back(key, value.get<std::string>());
  objects::normalize(labels);
  return labels;
}

objects::Workload workload_of(const json& entry) {
  objects::Workload workload = Scene().workload;
  workload.kind = kind_of(entry.at("kind"));
  workload.meta.name = entry.at("name");
  workload.meta.namespace_ = space_of(entry);
  workload.meta.labels.clear();
  workload.pod_template.meta.labels = labels_of(entry);
  workload.replicas.reset();
  if (entry.contains("replicas")) workload.replicas = entry["replicas"].get<std::int64_t>();
  return workload;
}

// Why the API server never had this object: the file cannot be decoded, the budget is invalid, its version is gone, or
// kubectl's strict decoding found a field that does not exist (other clients get it through).
enum class Refusal { kNone, kDecoding, kInvalid, kVersion, kStrict };

struct Budget {
  Refusal refusal = Refusal::kNone;
  objects::PodDisruptionBudget object;
};

// A misspelt field. Without strict decoding the API server drops it, and the audit judges what is left.
const std::set<std::string> kStrict{"c116-v-typo-min", "c118-v-selector-flat"};

Budget budget_of(const std::string& id, const json& entry) {
  const json& manifest = entry.at("budget");
  if (manifest.at("apiVersion") != "policy/v1") return {Refusal::kVersion, {}};
  auto decoded = objects::decode_json<objects::PodDisruptionBudget>(manifest.dump());
  if (!decoded) return {Refusal::kDecoding, {}};
  decoded->meta.namespace_ = space_of(entry);
  if (!budget_problem(*decoded).empty()) return {Refusal::kInvalid, *decoded};
  return {kStrict.contains(id) ? Refusal::kStrict : Refusal::kNone, *decoded};
}

struct Pod {
  objects::StringMap labels;
  PodState state;
};

// The pods of one workload as they were: the first `ready` of them ready.
std::vector<Pod> pods_of(const json& entry) {
  const objects::Workload workload = workload_of(entry);
  const std::string name = entry.at("name");
  const std::map<std::string, PodPhase> phases{
      {"Pending", PodPhase::kPending}, {"Succeeded", PodPhase::kSucceeded}, {"Failed", PodPhase::kFailed}};
  std::vector<Pod> pods;
  for (int i = 0; i < entry.at("pods").get<int>(); ++i) {
    Pod pod{pod_labels(workload), {}};
    const auto set = [&](const std::string& key, const std::string& value) {
      std::erase_if(pod.labels, [&](const auto& label) { return label.first == key; });
      pod.labels.emplace_back(key, value);
      objects::normalize(pod.labels);
    };
    if (workload.kind.kind == "StatefulSet") {
      set("apps.kubernetes.io/pod-index", std::to_string(i));
      set("statefulset.kubernetes.io/pod-name", name + "-" + std::to_string(i));
    }
    if (workload.kind.kind == "Job") set("job-name", name);
    pod.state.ready = i < entry.at("ready").get<int>();
    if (!pod.state.ready && entry.contains("unready_phase")) pod.state.phase = phases.at(entry["unready_phase"]);
    pods.push_back(std::move(pod));
  }
  return pods;
}

bool covers(const objects::PodDisruptionBudget& budget, const json& workload, const Pod& pod) {
  return budget.meta.namespace_ == space_of(workload) && objects::matches(budget.selector, pod.labels);
}

// What an autoscaler leaves of spec.replicas.
std::int64_t scale_of(const json& scene, const json& entry) {
  const objects::Workload workload = workload_of(entry);
  std::vector<objects::Autoscaler> scalers;
  for (const json& each : scene.value("autoscalers", json::array())) {
    if (each.at("target") != workload.kind.kind + "/" + workload.meta.name) continue;
    objects::Autoscaler scaler;
    scaler.kind = {"autoscaling", "HorizontalPodAutoscaler"};
    scaler.target = workload.kind;
    scaler.target_name = workload.meta.name;
    if (each.contains("min")) scaler.min_replicas = each["min"].get<std::int64_t>();
    scaler.max_replicas = each.at("max").get<std::int64_t>();
    scalers.push_back(scaler);
  }
  std::vector<const objects::Autoscaler*> list;
  for (const objects::Autoscaler& each : scalers) list.push_back(&each);
  Surroundings around;
  around.autoscalers = &list;
  const ReplicaRange range = replicas_of(workload, around);
  return std::clamp(workload.replicas.value_or(1), range.floor, range.ceiling);
}

std::vector<BudgetState> budgets_in(const json& scene, const std::vector<Budget>& budgets) {
  std::vector<BudgetState> states;
  for (const Budget& each : budgets) {
    if (each.refusal != Refusal::kNone) continue;
    std::vector<SelectedPods> selected;
    for (const json& workload : scene.at("workloads")) {
      SelectedPods pods{owner_of(kind_of(workload.at("kind"))), scale_of(scene, workload), 0, 0};
      for (const Pod& pod : pods_of(workload)) {
        if (!covers(each.object, workload, pod)) continue;
        ++pods.pods;
        if (pod.state.ready) ++pods.ready;
      }
      selected.push_back(pods);
    }
    states.push_back({&each.object, status_of(each.object, selected), true});
  }
  return states;
}

std::vector<Budget> budgets_of_case(const json& scene) {
  std::vector<Budget> budgets;
  for (const json& each : scene.at("budgets")) budgets.push_back(budget_of(scene.at("id"), each));
  return budgets;
}

TEST(EvictionTruthTest, StatusNumbersAndConditions) {
  std::size_t compared = 0;
  for (const json& scene : cases()) {
    const std::vector<Budget> budgets = budgets_of_case(scene);
    json computed = json::object();
    for (const BudgetState& each : budgets_in(scene, budgets)) {
      const BudgetStatus& s = each.status;
      computed[each.budget->meta.name] = {s.expected_pods, s.desired_healthy, s.current_healthy, s.disruptions_allowed,
                                          std::string(s.reason())};
    }
    EXPECT_EQ(computed, scene.at("status")) << scene.at("id");
    compared += computed.size();
  }
  EXPECT_EQ(cases().size(), 370u);
  EXPECT_EQ(compared, 399u);
}

TEST(EvictionTruthTest, EvictionAnswers) {
  std::size_t compared = 0;
  for (const json& scene : cases()) {
    const std::vector<Budget> budgets = budgets_of_case(scene);
    const std::vector<BudgetState> states = budgets_in(scene, budgets);
    json computed = json::object();
    for (const json& workload : scene.at("workloads")) {
      for (const Pod& pod : pods_of(workload)) {
        const std::string key = workload.at("name").get<std::string>() + (pod.state.ready ? "" : "/unready");
        if (computed.contains(key)) continue;
        std::vector<BudgetState> over_it;
        for (const BudgetState& each : states) {
          if (covers(*each.budget, workload, pod)) over_it.push_back(each);
        }
        computed[key] = http_status(evict(pod.state, over_it));
      }
    }
    EXPECT_EQ(computed, scene.at("evict")) << scene.at("id");
    compared += computed.size();
  }
  EXPECT_EQ(compared, 578u);
}

TEST(EvictionTruthTest, RefusesWhatTheApiServerRefuses) {
  std::map<Refusal, int> refusals;
  for (const json& scene : cases()) {
    const json refused = scene.value("refused", json::object());
    for (const json& each : scene.at("budgets")) {
      const Budget budget = budget_of(scene.at("id"), each);
      const std::string name = each.at("budget").at("metadata").at("name");
      EXPECT_EQ(budget.refusal != Refusal::kNone, refused.contains(name)) << scene.at("id") << " " << name;
      ++refusals[budget.refusal];
    }
  }
  EXPECT_EQ(refusals, (std::map<Refusal, int>{{Refusal::kNone, 399},
                                              {Refusal::kDecoding, 4},
                                              {Refusal::kInvalid, 32},
                                              {Refusal::kVersion, 1},
                                              {Refusal::kStrict, 2}}));
}

// Why the manifests alone do not tell the recorded answer, although the arithmetic above agrees with it.
enum class NotTold {
  kTold,
  kPodsNotReady,       // recorded with pods missing or not ready; the audit asks what happens when all are
  kAutoscaled,         // recorded inside the autoscaler's range; the audit judges its floor
  kOneOfAStatefulSet,  // the budget picks pods by a label whose value the controller chooses
  kNodesAndJobs        // a whole number over the pods of a DaemonSet or Job: how many there are is not written
};

NotTold why_not_told(const json& scene, const json& entry, const Scene& audited) {
  for (const json& each : scene.at("workloads")) {
    if (each.at("ready") != each.at("pods")) return NotTold::kPodsNotReady;
    const bool scaled = each.contains("replicas") && each.at("pods") != each.at("replicas");
    if (scaled) return NotTold::kPodsNotReady;
  }
  if (scene.contains("autoscalers")) return NotTold::kAutoscaled;
  const objects::Workload workload = workload_of(entry);
  for (const objects::PodDisruptionBudget& budget : audited.budgets) {
    if (selects(budget, workload) == Selection::kSome) return NotTold::kOneOfAStatefulSet;
    if (selects(budget, workload) == Selection::kNone || counts_scale(budget)) continue;
    for (const json& each : scene.at("workloads")) {
      if (owner_of(kind_of(each.at("kind"))) == Owner::kWithoutScale && selects(budget, workload_of(each)) != Selection::kNone) {
        return NotTold::kNodesAndJobs;
      }
    }
  }
  return NotTold::kTold;
}

TEST(EvictionTruthTest, TheAuditSaysWhatWillBeRefused) {
  std::map<NotTold, int> counted;
  for (const json& scene : cases()) {
    std::vector<objects::Workload> workloads;
    Scene around;
    around.budgets.clear();
    around.services.clear();
    for (const json& each : scene.at("workloads")) {
      const objects::Workload workload = workload_of(each);
      if (workload.kind.kind == "Job") {
        around.jobs.push_back({workload.kind, workload.meta, workload.pod_template.meta.labels});
      } else {
        workloads.push_back(workload);
      }
    }
    for (const Budget& each : budgets_of_case(scene)) {
      if (each.refusal == Refusal::kNone || each.refusal == Refusal::kInvalid) around.budgets.push_back(each.object);
    }
    around.others = workloads;
    for (const json& each : scene.at("workloads")) {
      const std::string name = each.at("name");
      if (each.at("kind") == "Job" || !scene.at("evict").contains(name)) continue;
      const NotTold reason = why_not_told(scene, each, around);
      ++counted[reason];
      if (reason != NotTold::kTold) continue;
      around.workload = workload_of(each);
      const AuditResult result = around.run();
      const bool refused = testing::find(result, Check::kPdbUnsupported) != nullptr ||
                           testing::find(result, Check::kPdbBlocksEviction) != nullptr;
      const int predicted = testing::find(result, Check::kPdbOverlapping) != nullptr ? 500 : refused ? 429 : 201;
      EXPECT_EQ(predicted, scene.at("evict").at(name).get<int>()) << scene.at("id") << " " << name;
      if (each.at("kind") != "DaemonSet") {
        EXPECT_EQ(result.disruption.drain_blocked, predicted != 201) << scene.at("id") << " " << name;
      }
    }
  }
  EXPECT_EQ(counted, (std::map<NotTold, int>{{NotTold::kTold, 264},
                                             {NotTold::kPodsNotReady, 138},
                                             {NotTold::kAutoscaled, 13},
                                             {NotTold::kOneOfAStatefulSet, 4},
                                             {NotTold::kNodesAndJobs, 7}}));
}

}  // namespace
}  // namespace shutdown_auditor::audit
