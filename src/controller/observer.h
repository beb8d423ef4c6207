#pragma once

#include <string_view>

#include "audit/audit.h"
#include "base/clock.h"
#include "controller/workload_key.h"

namespace shutdown_auditor::controller {

// What metrics want to know of the audits. Called on workers, without a lock held; must be quick.
class AuditObserver {
 public:
  virtual ~AuditObserver() = default;
  virtual void on_audited(const WorkloadKey& /*key*/, const audit::AuditResult& /*result*/, base::Duration /*took*/) {}
  // The workload is gone or out of scope.
  virtual void on_removed(const WorkloadKey& /*key*/) {}
  // "written", "unchanged", "caught_up", "deleted", "conflict", "error".
  virtual void on_status_write(std::string_view /*result*/) {}
};

}  // namespace shutdown_auditor::controller
