#include "report/json_text.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>

namespace shutdown_auditor::report {

std::string json_text(const nlohmann::ordered_json& value, std::size_t margin) {
  const std::string text = value.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  std::string out;
  out.reserve(text.size() + margin * static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')));
  for (std::string_view rest = text; !rest.empty();) {  // a line break inside a string is written as \n
    const std::size_t line = std::min(rest.find('\n'), rest.size() - 1) + 1;
    out += rest.substr(0, line);
    rest.remove_prefix(line);
    out.append(rest.empty() ? 0 : margin, ' ');
  }
  return out;
}

}  // namespace shutdown_auditor::report
