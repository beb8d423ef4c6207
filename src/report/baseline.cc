#include "report/baseline.h"

#include <algorithm>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>
#include <tuple>
#include <utility>

#include "report/finding_text.h"
#include "report/one_line.h"

namespace shutdown_auditor::report {
namespace {

// What a baseline knows of, worst first.
constexpr std::array<std::string_view, 3> kLevels{"Fail", "Warn", "Info"};

std::size_t level_of(std::string_view result) {
  return static_cast<std::size_t>(std::find(kLevels.begin(), kLevels.end(), result) - kLevels.begin());
}

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '/';
}

// Plain where YAML reads it back as the same string for certain.
std::string yaml_scalar(const std::string& text) {
  const bool letter_first = !text.empty() && ((text[0] >= 'a' && text[0] <= 'z') || (text[0] >= 'A' && text[0] <= 'Z'));
  const bool plain = letter_first && text.size() > std::string_view("false").size() &&
                     std::all_of(text.begin(), text.end(), is_word);
  return plain ? text : nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// The number of checks with one result.
std::int64_t* count_of(ReportedSummary& summary, std::string_view result) {
  return result == "Error" ? &summary.error : result == "Fail" ? &summary.fail : result == "Warn" ? &summary.warn :
         result == "Info"  ? &summary.info : result == "Skip" ? &summary.skip : nullptr;
}

using WorstByCheck = std::map<std::string, std::string>;

WorstByCheck worst_by_check(const ShutdownAudit& audit) {
  WorstByCheck worst;
  for (const ReportedFinding& finding : audit.status.findings) {
    std::string& result = worst[finding.check];
    if (result.empty() || badness(finding.result) < badness(result)) {
      result = finding.result;
    }
  }
  return worst;
}

// After findings were taken out: `before` is what the checks said with them.
void judge_again(ShutdownAudit& audit, const WorstByCheck& before) {
  const WorstByCheck after = worst_by_check(audit);
  if (audit.status.summary) {
    for (const auto& [check, result] : before) {
      const auto left = after.find(check);
      std::int64_t* from = count_of(*audit.status.summary, result);
      std::int64_t* to = count_of(*audit.status.summary, left == after.end() ? "Skip" : left->second);
      if (from != nullptr && to != nullptr && *from > 0) {
        --*from;
        ++*to;
      }
    }
  }
  if (audit.status.verdict == "Error" || audit.status.verdict == "Pass" || audit.status.verdict == "Skip") {
    return;
  }
  audit.status.verdict = "Skip";
  audit.status.top_reason.clear();
  for (const ReportedFinding& finding : audit.status.findings) {
    const bool unverified = finding.check == audit::id_of(audit::Check::kGraceUnverified) && finding.result == "Info";
    const std::string verdict = unverified ? "Unverified" : finding.result == "Info" ? "Skip" : finding.result;
    if (badness(verdict) < badness(audit.status.verdict)) {
      audit.status.verdict = verdict;
      audit.status.top_reason = finding.reason;
    }
  }
}

}  // namespace

FindingIdentity identity_of(const ShutdownAudit& audit, const ReportedFinding& finding) {
  return {workload_text(audit), one_line(finding.id), one_line(finding.reason)};
}

void BaselineWriter::add(const ShutdownAudit& audit) {
  for (const ReportedFinding& finding : audit.status.findings) {
    if (level_of(finding.result) < kLevels.size()) {
      const FindingIdentity identity = identity_of(audit, finding);
      lines_.push_back({texts_.add(yaml_scalar(identity.workload) + ","), texts_.add(yaml_scalar(identity.id) + ","),
                        texts_.add(yaml_scalar(identity.reason) + ","), static_cast<std::uint8_t>(badness(finding.result))});
    }
  }
}

std::string BaselineWriter::text() const {
  // By the text of the line. No scalar with its comma is the start of another one, so part by part is the same.
  const auto parts = [this](const Line& line) {
    return std::tuple(texts_[line.workload], texts_[line.check], texts_[line.reason], kResults[line.result]);
  };
  std::vector<Line> sorted(lines_);
  std::sort(sorted.begin(), sorted.end(), [&](const Line& a, const Line& b) { return parts(a) < parts(b); });
  std::string out =
      "# Known findings, written by `check --write-baseline`; `check --baseline` with this file shows and counts only others.\n"
      "# To have a finding reported again, delete its line.\n"
      "apiVersion: " + std::string(kApiVersion) + "\nkind: " + std::string(kBaselineKind) + "\n";
  out += sorted.empty() ? "findings: []\n" : "findings:\n";
  for (const Line& line : sorted) {
    out.append("- {workload: ").append(texts_[line.workload]).append(" check: ").append(texts_[line.check]);
    out.append(" reason: ").append(texts_[line.reason]).append(" result: ").append(kResults[line.result]).append("}\n");
  }
  return out;
}

void Baseline::add(const KnownFinding& known) {
  Entry& entry = entries_.emplace_back();
  entry.identity = {texts_.add(known.identity.workload), texts_.add(known.identity.id), texts_.add(known.identity.reason)};
  entry.left.at(level_of(known.result)) = 1;
}

void Baseline::settle() {
  std::sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) { return a.identity < b.identity; });
  std::size_t last = 0;
  for (std::size_t i = 1; i < entries_.size(); ++i) {  // equal ones become one
    if (entries_[i].identity == entries_[last].identity) {
      std::array<std::uint32_t, 3>& left = entries_[last].left;
      std::transform(left.begin(), left.end(), entries_[i].left.begin(), left.begin(), std::plus<>());
    } else {
      entries_[++last] = entries_[i];
    }
  }
  entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(std::min(entries_.size(), last + 1)), entries_.end());
  audited_.resize(texts_.size());
}

