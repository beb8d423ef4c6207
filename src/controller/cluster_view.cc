#include "controller/cluster_view.h"

#include <algorithm>

#include "base/log.h"
#include "controller/cause.h"
#include "objects/selector.h"
#include "runtime/predicates.h"

namespace shutdown_auditor::controller {

namespace {

using objects::Autoscaler;
using objects::JobTemplate;
using objects::PodDisruptionBudget;
using objects::Service;
using objects::Workload;

constexpr char kByNamespace[] = "namespace";

// Audits carry no index key of their own: their namespace is the same as their target's.
const objects::ObjectMeta& meta_of(const KnownAudit& known) { return known.audit.meta; }
template <class T>
const objects::ObjectMeta& meta_of(const T& object) {
  return object.meta;
}

// No news: the first list of a source, or an object whose audit-relevant part is the same before and after, such as a
// status or managedFields update.
template <class T>
bool says_nothing_new(const runtime::Change<T>& change) {
  if (change.initial_list) return true;
  if (!change.object || !change.old_object) return false;
  T before = *change.old_object;
  before.meta.resource_version = change.object->meta.resource_version;
  return before == *change.object;
}

WorkloadKey key_of(const objects::GroupKind& kind, const objects::ObjectMeta& meta) {
  return {kind, meta.namespace_, meta.name};
}

}  // namespace

const kube::Resource kShutdownAudits{"shutdownaudit.dev", "v1alpha1", "shutdownaudits", "ShutdownAudit", true};
const kube::Resource kShutdownPolicies{"shutdownaudit.dev", "v1alpha1", "shutdownpolicies", "ShutdownPolicy", false};

const std::vector<WorkloadKind>& workload_kinds() {
  static const std::vector<WorkloadKind> kinds{
      {{"apps", "Deployment"}, kube::resources::kDeployments},
      {{"apps", "StatefulSet"}, kube::resources::kStatefulSets},
      {{"apps", "DaemonSet"}, kube::resources::kDaemonSets},
      {{"argoproj.io", "Rollout"}, kube::resources::kRollouts},
  };
  return kinds;
}

bool is_extension(std::string_view source) {
  for (const kube::Resource* resource : {&kube::resources::kScaledObjects, &kube::resources::kRollouts}) {
    if (source.starts_with(resource->plural + "." + resource->group)) return true;
  }
  return false;
}

audit::Surroundings NamespaceSnapshot::surroundings() const {
  audit::Surroundings around;
  around.budgets = budgets_.view();
  around.services = services_.view();
  around.autoscalers = autoscalers_.view();
  around.workloads = workloads_.view();
  around.jobs = jobs_.view();
  around.namespace_labels = namespace_ ? &namespace_->meta.labels : nullptr;
  return around;
}

template <class T>
ClusterView::Cache<T>::Cache()
    : store({{kByNamespace, [](const T& object) { return std::vector{meta_of(object).namespace_}; }}}) {}

template <class T>
bool ClusterView::Cache<T>::synced() const {
  return std::all_of(reflectors.begin(), reflectors.end(), [](const auto& r) { return r->has_synced(); });
}

template <class T, class Wire>
void ClusterView::add(Cache<T>& cache, const kube::Resource& resource, std::type_identity_t<OnChange<T>> on_change,
                      std::type_identity_t<std::function<std::optional<T>(Wire&&)>> projection) {
  std::vector<std::string> scopes = options_.namespaces;
  if (scopes.empty()) scopes.emplace_back();
  if (!resource.namespaced && !options_.namespaces.empty()) return;  // not ours to read with Roles only
  for (const std::string& scope : scopes) {
    typename runtime::Reflector<T, Wire>::Config config;
    config.options = options_.reflector;
    config.options.name_space = scope;
    config.decode.keep_annotation = audit::reads_annotation;
    config.decode.kind = objects::GroupKind{resource.group, resource.kind};  // items of a list do not say it
    config.projection = projection;
    config.handlers = {on_change};
    cache.reflectors.push_back(
        std::make_unique<runtime::Reflector<T, Wire>>(context_, resource, cache.store, std::move(config)));
  }
}

ClusterView::ClusterView(runtime::ReflectorLoop::Context context, runtime::WorkQueue& queue, Options options)
    : context_{context.api, context.clock, context.random, this},
      queue_(queue),
      options_(std::move(options)),
      ledger_(audits_.store) {
  for (const WorkloadKind& kind : workload_kinds()) {
    auto& cache = *workloads_.emplace_back(std::make_unique<Cache<Workload>>());
    add<Workload>(cache, kind.resource, [this, &kind](const auto& change) { workload_changed(kind, change); }, {});
  }
  add<PodDisruptionBudget>(budgets_, kube::resources::kPodDisruptionBudgets,
                           [this](const auto& change) { budget_changed(change); }, {});
  add<Service>(services_, kube::resources::kServices, [this](const auto& change) { service_changed(change); }, {});
  const OnChange<Autoscaler> autoscaler = [this](const auto& change) { autoscaler_changed(change); };
  add<Autoscaler>(horizontal_autoscalers_, kube::resources::kHorizontalPodAutoscalers, autoscaler, {});
  add<Autoscaler>(scaled_objects_, kube::resources::kScaledObjects, autoscaler, {});
  const OnChange<JobTemplate> job = [this](const auto& change) { job_changed(change); };
  add<JobTemplate>(jobs_, kube::resources::kJobs, job, {});
  add<JobTemplate>(cron_jobs_, kube::resources::kCronJobs, job, {});
  add<objects::Namespace>(namespaces_, kube::resources::kNamespaces,
                          [this](const auto& change) { namespace_changed(change); }, {});
  add<KnownAudit, report::ShutdownAudit>(
      audits_, kShutdownAudits, [this](const auto& change) { audit_changed(change); },
      [](report::ShutdownAudit&& audit) -> std::optional<KnownAudit> { return known_from(audit); });
}

std::vector<runtime::ReflectorLoop*> ClusterView::reflectors() const {
  std::vector<runtime::ReflectorLoop*> all;
  const auto collect = [&](const auto& cache) {
    for (const auto& reflector : cache.reflectors) all.push_back(reflector.get());
  };
  for (const auto& cache : workloads_) collect(*cache);
  collect(budgets_);
  collect(services_);
  collect(horizontal_autoscalers_);
  collect(scaled_objects_);
  collect(jobs_);
  collect(cron_jobs_);
  collect(namespaces_);
  collect(audits_);
  return all;
}

void ClusterView::enqueue_all(std::uint32_t causes) {
  if (!following_) return;
  // Collected first: a worker may be done with a key before the same key is added for its audit.
  std::vector<std::string> keys = workload_keys();
  for (const auto& known : audits_.store.list()) {
    if (known->managed) keys.push_back(known->target.to_string());
  }
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  for (const std::string& key : keys) queue_.add(key, runtime::Priority::kLow, causes);
}

bool ClusterView::switched_off(const objects::GroupKind& kind) const {
  const std::vector<std::string>& wanted = options_.audited_kinds;
  const auto& all = workload_kinds();
  return !wanted.empty() && std::find(wanted.begin(), wanted.end(), kind.kind) == wanted.end() &&
         std::any_of(all.begin(), all.end(), [&](const WorkloadKind& known) { return known.kind == kind; });
}

std::shared_ptr<const Workload> ClusterView::workload(const WorkloadKey& key) const {
  for (std::size_t i = 0; i < workloads_.size(); ++i) {
    if (workload_kinds()[i].kind == key.kind) return workloads_[i]->store.get(key.name_space, key.name);
  }
  return nullptr;
}

bool ClusterView::knows(const WorkloadKey& key) const {
  for (std::size_t i = 0; i < workloads_.size(); ++i) {
    if (workload_kinds()[i].kind == key.kind) return workloads_[i]->synced();
  }
  return false;
}

bool ClusterView::audits_available() const {
  return std::none_of(audits_.reflectors.begin(), audits_.reflectors.end(), [](const auto& reflector) {
    const runtime::SourceState state = reflector->state();
    return state == runtime::SourceState::kAbsent || state == runtime::SourceState::kForbidden;
  });
}

std::vector<std::string> ClusterView::workload_keys() const {
  std::vector<std::string> keys;
  for (std::size_t i = 0; i < workloads_.size(); ++i) {
    const WorkloadKind& kind = workload_kinds()[i];
    if (switched_off(kind.kind)) continue;
    for (const runtime::ObjectKey& key : workloads_[i]->store.keys()) {
      keys.push_back(WorkloadKey{kind.kind, key.name_space, key.name}.to_string());
    }
  }
  return keys;
}

template <class T>
void ClusterView::fill(NamespaceSnapshot::Part<T>& part, const Cache<T>& cache, const std::string& name_space) {
  if (!cache.synced()) return;
  part.known = true;
  for (auto& object : cache.store.by_index(kByNamespace, name_space)) {
    part.pointers.push_back(object.get());
    part.held.push_back(std::move(object));
  }
}

NamespaceSnapshot ClusterView::snapshot(const std::string& name_space) const {
  NamespaceSnapshot snapshot;
  fill(snapshot.budgets_, budgets_, name_space);
  fill(snapshot.services_, services_, name_space);
  fill(snapshot.autoscalers_, horizontal_autoscalers_, name_space);
  fill(snapshot.autoscalers_, scaled_objects_, name_space);
  for (const auto& cache : workloads_) fill(snapshot.workloads_, *cache, name_space);
  fill(snapshot.jobs_, jobs_, name_space);
  fill(snapshot.jobs_, cron_jobs_, name_space);
  snapshot.namespace_ = this->name_space(name_space);
  return snapshot;
}

std::shared_ptr<const objects::Namespace> ClusterView::name_space(const std::string& name) const {
  return namespaces_.store.get("", name);
}

void ClusterView::enqueue_if(const std::string& name_space, std::uint32_t causes,
                             const std::function<bool(const Workload&)>& concerns) {
  if (!following_) return;
  for (std::size_t i = 0; i < workloads_.size(); ++i) {
    if (switched_off(workload_kinds()[i].kind)) continue;
    for (const auto& workload : workloads_[i]->store.by_index(kByNamespace, name_space)) {
      if (concerns(*workload)) {
        const bool live = (causes & cause::kLive) != 0;
        queue_.add(key_of(workload->kind, workload->meta).to_string(),
                   live ? runtime::Priority::kHigh : runtime::Priority::kLow, causes);
      }
    }
  }
}

// What a budget allows depends on all pods it selects: when one of its workloads changes, the others are looked at too.
void ClusterView::enqueue_sharing_budget(const std::string& name_space, const objects::StringMap& pod_labels) {
  if (!following_) return;
  for (const auto& budget : budgets_.store.by_index(kByNamespace, name_space)) {
    if (!objects::matches(budget->selector, pod_labels)) continue;
    enqueue_if(name_space, cause::kBudget, [&](const Workload& other) {
      return objects::matches(budget->selector, other.pod_template.meta.labels);
    });
  }
}

void ClusterView::state_changed(std::string_view /*source*/, runtime::SourceState state) {
  if (following_ && state == runtime::SourceState::kSynced) enqueue_all(cause::kStart);
}

void ClusterView::workload_changed(const WorkloadKind& kind, const runtime::Change<Workload>& change) {
  if (!following_) return;
  const Workload* before = change.old_object.get();
  const Workload* now = change.object.get();
  if (says_nothing_new(change)) return;
  if (!switched_off(kind.kind)) {
    const std::uint32_t created = change.kind == runtime::EventKind::kAdded ? cause::kCreated : 0;
    queue_.add(WorkloadKey{kind.kind, change.key.name_space, change.key.name}.to_string(), runtime::Priority::kHigh,
               cause::kWorkload | created);
  }
  const bool weighs_the_same = before != nullptr && now != nullptr && before->replicas == now->replicas &&
                               before->pod_template.meta.labels == now->pod_template.meta.labels;
  if (weighs_the_same) return;
  if (before != nullptr) enqueue_sharing_budget(change.key.name_space, before->pod_template.meta.labels);
  if (now != nullptr) enqueue_sharing_budget(change.key.name_space, now->pod_template.meta.labels);
}

void ClusterView::budget_changed(const runtime::Change<PodDisruptionBudget>& change) {
  if (!following_ || says_nothing_new(change)) return;
  const auto concerns = [](const PodDisruptionBudget* budget, const Workload& workload) {
    // The workload's own labels too: a near miss is named in pdb-missing.
    return budget != nullptr && (objects::matches(budget->selector, workload.pod_template.meta.labels) ||
                                 objects::matches(budget->selector, workload.meta.labels));
  };
  enqueue_if(change.key.name_space, cause::kBudget, [&](const Workload& workload) {
    return concerns(change.old_object.get(), workload) || concerns(change.object.get(), workload);
  });
}

void ClusterView::service_changed(const runtime::Change<Service>& change) {
  if (!following_ || says_nothing_new(change)) return;
  enqueue_if(change.key.name_space, cause::kService, [&](const Workload& workload) {
    const objects::StringMap& labels = workload.pod_template.meta.labels;
    return (change.old_object && objects::matches_all(change.old_object->selector, labels)) ||
           (change.object && objects::matches_all(change.object->selector, labels));
  });
}

void ClusterView::autoscaler_changed(const runtime::Change<Autoscaler>& change) {
  if (!following_ || says_nothing_new(change)) return;
  const auto targets = [](const Autoscaler* scaler, const Workload& workload) {
    return scaler != nullptr && scaler->target == workload.kind && scaler->target_name == workload.meta.name;
  };
  enqueue_if(change.key.name_space, cause::kAutoscaler, [&](const Workload& workload) {
    return targets(change.old_object.get(), workload) || targets(change.object.get(), workload);
  });
}

void ClusterView::job_changed(const runtime::Change<JobTemplate>& change) {
  if (!following_ || says_nothing_new(change)) return;
  if (change.old_object) enqueue_sharing_budget(change.key.name_space, change.old_object->pod_labels);
  if (change.object) enqueue_sharing_budget(change.key.name_space, change.object->pod_labels);
}

void ClusterView::namespace_changed(const runtime::Change<objects::Namespace>& change) {
  if (!following_ || says_nothing_new(change)) return;
  enqueue_if(change.key.name, cause::kNamespace, [](const Workload&) { return true; });
}

void ClusterView::audit_changed(const runtime::Change<KnownAudit>& change) {
  const bool news = ledger_.observe(change.key, change.object.get());
  if (!following_ || !news) return;
  const KnownAudit* before = change.old_object.get();
  const KnownAudit* now = change.object.get();
  const bool same = before != nullptr && now != nullptr && before->main_digest == now->main_digest &&
                    before->audit.digest == now->audit.digest && before->managed == now->managed;
  if (same) return;
  for (const KnownAudit* known : {before, now}) {
    if (known != nullptr) queue_.add(known->target.to_string(), runtime::Priority::kLow, cause::kAudit);
  }
}

}  // namespace shutdown_auditor::controller
