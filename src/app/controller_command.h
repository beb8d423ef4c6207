#pragma once

#include <string>
#include <vector>

#include "app/controller_options.h"

namespace shutdown_auditor::app {

// Runs the controller until SIGTERM or SIGINT, or until it has to leave. Call it from main's thread, with signals blocked
// (runtime::SignalWaiter::block_signals) and the HTTP runtime initialised. `environment` holds NAME=VALUE entries.
// Logs to stderr. Returns the exit status: 0 after an orderly stop, 1 when it could not go on (caches not complete in
// time, a port that is taken), 2 for a configuration that makes no sense. A lost lease ends the process at once with
// status 1, because another one may lead from then on.
int run_controller(const ControllerOptions& options, const std::vector<std::string>& environment);

}  // namespace shutdown_auditor::app
