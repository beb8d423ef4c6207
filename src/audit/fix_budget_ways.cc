#include "audit/fix_budget_ways.h"

#include <fmt/format.h>

#include <algorithm>

#include "audit/disruption.h"
#include "base/text.h"

namespace shutdown_auditor::audit {
namespace {

constexpr std::size_t kMaxName = 253;  // a DNS subdomain
constexpr std::string_view kAlwaysAllow = "AlwaysAllow";

void allow_one(objects::PodDisruptionBudget& budget) {
  budget.min_available.reset();
  budget.max_unavailable = objects::IntOrString{false, 1, {}};
}

// What selects the workload's pods, and as a rule nothing else; absent: nothing known does.
std::optional<objects::LabelSelector> own_selector(const objects::Workload& workload) {
  const objects::StringMap& labels = workload.pod_template.meta.labels;
  const auto& selector = workload.selector;
  if (selector && !selector->empty() && objects::matches(*selector, labels)) return selector;
  if (labels.empty()) return std::nullopt;
  return objects::LabelSelector{labels, {}};
}

}  // namespace

BudgetWays::BudgetWays(const Surroundings& surroundings) : around_(surroundings) {
  for (const objects::PodDisruptionBudget* each : *surroundings.budgets) {
    names_.insert(each->meta.name);
    by_name_.emplace(each->meta.name, each);
  }
}

BudgetWay BudgetWays::find(const Finding& finding, const objects::Workload& workload) {
  BudgetWay way = propose(finding, workload);
  for (const BudgetFix& each : way.changes) {
    if (each.before != nullptr) proposed_.insert_or_assign(each.before, each.after);
  }
  return way;
}

BudgetFix BudgetWays::change(const objects::PodDisruptionBudget& budget, std::string why) const {
  const auto earlier = proposed_.find(&budget);
  return {&budget, earlier == proposed_.end() ? budget : earlier->second, nullptr, std::move(why)};
}

BudgetWay BudgetWays::propose(const Finding& finding, const objects::Workload& workload) {
  if (const objects::OwnerReference* owner = workload.meta.controller()) {
    return {{}, fmt::format("{} {} made this workload and may make its budget too", base::truncate_utf8(owner->kind, 63),
                            base::truncate_utf8(owner->name, 100))};
  }
  switch (finding.check) {
    case Check::kPdbMissing: return missing(finding, workload);
    case Check::kPdbBlocksEviction: return blocking(finding, workload);
    case Check::kPdbIneffective: return ineffective(finding);
    case Check::kPdbUnsupported: return unsupported(finding);
    default: return overlapping(workload);
  }
}

const objects::PodDisruptionBudget* BudgetWays::named(const std::string& name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second;
}

const std::vector<const objects::Workload*>& BudgetWays::selected_by(const objects::PodDisruptionBudget& budget) {
  const auto [entry, fresh] = selected_.try_emplace(&budget);
  std::vector<const objects::Workload*>& found = entry->second;
  if (!fresh || around_.workloads == nullptr) return found;
  for (const objects::Workload* each : *around_.workloads) {
    if (selects(budget, *each) != Selection::kNone) found.push_back(each);
  }
  return found;
}

// The workload's own name where it is free.
std::string BudgetWays::unused_name(const objects::Workload& workload) {
  const std::string& name = workload.meta.name;
  for (const std::string& each : {name, name + "-pdb", base::to_lower(workload.kind.kind) + "-" + name}) {
    if (!each.empty() && each.size() <= kMaxName && names_.insert(each).second) return each;
  }
  return {};
}

BudgetWay BudgetWays::missing(const Finding& finding, const objects::Workload& workload) {
  const std::optional<objects::LabelSelector> selector = own_selector(workload);
  if (!selector) return {{}, "the pod template has no labels to select by"};
  // The budget that was meant for it, unless it serves somebody else.
  const objects::PodDisruptionBudget* meant = finding.related_name.empty() ? nullptr : named(finding.related_name);
  const auto serves_another = [&] {
    const std::vector<const objects::Workload*>& selected = selected_by(*meant);
    return std::any_of(selected.begin(), selected.end(), [&](const objects::Workload* each) {
      return each->kind != workload.kind || each->meta.name != workload.meta.name;
    });
  };
  if (meant != nullptr && !serves_another() && given_.insert(meant->meta.name).second) {
    BudgetFix fix = change(*meant, "pdb-missing: selects the labels of the pod template");
    fix.after.selector = selector;
    const bool limited = meant->max_unavailable.has_value() != meant->min_available.has_value();
    if (!limited || !budget_problem(fix.after).empty()) allow_one(fix.after);
    return {{std::move(fix)}, {}};
  }
  const std::string name = unused_name(workload);
  if (name.empty()) return {{}, "no name is free for a new budget"};
  objects::PodDisruptionBudget made;
  made.meta.name = name;
  made.meta.namespace_ = workload.meta.namespace_;
  made.selector = selector;
  allow_one(made);
  return {{{nullptr, std::move(made), &workload, "pdb-missing: a drain takes one pod after the other"}}, {}};
}

BudgetWay BudgetWays::blocking(const Finding& finding, const objects::Workload& workload) const {
  const objects::PodDisruptionBudget* budget = named(finding.related_name);
  if (budget == nullptr) return {{}, "the budget is not among those that were read"};
  for (const BudgetReading& each : budgets_of(workload, around_)) {
    if (each.budget != budget || !each.at_ceiling) continue;
    const bool counted = budget->min_available || budget->max_unavailable;
    if (counted && each.at_ceiling->current_healthy <= 1) {
      return {{}, "with one replica a budget either blocks every drain or prevents nothing: run two, or delete it"};
    }
  }
  BudgetFix fix = change(*budget, fmt::format("{}: one pod at a time may go", id_of(finding.check)));
  allow_one(fix.after);
  return {{std::move(fix)}, {}};
}

BudgetWay BudgetWays::ineffective(const Finding& finding) const {
  const objects::PodDisruptionBudget* budget = named(finding.related_name);
  if (budget == nullptr) return {{}, "the budget is not among those that were read"};
  BudgetFix fix = change(*budget, fmt::format("{}: one pod at a time may go", id_of(finding.check)));
  allow_one(fix.after);
  if (finding.reason == "BudgetIneffective" && budget->unhealthy_pod_eviction_policy != kAlwaysAllow) {
    fix.after.unhealthy_pod_eviction_policy = kAlwaysAllow;
    fix.why += ", and pods that are not ready do not hold up a drain";
  }
  return {{std::move(fix)}, {}};
}

// Leaves it to the one workload whose pods can be counted.
BudgetWay BudgetWays::unsupported(const Finding& finding) {
  const objects::PodDisruptionBudget* budget = named(finding.related_name);
  if (budget == nullptr || finding.reason != "OwnerWithoutScale") {
    return {{}, "how many pods have to stay is not in the manifest: minAvailable takes a whole number"};
  }
  std::vector<const objects::Workload*> counted = selected_by(*budget);
  std::erase_if(counted, [](const objects::Workload* each) { return !has_replicas(*each) || is_bare_pod(*each); });
  if (counted.size() != 1) {
    return {{}, "which of the workloads under it the budget is meant for is not certain"};
  }
  const std::optional<objects::LabelSelector> selector = own_selector(*counted.front());
  if (!selector) return {{}, "the pod template has no labels to select by"};
  BudgetFix fix = change(*budget, fmt::format("pdb-unsupported: selects {} {} only, whose pods can be counted",
                                              counted.front()->kind.kind,
                                              base::truncate_utf8(counted.front()->meta.name, 63)));
  fix.after.selector = selector;
  return {{std::move(fix)}, {}};
}

// Where one budget is this workload's own, the wider ones leave it out.
BudgetWay BudgetWays::overlapping(const objects::Workload& workload) {
  const std::vector<BudgetReading> readings = budgets_of(workload, around_);
  std::vector<std::string> names;
  for (const BudgetReading& each : readings) names.push_back(base::truncate_utf8(each.budget->meta.name, 63));
  BudgetWay way;
  way.none =
      fmt::format("a patch cannot delete: keep one of {}, and delete the others with kubectl", base::join(names, ", "));
  const auto own = std::count_if(readings.begin(), readings.end(), [](const BudgetReading& each) { return each.alone; });
  if (own != 1 || !workload.selector) return way;
  for (const BudgetReading& each : readings) {
    if (each.alone) continue;
    const std::vector<const objects::Workload*>& others = selected_by(*each.budget);
    const auto tells_apart = [&](const auto& label) {
      return std::all_of(others.begin(), others.end(), [&](const objects::Workload* other) {
        const std::string* value = objects::find(other->pod_template.meta.labels, label.first);
        return (other->kind == workload.kind && other->meta.name == workload.meta.name) || value == nullptr ||
               *value != label.second;
      });
    };
    const objects::StringMap& labels = workload.selector->match_labels;
    const auto label = std::find_if(labels.begin(), labels.end(), tells_apart);
    if (label == labels.end()) return {{}, way.none};
    BudgetFix fix = change(*each.budget, fmt::format("pdb-overlapping: leaves out {} {}, which has a budget of its own",
                                                     workload.kind.kind, base::truncate_utf8(workload.meta.name, 63)));
    std::vector<objects::SelectorRequirement>& expressions = fix.after.selector->match_expressions;
    const auto same = std::find_if(expressions.begin(), expressions.end(), [&](const objects::SelectorRequirement& other) {
      return other.key == label->first && other.op == "NotIn";
    });
    if (same == expressions.end()) {
      expressions.push_back({label->first, "NotIn", {label->second}});
    } else {
      same->values.push_back(label->second);
    }
    way.changes.push_back(std::move(fix));
  }
  return way;
}

}  // namespace shutdown_auditor::audit
