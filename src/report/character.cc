#include "report/character.h"

#include <utf8proc.h>

namespace shutdown_auditor::report {

Character first_character(std::string_view text) {
  utf8proc_int32_t code = -1;
  const utf8proc_ssize_t size = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                                 static_cast<utf8proc_ssize_t>(text.size()), &code);
  return size < 1 ? Character{text.substr(0, 1), -1} : Character{text.substr(0, static_cast<std::size_t>(size)), code};
}

bool is_hidden(std::int32_t code) {
  switch (utf8proc_category(code)) {
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
      return true;
    default:
      return false;
  }
}

std::size_t width_of(std::int32_t code) {
  const int width = utf8proc_charwidth(code);
  return width < 0 ? 0 : static_cast<std::size_t>(width);
}

}  // namespace shutdown_auditor::report
