#include "audit/audit.h"

#include <algorithm>
#include <array>
#include <exception>

#include "audit/annotations.h"
#include "audit/collector.h"
#include "audit/container_checks.h"
#include "audit/disruption_checks.h"
#include "audit/exemptions.h"
#include "audit/grace_budget.h"
#include "audit/grace_checks.h"
#include "audit/probes.h"
#include "audit/rollout.h"
#include "audit/roles.h"
#include "audit/seconds.h"
#include "audit/sidecar_checks.h"
#include "audit/signal_checks.h"
#include "audit/stop_estimate.h"
#include "base/text.h"

namespace shutdown_auditor::audit {
namespace {

constexpr std::array<std::string_view, 6> kEvidence{"Declared", "Detected", "FrameworkDefault",
                                                    "Policy",   "Assumed",  "Unknown"};
constexpr std::array<std::string_view, 3> kRoles{"Serving", "Main", "Sidecar"};
constexpr std::array<std::string_view, 6> kPreStopKinds{"None", "Exact", "Range", "Unbounded", "Unknown", "Broken"};

// Where the drain was read: the application's own deadline before what requests are declared or assumed to last.
std::string drain_source(const ContainerTerms& terms) {
  if (terms.deadline.ms) {
    switch (terms.deadline_source) {
      case TimeSource::kFlag: return "Flag";
      case TimeSource::kEnv: return "Env";
      case TimeSource::kAnnotation: return "Annotation";
      case TimeSource::kNone:
      case TimeSource::kFrameworkDefault: return "FrameworkDefault";
    }
  }
  switch (terms.max_request.evidence) {
    case Evidence::kDeclared: return "Annotation";
    case Evidence::kPolicy: return "Policy";
    case Evidence::kAssumed: return "Assumed";
    default: return {};
  }
}

StopParts parts_of(const ContainerTerms& terms, bool stops_last) {
  const Term drain = terms.drain();
  StopParts parts;
  parts.delay_seconds = needed_seconds(terms.delay.ms.value_or(0));
  if (drain.ms) parts.drain_seconds = needed_seconds(*drain.ms);
  parts.cleanup_seconds = terms.drains ? needed_seconds(terms.cleanup.ms.value_or(0)) : 0;
  parts.drain_assumed = drain.ms && drain.evidence == Evidence::kAssumed;
  parts.cleanup_assumed = parts.cleanup_seconds > 0 && terms.cleanup.evidence == Evidence::kAssumed;
  parts.hook_drains = terms.hook_drains;
  parts.hook_waits = terms.hook_waits;
  parts.stops_last = stops_last;
  return parts;
}

ContainerReading reading_of(const ContainerTerms& terms, const ContainerView& view, std::int64_t budget_seconds,
                            bool stops_last) {
  const auto seconds = [](const Term& term) {
    return term.ms ? std::optional(needed_seconds(*term.ms)) : std::nullopt;
  };
  ContainerReading reading;
  reading.name = terms.name;
  reading.role = terms.role;
  reading.framework = view.application.framework;
  reading.pre_stop = terms.hook.kind == PreStopKind::kBroken ? terms.hook : terms.pre_stop;
  reading.max_request_seconds = seconds(terms.max_request);
  reading.max_request_evidence = terms.max_request.evidence;
  reading.drain_seconds = seconds(terms.deadline);
  reading.drain_source = drain_source(terms);
  reading.cleanup_seconds = seconds(terms.cleanup);
  reading.cleanup_evidence = terms.cleanup.evidence;
  reading.signal_handling = to_string(view.application.signal_handling);
  reading.stop_signal = view.application.stop_signal;
  reading.needs_seconds = needed_seconds(needs_ms(terms, SumLevel::kExpected, budget_seconds));
  reading.parts = parts_of(terms, stops_last);
  return reading;
}

Verdict verdict_of(const std::vector<Finding>& findings, bool exempt) {
  const auto any = [&](CheckResult result) {
    return std::any_of(findings.begin(), findings.end(), [&](const Finding& each) { return each.result == result; });
  };
  if (any(CheckResult::kError)) return Verdict::kError;
  if (exempt) return Verdict::kSkip;
  if (any(CheckResult::kFail)) return Verdict::kFail;
  if (any(CheckResult::kWarn)) return Verdict::kWarn;
  const bool unverified = std::any_of(findings.begin(), findings.end(), [](const Finding& each) {
    return each.check == Check::kGraceUnverified && each.result == CheckResult::kInfo;
  });
  return unverified ? Verdict::kUnverified : Verdict::kPass;
}

Summary summarize(const Collector& collected, const std::vector<Finding>& findings, const Policy& policy) {
  Summary summary;
  for (const Check check : all_checks()) {
    if (!collected.applied(check) || !is_enabled(policy, check)) continue;
    CheckResult worst = CheckResult::kPass;
    for (const Finding& finding : findings) {
      if (finding.check == check) worst = std::max(worst, finding.result);
    }
    switch (worst) {
      case CheckResult::kFail: ++summary.fail; break;
      case CheckResult::kWarn: ++summary.warn; break;
      case CheckResult::kInfo: ++summary.info; break;
      case CheckResult::kSkip: ++summary.skip; break;
      case CheckResult::kError: ++summary.error; break;
      case CheckResult::kPass: ++summary.pass; break;
      case CheckResult::kNotApplicable: break;
    }
  }
  return summary;
}

// Sorts the findings and draws the conclusions.
void conclude(Collector& collected, const Policy& policy, bool exempt, AuditResult& result) {
  std::vector<Finding>& findings = collected.findings();
  if (findings.size() > 1) {
    std::stable_sort(findings.begin(), findings.end(), [](const Finding& a, const Finding& b) {
      return a.result != b.result ? a.result > b.result : a.check < b.check;
    });
  }
  result.verdict = verdict_of(findings, exempt);
  result.top_reason = findings.empty() ? std::string() : findings.front().reason;
  result.summary = summarize(collected, findings, policy);
  result.findings = std::move(findings);
}

AuditResult failed(std::string_view reason, std::string message, std::string remediation, const Policy& policy) {
  AuditResult result;
  Collector collected;
  collected.report(Check::kAuditError, CheckResult::kError, reason, std::move(message), std::move(remediation));
  conclude(collected, policy, false, result);
  return result;
}

AuditResult audit_workload(const objects::Workload& workload, const Surroundings& surroundings, const Policy& policy,
                           const AuditOptions& options) {
  if (workload.pod_template.spec.containers.empty()) {
    return failed("NoContainers", "The pod template has no containers.",
                  "Add a container to " + pod_spec_path(workload) + ".containers.", policy);
  }
  AuditResult result;
  Collector collected;
  const Annotations annotations = read_annotations(workload);
  std::vector<ContainerView> views = stopping_containers(workload);
  for (ContainerView& view : views) {
    view.application = read_application(workload, *view.container, options.kubernetes_minor);
  }
  assign_roles(workload, surroundings, views);
  const PodTerms terms = gather_terms(workload, views, annotations, policy, options);
  const GraceReading reading = add_up(terms);

  check_grace(terms, reading, policy, collected);
  check_hooks(terms, policy, collected);
  check_signals(views, terms, collected);
  check_sidecars(views, terms, collected);
  check_injection(injected_sidecars(workload, surroundings.namespace_labels), terms, collected);
  check_probes(views, terms, collected);
  result.disruption = check_disruption(workload, surroundings, collected);
  check_rollout(workload, surroundings, collected);
  check_annotations(annotations, policy, collected);

  result.budget = reading.budget;
  result.estimate = estimate_stop(workload, result.disruption, result.budget);
  for (std::size_t i = 0; i < views.size(); ++i) {
    const ContainerTerms& each = terms.containers[i];
    result.containers.push_back(reading_of(each, views[i], reading.budget_seconds, terms.stops_last(each)));
  }
  apply_settings(workload, policy, collected);
  const bool exempt = apply_exemptions(workload, surroundings.namespace_labels, annotations, policy, options.now, collected);
  conclude(collected, policy, exempt, result);
  return result;
}

}  // namespace

std::string_view to_string(Evidence evidence) { return kEvidence.at(static_cast<std::size_t>(evidence)); }
std::string_view to_string(Role role) { return kRoles.at(static_cast<std::size_t>(role)); }
std::string_view to_string(PreStopKind kind) { return kPreStopKinds.at(static_cast<std::size_t>(kind)); }

std::string Finding::id() const {
  return container.empty() ? std::string(id_of(check)) : std::string(id_of(check)) + "/" + container;
}

AuditResult audit(const objects::Workload& workload, const Surroundings& surroundings, const Policy& policy,
                  const AuditOptions& options) {
  try {
    return audit_workload(workload, surroundings, policy, options);
  } catch (const std::exception& error) {
    return failed("InternalError", std::string("The audit did not finish: ") + error.what(),
                  "Report this with the manifest.", policy);
  }
}

}  // namespace shutdown_auditor::audit
