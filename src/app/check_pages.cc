#include "app/check_pages.h"

#include <algorithm>

#include "base/text.h"

namespace shutdown_auditor::app {

std::string_view check_page(std::string_view id) {
  const std::span<const CheckPage> pages = check_pages();
  const auto page = std::find_if(pages.begin(), pages.end(), [&](const CheckPage& p) { return p.id == id; });
  return page == pages.end() ? std::string_view() : page->text;
}

std::string_view check_summary(std::string_view page) {
  for (const std::string_view line : base::split(page, '\n')) {
    const std::string_view text = base::trim(line);
    if (text.empty() || text.starts_with('#')) {
      continue;
    }
    const std::size_t end = text.find(". ");
    return end == std::string_view::npos ? text : text.substr(0, end + 1);
  }
  return {};
}

}  // namespace shutdown_auditor::app
