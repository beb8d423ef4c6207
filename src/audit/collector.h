#pragma once

#include <bitset>
#include <string>
#include <string_view>
#include <vector>

#include "audit/audit.h"

namespace shutdown_auditor::audit {

// Where the checks of one workload put what they found. For one thread.
class Collector {
 public:
  // The check applies to this workload; it passed unless `report` says otherwise.
  void applies(Check check) { applied_.set(static_cast<std::size_t>(check)); }
  // A finding of a check; `reason` is from its closed list. The reference lives until the next call.
  Finding& report(Check check, CheckResult result, std::string_view reason, std::string message, std::string remediation,
                  std::string field_path = {}, std::string container = {});

  bool applied(Check check) const { return applied_.test(static_cast<std::size_t>(check)); }
  bool reported(Check check, std::string_view container) const;
  std::vector<Finding>& findings() { return findings_; }

 private:
  std::bitset<64> applied_;
  std::vector<Finding> findings_;
};

// "1 replica", "3 replicas".
std::string counted(std::int64_t number, std::string_view noun);

}  // namespace shutdown_auditor::audit
