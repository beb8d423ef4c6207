#include "app/check_report.h"

#include <ostream>
#include <utility>

#include "app/check_output.h"

namespace shutdown_auditor::app {

CheckReport::CheckReport(const CheckOptions& options, std::optional<report::Baseline> baseline, Io& io)
    : options_(options), io_(io), baselines_(options, std::move(baseline), io),
      printer_(options.fix.empty() ? make_printer(options, io) : nullptr) {}

void CheckReport::add(report::ShutdownAudit& audit) {
  ++audits_;
  baselines_.apply(audit);
  seen_[report::badness(audit.status.verdict)] = true;
  for (const report::ReportedFinding& finding : audit.status.findings) {
    seen_[report::badness(finding.result)] = true;
  }
  if (printer_) {
    printer_->add(audit);
  }
}

int CheckReport::finish(const CheckEnd& end, const audit::Policy& policy) {
  const bool kept = baselines_.finish(end.whole);
  if (printer_) {
    printer_->finish();
  } else {
    print_fixes(end.result.fixes, options_, io_);
  }
  if (!options_.quiet) {
    print_notes(end.result.counts, policy, io_);
  }
  if (!io_.out.flush()) {
    io_.err << "the result could not be written\n";
    return kExitTrouble;
  }
  return end.whole && kept ? exit_status() : kExitTrouble;
}

int CheckReport::exit_status() const {
  if ((audits_ == 0 && options_.fail_if_empty) || any("Error")) {
    return kExitTrouble;
  }
  const bool known = !options_.write_baseline_file.empty();
  const bool found = !known && options_.fail_on != FailOn::kNone &&
                     (any("Fail") || (options_.fail_on == FailOn::kWarn && any("Warn")));
  return found ? kExitFindings : kExitOk;
}

}  // namespace shutdown_auditor::app
