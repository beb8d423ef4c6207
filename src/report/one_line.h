#pragma once

#include <string>
#include <string_view>

namespace shutdown_auditor::report {

// `text` as one printable line of UTF-8: control characters (terminal escapes, line breaks, C1, bidirectional
// overrides) become spaces and invalid bytes become U+FFFD, because names and messages may quote a hostile file.
std::string one_line(std::string_view text);

// Characters, counted as code points: near enough to columns for names and English text.
std::size_t columns(std::string_view utf8);

}  // namespace shutdown_auditor::report
