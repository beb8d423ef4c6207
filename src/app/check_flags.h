#pragma once

#include "app/check_options.h"

namespace CLI {
class App;
}

namespace shutdown_auditor::app {

// Declares the flags of `check` on `command`, to be stored in `options` when it parses; a value that makes no sense is
// CLI11's ValidationError naming flag and value. `options` must outlive `command`.
void add_check_flags(CLI::App& command, CheckOptions& options);

}  // namespace shutdown_auditor::app
