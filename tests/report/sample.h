#pragma once

#include <string>

#include "report/shutdown_audit.h"

namespace shutdown_auditor::report {

// Inputs shared by the tests of this folder.
inline objects::Workload sample_workload() {
  objects::Workload workload;
  workload.kind = {"apps", "Deployment"};
  workload.meta.name = "web";
  workload.meta.namespace_ = "shop";
  workload.meta.uid = "8f4e";
  workload.meta.generation = 7;
  workload.meta.labels = {{"team", "secret"}};
  return workload;
}

inline audit::Finding sample_finding(audit::Check check, audit::CheckResult result, std::string container = "") {
  audit::Finding finding;
  finding.check = check;
  finding.result = result;
  finding.reason = "SomeReason";
  finding.message = "Needs 75 s, has 60 s.";
  finding.remediation = "Set terminationGracePeriodSeconds to 75.";
  finding.field_path = "spec.template.spec.terminationGracePeriodSeconds";
  finding.container = std::move(container);
  return finding;
}

inline audit::AuditResult sample_result(audit::Verdict verdict, std::vector<audit::Finding> findings) {
  audit::AuditResult result;
  result.verdict = verdict;
  result.top_reason = findings.empty() ? "" : findings.front().reason;
  result.summary = {1, 2, 3, 4, 5, 0};
  result.budget.grace_period_seconds = 60;
  result.budget.grace_period_explicit = true;
  result.budget.pre_stop_seconds = 5;
  result.budget.buffer_seconds = 5;
  result.budget.required_seconds = 75;
  result.budget.required_text = "75";
  result.budget.shortfall_seconds = 15;
  result.budget.container = "app";
  result.budget.evidence = audit::Evidence::kDeclared;
  audit::ContainerReading container;
  container.name = "app";
  container.role = audit::Role::kServing;
  container.pre_stop = {audit::PreStopKind::kExact, 4001, 5000, 5000, "sleep"};
  container.stop_signal = "SIGTERM";
  container.needs_seconds = 70;
  result.containers.push_back(std::move(container));
  result.findings = std::move(findings);
  return result;
}

}  // namespace shutdown_auditor::report
