#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "report/shutdown_audit.h"

// What the report formats share: where a finding stands, how bad it is, and how it reads as text.
namespace shutdown_auditor::report {

// "shop/deployment/web", printable.
std::string workload_text(const ShutdownAudit& audit);

// Results and verdicts, worst first.
inline constexpr std::array<std::string_view, 7> kResults{"Error", "Fail", "Warn", "Unverified", "Info", "Skip", "Pass"};
// Where a result or verdict stands in kResults; kResults.size() for anything else.
std::size_t badness(std::string_view result_or_verdict);
// How many there are of each, by badness.
using ResultCounts = std::array<std::size_t, kResults.size() + 1>;

// "message remediation", one printable line.
std::string advice_text(const ReportedFinding& finding);
// The same with "(exempt: reason)" where an exemption applies.
std::string finding_text(const ReportedFinding& finding);

// "3 workloads: 1 Fail, 2 Pass": how many audits there are, and how many have which verdict, worst first.
std::string verdict_counts(const ResultCounts& verdicts);

// Address of a check's page: "<base>grace-budget"; empty when the base is.
std::string help_uri(std::string_view base, std::string_view check);

}  // namespace shutdown_auditor::report
