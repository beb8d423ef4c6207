#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "report/audit_json.h"

namespace shutdown_auditor::report {

// The flag --events: the least that is worth an Event.
enum class EventLevel : std::uint8_t { kWarn, kFail, kNone };
// "Warn", "Fail", "None"; nullopt for anything else.
std::optional<EventLevel> parse_event_level(std::string_view text);

struct EventDraft {
  std::string type;    // Warning or Normal
  std::string reason;  // ShutdownAuditFailed, ShutdownAuditWarned, ShutdownAuditPassed
  std::string note;    // one line, at most 1024 bytes (events.k8s.io/v1): the worst finding and how many more
};

// The Event a change of the audit is worth, if any: when the verdict or the set of failing checks (Fail and Warn)
// differs from the stored audit, or when there was none and the workload was `created_after_sync` and is not passing.
// A pass is only told after a Fail or Warn; Unverified, Skip and Error are never told. Whether the cause of this
// reconciliation may emit at all is the caller's to know. Depends on its arguments alone.
std::optional<EventDraft> event_for(const StoredAudit* before, const ShutdownAudit& now, bool created_after_sync,
                                    EventLevel level);

}  // namespace shutdown_auditor::report
