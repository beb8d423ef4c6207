// What all printers promise (report/printer.h).
#include "report/printer.h"

#include <functional>

#include "formats_sample.h"
#include "report/audit_list.h"
#include "report/github.h"
#include "report/junit.h"
#include "report/markdown.h"
#include "report/sarif.h"
#include "report/table.h"
#include "report/timeline.h"

namespace shutdown_auditor::report {
namespace {

struct Format {
  const char* name;
  std::function<std::unique_ptr<Printer>(std::ostream&)> make;
  bool at_once;  // each audit is written when it comes
  const char* empty_end;  // how the output without audits ends
};

std::vector<Format> formats() {
  return {
      {"table", [](std::ostream& out) { return table_printer(out, {}); }, false, ""},
      {"json", json_printer, true, "\"items\": []\n}\n"},
      {"yaml", yaml_printer, true, "items: []\n"},
      {"sarif", [](std::ostream& out) { return sarif_printer(out, {}); }, true, "      ]\n    }\n  ]\n}\n"},
      {"junit", [](std::ostream& out) { return junit_printer(out, {}); }, false, "</testsuites>\n"},
      {"github", github_printer, false, ""},
      {"markdown", [](std::ostream& out) { return markdown_printer(out, {}); }, false, "No workload was audited.\n"},
      {"timeline", [](std::ostream& out) { return timeline_printer(out, {}); }, true, ""},
  };
}

TEST(Printer, NothingIsWrittenBeforeTheFirstCall) {
  for (const Format& format : formats()) {
    std::ostringstream out;
    const auto printer = format.make(out);
    EXPECT_EQ(out.str(), "") << format.name;
    printer->finish();
    EXPECT_TRUE(out.str().ends_with(format.empty_end)) << format.name << out.str();
    EXPECT_EQ(out.str().empty(), std::string_view(format.empty_end).empty()) << format.name;
  }
}

TEST(Printer, WritesEachAuditWhenItComes) {
  for (const Format& format : formats()) {
    std::ostringstream out;
    const auto printer = format.make(out);
    for (const ShutdownAudit& audit : format_audits()) {
      printer->add(audit);
      const bool says = format.name != std::string_view("sarif") || !audit.status.findings.empty();
      EXPECT_EQ(out.str().find(audit.target.name) != std::string::npos, format.at_once && says) << format.name;
    }
    printer->finish();
    EXPECT_NE(out.str().find("broken"), std::string::npos) << format.name;
  }
}

// An audit may be gone when the printer finishes.
TEST(Printer, HoldsNoAudit) {
  for (const Format& format : formats()) {
    std::ostringstream kept;
    std::ostringstream dropped;
    const auto first = format.make(kept);
    const auto second = format.make(dropped);
    const std::vector<ShutdownAudit> audits = format_audits();
    for (const ShutdownAudit& audit : audits) {
      first->add(audit);
      auto copy = std::make_unique<ShutdownAudit>(audit);
      second->add(*copy);
      for (ReportedFinding& finding : copy->status.findings) {
        finding = format_finding("other", "Fail", "Other");
      }
      copy->meta.namespace_ = copy->target.name = copy->place.file = "overwritten";
    }
    first->finish();
    second->finish();
    EXPECT_EQ(kept.str(), dropped.str()) << format.name;
    EXPECT_FALSE(kept.str().empty()) << format.name;
  }
}

// A stream that takes nothing more must be seen by whoever made the printer.
TEST(Printer, AFullDiskIsTheStreamsState) {
  for (const Format& format : formats()) {
    std::ostream out(nullptr);
    const auto printer = format.make(out);
    for (const ShutdownAudit& audit : format_audits()) printer->add(audit);
    printer->finish();
    EXPECT_FALSE(out.good()) << format.name;
  }
}

}  // namespace
}  // namespace shutdown_auditor::report
