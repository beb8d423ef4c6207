#include "app/metric_adapters.h"

namespace shutdown_auditor::app {

void ClientMetrics::attempt(std::string_view verb, int code, base::Duration latency) {
  metrics_.count_request(code, verb);
  metrics_.observe_request(verb, latency);
}

void ReconcileMetrics::on_reconcile(runtime::ReconcileOutcome outcome, base::Duration took) {
  if (outcome == runtime::ReconcileOutcome::kPanic) metrics_.count_reconcile_panic();
  const bool failed = outcome == runtime::ReconcileOutcome::kPanic || outcome == runtime::ReconcileOutcome::kTerminal;
  metrics_.count_reconcile(failed ? "error" : runtime::to_string(outcome), took);
}

void AuditMetrics::on_audited(const controller::WorkloadKey& key, const audit::AuditResult& result,
                              base::Duration took) {
  metrics_.observe_audit(took);
  telemetry::WorkloadSample sample;
  sample.name_space = key.name_space;
  sample.kind = key.kind.kind;
  sample.name = key.name;
  sample.verdict = audit::to_string(result.verdict);
  sample.shortfall_seconds = result.budget.shortfall_seconds;
  for (const audit::Finding& finding : result.findings) {
    sample.findings.emplace_back(audit::id_of(finding.check), audit::to_string(finding.result));
  }
  metrics_.set_workload(key.to_string(), std::move(sample));
}

void AuditMetrics::on_status_write(std::string_view result) {
  const bool failed = result == "error" || result == "conflict";
  metrics_.count_status_write(failed ? "error" : (result == "unchanged" ? "unchanged" : "success"));
}

}  // namespace shutdown_auditor::app
