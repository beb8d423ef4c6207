#include "report/table.h"

#include <algorithm>
#include <array>
#include <map>
#include <string_view>
#include <utility>

#include "audit/stop_estimate.h"
#include "base/text.h"
#include "report/finding_text.h"
#include "report/one_line.h"

namespace shutdown_auditor::report {
namespace {

constexpr std::size_t kGap = 2;           // spaces between columns
constexpr std::size_t kMinMessage = 40;   // columns; with less a finding becomes a paragraph
constexpr std::size_t kMinName = 12;      // columns that a cut name keeps
constexpr std::string_view kReset = "\x1b[0m";

struct Look {
  std::string_view result;
  std::string_view color;
};
constexpr std::array<Look, 7> kLooks{{{"Error", "\x1b[1;31m"},
                                      {"Fail", "\x1b[31m"},
                                      {"Warn", "\x1b[33m"},
                                      {"Unverified", "\x1b[36m"},
                                      {"Info", "\x1b[36m"},
                                      {"Skip", "\x1b[2m"},
                                      {"Pass", "\x1b[32m"}}};
constexpr std::array<std::string_view, 12> kWideHead{"RESULT",   "CHECK", "WORKLOAD", "GRACE",  "NEEDS",   "AFTERSIGNAL",
                                                     "EVIDENCE", "DRAIN", "ROLLOUT",  "SOURCE", "MESSAGE", "WHAT TO SET"};
constexpr std::array<std::string_view, 5> kHead{"RESULT", "CHECK", "WORKLOAD", "SOURCE", "MESSAGE"};

using Row = std::vector<std::string>;

std::string colored(const std::string& result, bool color) {
  const auto look = std::find_if(kLooks.begin(), kLooks.end(), [&](const Look& each) { return each.result == result; });
  return color && look != kLooks.end() ? std::string(look->color) + result + std::string(kReset) : result;
}

std::vector<std::size_t> widths_of(const std::vector<Row>& rows) {
  std::vector<std::size_t> widths;
  for (const Row& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], columns(row[i]));
    }
  }
  return widths;
}

// Ends the line that `out` ends with.
void end_line(std::string& out) {
  out.resize(out.find_last_not_of(' ') + 1);
  out += '\n';
}

// Rows in columns; no spaces at line ends. The last column is broken into lines of `last_width` when that is not 0.
std::string in_columns(const std::vector<Row>& rows, bool color, std::size_t last_width) {
  const std::vector<std::size_t> widths = widths_of(rows);
  std::string out;
  for (const Row& row : rows) {
    std::size_t indent = 0;
    for (std::size_t i = 0; i + 1 < row.size(); ++i) {
      out += i == 0 ? colored(row[i], color) : row[i];
      out.append(widths[i] - columns(row[i]) + kGap, ' ');
      indent += widths[i] + kGap;
    }
    const std::vector<std::string> lines = last_width == 0 ? std::vector<std::string>{row.back()} : wrapped(row.back(), last_width);
    for (std::size_t i = 0; i < lines.size(); ++i) {
      out.append(i == 0 ? 0 : indent, ' ').append(lines[i]);
      end_line(out);
    }
  }
  return out;
}

// Each row as a paragraph beside its result: what names it on as few lines as it takes, then its texts from `texts` on.
std::string in_paragraphs(const std::vector<Row>& rows, std::size_t texts, bool color, std::size_t width) {
  std::size_t indent = 0;
  for (const Row& row : rows) {
    indent = std::max(indent, columns(row.front()) + kGap);
  }
  const std::size_t room = width > indent ? width - indent : 1;
  std::string out;
  for (const Row& row : rows) {
    std::vector<std::string> lines(1);
    for (std::size_t i = 1; i < texts; ++i) {
      const bool fits = columns(lines.back()) + kGap + columns(row[i]) <= room;
      if (lines.back().empty() || fits) {
        lines.back() += (lines.back().empty() ? "" : std::string(kGap, ' ')) + row[i];
      } else {
        lines.push_back(row[i]);
      }
    }
    out += colored(row.front(), color);
    out.append(indent - columns(row.front()), ' ');
    bool first = true;
    const auto add = [&](const std::string& line) {
      for (const std::string& part : columns(line) > room ? wrapped(line, room) : std::vector<std::string>{line}) {
        out.append(std::exchange(first, false) ? 0 : indent, ' ').append(part);
        end_line(out);
      }
    };
    std::for_each(lines.begin(), lines.end(), add);
    for (std::size_t i = texts; i < row.size(); ++i) {
      if (!row[i].empty()) {
        add(row[i]);
      }
    }
  }
  return out;
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
  row.push_back(finding.place.file.empty() ? "-" : one_line(to_string(finding.place)));
  row.push_back(one_line(finding.message));
  if (finding.exemption) {
    row.back() += " (exempt: " + one_line(finding.exemption->reason) + ")";
  }
  if (wide) {
    row.push_back(one_line(finding.remediation));
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
      passed.place = audit.place;
      rows.push_back(make_row(audit, passed, wide));
    }
  }
  std::stable_sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return badness(a[0]) < badness(b[0]); });
  return rows;
}

