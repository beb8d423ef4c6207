#pragma once

#include <memory>
#include <vector>

#include "app/check_audit.h"
#include "app/check_options.h"
#include "app/io.h"
#include "report/printer.h"

namespace shutdown_auditor::app {

// Prints to io.out in the form that the options ask for.
std::unique_ptr<report::Printer> make_printer(const CheckOptions& options, const Io& io);

// Prints the fixes to io.out, as --fix asks for them.
void print_fixes(const std::vector<audit::Fixes>& fixes, const CheckOptions& options, Io& io);

// Says on io.err which objects were not audited, and why.
void print_notes(const CheckCounts& counts, const audit::Policy& policy, Io& io);

}  // namespace shutdown_auditor::app
