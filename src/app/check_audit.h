#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <vector>

#include "app/check_options.h"
#include "app/input.h"
#include "audit/fix.h"
#include "report/shutdown_audit.h"

namespace shutdown_auditor::app {

// What was audited, what was not, and why.
struct CheckCounts {
  std::size_t workloads = 0;
  std::size_t hooks = 0;
  std::size_t owned = 0;
  std::size_t borrowing = 0;  // Rollouts whose template is another workload's
  std::size_t out_of_scope = 0;
  std::size_t old_budgets = 0;
};

struct CheckResult {
  CheckCounts counts;
  // When asked for, by namespace. They borrow from the next and from the input.
  std::vector<audit::Fixes> fixes;
  std::deque<objects::Workload> workloads;
};

// Gets an audit, with the place of each finding; may change it, but not keep it.
using AuditSink = std::function<void(report::ShutdownAudit& audit)>;

// Audits the workloads of an input beside its other objects, on all cores; `sink` gets the results one after another on
// this thread, in the order of the input. Objects that name no namespace are given one: the options', else the only one the
// input names, else "default". What is audited is no longer in the input afterwards, to make room for the results.
CheckResult audit_input(Input& input, const CheckOptions& options, const audit::Policy& policy,
                        const audit::AuditOptions& audit_options, const AuditSink& sink);

}  // namespace shutdown_auditor::app