Baseline::Entry* Baseline::entry_of(TextPool::Id workload, const ReportedFinding& finding) {
  const std::optional<TextPool::Id> id = texts_.find(one_line(finding.id));
  const std::optional<TextPool::Id> reason = texts_.find(one_line(finding.reason));
  if (!id || !reason) {
    return nullptr;
  }
  const std::array<TextPool::Id, 3> identity{workload, *id, *reason};
  const auto entry = std::lower_bound(entries_.begin(), entries_.end(), identity,
                                      [](const Entry& each, const auto& wanted) { return each.identity < wanted; });
  return entry != entries_.end() && entry->identity == identity ? &*entry : nullptr;
}

bool Baseline::use(Entry& entry, std::size_t level, ReportedFinding& finding) {
  // The least that hides it: the same workload may stand in the input again, with a worse finding.
  for (std::size_t i = level + 1; i-- > 0;) {
    if (entry.left[i] > 0) {
      --entry.left[i];
      return true;
    }
  }
  if (entry.outgrown < std::accumulate(entry.left.begin(), entry.left.end(), std::uint32_t{0})) {
    ++entry.outgrown;
    finding.baseline_state = "updated";
  }
  return false;
}

void Baseline::hide_known(ShutdownAudit& audit) {
  if (!std::exchange(settled_, true)) {
    settle();
  }
  std::vector<ReportedFinding>& findings = audit.status.findings;
  for (ReportedFinding& finding : findings) {
    finding.baseline_state = "new";
  }
  const std::optional<TextPool::Id> workload = texts_.find(workload_text(audit));
  if (!workload) {
    return;
  }
  audited_[*workload] = true;
  std::vector<bool> known(findings.size());
  // Worst first, so that an entry for a Fail is not spent on a Warn while a Fail is still to come.
  for (std::size_t level = 0; level < kLevels.size(); ++level) {
    for (std::size_t i = 0; i < findings.size(); ++i) {
      if (findings[i].result == kLevels[level]) {
        Entry* entry = entry_of(*workload, findings[i]);
        known[i] = entry != nullptr && use(*entry, level, findings[i]);
      }
    }
  }
  if (std::find(known.begin(), known.end(), true) == known.end()) {
    return;
  }
  const WorstByCheck before = worst_by_check(audit);
  std::vector<ReportedFinding> rest;
  for (std::size_t i = 0; i < known.size(); ++i) {
    if (known[i]) {
      ++hidden_;
    } else {
      rest.push_back(std::move(findings[i]));
    }
  }
  findings = std::move(rest);
  judge_again(audit, before);
}

BaselineCounts Baseline::counts() const {
  BaselineCounts counts;
  counts.hidden = hidden_;
  for (const Entry& entry : entries_) {
    const std::uint32_t left = std::accumulate(entry.left.begin(), entry.left.end(), std::uint32_t{0});
    const bool audited = settled_ && audited_[entry.identity.front()];
    (audited ? counts.gone : counts.elsewhere) += left - std::min(left, entry.outgrown);
  }
  return counts;
}

}  // namespace shutdown_auditor::report
