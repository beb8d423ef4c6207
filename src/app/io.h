#pragma once

#include <cstddef>
#include <iosfwd>

#include "base/clock.h"

namespace shutdown_auditor::app {

// Exit statuses of every command; part of the interface.
inline constexpr int kExitOk = 0;
inline constexpr int kExitFindings = 1;  // at or above --fail-on
inline constexpr int kExitTrouble = 2;   // usage, unreadable or malformed input, an audit that failed, an internal error

// What a command talks to. Results go to `out`, everything else to `err`. References outlive the command.
struct Io {
  std::istream& in;
  std::ostream& out;
  std::ostream& err;
  base::Clock& clock;
  // See app/terminal.h.
  bool terminal = false;     // `out` is one
  bool color = false;        // colours are wanted on it
  std::size_t columns = 80;
  bool unicode = true;
  bool progress_terminal = false;  // `err` is a terminal that can take back a line
  bool in_terminal = false;        // `in` is a terminal: somebody has to be told that it is read
};

}  // namespace shutdown_auditor::app
