#include "report/shutdown_audit.h"

#include <algorithm>
#include <limits>

#include "base/text.h"
#include "report/one_line.h"

namespace shutdown_auditor::report {
namespace {

constexpr std::size_t kMaxNameBytes = 253;
constexpr std::size_t kCutNameBytes = 242;
constexpr std::size_t kMaxIdBytes = 320;
constexpr std::size_t kMaxSignalBytes = 32;
constexpr std::size_t kMaxLabelBytes = 63;
constexpr std::size_t kCutLabelBytes = 52;
constexpr std::size_t kHashDigits = 10;

bool is_lower_alnum(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
bool is_alnum(char c) { return is_lower_alnum(c) || (c >= 'A' && c <= 'Z'); }

// RFC 1123 subdomain, as apimachinery's IsDNS1123Subdomain reads it.
bool is_dns_subdomain(std::string_view text) {
  if (text.empty() || text.size() > kMaxNameBytes) {
    return false;
  }
  for (const std::string_view label : base::split(text, '.')) {
    if (label.empty() || !is_lower_alnum(label.front()) || !is_lower_alnum(label.back()) ||
        !std::all_of(label.begin(), label.end(), [](char c) { return is_lower_alnum(c) || c == '-'; })) {
      return false;
    }
  }
  return true;
}

// Cut to `limit` without a separator at the end, so that what follows still makes a legal name.
std::string cut(std::string text, std::size_t limit) {
  text.resize(std::min(text.size(), limit));
  while (!text.empty() && !is_alnum(text.back())) {
    text.pop_back();
  }
  return text;
}

std::string text_field(std::string_view text, std::size_t limit = kMaxFieldBytes) {
  return base::truncate_utf8(one_line(text), limit);
}

std::int64_t seconds_up(std::int64_t milliseconds) {
  return milliseconds / 1000 + (milliseconds % 1000 > 0 ? 1 : 0);
}

std::optional<std::int64_t> seconds_up(const std::optional<std::int64_t>& milliseconds) {
  return milliseconds ? std::optional(seconds_up(*milliseconds)) : std::nullopt;
}

ReportedBudget make_budget(const audit::Budget& budget) {
  ReportedBudget out;
  out.grace_period_seconds = budget.grace_period_seconds;
  out.grace_period_source = budget.grace_period_explicit ? "Explicit" : "Default";
  out.ceiling_seconds = budget.ceiling_seconds;
  out.pre_stop_seconds = budget.pre_stop_seconds;
  out.delay_seconds = budget.delay_seconds;
  out.max_request_seconds = budget.max_request_seconds;
  out.drain_seconds = budget.drain_seconds;
  out.cleanup_seconds = budget.cleanup_seconds;
  out.sidecar_seconds = budget.sidecar_seconds;
  out.buffer_seconds = budget.buffer_seconds;
  out.required_seconds = budget.required_seconds;
  out.required_is = budget.required_at_least ? "AtLeast" : "Exact";
  out.required_text = budget.required_text;
  out.provable_seconds = budget.provable_seconds;
  out.shortfall_seconds = budget.shortfall_seconds;
  out.seconds_after_signal = budget.seconds_after_signal;
  out.container = text_field(budget.container, kMaxNameBytes);
  out.evidence = audit::to_string(budget.evidence);
  return out;
}

ReportedContainer make_container(const audit::ContainerReading& reading) {
  ReportedContainer out;
  out.name = text_field(reading.name, kMaxNameBytes);
  out.role = audit::to_string(reading.role);
  out.framework = reading.framework;
  ReportedPreStop hook;
  hook.kind = audit::to_string(reading.pre_stop.kind);
  if (reading.pre_stop.kind != audit::PreStopKind::kNone && reading.pre_stop.kind != audit::PreStopKind::kBroken) {
    hook.min_seconds = seconds_up(reading.pre_stop.min_ms);
    hook.nominal_seconds = seconds_up(reading.pre_stop.nominal_ms);
    hook.max_seconds = seconds_up(reading.pre_stop.max_ms);
  }
  out.pre_stop = std::move(hook);
  out.max_request_seconds = reading.max_request_seconds;
  out.drain_seconds = reading.drain_seconds;
  out.drain_source = reading.drain_source;
  out.cleanup_seconds = reading.cleanup_seconds;
  out.signal_handling = reading.signal_handling;
  out.stop_signal = text_field(reading.stop_signal, kMaxSignalBytes);
  out.needs_seconds = reading.needs_seconds;
  out.parts = reading.parts;
  return out;
}

ReportedFinding make_finding(const audit::Finding& finding) {
  ReportedFinding out;
  out.id = text_field(finding.id(), kMaxIdBytes);
  out.check = audit::id_of(finding.check);
  out.result = audit::to_string(finding.result);
  out.reason = finding.reason;
  out.message = text_field(finding.message, kMaxMessageBytes);
  out.remediation = text_field(finding.remediation, kMaxMessageBytes);
  out.field_path = text_field(finding.field_path);
  out.container = text_field(finding.container, kMaxNameBytes);
  if (finding.related_kind) {
    out.related_ref = RelatedRef{finding.related_kind->group, finding.related_kind->kind, text_field(finding.related_name, kMaxNameBytes)};
  }
  if (!finding.exemption_source.empty()) {
    out.exemption = ReportedExemption{finding.exemption_source, text_field(finding.exemption_name, kMaxNameBytes),
                                      text_field(finding.exemption_reason), finding.exemption_expiration};
  }
  return out;
}

// The stored object leaves out what a reader of `kubectl describe` cannot act on.
bool is_stored(const audit::Finding& finding, audit::Verdict verdict) {
  switch (finding.result) {
    case audit::CheckResult::kFail:
    case audit::CheckResult::kWarn:
    case audit::CheckResult::kSkip:
    case audit::CheckResult::kError:
      return true;
    case audit::CheckResult::kInfo:
      return verdict == audit::Verdict::kUnverified && finding.check == audit::Check::kGraceUnverified;
    case audit::CheckResult::kPass:
    case audit::CheckResult::kNotApplicable:
      return false;
  }
  return false;
}

// `Ready` speaks about the audit and `Compliant` about the workload, so that tools that wait for Ready do not take a
// badly configured workload for a broken audit.
std::vector<ReportedCondition> make_conditions(const audit::AuditResult& result) {
  const bool failed = result.verdict == audit::Verdict::kError;
  const std::string top_message =
      result.findings.empty() ? "" : text_field(result.findings.front().message, kMaxMessageBytes);
  ReportedCondition ready{"Ready", failed ? "False" : "True", {}, "", failed ? "AuditFailed" : "Audited", ""};
  ready.message = failed ? top_message : "The workload has been audited.";

  ReportedCondition compliant{"Compliant", "True", {}, "", result.top_reason, top_message};
  switch (result.verdict) {
    case audit::Verdict::kFail:
      compliant.status = "False";
      break;
    case audit::Verdict::kError:
    case audit::Verdict::kSkip:
      compliant.status = "Unknown";
      break;
    case audit::Verdict::kPass:
      compliant.message = "Nothing that breaks or endangers a graceful stop was found.";
      break;
    case audit::Verdict::kUnverified:
    case audit::Verdict::kWarn:
      break;
  }
  if (compliant.reason.empty()) {  // a condition must have one
    compliant.reason = result.verdict == audit::Verdict::kPass   ? "Passed"
                       : result.verdict == audit::Verdict::kSkip ? "Exempt"
                                                                 : "NotKnown";
  }
  return {std::move(compliant), std::move(ready)};
}

}  // namespace

std::string_view path_of(const Place& place) {
  std::string_view path = place.file;
  while (path.starts_with("./")) {
    path.remove_prefix(2);
  }
  return path;
}

std::string to_string(const Place& place) {
  std::string text(path_of(place));
  for (const std::int64_t number : {place.line, place.line > 0 ? place.column : 0}) {
    text += number > 0 ? ":" + std::to_string(number) : "";
  }
  return text;
}

std::string api_version_of(const std::string& group) {
  if (group.empty()) {
    return "v1";
  }
  return group + (group == "argoproj.io" ? "/v1alpha1" : "/v1");
}

std::string audit_name(const objects::GroupKind& kind, std::string_view workload_name) {
  const std::string plain = base::to_lower(kind.kind) + "-" + std::string(workload_name);
  if (kind.group == "apps" && is_dns_subdomain(plain)) {
    return plain;
  }
  std::string legal = base::to_lower(plain);
  for (char& c : legal) {
    c = is_lower_alnum(c) ? c : '-';
  }
  const std::string hash = base::sha256_hex(kind.group + "/" + kind.kind + "/" + std::string(workload_name));
  return cut(std::move(legal), kCutNameBytes) + "-" + hash.substr(0, kHashDigits);
}

std::string label_value(std::string_view value) {
  const auto legal = [](char c) { return is_alnum(c) || c == '-' || c == '_' || c == '.'; };
  if (value.empty() || (value.size() <= kMaxLabelBytes && is_alnum(value.front()) && is_alnum(value.back()) &&
                        std::all_of(value.begin(), value.end(), legal))) {
    return std::string(value);
  }
  std::string kept;
  for (const char c : value) {
    if (is_alnum(c) || (!kept.empty() && legal(c))) {
      kept += c;
    }
  }
  kept = cut(std::move(kept), kCutLabelBytes);
  return kept + (kept.empty() ? "" : "-") + base::sha256_hex(value).substr(0, kHashDigits);
}

ShutdownAudit make_shutdown_audit(const audit::AuditResult& result, const objects::Workload& workload,
                                  std::string_view policy_name, Detail detail) {
  const bool stored = detail == Detail::kStored;
  ShutdownAudit out;
  out.meta.name = audit_name(workload.kind, workload.meta.name);
  out.meta.namespace_ = workload.meta.namespace_;
  out.meta.labels = {{std::string(kManagedByLabel), std::string(kManagedByValue)},
                     {std::string(kWorkloadKindLabel), label_value(workload.kind.kind)},
                     {std::string(kWorkloadNameLabel), label_value(workload.meta.name)}};
  if (stored && !workload.meta.uid.empty()) {
    out.meta.owners.push_back({api_version_of(workload.kind.group), workload.kind.kind, workload.meta.name,
                               workload.meta.uid, false});
    out.status.target_uid = workload.meta.uid;
  }
  out.target = {workload.kind.group, workload.kind.kind, workload.meta.name};

  ShutdownAuditStatus& status = out.status;
  status.verdict = audit::to_string(result.verdict);
  status.top_reason = result.top_reason;
  status.summary = ReportedSummary{result.summary.fail, result.summary.warn, result.summary.info,
                                   result.summary.pass, result.summary.skip, result.summary.error};
  if (result.verdict != audit::Verdict::kError) {  // a half-computed sum would be read as a true one
    status.budget = make_budget(result.budget);
    out.estimate = result.estimate;
  }
  for (const audit::ContainerReading& reading : result.containers) {
    if (stored && status.containers.size() == kMaxContainers) {
      status.truncated = true;
      break;
    }
    status.containers.push_back(make_container(reading));
  }
  const audit::DisruptionReading& disruption = result.disruption;
  if (!disruption.budgets.empty() || disruption.replicas || disruption.disruptions_allowed_when_ready) {
    status.disruption =
        ReportedDisruption{disruption.budgets, disruption.replicas, disruption.disruptions_allowed_when_ready};
    if (stored && disruption.budgets.size() > kMaxBudgets) {
      status.disruption->budgets.resize(kMaxBudgets);
      status.truncated = true;
    }
  }
  for (const audit::Finding& finding : result.findings) {
    if (stored && !is_stored(finding, result.verdict)) {
      continue;
    }
    if (stored && status.findings.size() == kMaxFindings) {
      status.truncated = true;
      break;
    }
    status.findings.push_back(make_finding(finding));
  }
  if (stored) {
    status.observed_target_generation = workload.meta.generation;
    status.policy_ref = policy_name;
    status.checks_version = kChecksVersion;
    status.conditions = make_conditions(result);
  }
  return out;
}

bool merge_conditions(const std::vector<ReportedCondition>& stored, std::vector<ReportedCondition>& computed,
                      std::string_view now) {
  bool flipped = false;
  for (ReportedCondition& condition : computed) {
    const auto before = std::find_if(stored.begin(), stored.end(), [&](const ReportedCondition& other) {
      return other.type == condition.type && other.status == condition.status && !other.last_transition_time.empty();
    });
    flipped = flipped || before == stored.end();
    condition.last_transition_time = before == stored.end() ? std::string(now) : before->last_transition_time;
  }
  return flipped;
}

std::vector<std::string> failing_ids(const ShutdownAudit& audit) {
  std::vector<std::string> ids;
  for (const ReportedFinding& finding : audit.status.findings) {
    if (finding.result == "Fail" || finding.result == "Warn") {
      ids.push_back(finding.id);
    }
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

}  // namespace shutdown_auditor::report
