#include "report/event_text.h"

#include "base/text.h"

namespace shutdown_auditor::report {
namespace {

constexpr std::size_t kMaxNoteBytes = 1024;

std::string note_for(const ShutdownAudit& audit, std::size_t failing) {
  if (audit.status.findings.empty()) {
    return "Verdict " + audit.status.verdict + ".";
  }
  std::string more;
  if (failing > 1) {
    more = " " + std::to_string(failing - 1) + (failing == 2 ? " more finding" : " more findings") +
           ": kubectl describe shutdownaudit " + audit.meta.name;
  }
  const std::string& worst = audit.status.findings.front().message;
  return base::truncate_utf8(worst, kMaxNoteBytes - more.size()) + more;
}

}  // namespace

std::optional<EventLevel> parse_event_level(std::string_view text) {
  if (text == "Warn") {
    return EventLevel::kWarn;
  }
  if (text == "Fail") {
    return EventLevel::kFail;
  }
  if (text == "None") {
    return EventLevel::kNone;
  }
  return std::nullopt;
}

std::optional<EventDraft> event_for(const StoredAudit* before, const ShutdownAudit& now, bool created_after_sync,
                                    EventLevel level) {
  if (level == EventLevel::kNone || (before == nullptr && !created_after_sync)) {
    return std::nullopt;
  }
  const std::vector<std::string> failing = failing_ids(now);
  const std::string& verdict = now.status.verdict;
  if (before != nullptr && before->verdict == verdict && before->failing == failing) {
    return std::nullopt;
  }
  if (verdict == "Fail" || (verdict == "Warn" && level == EventLevel::kWarn)) {
    return EventDraft{"Warning", verdict == "Fail" ? "ShutdownAuditFailed" : "ShutdownAuditWarned",
                      note_for(now, failing.size())};
  }
  const bool told_before =
      before != nullptr && (before->verdict == "Fail" || (before->verdict == "Warn" && level == EventLevel::kWarn));
  if (verdict == "Pass" && told_before) {
    return EventDraft{"Normal", "ShutdownAuditPassed",
                      "Nothing that breaks or endangers a graceful stop is left; the verdict was " + before->verdict + "."};
  }
  return std::nullopt;
}

}  // namespace shutdown_auditor::report
