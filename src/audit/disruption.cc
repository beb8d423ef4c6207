#include "audit/disruption.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>

#include "audit/label_index.h"
#include "audit/roles.h"

namespace shutdown_auditor::audit {
namespace {

constexpr std::int64_t kKedaDefaultCeiling = 100;

std::int64_t clamp_replicas(std::int64_t value) { return std::clamp<std::int64_t>(value, 0, kMaxPods); }

bool mentions_chosen(const objects::LabelSelector& selector) {
  return std::any_of(selector.match_labels.begin(), selector.match_labels.end(),
                     [](const auto& pair) { return is_chosen_label(pair.first); }) ||
         std::any_of(selector.match_expressions.begin(), selector.match_expressions.end(),
                     [](const objects::SelectorRequirement& each) { return is_chosen_label(each.key); });
}

// The selector without what it asks of values that controllers choose.
objects::LabelSelector without_chosen(const objects::LabelSelector& selector, const objects::StringMap& own) {
  objects::LabelSelector rest = selector;
  std::erase_if(rest.match_labels,
                [&](const auto& pair) { return is_chosen_label(pair.first) && objects::find(own, pair.first) == nullptr; });
  std::erase_if(rest.match_expressions, [&](const objects::SelectorRequirement& each) {
    return is_chosen_label(each.key) && (each.op == "In" || each.op == "NotIn") && objects::find(own, each.key) == nullptr;
  });
  return rest;
}

const objects::StringMap& required_labels(const objects::PodDisruptionBudget& budget) {
  static const objects::StringMap kNone;
  return budget.selector ? budget.selector->match_labels : kNone;
}

bool same_object(const objects::Workload& a, const objects::Workload& b) {
  return a.kind == b.kind && a.meta.name == b.meta.name && same_namespace(a.meta, b.meta);
}

// The ReplicaSet of a Deployment, or its Pod, stands for pods that are counted already.
bool is_part_of_another(const objects::Workload& workload) {
  return (workload.kind.kind == "ReplicaSet" || workload.kind.kind == "Pod") && workload.meta.controller() != nullptr;
}

objects::StringMap job_labels(const objects::JobTemplate& job) {
  objects::StringMap labels = job.pod_labels;
  for (const std::string_view key :
       {"job-name", "controller-uid", "batch.kubernetes.io/job-name", "batch.kubernetes.io/controller-uid"}) {
    if (objects::find(job.pod_labels, key) == nullptr) labels.emplace_back(std::string(key), "*");
  }
  objects::normalize(labels);
  return labels;
}

// Autoscalers by the name of what they scale.
class ScalerIndex {
 public:
  explicit ScalerIndex(const Surroundings& surroundings) {
    if (surroundings.autoscalers == nullptr) return;
    for (const objects::Autoscaler* each : *surroundings.autoscalers) by_target_[each->target_name].push_back(each);
  }
  ReplicaRange replicas_of(const objects::Workload& workload) const {
    const auto found = by_target_.find(workload.meta.name);
    Surroundings around;
    if (found != by_target_.end()) around.autoscalers = &found->second;
    return audit::replicas_of(workload, around);
  }

 private:
  std::unordered_map<std::string_view, std::vector<const objects::Autoscaler*>> by_target_;
};

// Not a part of another workload, and not scaled to nothing.
bool stands_for_itself(const objects::Workload& workload, const ScalerIndex& scalers) {
  if (is_part_of_another(workload)) return false;
  return !has_replicas(workload) || scalers.replicas_of(workload).ceiling > 0;
}

// Adds up what a budget selects.
class BudgetReader {
 public:
  BudgetReader(const objects::PodDisruptionBudget& budget, const ScalerIndex& scalers) : budget_(budget), scalers_(scalers) {
    reading_.budget = &budget;
    for (const objects::Condition& condition : budget.conditions) {
      if (condition.type == "DisruptionAllowed" && condition.status == "False" && condition.reason == "SyncFailed") {
        reading_.sync_failed = true;
        reading_.sync_message = condition.message;
      }
    }
  }

