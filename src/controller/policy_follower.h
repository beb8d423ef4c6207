#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "audit/policy_document.h"
#include "controller/cluster_view.h"
#include "controller/policy_keeper.h"
#include "kube/api.h"
#include "objects/decode.h"
#include "report/shutdown_audit.h"
#include "runtime/controller_loop.h"
#include "runtime/reflector.h"
#include "runtime/store.h"
#include "runtime/work_queue.h"

namespace shutdown_auditor::controller {

// A ShutdownPolicy object: its policy or what is wrong with it.
struct FollowedPolicy {
  objects::ObjectMeta meta;
  base::Result<audit::Policy> policy = audit::Policy();
};

// Follows the ShutdownPolicy objects: puts the named one in force whenever it is valid (the last good one stays in force
// while it is not; without one, the built-in numbers), has all workloads audited again, and writes the condition Accepted
// into the status of every policy. Reading happens on the source's thread, writing on the loop's, which is elected work.
class PolicyFollower final : private runtime::Reconciler {
 public:
  struct Parts {
    kube::Api& reader;
    kube::Api& writer;  // fenced
    base::Clock& clock;
    base::Random& random;
    PolicyKeeper& keeper;
    // Called after another policy came into force.
    std::function<void()> changed;
  };

  // Keeps the references.
  PolicyFollower(Parts parts, std::string policy_name);

  runtime::Source& source() { return reflector_; }
  runtime::ControllerLoop& loop() { return loop_; }
  // This process leads: every policy's status is looked at. Before, policies come into force without a write.
  void lead();
  // Why the named policy is not in force as it is written, empty while all is well.
  std::string problem() const;

 private:
  base::Result<runtime::Action, runtime::ReconcileError> reconcile(const runtime::Request& request,
                                                                   runtime::ReconcileContext& context) override;
  void on_change(const runtime::Change<FollowedPolicy>& change);
  report::ReportedCondition accepted(const FollowedPolicy& object) const;
  kube::Result<std::optional<report::ReportedCondition>> stored_condition(const std::string& name,
                                                                          const base::Cancellation& cancel) const;

  const Parts parts_;
  const std::string name_;
  std::atomic<bool> leading_{false};
  mutable std::mutex mutex_;
  std::string problem_;
  runtime::Store<FollowedPolicy> store_;
  runtime::WorkQueue queue_;
  runtime::ControllerLoop loop_;
  runtime::Reflector<FollowedPolicy, audit::PolicyObject> reflector_;
};

}  // namespace shutdown_auditor::controller
