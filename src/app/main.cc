#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "app/cli.h"
#include "app/terminal.h"

namespace {

std::string variable(std::string_view name) {
  const char* value = std::getenv(std::string(name).c_str());
  return value == nullptr ? "" : value;
}

bool is_terminal(int descriptor) { return ::isatty(descriptor) == 1; }

// 0 when standard output is no terminal or does not say.
std::size_t terminal_columns() {
  winsize size{};
  return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace shutdown_auditor;
  std::ios::sync_with_stdio(false);
  const bool terminal = is_terminal(STDOUT_FILENO);
  const app::TerminalLook look = app::terminal_look(terminal, terminal_columns(), variable);
  app::Io io{std::cin, std::cout, std::cerr, base::system_clock(), terminal, look.color, look.columns, look.unicode,
             is_terminal(STDERR_FILENO) && variable("TERM") != "" && variable("TERM") != "dumb"};
  io.in_terminal = is_terminal(STDIN_FILENO);
  const int status = app::run_command_line(argc > 0 ? argv[0] : "", {argv + 1, argv + (argc > 0 ? argc : 1)}, io);
  if (!std::cout.flush()) {
    std::cerr << "the output could not be written\n";
    return app::kExitTrouble;
  }
  return status;
}
