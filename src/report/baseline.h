#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "report/shutdown_audit.h"

// Findings known on the day a tool was adopted, so that only new ones count.
namespace shutdown_auditor::report {

inline constexpr std::string_view kBaselineKind = "ShutdownBaseline";

// What makes a finding the same one in another run: which workload, check, container and reason. Not its line, its file,
// its numbers or its wording.
struct FindingIdentity {
  std::string workload;  // "shop/deployment/web"
  std::string id;        // "grace-budget", "prestop-broken/app"
  std::string reason;
  friend auto operator<=>(const FindingIdentity&, const FindingIdentity&) = default;
};
FindingIdentity identity_of(const ShutdownAudit& audit, const ReportedFinding& finding);

struct KnownFinding {
  FindingIdentity identity;
  std::string result;  // Fail, Warn, Info: a worse one is not known
};

// The findings of `audits` as the text of a baseline file: YAML, sorted, one finding a line, equal ones repeated, so that a
// diff shows what changed. Exempted findings and failed audits are no part of it.
std::string baseline_text(const std::vector<ShutdownAudit>& audits);

// How many findings of the audits, or of the baseline, are which.
struct BaselineCounts {
  std::size_t hidden = 0;     // known, and taken out of the audits
  std::size_t gone = 0;       // in the baseline, and no longer found on a workload that was audited
  std::size_t elsewhere = 0;  // in the baseline, of workloads that were not audited
};

class Baseline {
 public:
  explicit Baseline(std::vector<KnownFinding> known);

  // Takes known findings out of the audits: each entry hides one finding with its identity and no worse a result. They
  // count as skipped in the summary, the verdict is that of the rest, and Skip when nothing is left of a worse one. What
  // stays gets its baseline_state: updated where the finding is known with a lesser result, new otherwise.
  BaselineCounts hide_known(std::vector<ShutdownAudit>& audits) const;

 private:
  std::map<FindingIdentity, std::vector<std::string>> known_;  // results, worst first
};

}  // namespace shutdown_auditor::report
