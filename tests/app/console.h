#pragma once

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "app/cli.h"
#include "support/manual_clock.h"

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

// A directory of its own that is gone at the end.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "app-test-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) {
      throw std::filesystem::filesystem_error("mkdtemp", std::error_code(errno, std::generic_category()));
    }
    path_ = pattern;
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  // Writes a file and returns its path.
  std::string file(const std::string& name, const std::string& text) const {
    const std::filesystem::path path = path_ / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
    return path.string();
  }
  std::string path() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

inline std::string data_file(const std::string& name) { return std::string(SA_SOURCE_DIR) + "/tests/app/data/" + name; }

}  // namespace shutdown_auditor::app
