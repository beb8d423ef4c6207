#pragma once

#include <optional>

#include "app/check_audit.h"
#include "app/check_options.h"
#include "app/io.h"
#include "base/result.h"
#include "report/baseline.h"

namespace shutdown_auditor::app {

// The baseline that the options name; absent when they name none.
base::Result<std::optional<report::Baseline>> read_given_baseline(const CheckOptions& options);

// Writes the findings of `result` where the options want them, then hides what `baseline` knows; says so on io.err. `whole`:
// everything that was asked for was read, which a baseline must not be written without. False when it could not be written.
bool keep_baselines(CheckResult& result, const std::optional<report::Baseline>& baseline, bool whole,
                    const CheckOptions& options, Io& io);

}  // namespace shutdown_auditor::app
