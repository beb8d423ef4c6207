#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>

#include "report/finding_text.h"
#include "report/shutdown_audit.h"

namespace shutdown_auditor::report {

// How many findings each check has, and how many workloads of each namespace have which verdict. Not thread-safe.
class RollUp {
 public:
  using Groups = std::map<std::string, ResultCounts, std::less<>>;

  void add(const ShutdownAudit& audit);
  // Both tables, worst first, of the results that occur, and a last line for all; within `width` columns unless that is 0.
  std::string text(std::size_t width) const;

 private:
  Groups checks_;
  Groups namespaces_;
  ResultCounts verdicts_{};
};

}  // namespace shutdown_auditor::report
