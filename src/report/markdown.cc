#include "report/markdown.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <optional>
#include <ostream>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.h"
#include "report/finding_text.h"
#include "report/one_line.h"

namespace shutdown_auditor::report {
namespace {

constexpr std::string_view kMarker = "<!-- shutdown-auditor -->\n";
constexpr std::string_view kTableHead =
    "| Verdict | Workload | Has | Needs | Findings |\n| --- | --- | ---: | ---: | --- |\n";
constexpr std::string_view kDetailsHead =
    "| Result | Check | Where | What is wrong | What to set |\n| --- | --- | --- | --- | --- |\n";
constexpr std::string_view kDetailsEnd = "\n</details>\n";
constexpr std::size_t kNoteBytes = 200;  // kept free for the line that counts what was left out
// A character that takes no room, so that "@name", "#12" and "https://" are text and nothing more.
constexpr std::string_view kBreak = "&#8203;";

std::string markdown(std::string_view text) {
  std::string out;
  const std::string clean = one_line(text);
  for (std::size_t i = 0; i < clean.size(); ++i) {
    const char c = clean[i];
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '@': out.append("@").append(kBreak); break;
      case '#': out.append("\\#").append(kBreak); break;
      case '\\': case '`': case '*': case '_': case '[': case ']': case '|': case '~': case '!': case '$':
        out += '\\';
        out += c;
        break;
      case ':':
        out += c;
        if (clean.compare(i + 1, 2, "//") == 0) {
          out += kBreak;
        }
        break;
      case '.':
        if (out.ends_with("www")) {
          out += kBreak;
        }
        out += c;
        break;
      default: out += c;
    }
  }
  return out;
}

// Inside an HTML block Markdown's own escapes would be shown.
std::string html(std::string_view text) {
  std::string out;
  for (const char c : one_line(text)) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '[': out += "&#91;"; break;
      default: out += c;
    }
    if (c == '@' || c == '#' || c == ':' || out.ends_with("www")) {
      out += kBreak;
    }
  }
  return out;
}

std::string seconds(const std::optional<std::int64_t>& value) { return value ? std::to_string(*value) + " s" : "-"; }

std::string result_counts(const ShutdownAudit& audit) {
  constexpr std::array<std::string_view, 5> kResults{"Error", "Fail", "Warn", "Info", "Skip"};
  std::vector<std::string> parts;
  for (const std::string_view result : kResults) {
    const auto count = std::count_if(audit.status.findings.begin(), audit.status.findings.end(),
                                     [&](const ReportedFinding& finding) { return finding.result == result; });
    if (count > 0) {
      parts.push_back(std::to_string(count) + " " + std::string(result));
    }
  }
  return parts.empty() ? "-" : base::join(parts, ", ");
}

std::string table_row(const ShutdownAudit& audit, const std::string& workload) {
  const ReportedBudget budget = audit.status.budget.value_or(ReportedBudget{});
  std::optional<std::int64_t> has = budget.grace_period_seconds;
  if (has && budget.ceiling_seconds) {
    has = std::min(*has, *budget.ceiling_seconds);
  }
  return "| " + markdown(audit.status.verdict) + " | " + markdown(workload) + " | " +
         seconds(has) + " | " + (budget.required_text.empty() ? "-" : markdown(budget.required_text) + " s") + " | " +
         result_counts(audit) + " |\n";
}

std::string finding_row(const ReportedFinding& finding, const std::string& help_base) {
  const std::string uri = help_uri(help_base, finding.check);
  std::string message = markdown(finding.message);
  if (finding.exemption) {
    message += " (exempt: " + markdown(finding.exemption->reason) + ")";
  }
  return "| " + markdown(finding.result) + " | " +
         (uri.empty() ? markdown(finding.id) : "[" + markdown(finding.id) + "](" + uri + ")") + " | " +
         (finding.place.file.empty() ? "-" : markdown(to_string(finding.place))) + " | " + message + " | " +
         (finding.remediation.empty() ? "-" : markdown(finding.remediation)) + " |\n";
}

// A workload's findings, as far as they may find room.
struct Details {
  std::string head;
  std::vector<std::string> rows;
};

// What there is to show of the workloads with one verdict, in the order of the input.
struct Section {
  std::vector<std::string> table;
  std::vector<Details> details;
  std::size_t table_bytes = 0;
  std::size_t details_bytes = 0;
  // Something had no room: what follows is a lesser thing and is not shown either.
  bool table_full = false;
  bool details_full = false;
};

class MarkdownPrinter final : public Printer {
 public:
  MarkdownPrinter(std::ostream& out, MarkdownOptions options)
      : out_(out), options_(std::move(options)),
        room_(options_.max_bytes > kNoteBytes ? options_.max_bytes - kNoteBytes : 0) {}

