#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace shutdown_auditor::report {

// `text` as one printable line of UTF-8: hidden characters (report/character.h) become spaces and invalid bytes become
// U+FFFD, because names and messages may quote a hostile file.
std::string one_line(std::string_view text);
// The same without a copy: `text` itself when it is plain ASCII, else a view of `room`, which is overwritten.
std::string_view one_line(std::string_view text, std::string& room);

// Columns that well-formed UTF-8 takes on a terminal.
std::size_t columns(std::string_view utf8);

// `text` broken into lines of at most `width` columns (at least 1): at spaces, and inside a word only when the word alone is
// longer. Several spaces count as one. At least one line. Linear in the text.
std::vector<std::string> wrapped(std::string_view text, std::size_t width);

}  // namespace shutdown_auditor::report
