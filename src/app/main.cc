#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "app/cli.h"

namespace {

bool set(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

// A terminal that is not "dumb".
bool is_terminal(int descriptor) {
  const char* terminal = std::getenv("TERM");
  return ::isatty(descriptor) == 1 && terminal != nullptr && std::string_view(terminal) != "dumb";
}

// And a user who has not said no (no-color.org).
bool wants_color() { return is_terminal(STDOUT_FILENO) && !set("NO_COLOR"); }

std::size_t columns() {
  winsize size{};
  return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

// What the locale says; the first of these that is set decides (POSIX, Locale).
bool shows_unicode() {
  for (const char* variable : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    if (!set(variable)) continue;
    const std::string_view value = std::getenv(variable);
    return value.find("UTF-8") != std::string_view::npos || value.find("utf8") != std::string_view::npos;
  }
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace shutdown_auditor;
  std::ios::sync_with_stdio(false);
  app::Io io{std::cin,      std::cout, std::cerr,         base::system_clock(),
             wants_color(), columns(), shows_unicode(), is_terminal(STDERR_FILENO)};
  io.in_terminal = ::isatty(STDIN_FILENO) == 1;
  const int status = app::run_command_line(argc > 0 ? argv[0] : "", {argv + 1, argv + (argc > 0 ? argc : 1)}, io);
  if (!std::cout.flush()) {
    std::cerr << "the output could not be written\n";
    return app::kExitTrouble;
  }
  return status;
}
