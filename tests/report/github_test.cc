#include "report/github.h"

#include "formats_sample.h"
#include "printed.h"

namespace shutdown_auditor::report {
namespace {

std::string github_annotations(const std::vector<ShutdownAudit>& audits) { return printed(audits, github_printer); }

TEST(GitHub, Golden) { expect_golden(github_annotations(format_audits()), "github.golden.txt"); }

TEST(GitHub, NothingToSay) {
  EXPECT_EQ(github_annotations({}), "");
  EXPECT_EQ(github_annotations({format_audit("shop", "web", "Pass", {})}), "");
}

TEST(GitHub, Escaping) {
  struct Row {
    Place place;
    const char* message;
    const char* expected;
  };
  const Row rows[] = {
      {{}, "100 % sure: a, b", "::error title=grace-budget (shop/deployment/web)::100 %25 sure: a, b\n"},
      {{"a,b:c.yaml", 3, 0}, "m", "::error file=a%2Cb%3Ac.yaml,line=3,title=grace-budget (shop/deployment/web)::m\n"},
      {{"a.yaml", 3, 5}, "m", "::error file=a.yaml,line=3,col=5,title=grace-budget (shop/deployment/web)::m\n"},
      {{"50%.yaml", 0, 0}, "a\r\n::debug::b", "::error file=50%25.yaml,title=grace-budget (shop/deployment/web)::a  ::debug::b\n"},
  };
  for (const Row& row : rows) {
    ReportedFinding finding = format_finding("grace-budget", "Fail", "GracePeriodTooShort");
    finding.place = row.place;
    finding.message = row.message;
    finding.remediation = "";
    EXPECT_EQ(github_annotations({format_audit("shop", "web", "Fail", {finding})}), row.expected);
  }
}

TEST(GitHub, HostileNamesStartNoOtherCommand) {
  const std::string text = github_annotations(hostile_audits());
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
  EXPECT_TRUE(text.starts_with("::error file=a  [2J %3A%3Aerror%3A%3Ax  %250A]]>"));
  EXPECT_TRUE(std::none_of(text.begin(), text.end() - 1, [](char c) { return c >= 0 && c < 0x20; }));
}

}  // namespace
}  // namespace shutdown_auditor::report
