#include "report/text_row.h"

#include "report/one_line.h"

namespace shutdown_auditor::report {

void add_cell(std::string& line, std::string_view cell, std::size_t width) {
  line += cell;
  line.append(width - columns(cell) + kColumnGap, ' ');
}

void end_line(std::string& text) {
  text.resize(text.find_last_not_of(' ') + 1);
  text += '\n';
}

void add_row(std::string& text, std::span<const std::string> cells, std::span<const std::size_t> widths) {
  for (std::size_t i = 0; i + 1 < cells.size(); ++i) {
    add_cell(text, cells[i], widths[i]);
  }
  text += cells.back();
  end_line(text);
}

}  // namespace shutdown_auditor::report
