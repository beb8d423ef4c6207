#pragma once

#include <sstream>
#include <string>
#include <vector>

#include "report/printer.h"

namespace shutdown_auditor::report {

// What a printer makes of the audits; `make` gets the stream and returns the printer.
template <class Make>
std::string printed(const std::vector<ShutdownAudit>& audits, Make make) {
  std::ostringstream out;
  const auto printer = make(out);
  EXPECT_EQ(out.str(), "") << "written before there is something to say";
  for (const ShutdownAudit& audit : audits) {
    printer->add(audit);
  }
  printer->finish();
  return out.str();
}

}  // namespace shutdown_auditor::report
