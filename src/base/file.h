#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace shutdown_auditor::base {

// The whole of a regular file or pipe. Failures name the path: kNotFound, kIo (permission, a directory, a read error),
// kTooLarge when it holds more than `max_bytes`.
Result<std::string> read_file(const std::string& path, std::size_t max_bytes);

// Replaces the file at `path`, or makes it, so that at every moment either the old or the whole new text is there: written
// beside it, flushed to the disk, renamed. A link is followed, an existing file's mode is kept. Failures name the path: kIo,
// kNotFound (its directory), kInvalid when something other than a regular file is there.
Result<void> write_file(const std::string& path, std::string_view text);

}  // namespace shutdown_auditor::base
