#pragma once

#include <string>

#include "app/live_input.h"
#include "app/live_options.h"
#include "base/result.h"

namespace CLI {
class App;
}

namespace shutdown_auditor::app {

// Declares the flags and arguments on `command`, to be stored in `options`, which must outlive it. A value that makes no
// sense is CLI11's ValidationError naming flag and value.
void add_live_flags(CLI::App& command, LiveOptions& options);

// kInvalid when arguments for a cluster stand beside `--filename` or contradict each other. What the environment sets is
// no contradiction to files. After parsing.
base::Result<void> check_live_flags(const CLI::App& command, const LiveOptions& options);

// The query the options ask for; kInvalid names the argument that is no workload.
base::Result<LiveQuery> live_query(const LiveOptions& options, const std::string& name_space);

}  // namespace shutdown_auditor::app
