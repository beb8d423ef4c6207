#pragma once

#include <string>
#include <vector>

#include "app/io.h"

namespace CLI {
class App;
}

namespace shutdown_auditor::app {

// Runs the command that `arguments` name (without the program's own name) and returns its exit status. Never throws:
// what a library throws becomes a line on io.err and kExitTrouble. `program` is what usage texts call the program; a
// name that begins with "kubectl-" is shown as the plugin's command.
int run_command_line(const std::string& program, std::vector<std::string> arguments, Io& io);

// Gives every long option of `command` its twin in the environment: SHUTDOWN_AUDITOR_ and the name in capitals with
// underscores. The option wins. Call it after the last option was added.
void add_environment_twins(CLI::App& command);

}  // namespace shutdown_auditor::app
