#include "app/check_surroundings.h"

#include <utility>

namespace shutdown_auditor::app {
namespace {

constexpr std::string_view kHookAnnotation = "helm.sh/hook";
constexpr std::string_view kNamespaceNameLabel = "kubernetes.io/metadata.name";

// Stands for the workloads of a namespace once they are surveyed: nothing looks at them again.
const std::vector<const objects::Workload*> kSurveyed;

}  // namespace

bool is_hook(const objects::ObjectMeta& meta) { return objects::find(meta.annotations, kHookAnnotation) != nullptr; }

bool is_made_by_another(const objects::Workload& workload) {
  return workload.meta.controller() != nullptr && (workload.kind.kind == "ReplicaSet" || workload.kind.kind == "Pod");
}

// Of two budgets of one name the later one stays, as after kubectl apply.
void NamespaceObjects::add(InputBudget& item) {
  const std::string& name = item.object.meta.name;
  const auto [known, fresh] = budget_names_.try_emplace(name, Named{&item, budgets_.size()});
  if (fresh || name.empty()) {
    budgets_.push_back(&item.object);
    return;
  }
  known->second.item = &item;
  budgets_[known->second.at] = &item.object;
}

const InputBudget* NamespaceObjects::budget(std::string_view name) const {
  const auto found = budget_names_.find(name);
  return found == budget_names_.end() ? nullptr : found->second.item;
}

void NamespaceObjects::prepare(const Unread& unread, const std::string& fallback) {
  everything_.budgets = unread.budgets ? nullptr : &budgets_;
  everything_.services = unread.services ? nullptr : &services_;
  everything_.autoscalers = unread.autoscalers ? nullptr : &autoscalers_;
  everything_.workloads = unread.workloads ? nullptr : &kSurveyed;
  everything_.jobs = unread.jobs ? nullptr : &jobs_;
  everything_.namespace_labels = labels();
  WorkloadUnpacker unpacker;
  survey_.emplace(everything_, [&](const std::function<void(const objects::Workload&)>& add) {
    for (const InputWorkload* item : workloads_) {
      const objects::Workload workload = unpacker.outline(*item, fallback);
      const bool passing = workload.kind.kind == "Pod" && is_hook(workload.meta);
      if (!passing && !is_made_by_another(workload)) {
        add(workload);
      }
    }
  });
  everything_.survey = &*survey_;
  neighbours_.emplace(everything_);
}

Namespaces group_by_namespace(Input& input, const std::string& fallback) {
  Namespaces out;
  const auto group_of = [&](objects::ObjectMeta& meta) -> NamespaceObjects& {
    if (meta.namespace_.empty()) {
      meta.namespace_ = fallback;
    }
    return out[meta.namespace_];
  };
  for (const InputWorkload& item : input.workloads) {
    out[item.name_space == nullptr ? fallback : *item.name_space].workloads_.push_back(&item);
  }
  for (InputBudget& item : input.budgets) {
    const bool unnamed = item.object.meta.namespace_.empty();
    NamespaceObjects& group = group_of(item.object.meta);
    group.add(item);
    if (unnamed) {
      group.unnamed_.insert(&item.object);
    }
  }
  for (objects::Service& each : input.services) {
    group_of(each.meta).services_.push_back(&each);
  }
  for (objects::Autoscaler& each : input.autoscalers) {
    group_of(each.meta).autoscalers_.push_back(&each);
  }
  for (objects::JobTemplate& each : input.jobs) {
    group_of(each.meta).jobs_.push_back(&each);
  }
  for (const objects::Namespace& each : input.namespaces) {
    NamespaceObjects& group = out[each.meta.name];
    group.labels_known_ = true;
    group.labels_.insert(group.labels_.end(), each.meta.labels.begin(), each.meta.labels.end());
  }
  for (auto& [name, group] : out) {
    group.labels_known_ = group.labels_known_ || !input.live;
    // Every API server adds this label.
    group.labels_.emplace_back(kNamespaceNameLabel, name);
    objects::normalize(group.labels_);
  }
  return out;
}

}  // namespace shutdown_auditor::app
