#include "report/finding_text.h"

#include <gmock/gmock.h>

#include "formats_sample.h"

namespace shutdown_auditor::report {
namespace {

TEST(FindingText, Places) {
  struct Row {
    const char* source;
    const char* path;
    std::int64_t line;
    std::int64_t column;
  };
  const Row rows[] = {
      {"", "", 0, 0},
      {"a.yaml", "a.yaml", 0, 0},
      {"a.yaml:12", "a.yaml", 12, 0},
      {"a.yaml:12:7", "a.yaml", 12, 7},
      {"././dir/a.yaml:12", "dir/a.yaml", 12, 0},
      {"../a.yaml:1", "../a.yaml", 1, 0},
      {"a:b.yaml:3", "a:b.yaml", 3, 0},
      {"a.yaml:", "a.yaml:", 0, 0},
      {"a.yaml:-3", "a.yaml:-3", 0, 0},
      {"a.yaml:0", "a.yaml:0", 0, 0},
      {"a.yaml:99999999999999999999", "a.yaml:99999999999999999999", 0, 0},
      {":12", ":12", 0, 0},
  };
  for (const Row& row : rows) {
    const Place place = parse_place(row.source);
    EXPECT_EQ(place.path, row.path) << row.source;
    EXPECT_EQ(place.line, row.line) << row.source;
    EXPECT_EQ(place.column, row.column) << row.source;
  }
}

TEST(FindingText, WorstFirst) {
  const std::vector<ShutdownAudit> audits = format_audits();
  std::vector<std::string> order;
  for (const LocatedFinding& located : worst_first(audits)) order.push_back(located.finding->id);
  EXPECT_THAT(order, ::testing::ElementsAre("audit-error", "grace-budget", "readiness-probe-missing/app", "single-replica",
                                            "pdb-missing", "pdb-missing"));
  EXPECT_EQ(verdict_counts(audits), "1 Error, 1 Fail, 2 Pass");
  EXPECT_EQ(verdict_counts({}), "");
}

TEST(FindingText, OneLineWithTheRemedyAndTheExemption) {
  ReportedFinding finding = format_finding("grace-budget", "Skip", "GracePeriodTooShort");
  finding.message = "Too\nshort.";
  finding.exemption = ReportedExemption{"Policy", "", "agreed", ""};
  EXPECT_EQ(finding_text(finding), "Too short. Set terminationGracePeriodSeconds to 75. (exempt: agreed)");
}

}  // namespace
}  // namespace shutdown_auditor::report
