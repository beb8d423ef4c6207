#pragma once

#include "app/check_audit.h"
#include "app/check_options.h"
#include "app/io.h"

namespace shutdown_auditor::app {

// Prints the result to io.out in the form that the options ask for; the result is the same afterwards.
void print_result(CheckResult& result, const CheckOptions& options, Io& io);

// Says on io.err which objects were not audited, and why.
void print_notes(const CheckCounts& counts, const audit::Policy& policy, Io& io);

}  // namespace shutdown_auditor::app
