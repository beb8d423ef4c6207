#include "report/finding_text.h"

#include <gmock/gmock.h>

#include "formats_sample.h"

namespace shutdown_auditor::report {
namespace {

TEST(FindingText, Places) {
  struct Row {
    Place place;
    const char* text;
    const char* path;
  };
  const Row rows[] = {
      {{"", 0, 0}, "", ""},
      {{"a.yaml", 0, 0}, "a.yaml", "a.yaml"},
      {{"a.yaml", 12, 0}, "a.yaml:12", "a.yaml"},
      {{"a.yaml", 12, 7}, "a.yaml:12:7", "a.yaml"},
      {{"a.yaml", 0, 7}, "a.yaml", "a.yaml"},
      {{"././dir/a.yaml", 12, 0}, "dir/a.yaml:12", "dir/a.yaml"},
      {{"../a.yaml", 1, 1}, "../a.yaml:1:1", "../a.yaml"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(to_string(row.place), row.text);
    EXPECT_EQ(path_of(row.place), row.path);
  }
}

TEST(FindingText, CountsWorstFirst) {
  ResultCounts verdicts{};
  EXPECT_EQ(verdict_counts(verdicts), "0 workloads: ");
  ++verdicts[badness("Pass")];
  EXPECT_EQ(verdict_counts(verdicts), "1 workload: 1 Pass");
  verdicts[badness("Pass")] = 2;
  ++verdicts[badness("Fail")];
  ++verdicts[badness("Error")];
  EXPECT_EQ(verdict_counts(verdicts), "4 workloads: 1 Error, 1 Fail, 2 Pass");
}

TEST(FindingText, OneLineWithTheRemedyAndTheExemption) {
  ReportedFinding finding = format_finding("grace-budget", "Skip", "GracePeriodTooShort");
  finding.message = "Too\nshort.";
  finding.exemption = ReportedExemption{"Policy", "", "agreed", ""};
  EXPECT_EQ(finding_text(finding), "Too short. Set terminationGracePeriodSeconds to 75. (exempt: agreed)");
}

}  // namespace
}  // namespace shutdown_auditor::report
