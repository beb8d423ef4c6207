#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "audit/fix.h"
#include "audit/framework_table.h"

// Candidates for the fix of one finding. Whether one helps is for the audit to say.
namespace shutdown_auditor::audit {

// A changed workload and why its fields have changed.
struct Way {
  objects::Workload after;
  std::vector<FieldReason> reasons;
};

struct Ways {
  std::vector<Way> ways;  // best first
  std::string none;       // why there is no other, in words, for when none of them helps
};

struct FixContext {
  const Surroundings& surroundings;
  const Policy& policy;
  const AuditOptions& options;
};

// For every check but those about the grace period and PodDisruptionBudgets. The finding is one of this workload.
Ways ways_to_fix(const Finding& finding, const objects::Workload& workload, const FixContext& context);

// The parts of ways_to_fix(), by what they change. `finding.container` names one container of the workload.
Ways ways_by_hook(const Finding& finding, const objects::Workload& workload, const FixContext& context);
Ways ways_by_probe(const Finding& finding, const objects::Workload& workload, const FixContext& context);
// Puts `exec` before the program of a script that process 1 runs.
Ways ways_by_command(const Finding& finding, const objects::Workload& workload);
// Sets the time of the container's program to whole seconds, where the knowledge base knows its flag or variable.
Ways ways_by_setting(const Finding& finding, const objects::Workload& workload, TimeRule::Kind kind, std::int64_t seconds);

// The only container of that name among the main and init containers; null when there is none or more than one.
objects::Container* container_named(objects::Workload& workload, const std::string& name);
const objects::Container* container_named(const objects::Workload& workload, const std::string& name);

}  // namespace shutdown_auditor::audit