  // The audited workload and everything else around.
  BudgetReading read(const objects::Workload& audited, const Surroundings& surroundings) {
    add(audited);
    if (surroundings.workloads != nullptr) {
      for (const objects::Workload* other : *surroundings.workloads) {
        if (stands_for_itself(*other, scalers_) && !same_object(*other, audited)) add(*other);
      }
    }
    if (surroundings.jobs != nullptr) {
      for (const objects::JobTemplate* job : *surroundings.jobs) add(*job);
    }
    return conclude(surroundings);
  }

  // Counts it when the budget selects it.
  void add(const objects::Workload& workload) {
    const Selection selection = selects(budget_, workload);
    if (selection == Selection::kNone) return;
    ++selected_;
    if (is_bare_pod(workload)) ++bare_;
    some_ = some_ || selection == Selection::kSome;
    if (!has_replicas(workload)) {
      countable_ = false;
      if (selection == Selection::kAll) name_without_scale(workload.kind.kind, workload.meta.name);
      return;
    }
    const Owner owner = owner_of(workload.kind);
    const ReplicaRange range = scalers_.replicas_of(workload);
    at_floor_.push_back({owner, range.floor, range.floor, range.floor});
    at_ceiling_.push_back({owner, range.ceiling, range.ceiling, range.ceiling});
  }

  void add(const objects::JobTemplate& job) {
    if (!same_namespace(job.meta, budget_.meta) || !objects::matches(budget_.selector, job_labels(job))) return;
    ++selected_;
    countable_ = false;
    name_without_scale(job.kind.kind, job.meta.name);
  }

  const objects::PodDisruptionBudget& budget() const { return budget_; }

  // After everything is added.
  BudgetReading conclude(const Surroundings& surroundings) {
    reading_.alone = surroundings.workloads != nullptr && selected_ == 1 && !some_;
    reading_.only_bare_pods = counts_scale(budget_) && selected_ > 0 && selected_ == bare_ && !some_;
    if (!counts_scale(budget_)) reading_.without_scale.clear();
    if (reading_.sync_failed || !reading_.without_scale.empty()) return std::move(reading_);

    // Without a limit nothing can make it allow an eviction, so it need not be known what else it selects.
    const bool blocks_always = !budget_.min_available && !budget_.max_unavailable;
    if (!blocks_always && (!countable_ || some_ || surroundings.workloads == nullptr)) return std::move(reading_);
    reading_.at_floor = status_of(budget_, at_floor_);
    reading_.at_ceiling = status_of(budget_, at_ceiling_);
    return std::move(reading_);
  }

 private:
  void name_without_scale(const std::string& kind, const std::string& name) {
    if (reading_.without_scale.empty()) reading_.without_scale = kind + " " + name;
  }

