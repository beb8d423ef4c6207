#pragma once

#include <string_view>

namespace shutdown_auditor::app {

// Of this build: "0.1.0", and the source revision or "unknown".
std::string_view version();
std::string_view revision();

}  // namespace shutdown_auditor::app
