#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "objects/decode.h"
#include "report/shutdown_audit.h"

namespace shutdown_auditor::report {

// Body of a server-side apply of the main resource: identity, labels, owner reference and spec. JSON.
std::string apply_body(const ShutdownAudit& audit);
// Body of a server-side apply of the status subresource: identity and the whole status. JSON.
std::string status_apply_body(const ShutdownAudit& audit);

// The whole object, as `check -o json|yaml` prints it.
nlohmann::ordered_json printed_object(const ShutdownAudit& audit);

// Lower-case hex SHA-256 over what the controller decides: our labels, the owner reference to the target, spec and
// status, without what may lag behind or is only written along with another change (observedGeneration,
// observedTargetGeneration, policyRef, checksVersion, the conditions' lastTransitionTime and observedGeneration).
// Equal for an object and for what the API server gives back for it: equal digests mean that nothing has to be written.
std::string digest(const ShutdownAudit& audit);

// What the controller keeps in memory of an audit it found in the cluster: enough to decide about a write, a deletion
// and an Event.
struct StoredAudit {
  objects::ObjectMeta meta;  // labels and owners are dropped: they are in the digest
  TargetRef target;
  std::string digest;
  std::string verdict;
  std::string target_uid;
  std::optional<std::int64_t> observed_target_generation;
  std::vector<std::string> failing;  // see failing_ids
  std::vector<ReportedCondition> conditions;
};
StoredAudit stored(const ShutdownAudit& audit);

}  // namespace shutdown_auditor::report

namespace shutdown_auditor::objects {

// Decoder<report::ShutdownAudit> reads what apply_body and status_apply_body wrote.
template <>
const Shape& shape_of<report::ShutdownAudit>();

}  // namespace shutdown_auditor::objects
