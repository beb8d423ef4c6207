#pragma once

#include <optional>
#include <string>

#include "base/clock.h"

namespace shutdown_auditor::http {

// When the first certificate of a PEM text ends (notAfter); nullopt when there is none, or none that parses.
std::optional<base::WallTime> certificate_end(const std::string& pem);

}  // namespace shutdown_auditor::http
