#pragma once

#include <cstddef>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "audit/audit.h"
#include "audit/label_index.h"

namespace shutdown_auditor::audit {

// What stands in one namespace, made searchable once for the audits of all its workloads. An audit looks at every budget,
// Service and autoscaler of its Surroundings; with these it is given only those that can concern the workload: those that
// select it, and budgets that nearly do. The results are the same (a test compares them), except that a label that more
// than kTelling budgets ask for is no sign that one of them was meant for the workload. Borrows all lists; constant
// afterwards: safe from any thread.
class Neighbours {
 public:
  static constexpr std::size_t kTelling = 32;

  // The short lists of one workload.
  struct Near {
    std::vector<const objects::PodDisruptionBudget*> budgets;
    std::vector<const objects::Service*> services;
    std::vector<const objects::Autoscaler*> autoscalers;
  };

  // `everything` holds all objects of the namespace and their survey; a null list stays one that cannot be read.
  explicit Neighbours(const Surroundings& everything);

  // The Surroundings for one workload's audit. Borrows `near`, which is overwritten.
  Surroundings around(const objects::Workload& workload, Near& near) const;

 private:
  std::vector<std::size_t> budgets_near(const objects::Workload& workload) const;

  Surroundings everything_;
  LabelIndex budgets_;
  LabelIndex nearly_{2};               // budgets that ask for two things or more
  std::vector<std::size_t> nearly_numbers_;
  std::unordered_map<std::string_view, std::vector<std::size_t>> budgets_by_name_;
  LabelIndex services_;
  std::unordered_map<std::string_view, std::vector<const objects::Autoscaler*>> autoscalers_;  // by target
};

}  // namespace shutdown_auditor::audit
