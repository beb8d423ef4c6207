#include "report/markdown.h"

#include <algorithm>
#include <array>
#include <optional>

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

std::string table_row(const ShutdownAudit& audit) {
  const ReportedBudget budget = audit.status.budget.value_or(ReportedBudget{});
  std::optional<std::int64_t> has = budget.grace_period_seconds;
  if (has && budget.ceiling_seconds) {
    has = std::min(*has, *budget.ceiling_seconds);
  }
  return "| " + markdown(audit.status.verdict) + " | " + markdown(workload_text(audit)) + " | " +
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

class Comment {
 public:
  Comment(std::vector<const ShutdownAudit*> audits, const MarkdownOptions& options)
      : audits_(std::move(audits)), options_(options),
        room_(options.max_bytes > kNoteBytes ? options.max_bytes - kNoteBytes : 0) {}

  std::string text(const std::string& head) {
    out_ = head;
    add_table();
    for (const ShutdownAudit* audit : audits_) {
      if (!audit->status.findings.empty()) {
        add_details(*audit);
      }
    }
    if (left_out_rows_ + left_out_findings_ > 0) {
      out_ += "\nNot shown, because a comment is limited in length: " + std::to_string(left_out_rows_) +
              " more workloads in the table, " + std::to_string(left_out_findings_) + " more findings.\n";
    }
    return std::move(out_);
  }

 private:
  bool fits(std::size_t bytes, std::size_t limit) const { return out_.size() + bytes <= limit; }

  // At most half of the comment, so that the worst workloads still show what is wrong.
  void add_table() {
    bool open = false;
    for (const ShutdownAudit* audit : audits_) {
      if (audit->status.verdict == "Pass") {
        continue;
      }
      const std::string row = (open ? "" : "\n" + std::string(kTableHead)) + table_row(*audit);
      if (left_out_rows_ > 0 || !fits(row.size(), room_ / 2)) {
        ++left_out_rows_;
        continue;
      }
      out_ += row;
      open = true;
    }
  }

  void add_details(const ShutdownAudit& audit) {
    const std::string head = "\n<details><summary>" + html(audit.status.verdict) + ": " + html(workload_text(audit)) +
                             "</summary>\n\n" + std::string(kDetailsHead);
    bool open = false;
    for (const ReportedFinding& finding : audit.status.findings) {
      const std::string row = (open ? "" : head) + finding_row(finding, options_.help_uri_base);
      if (left_out_findings_ > 0 || !fits(row.size() + kDetailsEnd.size(), room_)) {
        ++left_out_findings_;  // nothing after it either: a later, shorter one would be a lesser one
        continue;
      }
      out_ += row;
      open = true;
    }
    if (open) {
      out_ += kDetailsEnd;
    }
  }

  const std::vector<const ShutdownAudit*> audits_;  // worst first
  const MarkdownOptions& options_;
  const std::size_t room_;
  std::string out_;
  std::size_t left_out_rows_ = 0;
  std::size_t left_out_findings_ = 0;
};

}  // namespace

std::string markdown_text(const std::vector<ShutdownAudit>& audits, const MarkdownOptions& options) {
  std::string head = std::string(kMarker) + "### Shutdown audit\n\n";
  if (audits.empty()) {
    return head + "No workload was audited.\n";
  }
  head += std::to_string(audits.size()) + (audits.size() == 1 ? " workload: " : " workloads: ") +
          verdict_counts(audits) + "\n";
  std::vector<const ShutdownAudit*> sorted;
  for (const ShutdownAudit& audit : audits) {
    sorted.push_back(&audit);
  }
  std::stable_sort(sorted.begin(), sorted.end(), [](const ShutdownAudit* a, const ShutdownAudit* b) {
    return badness(a->status.verdict) < badness(b->status.verdict);
  });
  return Comment(std::move(sorted), options).text(head);
}

}  // namespace shutdown_auditor::report
