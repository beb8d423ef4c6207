#pragma once

#include <string_view>

#include "audit/application.h"
#include "audit/application_facts.h"

namespace shutdown_auditor::audit {

// Fills delay, drain, cleanup, hidden and problems for this effective stop signal: what the manifest writes, else the
// framework's documented default. A value that cannot be read is not known, whatever the default says.
void read_times(const Framework& framework, const ApplicationFacts& facts, std::string_view signal,
                ApplicationReading& reading);

}  // namespace shutdown_auditor::audit
