#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "app/check_audit.h"
#include "app/check_baseline.h"
#include "app/check_options.h"
#include "app/io.h"
#include "report/baseline.h"
#include "report/finding_text.h"
#include "report/printer.h"

namespace shutdown_auditor::app {

// What a run found besides its audits.
struct CheckEnd {
  CheckResult result;
  bool whole = true;                // everything that was asked for was read
};

// Takes the audits of a run one by one: applies and writes baselines, prints, and decides on the exit status. It holds no
// audit; see the printers (report/printer.h) for what is held. Not thread-safe.
class CheckReport {
 public:
  // The options and `io` outlive it. `baseline` is absent when the options name none.
  CheckReport(const CheckOptions& options, std::optional<report::Baseline> baseline, Io& io);

  // The next audit, in the order of the input; what the baseline knows is taken out of it.
  void add(report::ShutdownAudit& audit);
  // After the last one, once: ends the output, writes the baseline's file, prints notes; `policy` is what was audited by.
  // The exit status.
  int finish(const CheckEnd& end, const audit::Policy& policy);

 private:
  bool any(std::string_view result) const { return seen_[report::badness(result)]; }
  int exit_status() const;

  const CheckOptions& options_;
  Io& io_;
  CheckBaselines baselines_;
  std::unique_ptr<report::Printer> printer_;  // absent with --fix
  std::size_t audits_ = 0;
  std::array<bool, report::kResults.size() + 1> seen_{};  // as a verdict or a result, by badness
};

}  // namespace shutdown_auditor::app
