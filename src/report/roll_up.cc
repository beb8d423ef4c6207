#include "report/roll_up.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.h"
#include "report/one_line.h"
#include "report/text_row.h"

namespace shutdown_auditor::report {
namespace {

constexpr std::size_t kMinName = 12;  // columns that a cut name keeps

ResultCounts& counts_of(RollUp::Groups& groups, std::string_view name) {
  auto group = groups.find(name);
  if (group == groups.end()) {
    group = groups.emplace(name, ResultCounts{}).first;
  }
  return group->second;
}

using Group = RollUp::Groups::value_type;

// The group with most of the worst result first; equal ones by name.
std::vector<const Group*> worst_first(const RollUp::Groups& groups) {
  std::vector<const Group*> sorted;
  std::transform(groups.begin(), groups.end(), std::back_inserter(sorted), [](const Group& group) { return &group; });
  std::stable_sort(sorted.begin(), sorted.end(), [](const Group* a, const Group* b) { return a->second > b->second; });
  return sorted;
}

std::string upper(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  return out;
}

// A line or more for each group, where there is no room for columns.
void add_lines(std::string& out, const RollUp::Groups& groups, const std::vector<std::size_t>& results, std::size_t width) {
  for (const Group* group : worst_first(groups)) {
    std::vector<std::string> parts;
    for (const std::size_t result : results) {
      if (group->second[result] > 0) {
        parts.push_back(std::to_string(group->second[result]) + " " + std::string(kResults[result]));
      }
    }
    for (const std::string& line : wrapped(group->first + ": " + base::join(parts, ", "), width)) {
      out += line + "\n";
    }
  }
}

void add_table(std::string& out, std::string_view title, const RollUp::Groups& groups, std::size_t width) {
  std::vector<std::string> cells{std::string(title)};
  std::vector<std::size_t> results;
  std::size_t numbers = 0;  // columns they take
  for (std::size_t i = 0; i < kResults.size(); ++i) {
    if (std::any_of(groups.begin(), groups.end(), [i](const Group& group) { return group.second[i] > 0; })) {
      results.push_back(i);
      cells.push_back(upper(kResults[i]));
      numbers += kColumnGap + kResults[i].size();
    }
  }
  if (width > 0 && numbers + kMinName > width) {
    out.append(title).append("\n");
    add_lines(out, groups, results, width);
    out += '\n';
    return;
  }
  const std::size_t room = width - std::min(width, numbers);
  std::vector<std::vector<std::string>> rows{std::move(cells)};
  for (const Group* group : worst_first(groups)) {
    const bool cut = width > 0 && columns(group->first) > room;
    rows.push_back({cut ? wrapped(group->first, room - 1).front() + "~" : group->first});
    for (const std::size_t result : results) {
      rows.back().push_back(std::to_string(group->second[result]));
    }
  }
  std::vector<std::size_t> widths(rows.front().size());
  for (const std::vector<std::string>& row : rows) {
    for (std::size_t i = 0; i < widths.size(); ++i) {
      widths[i] = std::max(widths[i], columns(row[i]));
    }
  }
  for (const std::vector<std::string>& row : rows) {
    add_row(out, row, widths);
  }
  out += '\n';
}

}  // namespace

void RollUp::add(const ShutdownAudit& audit) {
  for (const ReportedFinding& finding : audit.status.findings) {
    ++counts_of(checks_, finding.check)[badness(finding.result)];
  }
  std::string room;
  const std::size_t verdict = badness(audit.status.verdict);
  ++counts_of(namespaces_, one_line(audit.meta.namespace_, room))[verdict];
  ++verdicts_[verdict];
}

std::string RollUp::text(std::size_t width) const {
  std::string out;
  if (!checks_.empty()) {
    add_table(out, "BY CHECK", checks_, width);
  }
  add_table(out, "BY NAMESPACE", namespaces_, width);
  const std::string last = verdict_counts(verdicts_);
  for (const std::string& line : width == 0 ? std::vector<std::string>{last} : wrapped(last, width)) {
    out += line + "\n";
  }
  return out;
}

}  // namespace shutdown_auditor::report
