#include "app/check_output.h"

#include <ostream>
#include <string>
#include <string_view>

#include "app/check_pages.h"
#include "app/version.h"
#include "report/audit_list.h"
#include "report/github.h"
#include "report/junit.h"
#include "report/markdown.h"
#include "report/patch.h"
#include "report/sarif.h"
#include "report/table.h"
#include "report/timeline.h"

namespace shutdown_auditor::app {
namespace {

report::TableOptions table_options(const CheckOptions& options, const Io& io) {
  report::TableOptions table;
  table.wide = options.output == OutputFormat::kWide;
  table.color = options.color == ColorMode::kAlways || (options.color == ColorMode::kAuto && io.color);
  table.width = io.terminal ? io.columns : 0;
  table.roll_up = !options.quiet;
  return table;
}

report::SarifOptions sarif_options() {
  report::SarifOptions sarif;
  sarif.tool_version = version();
  for (const CheckPage& page : check_pages()) {
    sarif.pages.push_back({std::string(page.id), std::string(page.text)});
  }
  return sarif;
}

}  // namespace

std::unique_ptr<report::Printer> make_printer(const CheckOptions& options, const Io& io) {
  if (options.timeline) {
    return report::timeline_printer(io.out, {io.columns, io.unicode});
  }
  switch (options.output) {
    case OutputFormat::kTable:
    case OutputFormat::kWide:
      break;
    case OutputFormat::kJson:
      return report::json_printer(io.out);
    case OutputFormat::kYaml:
      return report::yaml_printer(io.out);
    case OutputFormat::kSarif:
      return report::sarif_printer(io.out, sarif_options());
    case OutputFormat::kJUnit:
      return report::junit_printer(io.out, {options.fail_on == FailOn::kWarn});
    case OutputFormat::kGitHub:
      return report::github_printer(io.out);
    case OutputFormat::kMarkdown:
      return report::markdown_printer(io.out, {});
  }
  return report::table_printer(io.out, table_options(options, io));
}

void print_fixes(const std::vector<audit::Fixes>& fixes, const CheckOptions& options, Io& io) {
  const std::string text =
      report::patch_text(fixes, {options.fix != "objects", options.fix != "patches", !options.quiet});
  io.out << text;
  if (text.empty() && !options.quiet) {
    io.err << "note: nothing to fix\n";
  }
}

void print_notes(const CheckCounts& counts, const audit::Policy& policy, Io& io) {
  const auto note = [&io](std::size_t count, std::string_view why) {
    if (count > 0) {
      io.err << "note: " << count << (count == 1 ? " workload" : " workloads") << " not audited: " << why << '\n';
    }
  };
  note(counts.hooks, "Helm hooks are read for their labels only");
  note(counts.owned, "made by another controller");
  note(counts.borrowing, "spec.workloadRef lends it the pods of a workload that is audited itself");
  note(counts.out_of_scope, policy.name.empty()
                                 ? "their namespace is one the built-in policy leaves out (a --policy file can say otherwise)"
                                 : "outside the scope of the policy");
  if (counts.old_budgets > 0) {
    io.err << "note: " << counts.old_budgets
            << (counts.old_budgets == 1 ? " PodDisruptionBudget" : " PodDisruptionBudgets")
            << " left out: Kubernetes 1.25 and later do not serve policy/v1beta1; write policy/v1\n";
  }
  if (counts.workloads == 0) {
    io.err << "note: there is no workload to audit\n";
  }
}

}  // namespace shutdown_auditor::app
