#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "report/shutdown_audit.h"

// What the report formats share: where a finding stands, how bad it is, and how it reads as text.
namespace shutdown_auditor::report {

// "shop/deployment/web", printable.
std::string workload_text(const ShutdownAudit& audit);

// Order of results and verdicts, worst first: Error 0, Fail, Warn, Unverified, Info, Skip, Pass, anything else.
std::size_t badness(std::string_view result_or_verdict);

// "message remediation", one printable line, with "(exempt: reason)" where an exemption applies.
std::string finding_text(const ReportedFinding& finding);

// A finding with the audit it belongs to; both outlive it.
struct LocatedFinding {
  const ShutdownAudit* audit;
  const ReportedFinding* finding;
};
// All findings, worst first, otherwise in the order of the input.
std::vector<LocatedFinding> worst_first(const std::vector<ShutdownAudit>& audits);

// "1 Fail, 2 Warn, 1 Pass": how many audits have which verdict, worst first. Empty for no audits.
std::string verdict_counts(const std::vector<ShutdownAudit>& audits);

// Address of a check's page: "<base>grace-budget"; empty when the base is.
std::string help_uri(std::string_view base, std::string_view check);

}  // namespace shutdown_auditor::report
