#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "audit/audit.h"
#include "controller/known_audit.h"
#include "controller/workload_key.h"
#include "kube/api.h"
#include "objects/workload.h"
#include "runtime/reflector.h"
#include "runtime/store.h"
#include "runtime/work_queue.h"

namespace shutdown_auditor::controller {

extern const kube::Resource kShutdownAudits;
extern const kube::Resource kShutdownPolicies;

// The kinds of workloads that are read, in the order of their reflectors.
struct WorkloadKind {
  objects::GroupKind kind;
  kube::Resource resource;
};
const std::vector<WorkloadKind>& workload_kinds();
// Is the source (runtime::Source::name) of a resource type that many clusters do not have, so that its absence is no
// fault?
bool is_extension(std::string_view source);

// Everything around one namespace's workloads, held for as long as this object lives.
class NamespaceSnapshot {
 public:
  // Borrows from this object. Lists of a source that cannot be read are null.
  audit::Surroundings surroundings() const;

 private:
  friend class ClusterView;
  template <class T>
  struct Part {
    bool known = false;
    std::vector<std::shared_ptr<const T>> held;  // shared with the stores, see there
    std::vector<const T*> pointers;
    const std::vector<const T*>* view() const { return known ? &pointers : nullptr; }
  };
  Part<objects::PodDisruptionBudget> budgets_;
  Part<objects::Service> services_;
  Part<objects::Autoscaler> autoscalers_;
  Part<objects::Workload> workloads_;
  Part<objects::JobTemplate> jobs_;
  std::shared_ptr<const objects::Namespace> namespace_;
};

// The part of the cluster the audit reads, kept up to date by one reflector for each resource type (and namespace), and
// the map from a change to the workloads it concerns. Methods are safe from any thread once start-up is over.
class ClusterView : private runtime::ReflectorObserver {
 public:
  struct Options {
    std::vector<std::string> namespaces;  // empty: the whole cluster
    // Kinds (of workload_kinds()) that get audits; empty: all. The others are read too: a budget may select their pods.
    std::vector<std::string> audited_kinds;
    runtime::ReflectorOptions reflector;  // name_space is set for each reflector
  };

  // Keeps references; takes the place of the context's observer.
  ClusterView(runtime::ReflectorLoop::Context context, runtime::WorkQueue& queue, Options options);
  ClusterView(const ClusterView&) = delete;
  ClusterView& operator=(const ClusterView&) = delete;

  // For the manager: all reflectors, not started.
  std::vector<runtime::ReflectorLoop*> reflectors() const;

  // From now on changes become queue entries. Before (a standby) they only reach the stores.
  void follow(bool on) { following_ = on; }
  // Every workload and every audit's target, each once, if changes are followed.
  void enqueue_all(std::uint32_t causes);

  // nullptr when it does not exist.
  std::shared_ptr<const objects::Workload> workload(const WorkloadKey& key) const;
  // Is the absence of a workload of that kind (and namespace) a fact, not ignorance?
  bool knows(const WorkloadKey& key) const;
  std::vector<std::string> workload_keys() const;  // of audited kinds
  // Is it a kind that this process reads but was told not to audit?
  bool switched_off(const objects::GroupKind& kind) const;
  // False while the server does not know ShutdownAudits or refuses them: a write would fail.
  bool audits_available() const;
  NamespaceSnapshot snapshot(const std::string& name_space) const;
  // Labels of a namespace; nullptr when namespaces cannot be read or it does not exist.
  std::shared_ptr<const objects::Namespace> name_space(const std::string& name) const;
  AuditLedger& ledger() { return ledger_; }

 private:
  template <class T>
  struct Cache {
    runtime::Store<T> store;
    std::vector<std::unique_ptr<runtime::ReflectorLoop>> reflectors;
    Cache();
    bool synced() const;
  };
  template <class T>
  using OnChange = std::function<void(const runtime::Change<T>&)>;
  template <class T, class Wire = T>
  void add(Cache<T>& cache, const kube::Resource& resource, std::type_identity_t<OnChange<T>> on_change,
           std::type_identity_t<std::function<std::optional<T>(Wire&&)>> projection);
  template <class T>
  static void fill(NamespaceSnapshot::Part<T>& part, const Cache<T>& cache, const std::string& name_space);

  // A source that can be read at last changes what is known, also when it holds nothing that would tell of itself: all is
  // looked at again. Its first list is no change that somebody made, so the handlers below leave that alone.
  void state_changed(std::string_view source, runtime::SourceState state) override;
  void workload_changed(const WorkloadKind& kind, const runtime::Change<objects::Workload>& change);
  void budget_changed(const runtime::Change<objects::PodDisruptionBudget>& change);
  void service_changed(const runtime::Change<objects::Service>& change);
  void autoscaler_changed(const runtime::Change<objects::Autoscaler>& change);
  void job_changed(const runtime::Change<objects::JobTemplate>& change);
  void namespace_changed(const runtime::Change<objects::Namespace>& change);
  void audit_changed(const runtime::Change<KnownAudit>& change);
  void enqueue_if(const std::string& name_space, std::uint32_t causes,
                  const std::function<bool(const objects::Workload&)>& concerns);
  void enqueue_sharing_budget(const std::string& name_space, const objects::StringMap& pod_labels);

  const runtime::ReflectorLoop::Context context_;
  runtime::WorkQueue& queue_;
  const Options options_;
  std::atomic<bool> following_{false};

  std::vector<std::unique_ptr<Cache<objects::Workload>>> workloads_;  // as workload_kinds()
  Cache<objects::PodDisruptionBudget> budgets_;
  Cache<objects::Service> services_;
  Cache<objects::Autoscaler> horizontal_autoscalers_;
  Cache<objects::Autoscaler> scaled_objects_;
  Cache<objects::JobTemplate> jobs_;
  Cache<objects::JobTemplate> cron_jobs_;
  Cache<objects::Namespace> namespaces_;
  Cache<KnownAudit> audits_;
  AuditLedger ledger_;
};

}  // namespace shutdown_auditor::controller
