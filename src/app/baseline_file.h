#pragma once

#include <string>

#include "base/result.h"
#include "report/baseline.h"

namespace shutdown_auditor::app {

// Reads what `check --write-baseline` wrote (report/baseline.h). Errors are one line and name file, line, field and value:
// another apiVersion or kind, a field it does not know, a missing one, a check or result that does not exist.
base::Result<report::Baseline> read_baseline_file(const std::string& path);

}  // namespace shutdown_auditor::app