// On a paper as wide as needed with a line each, else within the width.
std::string findings_text(std::vector<Row> rows, const TableOptions& options) {
  const std::size_t texts = options.wide ? kWideHead.size() - 2 : kHead.size() - 1;
  Row head = options.wide ? Row(kWideHead.begin(), kWideHead.end()) : Row(kHead.begin(), kHead.end());
  const std::vector<std::size_t> widths = widths_of(rows);
  std::size_t before = 0;
  std::size_t all = 0;
  for (std::size_t i = 0; i < widths.size(); ++i) {
    const std::size_t column = std::max(widths[i], columns(head[i])) + kGap;
    before += i < texts ? column : 0;
    all += column;
  }
  const bool fits = options.width == 0 || all - kGap <= options.width;
  if (fits || (!options.wide && before + kMinMessage <= options.width)) {
    rows.insert(rows.begin(), std::move(head));
    return in_columns(rows, options.color, fits ? 0 : options.width - before);
  }
  if (options.wide) {
    for (Row& row : rows) {
      for (std::size_t i = 3; i + 1 < texts; ++i) {
        row[i] = base::to_lower(head[i]) + " " + row[i];
      }
    }
  }
  return in_paragraphs(rows, texts, options.color, options.width);
}

using Counts = std::array<int, kLooks.size() + 1>;  // by badness; the last for results nobody knows

// Worst first: the group with most of the worst result; equal ones by name.
std::vector<std::pair<std::string, Counts>> worst_first(const std::map<std::string, Counts>& groups) {
  std::vector<std::pair<std::string, Counts>> sorted(groups.begin(), groups.end());
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  return sorted;
}

std::string counts_text(std::string_view title, const std::map<std::string, Counts>& groups, std::size_t width) {
  std::vector<Row> rows{{std::string(title)}};
  std::vector<std::size_t> results;
  std::size_t numbers = 0;
  for (std::size_t i = 0; i < kLooks.size(); ++i) {
    if (std::any_of(groups.begin(), groups.end(), [i](const auto& group) { return group.second[i] > 0; })) {
      results.push_back(i);
      rows[0].emplace_back(kLooks[i].result);
      std::transform(rows[0].back().begin(), rows[0].back().end(), rows[0].back().begin(),
                     [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
      numbers += kGap + kLooks[i].result.size();
    }
  }
  if (width > 0 && numbers + kMinName > width) {
    std::string out = rows[0][0] + "\n";
    for (const auto& [name, counts] : worst_first(groups)) {
      std::vector<std::string> parts;
      for (const std::size_t result : results) {
        if (counts[result] > 0) {
          parts.push_back(std::to_string(counts[result]) + " " + std::string(kLooks[result].result));
        }
      }
      for (const std::string& line : wrapped(name + ": " + base::join(parts, ", "), width)) {
        out += line + "\n";
      }
    }
    return out + "\n";
  }
  const std::size_t room = width - std::min(width, numbers);
  for (const auto& [name, counts] : worst_first(groups)) {
    const bool cut = width > 0 && columns(name) > room;
    rows.push_back({cut ? wrapped(name, room - 1).front() + "~" : name});
    for (const std::size_t result : results) {
      rows.back().push_back(std::to_string(counts[result]));
    }
  }
  return in_columns(rows, false, 0) + "\n";
}

std::string last_line(const std::vector<ShutdownAudit>& audits, std::size_t width) {
  const std::string text =
      std::to_string(audits.size()) + (audits.size() == 1 ? " workload: " : " workloads: ") + verdict_counts(audits);
  std::string out;
  for (const std::string& line : width == 0 ? std::vector<std::string>{text} : wrapped(text, width)) {
    out += line + "\n";
  }
  return out;
}

std::string roll_up(const std::vector<ShutdownAudit>& audits, std::size_t width) {
  std::map<std::string, Counts> checks;
  std::map<std::string, Counts> namespaces;
  for (const ShutdownAudit& audit : audits) {
    for (const ReportedFinding& finding : audit.status.findings) {
      ++checks[finding.check][badness(finding.result)];
    }
    ++namespaces[one_line(audit.meta.namespace_)][badness(audit.status.verdict)];
  }
  return (checks.empty() ? "" : counts_text("BY CHECK", checks, width)) + counts_text("BY NAMESPACE", namespaces, width) +
         last_line(audits, width);
}

}  // namespace

std::string table_text(const std::vector<ShutdownAudit>& audits, const TableOptions& options) {
  if (audits.empty()) {
    return "";
  }
  std::vector<Row> rows = finding_rows(audits, options.wide);
  std::string out = rows.empty() ? "" : findings_text(std::move(rows), options);
  if (options.roll_up) {
    out += (out.empty() ? "" : "\n") + roll_up(audits, options.width);
  }
  return out;
}

}  // namespace shutdown_auditor::report
