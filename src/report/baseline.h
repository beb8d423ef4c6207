#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "report/shutdown_audit.h"
#include "report/text_pool.h"

// Findings known on the day a tool was adopted, so that only new ones count.
namespace shutdown_auditor::report {

inline constexpr std::string_view kBaselineKind = "ShutdownBaseline";

// What makes a finding the same one in another run: which workload, check, container and reason. Not its line, its file,
// its numbers or its wording.
struct FindingIdentity {
  std::string workload;  // "shop/deployment/web"
  std::string id;        // "grace-budget", "prestop-broken/app"
  std::string reason;
};
FindingIdentity identity_of(const ShutdownAudit& audit, const ReportedFinding& finding);

struct KnownFinding {
  FindingIdentity identity;
  std::string result;  // Fail, Warn, Info: a worse one is not known
};

// Makes the text of a baseline file from audits that are given one by one: YAML, sorted, one finding a line, equal ones
// repeated, so that a diff shows what changed. Exempted findings and failed audits are no part of it. Holds the identities.
class BaselineWriter {
 public:
  void add(const ShutdownAudit& audit);
  // Of all that were added.
  std::string text() const;

 private:
  struct Line {
    TextPool::Id workload, check, reason;  // YAML scalars with the comma after them
    std::uint8_t result;                   // its badness
  };
  TextPool texts_;
  std::vector<Line> lines_;
};

// How many findings of the audits, or of the baseline, are which.
struct BaselineCounts {
  std::size_t hidden = 0;     // known, and taken out of the audits
  std::size_t gone = 0;       // in the baseline, and no longer found on a workload that was audited
  std::size_t elsewhere = 0;  // in the baseline, of workloads that were not audited
};

// A baseline, and what of it the audits of one run have used up. Not thread-safe.
class Baseline {
 public:
  // One more known finding; all of them come before the first audit.
  void add(const KnownFinding& known);

  // Takes known findings out of the next audit: each entry hides one finding with its identity and no worse a result, the
  // worst findings of an audit first. They count as skipped in the summary, the verdict is that of the rest, and Skip when
  // nothing is left of a worse one. What stays gets its baseline_state: updated where the finding is known with a lesser
  // result, new otherwise.
  void hide_known(ShutdownAudit& audit);
  // Of the audits so far.
  BaselineCounts counts() const;

 private:
  struct Entry {
    std::array<TextPool::Id, 3> identity;   // workload, id, reason
    std::array<std::uint32_t, 3> left{};    // unused ones: Fail, Warn, Info
    std::uint32_t outgrown = 0;             // of those left: found again, but worse
  };
  // Sorts the entries and makes equal ones one.
  void settle();
  Entry* entry_of(TextPool::Id workload, const ReportedFinding& finding);
  // Whether the finding, whose result is the `level`th of Entry::left, is known; else says in it how new it is.
  bool use(Entry& entry, std::size_t level, ReportedFinding& finding);

  TextPool texts_;
  std::vector<Entry> entries_;  // sorted by identity once settled
  bool settled_ = false;
  std::vector<bool> audited_;   // by the number of the workload's text
  std::size_t hidden_ = 0;
};

}  // namespace shutdown_auditor::report
