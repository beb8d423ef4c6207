#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace shutdown_auditor::testing_support {

struct Command {
  std::vector<std::string> argv;  // argv[0] is a path or a name looked up in PATH; never a shell line
  std::string stdin_text;
  // Changes to the environment that is passed on; nullopt removes the variable.
  std::map<std::string, std::optional<std::string>> environment;
  std::chrono::seconds time_limit{60};
};

struct CommandOutput {
  int status = 0;  // exit status; 128 + signal number when a signal ended it
  std::string stdout_text;
  std::string stderr_text;
};

// Runs a program to its end and collects what it wrote. Blocks; callable from any thread. At the time limit its process
// group gets SIGKILL and the result is kTimeout with the end of its stderr. Programs that it leaves running must not
// keep its stdout or stderr open. A status other than 0 is not an error here.
base::Result<CommandOutput> run_command(const Command& command);

}  // namespace shutdown_auditor::testing_support