  void add(const ShutdownAudit& audit) override {
    const std::size_t verdict = badness(audit.status.verdict);
    ++verdicts_[verdict];
    const std::string workload = workload_text(audit);
    if (audit.status.verdict != "Pass") {
      ++rows_;
      hold_row(verdict, audit, workload);
    }
    if (!audit.status.findings.empty()) {
      findings_ += audit.status.findings.size();
      hold_details(verdict, audit, workload);
    }
  }

  void finish() override {
    text_ = std::string(kMarker) + "### Shutdown audit\n\n";
    const bool any = std::any_of(verdicts_.begin(), verdicts_.end(), [](std::size_t count) { return count > 0; });
    text_ += any ? verdict_counts(verdicts_) + "\n" : "No workload was audited.\n";
    add_table();
    add_details();
    if (rows_ + findings_ > 0) {
      text_ += "\nNot shown, because a comment is limited in length: " + std::to_string(rows_) +
               " more workloads in the table, " + std::to_string(findings_) + " more findings.\n";
    }
    out_ << text_;
  }

 private:
  // What comes before the end of the section `verdict`, as far as it is known by now: there will not be less.
  std::size_t bytes_until(std::size_t verdict, std::size_t Section::*bytes) const {
    return std::accumulate(sections_.begin(), sections_.begin() + static_cast<std::ptrdiff_t>(verdict) + 1, std::size_t{0},
                           [bytes](std::size_t sum, const Section& section) { return sum + section.*bytes; });
  }

  void hold_row(std::size_t verdict, const ShutdownAudit& audit, const std::string& workload) {
    Section& section = sections_[verdict];
    if (section.table_full) {
      return;
    }
    std::string row = table_row(audit, workload);
    section.table_full = bytes_until(verdict, &Section::table_bytes) + row.size() > room_ / 2;
    if (!section.table_full) {
      section.table_bytes += row.size();
      section.table.push_back(std::move(row));
    }
  }

  void hold_details(std::size_t verdict, const ShutdownAudit& audit, const std::string& workload) {
    Section& section = sections_[verdict];
    if (section.details_full) {
      return;
    }
    Details details{"\n<details><summary>" + html(audit.status.verdict) + ": " + html(workload) + "</summary>\n\n" +
                        std::string(kDetailsHead),
                    {}};
    const std::size_t before = bytes_until(verdict, &Section::details_bytes);
    std::size_t bytes = details.head.size();
    for (const ReportedFinding& finding : audit.status.findings) {
      std::string row = finding_row(finding, options_.help_uri_base);
      if (before + bytes + row.size() > room_) {
        section.details_full = true;
        break;
      }
      bytes += row.size();
      details.rows.push_back(std::move(row));
    }
    if (!details.rows.empty()) {
      section.details_bytes += bytes;
      section.details.push_back(std::move(details));
    }
  }

  // Appends `text` when it leaves `spare` bytes below the limit.
  bool fits(std::string_view text, std::size_t spare, std::size_t limit) {
    if (text_.size() + text.size() + spare > limit) {
      return false;
    }
    text_ += text;
    return true;
  }

  // At most half of the comment, so that the worst workloads still show what is wrong.
  void add_table() {
    std::string head = "\n" + std::string(kTableHead);
    for (const Section& section : sections_) {
      for (const std::string& row : section.table) {
        if (!fits(head + row, 0, room_ / 2)) {
          return;
        }
        head.clear();
        --rows_;
      }
      if (section.table_full) {
        return;
      }
    }
  }

  void add_details() {
    for (const Section& section : sections_) {
      for (const Details& details : section.details) {
        bool open = false;
        bool full = false;
        for (const std::string& row : details.rows) {
          full = full || !fits(open ? row : details.head + row, kDetailsEnd.size(), room_);
          open = open || !full;
          findings_ -= full ? 0 : 1;
        }
        text_ += open ? kDetailsEnd : "";
        if (full) {
          return;
        }
      }
      if (section.details_full) {
        return;
      }
    }
  }

  std::ostream& out_;
  const MarkdownOptions options_;
  const std::size_t room_;
  std::array<Section, kResults.size() + 1> sections_;  // by the verdict's badness
  ResultCounts verdicts_{};
  std::size_t rows_ = 0;      // not shown
  std::size_t findings_ = 0;  // not shown
  std::string text_;
};

}  // namespace

std::unique_ptr<Printer> markdown_printer(std::ostream& out, MarkdownOptions options) {
  return std::make_unique<MarkdownPrinter>(out, std::move(options));
}

}  // namespace shutdown_auditor::report
