#pragma once

#include "app/io.h"

namespace CLI {
class App;
}

namespace shutdown_auditor::app {

// Adds the commands that only tell something: version, explain, list-checks, completion and, for the build, `manual`. Their
// callbacks set `status`, which like `io` must outlive `root`.
void add_information_commands(CLI::App& root, Io& io, int& status);

}  // namespace shutdown_auditor::app
