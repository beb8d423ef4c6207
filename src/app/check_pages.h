#pragma once

#include <span>
#include <string_view>

namespace shutdown_auditor::app {

// One page of docs/checks, carried inside the program.
struct CheckPage {
  std::string_view id;
  std::string_view text;  // Markdown
};

// All pages, sorted by id.
std::span<const CheckPage> check_pages();
// The text of one page; empty when there is none.
std::string_view check_page(std::string_view id);
// The first sentence after the page's title: what the check is about in a line.
std::string_view check_summary(std::string_view page);

}  // namespace shutdown_auditor::app
