#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace shutdown_auditor::manifest {

// The text begins with a byte order mark of UTF-16: what PowerShell's `>` writes, and what kubectl reads.
bool is_utf16(std::string_view text);
// Such a text in UTF-8, without the mark. Nothing when a surrogate stands alone or half a character is left over.
std::optional<std::string> utf8_of_utf16(std::string_view text);

}  // namespace shutdown_auditor::manifest
