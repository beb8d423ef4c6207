#include "report/finding_text.h"

#include <algorithm>
#include <numeric>

#include "base/text.h"
#include "report/one_line.h"

namespace shutdown_auditor::report {
std::string workload_text(const ShutdownAudit& audit) {
  return one_line(audit.meta.namespace_ + "/" + base::to_lower(audit.target.kind) + "/" + audit.target.name);
}

std::size_t badness(std::string_view result_or_verdict) {
  return static_cast<std::size_t>(std::find(kResults.begin(), kResults.end(), result_or_verdict) - kResults.begin());
}

std::string advice_text(const ReportedFinding& finding) {
  std::string room;
  std::string text(one_line(finding.message, room));
  if (!finding.remediation.empty()) {
    text.append(text.empty() ? "" : " ").append(one_line(finding.remediation, room));
  }
  return text;
}

std::string finding_text(const ReportedFinding& finding) {
  std::string text = advice_text(finding);
  if (finding.exemption) {
    text += " (exempt: " + one_line(finding.exemption->reason) + ")";
  }
  return text;
}

std::string verdict_counts(const ResultCounts& verdicts) {
  const std::size_t all = std::accumulate(verdicts.begin(), verdicts.end(), std::size_t{0});
  std::string out = std::to_string(all) + (all == 1 ? " workload: " : " workloads: ");
  std::string_view separator;
  for (std::size_t i = 0; i < kResults.size(); ++i) {
    if (verdicts[i] > 0) {
      out.append(separator).append(std::to_string(verdicts[i])).append(" ").append(kResults[i]);
      separator = ", ";
    }
  }
  return out;
}

std::string help_uri(std::string_view base, std::string_view check) {
  return base.empty() ? std::string() : std::string(base) + std::string(check);
}

}  // namespace shutdown_auditor::report
