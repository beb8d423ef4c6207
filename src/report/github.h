#pragma once

#include <string>
#include <vector>

#include "report/shutdown_audit.h"

namespace shutdown_auditor::report {

// Workflow commands that GitHub Actions shows as annotations of a pull request's lines: `::error`, `::warning` and
// `::notice` for Error and Fail, Warn, Info; exempted findings are left out. Worst first, because GitHub shows only the
// first ten of each kind in a step. Escaped as the runner unescapes (GitHub documentation, "Workflow commands for GitHub
// Actions"; actions/runner, ActionCommand.cs). Empty for no findings.
std::string github_annotations(const std::vector<ShutdownAudit>& audits);

}  // namespace shutdown_auditor::report
