#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

// Tables of text: cells beside each other, no spaces at line ends.
namespace shutdown_auditor::report {

inline constexpr std::size_t kColumnGap = 2;  // spaces between columns

// Appends `cell`, which is a cell but the last, and the spaces that lead to the next one.
void add_cell(std::string& line, std::string_view cell, std::size_t width);
// Takes the spaces off the end of `text` and ends the line.
void end_line(std::string& text);
// Appends one row as a line; the last cell needs no width.
void add_row(std::string& text, std::span<const std::string> cells, std::span<const std::size_t> widths);

}  // namespace shutdown_auditor::report
