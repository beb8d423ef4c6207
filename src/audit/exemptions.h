#pragma once

#include <optional>

#include "audit/annotations.h"
#include "audit/audit.h"
#include "audit/collector.h"

namespace shutdown_auditor::audit {

// What annotations said wrong: annotation-invalid, also for exemptions the policy forbids.
void check_annotations(const Annotations& annotations, const Policy& policy, Collector& out);

// Drops the findings of checks that are switched off and gives the others the policy's result. A workload made by
// another controller gets at most Warn, and the remedy names the owner: what is changed by hand would be undone.
void apply_settings(const objects::Workload& workload, const Policy& policy, Collector& out);

// Turns exempted findings into Skip, annotations before the policy's exemptions, and reports exemptions of the policy
// that would apply but have expired. True when the workload is exempt as a whole. Errors are never exempted.
bool apply_exemptions(const objects::Workload& workload, const objects::StringMap* namespace_labels,
                      const Annotations& annotations, const Policy& policy, base::WallTime now, Collector& out);

// When the first of the policy's exemptions that cover this workload ends, of those that end after `now`: until then the
// passing of time alone changes nothing in its audit. nullopt: never.
std::optional<base::WallTime> next_expiry(const objects::Workload& workload, const objects::StringMap* namespace_labels,
                                          const Policy& policy, base::WallTime now);

}  // namespace shutdown_auditor::audit
