#include "audit/neighbours.h"

#include <algorithm>

namespace shutdown_auditor::audit {

Neighbours::Neighbours(const Surroundings& everything) : everything_(everything) {
  if (everything.budgets != nullptr) {
    for (std::size_t i = 0; i < everything.budgets->size(); ++i) {
      const objects::PodDisruptionBudget& budget = *(*everything.budgets)[i];
      const objects::LabelSelector selector = budget.selector.value_or(objects::LabelSelector());
      budgets_.add(selector.match_labels);
      budgets_by_name_[budget.meta.name].push_back(i);
      if (selector.match_labels.size() + selector.match_expressions.size() > 1) {
        nearly_.add(selector.match_labels);
        nearly_numbers_.push_back(i);
      }
    }
  }
  if (everything.services != nullptr) {
    for (const objects::Service* each : *everything.services) services_.add(each->selector);
  }
  if (everything.autoscalers != nullptr) {
    for (const objects::Autoscaler* each : *everything.autoscalers) autoscalers_[each->target_name].push_back(each);
  }
  budgets_.finish();
  nearly_.finish();
  services_.finish();
}

// In the order of the list.
std::vector<std::size_t> Neighbours::budgets_near(const objects::Workload& workload) const {
  const objects::StringMap& labels = workload.pod_template.meta.labels;
  std::vector<std::size_t> numbers;
  nearly_.candidates(labels, numbers, kTelling);
  for (std::size_t& number : numbers) number = nearly_numbers_[number];
  budgets_.candidates(labels, numbers);
  budgets_.candidates(workload.meta.labels, numbers);  // a budget that asks for these by mistake
  const auto same_name = budgets_by_name_.find(workload.meta.name);
  if (same_name != budgets_by_name_.end()) {
    numbers.insert(numbers.end(), same_name->second.begin(), same_name->second.end());
  }
  std::sort(numbers.begin(), numbers.end());
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  return numbers;
}

Surroundings Neighbours::around(const objects::Workload& workload, Near& near) const {
  Surroundings around = everything_;
  near = {};
  if (everything_.budgets != nullptr) {
    for (const std::size_t number : budgets_near(workload)) near.budgets.push_back((*everything_.budgets)[number]);
    around.budgets = &near.budgets;
  }
  if (everything_.services != nullptr) {
    std::vector<std::size_t> numbers;
    services_.candidates(workload.pod_template.meta.labels, numbers);
    std::sort(numbers.begin(), numbers.end());
    numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
    for (const std::size_t number : numbers) near.services.push_back((*everything_.services)[number]);
    around.services = &near.services;
  }
  if (everything_.autoscalers != nullptr) {
    const auto found = autoscalers_.find(workload.meta.name);
    if (found != autoscalers_.end()) near.autoscalers = found->second;
    around.autoscalers = &near.autoscalers;
  }
  return around;
}

}  // namespace shutdown_auditor::audit
