#pragma once

#include <optional>
#include <utility>

#include "app/check_options.h"
#include "app/io.h"
#include "base/result.h"
#include "report/baseline.h"

namespace shutdown_auditor::app {

// The baseline that the options name; absent when they name none.
base::Result<std::optional<report::Baseline>> read_given_baseline(const CheckOptions& options);

// The baseline that a run writes and the one it is compared with, where the options name them. The options and `io`
// outlive it.
class CheckBaselines {
 public:
  CheckBaselines(const CheckOptions& options, std::optional<report::Baseline> known, Io& io)
      : options_(options), known_(std::move(known)), io_(io) {}

  // Notes the findings of the next audit, then takes the known ones out of it.
  void apply(report::ShutdownAudit& audit);
  // Writes the file and says on io.err what was done. `whole`: everything that was asked for was read, which a baseline must
  // not be written without. False when it could not be written.
  bool finish(bool whole);

 private:
  bool write(bool whole);

  const CheckOptions& options_;
  std::optional<report::Baseline> known_;
  report::BaselineWriter writer_;
  Io& io_;
};

}  // namespace shutdown_auditor::app
