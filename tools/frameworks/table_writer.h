#pragma once

#include <string>

#include "frameworks/knowledge.h"

namespace shutdown_auditor::tools {

// The source text of audit/framework_table.cc: every table as constants, without code that runs at start.
std::string write_tables(const Knowledge& knowledge);

}  // namespace shutdown_auditor::tools
