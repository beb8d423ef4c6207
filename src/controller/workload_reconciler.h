#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "audit/audit.h"
#include "base/clock.h"
#include "controller/bulk_pacer.h"
#include "controller/cluster_view.h"
#include "controller/observer.h"
#include "controller/policy_keeper.h"
#include "report/event_text.h"
#include "runtime/controller_loop.h"
#include "runtime/event_recorder.h"
#include "runtime/status_writer.h"

namespace shutdown_auditor::controller {

struct ReconcilerOptions {
  report::EventLevel events = report::EventLevel::kWarn;
  // The least time between two writes that only bring status.observedTargetGeneration up to date.
  base::Duration catch_up_interval = std::chrono::minutes(5);
  // How long to leave a workload alone while ShutdownAudits cannot be written at all (CRD not installed).
  base::Duration unavailable_retry = std::chrono::seconds(10);
  // The pause of bulk writes after a 429 that does not say for how long.
  base::Duration throttled_pause = std::chrono::seconds(1);
  int kubernetes_minor = 34;
};

// Brings the ShutdownAudit of one workload in line: audits it, compares with what is stored, writes only what differs and
// tells an Event only when the verdict or the set of failing checks changed. Deletes audits whose workload is gone or
// out of scope, and replaces one whose workload was made anew. Comes back by itself at the moment an exemption of the
// policy ends. Safe from several threads for different keys.
class WorkloadReconciler final : public runtime::Reconciler {
 public:
  struct Parts {
    ClusterView& view;
    const PolicyKeeper& policy;
    const runtime::StatusWriter& writer;
    runtime::EventRecorder& recorder;
    BulkPacer& pacer;
    base::Clock& clock;
    AuditObserver& observer;
  };

  // Keeps the references.
  WorkloadReconciler(Parts parts, ReconcilerOptions options) : parts_(parts), options_(options) {}

  base::Result<runtime::Action, runtime::ReconcileError> reconcile(const runtime::Request& request,
                                                                   runtime::ReconcileContext& context) override;

 private:
  using Outcome = base::Result<runtime::Action, runtime::ReconcileError>;
  struct Pass;

  Outcome remove(Pass& pass);
  Outcome bring_in_line(Pass& pass);
  Outcome write(Pass& pass, bool catching_up);
  Outcome failed(const Pass& pass, const kube::Error& error);
  Outcome until_expiry(const Pass& pass, base::WallTime judged_at, const audit::Policy& policy, Outcome outcome) const;
  std::optional<base::Duration> turn(const Pass& pass);
  void drop_turn(const std::string& key);
  void note_template_elsewhere(const std::string& key);
  void tell(const Pass& pass);
  std::optional<base::Duration> catch_up_wait(const std::string& key);

  const Parts parts_;
  const ReconcilerOptions options_;
  std::mutex mutex_;
  std::unordered_map<std::string, base::SteadyTime> caught_up_;  // when a catch-up was last written
  std::unordered_map<std::string, base::SteadyTime> turns_;      // among the bulk writes, of keys that wait for theirs
  std::unordered_set<std::string> templates_elsewhere_;          // said of these workloads
};

}  // namespace shutdown_auditor::controller
