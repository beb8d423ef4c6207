#pragma once

#include "report/shutdown_audit.h"

namespace shutdown_auditor::report {

// Prints audits one by one in one of the forms of `check`, to the std::ostream it was made with, which outlives it and
// whose state says whether all was written. What a printer holds between calls is said where it is made; it never holds an
// audit. Nothing is written before the first call. Not thread-safe.
class Printer {
 public:
  Printer() = default;
  Printer(const Printer&) = delete;
  Printer& operator=(const Printer&) = delete;
  virtual ~Printer() = default;

  // The next audit, in the order of the input.
  virtual void add(const ShutdownAudit& audit) = 0;
  // After the last one, once: writes what is still to be written. Without it the output is incomplete.
  virtual void finish() = 0;
};

}  // namespace shutdown_auditor::report
