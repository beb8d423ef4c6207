#pragma once

#include <deque>
#include <istream>
#include <string>
#include <vector>

#include "manifest/loader.h"

namespace shutdown_auditor::app {

// One object of the input and the file it came from. A Pod is held as a Workload of kind Pod: it is what is audited.
struct InputObject {
  std::string file;  // empty: from a cluster
  manifest::Object object;
  bool audited = true;  // false: a workload that is there for what it says about others
};

// Lists of a cluster that could not be read: nothing is known of what they hold.
struct Unread {
  bool workloads = false, budgets = false, services = false, autoscalers = false, jobs = false, namespaces = false;
};

struct Input {
  std::deque<InputObject> objects;  // large ones, and many: never all copied to grow
  std::vector<manifest::Problem> problems;  // in the order they were met; also files that cannot be read
  bool live = false;                        // of a cluster: it is all there, but for what is unread
  Unread unread;
  bool failed() const;                      // one of the problems is an error
};

// Reads every path: a file, a directory (see input_files.h) or "-" for `in`, which messages call "stdin". At most 256 MiB
// each. What is named twice is read once.
Input read_input(const std::vector<std::string>& paths, bool recursive, std::istream& in);

}  // namespace shutdown_auditor::app
