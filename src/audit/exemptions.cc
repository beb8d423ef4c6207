#include "audit/exemptions.h"

#include <fmt/format.h>

#include <algorithm>

#include "audit/grace_checks.h"
#include "base/text.h"
#include "base/time.h"

namespace shutdown_auditor::audit {
namespace {

// Enough to repair; a thousand bad annotations need no thousand findings.
constexpr std::size_t kMaxAnnotationFindings = 16;
constexpr std::size_t kMaxReasonBytes = 256;

bool covers(const std::vector<Check>& checks, Check check) {
  return checks.empty() || std::find(checks.begin(), checks.end(), check) != checks.end();
}

bool is_for(const Exemption& exemption, const objects::Workload& workload, const objects::StringMap* namespace_labels) {
  if (exemption.target_kind && *exemption.target_kind != workload.kind) return false;
  if (!exemption.target_namespace.empty() && exemption.target_namespace != workload.meta.namespace_) return false;
  if (!exemption.target_name.empty() && exemption.target_name != workload.meta.name) return false;
  if (exemption.workload_selector && !objects::matches(*exemption.workload_selector, workload.meta.labels)) return false;
  if (!exemption.namespace_selector) return true;
  return namespace_labels != nullptr && objects::matches(*exemption.namespace_selector, *namespace_labels);
}

bool can_be_exempted(const Finding& finding) {
  return finding.result != CheckResult::kError && finding.result != CheckResult::kSkip &&
         finding.check != Check::kExemptionExpired;
}

void skip(Finding& finding, std::string_view source, const std::string& name, const std::string& reason) {
  finding.result = CheckResult::kSkip;
  finding.exemption_source = source;
  finding.exemption_name = name;
  finding.exemption_reason = base::truncate_utf8(reason, kMaxReasonBytes);
}

}  // namespace

void check_annotations(const Annotations& annotations, const Policy& policy, Collector& out) {
  out.applies(Check::kAnnotationInvalid);
  std::size_t reported = 0;
  for (const AnnotationProblem& problem : annotations.problems) {
    if (++reported > kMaxAnnotationFindings) continue;
    const bool last = reported == kMaxAnnotationFindings && annotations.problems.size() > kMaxAnnotationFindings;
    const std::string more = last ? fmt::format(" There are {} more.", annotations.problems.size() - reported) : std::string();
    out.report(Check::kAnnotationInvalid, CheckResult::kWarn, problem.reason, problem.message + more, problem.remediation,
               problem.field_path);
  }
  if (policy.annotation_exemptions_allowed || annotations.exemptions.empty()) return;
  out.report(Check::kAnnotationInvalid, CheckResult::kWarn, "ExemptionForbidden",
             fmt::format("The annotation {} exempts nothing: the policy forbids exemptions by annotation.",
                         base::quoted(annotations.exemptions.front().key, 100)),
             "Ask for an exemption in the ShutdownPolicy, and remove the annotation.");
}

void apply_settings(const objects::Workload& workload, const Policy& policy, Collector& out) {
  std::vector<Finding>& findings = out.findings();
  std::erase_if(findings, [&](const Finding& finding) { return !is_enabled(policy, finding.check); });
  for (Finding& finding : findings) {
    if (finding.result == CheckResult::kError) continue;
    for (const CheckSetting& setting : policy.checks) {
      if (setting.check == finding.check && setting.result) finding.result = *setting.result;
    }
  }
  const objects::OwnerReference* owner = workload.meta.controller();
  if (owner == nullptr) return;
  for (Finding& finding : findings) {
    if (finding.result == CheckResult::kFail) finding.result = CheckResult::kWarn;
    finding.remediation =
        base::truncate_utf8(fmt::format("In {} {}, which made this {}: {}", base::truncate_utf8(owner->kind, 63),
                                        base::truncate_utf8(owner->name, 100), workload.kind.kind, finding.remediation),
                            512);
  }
}

bool apply_exemptions(const objects::Workload& workload, const objects::StringMap* namespace_labels,
                      const Annotations& annotations, const Policy& policy, base::WallTime now, Collector& out) {
  std::vector<Finding>& findings = out.findings();
  bool whole = false;
  if (policy.annotation_exemptions_allowed) {
    for (const AnnotationExemption& exemption : annotations.exemptions) {
      whole = whole || (!exemption.check && exemption.container.empty());
      for (Finding& finding : findings) {
        const bool meant = can_be_exempted(finding) && (!exemption.check || *exemption.check == finding.check) &&
                           (exemption.container.empty() || exemption.container == finding.container);
        if (meant) skip(finding, "Annotation", exemption.key, exemption.reason);
      }
    }
  }
  std::vector<const Exemption*> expired;
  for (const Exemption& exemption : policy.exemptions) {
    if (!is_for(exemption, workload, namespace_labels)) continue;
    if (exemption.expiration && *exemption.expiration <= now) {
      expired.push_back(&exemption);
      continue;
    }
    whole = whole || exemption.checks.empty();
    for (Finding& finding : findings) {
      if (!can_be_exempted(finding) || !covers(exemption.checks, finding.check)) continue;
      skip(finding, "Policy", exemption.name, exemption.reason);
      if (exemption.expiration) finding.exemption_expiration = base::format_rfc3339(*exemption.expiration);
    }
  }
  for (const Exemption* exemption : expired) {
    const bool missed = std::any_of(findings.begin(), findings.end(), [&](const Finding& finding) {
      return can_be_exempted(finding) && covers(exemption->checks, finding.check);
    });
    if (!missed || !is_enabled(policy, Check::kExemptionExpired)) continue;
    out.report(Check::kExemptionExpired, CheckResult::kInfo, "ExemptionExpired",
               fmt::format("The policy's exemption {} ({}) ended at {}.", base::quoted(exemption->name, 100),
                           base::truncate_utf8(exemption->reason, 200), base::format_rfc3339(*exemption->expiration)),
               "Repair what it covered, or renew it in the ShutdownPolicy.");
  }
  return whole;
}

std::optional<base::WallTime> next_expiry(const objects::Workload& workload, const objects::StringMap* namespace_labels,
                                          const Policy& policy, base::WallTime now) {
  std::optional<base::WallTime> next;
  for (const Exemption& exemption : policy.exemptions) {
    if (!exemption.expiration || *exemption.expiration <= now || (next && *next <= *exemption.expiration)) continue;
    if (is_for(exemption, workload, namespace_labels)) next = exemption.expiration;
  }
  return next;
}

}  // namespace shutdown_auditor::audit
