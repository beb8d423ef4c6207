#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace shutdown_auditor::app {

// How text may look where it is shown.
struct TerminalLook {
  bool color = false;
  std::size_t columns = 80;
  bool unicode = false;
};

// Reads a variable of the environment; empty when it is not set.
using Variables = std::function<std::string(std::string_view name)>;

// Decides from the environment; a variable that is set and empty counts as not set. `columns` is what the terminal says of
// its width, 0 when it does not.
// Colours: NO_COLOR says no (no-color.org), then FORCE_COLOR yes (0 and false: no), then TERM=dumb no; else a terminal has
// them.
// Columns: the terminal's, else COLUMNS when it is a number from 1 to 9999, else 80. More than ASCII: when the locale (the
// first of LC_ALL, LC_CTYPE and LANG that is set; POSIX) says UTF-8 and TERM is neither dumb nor a vt1xx or vt2xx.
TerminalLook terminal_look(bool is_terminal, std::size_t columns, const Variables& variable);

}  // namespace shutdown_auditor::app
