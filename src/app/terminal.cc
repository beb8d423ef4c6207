#include "app/terminal.h"

#include "base/text.h"

namespace shutdown_auditor::app {
namespace {

constexpr std::int64_t kMaxColumns = 9999;

bool wants_color(bool is_terminal, const Variables& variable) {
  if (!variable("NO_COLOR").empty()) {
    return false;
  }
  if (const std::string force = variable("FORCE_COLOR"); !force.empty()) {
    return force != "0" && base::to_lower(force) != "false";
  }
  return is_terminal && variable("TERM") != "dumb";
}

bool shows_unicode(const Variables& variable) {
  const std::string terminal = variable("TERM");
  if (terminal == "dumb" || terminal.starts_with("vt1") || terminal.starts_with("vt2")) {
    return false;
  }
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    if (const std::string locale = base::to_lower(variable(name)); !locale.empty()) {
      return locale.find("utf-8") != std::string::npos || locale.find("utf8") != std::string::npos;
    }
  }
  return false;
}

}  // namespace

TerminalLook terminal_look(bool is_terminal, std::size_t columns, const Variables& variable) {
  TerminalLook look;
  look.color = wants_color(is_terminal, variable);
  look.unicode = shows_unicode(variable);
  if (columns > 0) {
    look.columns = columns;
  } else if (const auto told = base::parse_int64(variable("COLUMNS")); told && *told > 0 && *told <= kMaxColumns) {
    look.columns = static_cast<std::size_t>(*told);
  }
  return look;
}

}  // namespace shutdown_auditor::app
