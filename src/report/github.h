#pragma once

#include <iosfwd>
#include <memory>

#include "report/printer.h"

namespace shutdown_auditor::report {

// Workflow commands that GitHub Actions shows as annotations of a pull request's lines: `::error`, `::warning` and
// `::notice` for Error and Fail, Warn, Info; exempted findings are left out. Worst first, because GitHub shows only the
// first ten of each kind in a step. Escaped as the runner unescapes (GitHub documentation, "Workflow commands for GitHub
// Actions"; actions/runner, ActionCommand.cs). Nothing for no findings. Holds the lines until the end.
std::unique_ptr<Printer> github_printer(std::ostream& out);

}  // namespace shutdown_auditor::report
