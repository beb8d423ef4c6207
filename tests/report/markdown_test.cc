#include "report/markdown.h"

#include "formats_sample.h"
#include "printed.h"

namespace shutdown_auditor::report {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string markdown_text(const std::vector<ShutdownAudit>& audits, const MarkdownOptions& options) {
  return printed(audits, [&](std::ostream& out) { return markdown_printer(out, options); });
}

std::size_t count_of(const std::string& text, const std::string& what) {
  std::size_t count = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + what.size())) ++count;
  return count;
}

TEST(Markdown, Golden) {
  MarkdownOptions options;
  options.help_uri_base = "https://example.com/checks/";
  expect_golden(markdown_text(format_audits(), options), "markdown.golden.md");
}

TEST(Markdown, EmptyAndPassing) {
  EXPECT_EQ(markdown_text({}, {}), "<!-- shutdown-auditor -->\n### Shutdown audit\n\nNo workload was audited.\n");
  EXPECT_EQ(markdown_text({format_audit("blog", "site", "Pass", {})}, {}),
            "<!-- shutdown-auditor -->\n### Shutdown audit\n\n1 workload: 1 Pass\n");
}

TEST(Markdown, HostileTextStaysInItsCell) {
  const std::string text = markdown_text(hostile_audits(), {});
  EXPECT_THAT(text, Not(HasSubstr("<b")));
  EXPECT_THAT(text, Not(HasSubstr("[x](")));
  EXPECT_THAT(text, Not(HasSubstr("@team")));
  EXPECT_THAT(text, Not(HasSubstr("#12")));
  EXPECT_THAT(text, Not(HasSubstr("https://")));
  EXPECT_THAT(text, Not(HasSubstr("www.")));
  EXPECT_THAT(text, HasSubstr("\\|\\`\\*\\_\\[x\\](javascript:y)@&#8203;team \\#&#8203;12 https:&#8203;//e.example"));
  // Rows of the details: five cells, whatever the texts hold.
  std::istringstream lines(text);
  std::size_t rows = 0;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("| Fail | a") && !line.starts_with("| Skip | a")) continue;
    const bool is_table = line.find(" | 75 s | ") != std::string::npos;
    EXPECT_EQ(count_of(line, " | "), 4U) << line;
    rows += is_table ? 0U : 1U;
  }
  EXPECT_EQ(count_of(text, "\n<details>"), 1U);
  EXPECT_EQ(count_of(text, "</details>"), 1U);
  EXPECT_GE(rows, 1U);
}

TEST(Markdown, LengthIsLimitedAndTheRestCounted) {
  std::vector<ShutdownAudit> audits;
  for (int i = 0; i < 400; ++i) {
    std::vector<ReportedFinding> findings;
    for (int j = 0; j < 5; ++j) findings.push_back(format_finding("check-" + std::to_string(j), "Fail", "SomeReason"));
    findings.front().message = std::string(512, '|');
    audits.push_back(format_audit("shop", "web-" + std::to_string(i), "Fail", std::move(findings)));
  }
  constexpr std::size_t kLimits[] = {0, 300, 2'000, 65'000, 10'000'000};
  for (const std::size_t limit : kLimits) {
    MarkdownOptions options;
    options.max_bytes = limit;
    const std::string text = markdown_text(audits, options);
    EXPECT_LE(text.size(), std::max<std::size_t>(limit, 300));
    EXPECT_EQ(count_of(text, "<details>"), count_of(text, "</details>"));
    const std::size_t rows = count_of(text, "\n| Fail | shop/");
    const std::size_t findings = count_of(text, "\n| Fail | check");
    const std::string note = std::to_string(400 - rows) + " more workloads in the table, " +
                             std::to_string(2000 - findings) + " more findings.\n";
    if (rows < 400 || findings < 2000) {
      EXPECT_TRUE(text.ends_with(note)) << limit << text.substr(text.size() - 200);
    } else {
      EXPECT_EQ(limit, 10'000'000U);
    }
  }
}

// What is worst comes first and takes the room, whenever it comes.
TEST(Markdown, WorstFirstInAnyOrder) {
  const auto audits_of = [](const std::string& verdict) {
    std::vector<ShutdownAudit> audits;
    for (int i = 0; i < 60; ++i) {
      audits.push_back(format_audit("shop", verdict + std::to_string(i), verdict,
                                    {format_finding("grace-budget", verdict == "Fail" ? "Fail" : "Warn", "Reason")}));
    }
    return audits;
  };
  std::vector<ShutdownAudit> fails = audits_of("Fail");
  std::vector<ShutdownAudit> warns = audits_of("Warn");
  std::vector<ShutdownAudit> worst_first = fails;
  worst_first.insert(worst_first.end(), warns.begin(), warns.end());
  std::vector<ShutdownAudit> worst_last = warns;
  worst_last.insert(worst_last.end(), fails.begin(), fails.end());
  std::vector<ShutdownAudit> mixed;
  for (std::size_t i = 0; i < fails.size(); ++i) mixed.insert(mixed.end(), {warns[i], fails[i]});
  for (std::size_t limit = 250; limit < 60'000; limit = limit * 5 / 4) {
    MarkdownOptions options;
    options.max_bytes = limit;
    const std::string text = markdown_text(worst_first, options);
    EXPECT_EQ(markdown_text(worst_last, options), text) << limit;
    EXPECT_EQ(markdown_text(mixed, options), text) << limit;
    EXPECT_LE(text.size(), std::max<std::size_t>(limit, 300));
    const bool any_warn = text.find("<summary>Warn") != std::string::npos;
    EXPECT_EQ(count_of(text, "<summary>Fail") == 60U || !any_warn, true) << limit;
  }
}

}  // namespace
}  // namespace shutdown_auditor::report
