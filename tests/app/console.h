#pragma once

#include <sstream>
#include <string>
#include <vector>

#include "app/cli.h"
#include "support/manual_clock.h"
#include "support/temp_dir.h"

namespace shutdown_auditor::app {

// Runs commands on string streams.
struct Console {
  std::istringstream in;
  std::ostringstream out;
  std::ostringstream err;
  testing_support::ManualClock clock;
  Io io{in, out, err, clock};

  int run(std::vector<std::string> arguments, const std::string& input = "") {
    in = std::istringstream(input);
    out.str("");
    err.str("");
    return run_command_line("/usr/bin/shutdown-auditor", std::move(arguments), io);
  }
};

using testing_support::TempDir;

inline std::string data_file(const std::string& name) { return std::string(SA_SOURCE_DIR) + "/tests/app/data/" + name; }

}  // namespace shutdown_auditor::app
