#pragma once

#include "app/check_options.h"
#include "app/io.h"

namespace shutdown_auditor::app {

// Audits manifests, without any network, or the workloads of a live cluster. Returns the exit status (io.h). Blocks on
// files and, for a cluster, on the network; then it must be called before other threads run.
int run_check(const CheckOptions& options, Io& io);

}  // namespace shutdown_auditor::app
