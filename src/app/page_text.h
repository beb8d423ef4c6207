#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace shutdown_auditor::app {

struct PageStyle {
  std::size_t columns = 80;
  bool bold = false;  // headings in bold; else in capitals
};

// A page of docs/checks as text for a terminal: wrapped, tables as lists, links as their text (with the address when it
// leads out of the documentation). Reads the Markdown these pages use, not all of it.
std::string page_text(std::string_view markdown, const PageStyle& style);

}  // namespace shutdown_auditor::app
