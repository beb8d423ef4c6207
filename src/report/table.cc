#include "report/table.h"

#include <algorithm>
#include <array>
#include <map>
#include <string_view>
#include <utility>

#include "audit/stop_estimate.h"
#include "base/text.h"
#include "report/one_line.h"

namespace shutdown_auditor::report {
namespace {

constexpr std::string_view kReset = "\x1b[0m";

struct Look {
  std::string_view result;
  std::string_view color;
};
// Results and verdicts, worst first.
constexpr std::array<Look, 7> kLooks{{{"Error", "\x1b[1;31m"},
                                      {"Fail", "\x1b[31m"},
                                      {"Warn", "\x1b[33m"},
                                      {"Unverified", "\x1b[36m"},
                                      {"Info", "\x1b[36m"},
                                      {"Skip", "\x1b[2m"},
                                      {"Pass", "\x1b[32m"}}};

std::size_t rank(std::string_view result) {
  const auto found = std::find_if(kLooks.begin(), kLooks.end(), [&](const Look& look) { return look.result == result; });
  return static_cast<std::size_t>(found - kLooks.begin());
}

using Row = std::vector<std::string>;

// Rows in columns two spaces apart; no spaces at line ends.
std::string align(const std::vector<Row>& rows, bool color) {
  std::vector<std::size_t> widths;
  for (const Row& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], columns(row[i]));
    }
  }
  std::string out;
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::size_t look = color && i == 0 ? rank(row[i]) : kLooks.size();
      if (look < kLooks.size()) {
        out.append(kLooks[look].color).append(row[i]).append(kReset);
      } else {
        out += row[i];
      }
      if (i + 1 < row.size()) {
        out.append(widths[i] - columns(row[i]) + 2, ' ');
      }
    }
    while (!out.empty() && out.back() == ' ') {
      out.pop_back();
    }
    out += '\n';
  }
  return out;
}

std::string workload_text(const ShutdownAudit& audit) {
  return one_line(audit.meta.namespace_ + "/" + base::to_lower(audit.target.kind) + "/" + audit.target.name);
}

std::string number_text(const std::optional<std::int64_t>& number) { return number ? std::to_string(*number) : "-"; }

Row make_row(const ShutdownAudit& audit, const ReportedFinding& finding, bool wide) {
  Row row{finding.result, finding.id, workload_text(audit)};
  if (wide) {
    const ReportedBudget budget = audit.status.budget.value_or(ReportedBudget{});
    row.insert(row.end(), {number_text(budget.grace_period_seconds),
                           budget.required_text.empty() ? "-" : budget.required_text,
                           number_text(budget.seconds_after_signal), budget.evidence.empty() ? "-" : budget.evidence,
                           audit::to_string(audit.estimate.drain), audit::to_string(audit.estimate.rollout)});
  }
  row.insert(row.end(), {finding.source.empty() ? "-" : one_line(finding.source), one_line(finding.message)});
  if (wide) {
    row.push_back(one_line(finding.remediation));
  }
  if (finding.exemption) {
    row[row.size() - (wide ? 2 : 1)] += " (exempt: " + one_line(finding.exemption->reason) + ")";
  }
  return row;
}

std::vector<Row> finding_rows(const std::vector<ShutdownAudit>& audits, bool wide) {
  std::vector<Row> rows;
  for (const ShutdownAudit& audit : audits) {
    for (const ReportedFinding& finding : audit.status.findings) {
      if (wide || finding.result != "Skip") {
        rows.push_back(make_row(audit, finding, wide));
      }
    }
    if (wide && (audit.status.verdict == "Pass" || audit.status.findings.empty())) {
      ReportedFinding passed;
      passed.id = "-";
      passed.result = audit.status.verdict;
      const std::string* source = objects::find(audit.meta.annotations, kSourceAnnotation);
      passed.source = source == nullptr ? "" : *source;
      rows.push_back(make_row(audit, passed, wide));
    }
  }
  std::stable_sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return rank(a[0]) < rank(b[0]); });
  return rows;
}

using Counts = std::array<int, kLooks.size() + 1>;  // by rank; the last for results nobody knows

// Worst first: the group with most of the worst result; equal ones by name.
std::vector<std::pair<std::string, Counts>> worst_first(const std::map<std::string, Counts>& groups) {
  std::vector<std::pair<std::string, Counts>> sorted(groups.begin(), groups.end());
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  return sorted;
}

std::string roll_up(const std::vector<ShutdownAudit>& audits) {
  std::map<std::string, Counts> checks;
  std::map<std::string, Counts> namespaces;
  Counts verdicts{};
  for (const ShutdownAudit& audit : audits) {
    for (const ReportedFinding& finding : audit.status.findings) {
      ++checks[finding.check][rank(finding.result)];
    }
    ++namespaces[one_line(audit.meta.namespace_)][rank(audit.status.verdict)];
    ++verdicts[rank(audit.status.verdict)];
  }
  std::string out;
  const auto print = [&out](std::string_view title, const std::map<std::string, Counts>& groups,
                            std::initializer_list<std::string_view> results) {
    std::vector<Row> rows{{std::string(title)}};
    for (const std::string_view result : results) {
      std::string head(result);
      std::transform(head.begin(), head.end(), head.begin(),
                     [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
      rows[0].push_back(std::move(head));
    }
    for (const auto& [name, counts] : worst_first(groups)) {
      rows.push_back({name});
      for (const std::string_view result : results) {
        rows.back().push_back(std::to_string(counts[rank(result)]));
      }
    }
    out += align(rows, false) + "\n";
  };
  if (!checks.empty()) {
    print("BY CHECK", checks, {"Error", "Fail", "Warn", "Info", "Skip"});
  }
  print("BY NAMESPACE", namespaces, {"Error", "Fail", "Warn", "Unverified", "Skip", "Pass"});

  out += std::to_string(audits.size()) + (audits.size() == 1 ? " workload: " : " workloads: ");
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < kLooks.size(); ++i) {
    if (verdicts[i] > 0) {
      parts.push_back(std::to_string(verdicts[i]) + " " + std::string(kLooks[i].result));
    }
  }
  return out + base::join(parts, ", ") + "\n";
}

}  // namespace

std::string table_text(const std::vector<ShutdownAudit>& audits, const TableOptions& options) {
  if (audits.empty()) {
    return "";
  }
  std::vector<Row> rows = finding_rows(audits, options.wide);
  std::string out;
  if (!rows.empty()) {
    rows.insert(rows.begin(), options.wide ? Row{"RESULT", "CHECK", "WORKLOAD", "GRACE", "NEEDS", "AFTERSIGNAL",
                                                 "EVIDENCE", "DRAIN", "ROLLOUT", "SOURCE", "MESSAGE", "WHAT TO SET"}
                                           : Row{"RESULT", "CHECK", "WORKLOAD", "SOURCE", "MESSAGE"});
    out = align(rows, options.color);
  }
  if (options.roll_up) {
    out += (out.empty() ? "" : "\n") + roll_up(audits);
  }
  return out;
}

}  // namespace shutdown_auditor::report
