#include "report/finding_text.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "report/one_line.h"

namespace shutdown_auditor::report {
namespace {

constexpr std::array<std::string_view, 7> kWorstFirst{"Error", "Fail", "Warn", "Unverified", "Info", "Skip", "Pass"};

}  // namespace

std::string workload_text(const ShutdownAudit& audit) {
  return one_line(audit.meta.namespace_ + "/" + base::to_lower(audit.target.kind) + "/" + audit.target.name);
}

std::size_t badness(std::string_view result_or_verdict) {
  return static_cast<std::size_t>(std::find(kWorstFirst.begin(), kWorstFirst.end(), result_or_verdict) -
                                  kWorstFirst.begin());
}

std::string finding_text(const ReportedFinding& finding) {
  std::string text = one_line(finding.message);
  if (!finding.remediation.empty()) {
    text += (text.empty() ? "" : " ") + one_line(finding.remediation);
  }
  if (finding.exemption) {
    text += " (exempt: " + one_line(finding.exemption->reason) + ")";
  }
  return text;
}

std::vector<LocatedFinding> worst_first(const std::vector<ShutdownAudit>& audits) {
  std::vector<LocatedFinding> all;
  for (const ShutdownAudit& audit : audits) {
    for (const ReportedFinding& finding : audit.status.findings) {
      all.push_back({&audit, &finding});
    }
  }
  std::stable_sort(all.begin(), all.end(), [](const LocatedFinding& a, const LocatedFinding& b) {
    return badness(a.finding->result) < badness(b.finding->result);
  });
  return all;
}

std::string verdict_counts(const std::vector<ShutdownAudit>& audits) {
  std::array<std::size_t, kWorstFirst.size() + 1> counts{};
  for (const ShutdownAudit& audit : audits) {
    ++counts[badness(audit.status.verdict)];
  }
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < kWorstFirst.size(); ++i) {
    if (counts[i] > 0) {
      parts.push_back(std::to_string(counts[i]) + " " + std::string(kWorstFirst[i]));
    }
  }
  return base::join(parts, ", ");
}

std::string help_uri(std::string_view base, std::string_view check) {
  return base.empty() ? std::string() : std::string(base) + std::string(check);
}

}  // namespace shutdown_auditor::report
