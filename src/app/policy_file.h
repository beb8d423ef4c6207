#pragma once

#include <string>

#include "audit/policy.h"
#include "base/result.h"

namespace shutdown_auditor::app {

// The ShutdownPolicy in a YAML or JSON file; the error names file, place and field. Blocks on the file system.
base::Result<audit::Policy> read_policy_file(const std::string& path);

}  // namespace shutdown_auditor::app
