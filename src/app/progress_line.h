#pragma once

#include <cstddef>
#include <ostream>

#include "base/clock.h"

namespace shutdown_auditor::app {

// One line on a terminal that says how far a long reading has come, and is gone when it is over. For one thread.
class ProgressLine {
 public:
  // Nothing is ever written unless `terminal`. `out` must outlive it.
  ProgressLine(std::ostream& out, bool terminal) : out_(out), terminal_(terminal) {}
  ~ProgressLine() { clear(); }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  // Shows the number once a second has passed.
  void update(base::Duration passed, std::size_t objects);
  // Removes the line. Before anything else is written.
  void clear();

 private:
  std::ostream& out_;
  const bool terminal_;
  bool shown_ = false;
};

}  // namespace shutdown_auditor::app
