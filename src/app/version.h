#pragma once

#include <string_view>

namespace shutdown_auditor::app {

// Of this build: "0.1.0", and the source revision or "unknown".
std::string_view version();
std::string_view revision();
// When that source was committed, "2026-11-23"; of a tree without a repository "1970-01-01".
std::string_view source_date();

}  // namespace shutdown_auditor::app
