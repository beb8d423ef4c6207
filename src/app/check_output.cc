#include "app/check_output.h"

#include <ostream>
#include <string_view>
#include <utility>

#include "app/check_pages.h"
#include "app/version.h"
#include "report/audit_json.h"
#include "report/github.h"
#include "report/junit.h"
#include "report/markdown.h"
#include "report/patch.h"
#include "report/sarif.h"
#include "report/table.h"
#include "report/timeline.h"

namespace shutdown_auditor::app {
namespace {

void print_audits(const std::vector<report::ShutdownAudit>& audits, const CheckOptions& options, Io& io) {
  switch (options.output) {
    case OutputFormat::kTable:
    case OutputFormat::kWide: {
      report::TableOptions table;
      table.wide = options.output == OutputFormat::kWide;
      table.color = options.color == ColorMode::kAlways || (options.color == ColorMode::kAuto && io.color);
      table.width = io.terminal ? io.columns : 0;
      table.roll_up = !options.quiet;
      io.out << report::table_text(audits, table);
      return;
    }
    case OutputFormat::kJson:
      io.out << report::list_json(audits);
      return;
    case OutputFormat::kYaml:
      io.out << report::list_yaml(audits);
      return;
    case OutputFormat::kSarif: {
      report::SarifOptions sarif{version(), {}, {}};
      for (const CheckPage& page : check_pages()) {
        sarif.pages.push_back({page.id, page.text});
      }
      io.out << report::sarif_json(audits, sarif);
      return;
    }
    case OutputFormat::kJUnit:
      io.out << report::junit_xml(audits, {options.fail_on == FailOn::kWarn});
      return;
    case OutputFormat::kGitHub:
      io.out << report::github_annotations(audits);
      return;
    case OutputFormat::kMarkdown:
      io.out << report::markdown_text(audits, {});
      return;
  }
}

void print_timelines(const CheckResult& result, Io& io) {
  bool first = true;
  for (const CheckedWorkload& workload : result.workloads) {
    io.out << (first ? "" : "\n") << report::timeline_text(workload.audit, {io.columns, io.unicode});
    first = false;
  }
}

}  // namespace

void print_result(CheckResult& result, const CheckOptions& options, Io& io) {
  if (!options.fix.empty()) {
    const std::string text = report::patch_text(
        result.fixes, {options.fix != "objects", options.fix != "patches", !options.quiet});
    io.out << text;
    if (text.empty() && !options.quiet) {
      io.err << "note: nothing to fix\n";
    }
    return;
  }
  if (options.timeline) {
    print_timelines(result, io);
    return;
  }
  // Borrowed, not copied: of thousands of workloads they are most of what is in memory.
  std::vector<report::ShutdownAudit> audits;
  audits.reserve(result.workloads.size());
  for (CheckedWorkload& workload : result.workloads) {
    audits.push_back(std::move(workload.audit));
  }
  print_audits(audits, options, io);
  for (std::size_t i = 0; i < audits.size(); ++i) {
    result.workloads[i].audit = std::move(audits[i]);
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
