#pragma once

#include "app/check_options.h"
#include "app/io.h"

namespace shutdown_auditor::app {

// Audits manifests: no cluster, no network. Returns the exit status (io.h). Blocks on file reads.
int run_check(const CheckOptions& options, Io& io);

}  // namespace shutdown_auditor::app
