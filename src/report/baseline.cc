#include "report/baseline.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "report/finding_text.h"
#include "report/one_line.h"

namespace shutdown_auditor::report {
namespace {

bool is_comparable(const ReportedFinding& finding) {
  return finding.result == "Fail" || finding.result == "Warn" || finding.result == "Info";
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

std::string baseline_text(const std::vector<ShutdownAudit>& audits) {
  std::vector<std::string> lines;
  for (const ShutdownAudit& audit : audits) {
    for (const ReportedFinding& finding : audit.status.findings) {
      if (is_comparable(finding)) {
        const FindingIdentity identity = identity_of(audit, finding);
        lines.push_back("- {workload: " + yaml_scalar(identity.workload) + ", check: " + yaml_scalar(identity.id) +
                        ", reason: " + yaml_scalar(identity.reason) + ", result: " + finding.result + "}\n");
      }
    }
  }
  std::sort(lines.begin(), lines.end());
  std::string out =
      "# Known findings, written by `check --write-baseline`; `check --baseline` with this file shows and counts only others.\n"
      "# To have a finding reported again, delete its line.\n"
      "apiVersion: " + std::string(kApiVersion) + "\nkind: " + std::string(kBaselineKind) + "\n";
  out += lines.empty() ? "findings: []\n" : "findings:\n";
  for (const std::string& line : lines) {
    out += line;
  }
  return out;
}

Baseline::Baseline(std::vector<KnownFinding> known) {
  for (KnownFinding& finding : known) {
    known_[std::move(finding.identity)].push_back(std::move(finding.result));
  }
  for (auto& [identity, results] : known_) {
    std::sort(results.begin(), results.end(),
              [](const std::string& a, const std::string& b) { return badness(a) < badness(b); });
  }
}

BaselineCounts Baseline::hide_known(std::vector<ShutdownAudit>& audits) const {
  struct Use {
    std::size_t hiding = 0;  // entries, the worst first
    std::size_t outgrown = 0;
  };
  std::map<FindingIdentity, Use> uses;
  std::set<std::string> audited;
  std::vector<std::vector<bool>> known(audits.size());
  const auto look_up = [&](const ShutdownAudit& audit, ReportedFinding& finding) {
    finding.baseline_state = "new";
    const auto entry = is_comparable(finding) ? known_.find(identity_of(audit, finding)) : known_.end();
    if (entry == known_.end()) {
      return false;
    }
    Use& use = uses[entry->first];
    if (use.hiding < entry->second.size() && badness(entry->second[use.hiding]) <= badness(finding.result)) {
      ++use.hiding;
      return true;
    }
    if (use.hiding + use.outgrown < entry->second.size()) {
      ++use.outgrown;
      finding.baseline_state = "updated";
    }
    return false;
  };
  // Worst first, so that an entry for a Fail is not spent on a Warn while a Fail is still to come.
  for (const std::string_view result : {"Error", "Fail", "Warn", "Info", "Skip"}) {
    for (std::size_t i = 0; i < audits.size(); ++i) {
      std::vector<ReportedFinding>& findings = audits[i].status.findings;
      known[i].resize(findings.size());
      for (std::size_t j = 0; j < findings.size(); ++j) {
        if (findings[j].result == result) {
          known[i][j] = look_up(audits[i], findings[j]);
        }
      }
    }
  }
  BaselineCounts counts;
  for (std::size_t i = 0; i < audits.size(); ++i) {
    audited.insert(workload_text(audits[i]));
    if (std::find(known[i].begin(), known[i].end(), true) == known[i].end()) {
      continue;
    }
    const WorstByCheck before = worst_by_check(audits[i]);
    std::vector<ReportedFinding> rest;
    for (std::size_t j = 0; j < known[i].size(); ++j) {
      if (known[i][j]) {
        ++counts.hidden;
      } else {
        rest.push_back(std::move(audits[i].status.findings[j]));
      }
    }
    audits[i].status.findings = std::move(rest);
    judge_again(audits[i], before);
  }
  for (const auto& [identity, results] : known_) {
    const Use use = uses.contains(identity) ? uses.at(identity) : Use{};
    const std::size_t unused = results.size() - std::min(results.size(), use.hiding + use.outgrown);
    (audited.contains(identity.workload) ? counts.gone : counts.elsewhere) += unused;
  }
  return counts;
}

}  // namespace shutdown_auditor::report