  const objects::PodDisruptionBudget& budget_;
  const ScalerIndex& scalers_;
  BudgetReading reading_;
  std::vector<SelectedPods> at_floor_;
  std::vector<SelectedPods> at_ceiling_;
  std::size_t selected_ = 0;
  std::size_t bare_ = 0;
  bool some_ = false;       // of one of them it is not known which pods
  bool countable_ = true;
};

}  // namespace

bool has_replicas(const objects::Workload& workload) { return owner_of(workload.kind) != Owner::kWithoutScale; }

bool is_bare_pod(const objects::Workload& workload) { return owner_of(workload.kind) == Owner::kNone; }

ReplicaRange replicas_of(const objects::Workload& workload, const Surroundings& surroundings) {
  const std::int64_t written = clamp_replicas(workload.replicas.value_or(1));
  ReplicaRange range{written, written, false};
  if (surroundings.autoscalers == nullptr) return range;
  for (const objects::Autoscaler* scaler : *surroundings.autoscalers) {
    const bool ours = scaler->target.kind == workload.kind.kind && scaler->target_name == workload.meta.name &&
                      (scaler->target.group.empty() || scaler->target.group == workload.kind.group) &&
                      same_namespace(scaler->meta, workload.meta);
    if (!ours) continue;
    const bool keda = scaler->kind.kind == "ScaledObject";
    // A HorizontalPodAutoscaler leaves a workload alone that was scaled to zero.
    if (!keda && workload.replicas == 0) return {0, 0, false};
    const std::int64_t floor = clamp_replicas(scaler->min_replicas.value_or(keda ? 0 : 1));
    const std::int64_t written_ceiling = scaler->max_replicas.value_or(keda ? kKedaDefaultCeiling : floor);
    const std::int64_t ceiling = std::max(floor, clamp_replicas(written_ceiling));
    range.floor = range.autoscaled ? std::min(range.floor, floor) : floor;
    range.ceiling = range.autoscaled ? std::max(range.ceiling, ceiling) : ceiling;
    range.autoscaled = true;
  }
  return range;
}

Selection selects(const objects::PodDisruptionBudget& budget, const objects::Workload& workload) {
  if (!budget.selector || !same_namespace(budget.meta, workload.meta)) return Selection::kNone;
  const objects::StringMap& own = workload.pod_template.meta.labels;
  if (!mentions_chosen(*budget.selector)) {
    return objects::matches(*budget.selector, own) ? Selection::kAll : Selection::kNone;
  }
  const objects::LabelSelector rest = without_chosen(*budget.selector, own);
  const bool asks_chosen = rest.match_labels.size() != budget.selector->match_labels.size() ||
                           rest.match_expressions.size() != budget.selector->match_expressions.size();
  if (!objects::matches(asks_chosen ? rest : *budget.selector, pod_labels(workload))) return Selection::kNone;
  return asks_chosen ? Selection::kSome : Selection::kAll;
}

BudgetSurvey::BudgetSurvey(const Surroundings& surroundings)
    : BudgetSurvey(surroundings, [&](const std::function<void(const objects::Workload&)>& add) {
        for (const objects::Workload* each : *surroundings.workloads) add(*each);
      }) {}

BudgetSurvey::BudgetSurvey(const Surroundings& surroundings, const EachWorkload& each_workload) {
  if (surroundings.budgets == nullptr) return;
  const ScalerIndex scalers(surroundings);
  std::vector<BudgetReader> readers;
  LabelIndex index;
  for (const objects::PodDisruptionBudget* budget : *surroundings.budgets) {
    if (!budget_problem(*budget).empty()) continue;
    readers.emplace_back(*budget, scalers);
    index.add(required_labels(*budget));
  }
  index.finish();
  std::vector<std::size_t> near;
  const auto add_where_selected = [&](const auto& object, const objects::StringMap& labels) {
    near.clear();
    index.candidates(labels, near);
    std::sort(near.begin(), near.end());
    near.erase(std::unique(near.begin(), near.end()), near.end());
    for (const std::size_t number : near) readers[number].add(object);
  };
  if (surroundings.workloads != nullptr) {
    each_workload([&](const objects::Workload& each) {
      if (stands_for_itself(each, scalers)) add_where_selected(each, each.pod_template.meta.labels);
    });
  }
  if (surroundings.jobs != nullptr) {
    for (const objects::JobTemplate* each : *surroundings.jobs) add_where_selected(*each, each->pod_labels);
  }
  for (BudgetReader& reader : readers) readings_.emplace(&reader.budget(), reader.conclude(surroundings));
}

const BudgetReading* BudgetSurvey::find(const objects::PodDisruptionBudget& budget) const {
  const auto found = readings_.find(&budget);
  return found == readings_.end() ? nullptr : &found->second;
}

std::vector<BudgetReading> budgets_of(const objects::Workload& workload, const Surroundings& surroundings) {
  std::vector<BudgetReading> readings;
  if (surroundings.budgets == nullptr) return readings;
  std::optional<ScalerIndex> scalers;
  for (const objects::PodDisruptionBudget* budget : *surroundings.budgets) {
    const Selection selection = selects(*budget, workload);
    if (selection == Selection::kNone || !budget_problem(*budget).empty()) continue;
    const BudgetReading* surveyed = surroundings.survey == nullptr ? nullptr : surroundings.survey->find(*budget);
    if (surveyed == nullptr && !scalers) scalers.emplace(surroundings);
    readings.push_back(surveyed != nullptr ? *surveyed : BudgetReader(*budget, *scalers).read(workload, surroundings));
    readings.back().selection = selection;
    // Of several controllers without scale the workload's own is the one to name.
    if (!readings.back().without_scale.empty() && !has_replicas(workload) && selection == Selection::kAll) {
      readings.back().without_scale = workload.kind.kind + " " + workload.meta.name;
    }
  }
  std::sort(readings.begin(), readings.end(), [](const BudgetReading& a, const BudgetReading& b) {
    return a.budget->meta.name < b.budget->meta.name;
  });
  return readings;
}

}  // namespace shutdown_auditor::audit
