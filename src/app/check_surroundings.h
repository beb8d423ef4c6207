#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "app/input.h"
#include "audit/audit.h"
#include "audit/disruption.h"
#include "audit/neighbours.h"

namespace shutdown_auditor::app {

// The objects of one namespace, as the audits of its workloads want them. Borrows from the Input. After prepare() constant:
// safe from any thread.
class NamespaceObjects {
 public:
  // Adds up what the budgets select, which unpacks every workload once, and makes all lists searchable.
  void prepare(const Unread& unread, const std::string& fallback);

  // All of it, and what of it may concern one workload; both with what prepare() has found.
  const audit::Surroundings& everything() const { return everything_; }
  audit::Surroundings around(const objects::Workload& workload, audit::Neighbours::Near& near) const {
    return neighbours_->around(workload, near);
  }
  // Null when not known.
  const objects::StringMap* labels() const { return labels_known_ ? &labels_ : nullptr; }
  // The budget that has the name; null when none has.
  const InputBudget* budget(std::string_view name) const;
  // Of a budget whose manifest names no namespace.
  bool is_unnamed(const objects::PodDisruptionBudget& budget) const { return unnamed_.contains(&budget); }

 private:
  friend std::map<std::string, NamespaceObjects, std::less<>> group_by_namespace(Input& input, const std::string& fallback);
  void add(InputBudget& item);

  std::vector<const objects::PodDisruptionBudget*> budgets_;
  std::vector<const objects::Service*> services_;
  std::vector<const objects::Autoscaler*> autoscalers_;
  std::vector<const objects::JobTemplate*> jobs_;
  std::vector<const InputWorkload*> workloads_;
  struct Named {
    const InputBudget* item;
    std::size_t at;  // in budgets_
  };
  std::map<std::string_view, Named> budget_names_;
  std::set<const objects::PodDisruptionBudget*> unnamed_;
  objects::StringMap labels_;
  bool labels_known_ = false;
  audit::Surroundings everything_;
  std::optional<audit::BudgetSurvey> survey_;
  std::optional<audit::Neighbours> neighbours_;
};

using Namespaces = std::map<std::string, NamespaceObjects, std::less<>>;

// Every object to its namespace; those that name none get `fallback`, which must not be empty.
Namespaces group_by_namespace(Input& input, const std::string& fallback);

// A Helm hook: gone when the budgets matter.
bool is_hook(const objects::ObjectMeta& meta);
// A ReplicaSet or Pod that another controller made says nothing that its owner does not say.
bool is_made_by_another(const objects::Workload& workload);

}  // namespace shutdown_auditor::app
