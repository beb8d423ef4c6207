#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace shutdown_auditor::report {

// A character of UTF-8. `code` is negative for a byte that begins none: `bytes` is then that byte.
struct Character {
  std::string_view bytes;
  std::int32_t code = -1;
};
// The first character of `text`, which is not empty; borrows it.
Character first_character(std::string_view text);

// Characters that are not seen but change what is: control characters (terminal escapes, line breaks, C1), format characters
// (bidirectional overrides and isolates, zero width spaces, tags), line and paragraph separators. By Unicode category.
bool is_hidden(std::int32_t code);

// Columns on a terminal: 0 for combining marks, 2 for wide characters (East Asian Width), else 1.
std::size_t width_of(std::int32_t code);

}  // namespace shutdown_auditor::report
