#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "audit/fix.h"

namespace shutdown_auditor::audit {

// Budgets to create or to change for one finding; empty: `none` says why.
struct BudgetWay {
  std::vector<BudgetFix> changes;
  std::string none;
};

// Proposes for the findings of one namespace, one after the other: names of new budgets are unique, and a budget that was
// given away once is not given to another workload. Further changes to a budget include the earlier ones. Borrows the
// surroundings, whose budgets can be read.
class BudgetWays {
 public:
  explicit BudgetWays(const Surroundings& surroundings);
  // For a Warn or Fail of a pdb-* check.
  BudgetWay find(const Finding& finding, const objects::Workload& workload);

 private:
  BudgetWay propose(const Finding& finding, const objects::Workload& workload);
  BudgetWay missing(const Finding& finding, const objects::Workload& workload);
  BudgetWay blocking(const Finding& finding, const objects::Workload& workload) const;
  BudgetWay ineffective(const Finding& finding) const;
  BudgetWay unsupported(const Finding& finding);
  BudgetWay overlapping(const objects::Workload& workload);

  // The budget as proposed so far, to change further.
  BudgetFix change(const objects::PodDisruptionBudget& budget, std::string why) const;
  const objects::PodDisruptionBudget* named(const std::string& name) const;
  const std::vector<const objects::Workload*>& selected_by(const objects::PodDisruptionBudget& budget);
  std::string unused_name(const objects::Workload& workload);

  const Surroundings& around_;
  std::map<std::string_view, const objects::PodDisruptionBudget*> by_name_;
  std::map<const objects::PodDisruptionBudget*, std::vector<const objects::Workload*>> selected_;  // once asked for
  std::set<std::string> names_;  // taken, or proposed
  std::set<std::string> given_;  // existing budgets that were given a workload
  std::map<const objects::PodDisruptionBudget*, objects::PodDisruptionBudget> proposed_;
};

}  // namespace shutdown_auditor::audit
