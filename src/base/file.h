#pragma once

#include <cstddef>
#include <string>

#include "base/result.h"

namespace shutdown_auditor::base {

// The whole of a regular file or pipe. Failures name the path: kNotFound, kIo (permission, a directory, a read error),
// kTooLarge when it holds more than `max_bytes`.
Result<std::string> read_file(const std::string& path, std::size_t max_bytes);

}  // namespace shutdown_auditor::base
