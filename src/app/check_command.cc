#include "app/check_command.h"

#include <algorithm>
#include <ostream>
#include <string_view>

#include "app/check_audit.h"
#include "app/check_output.h"
#include "app/input.h"
#include "app/policy_file.h"
#include "report/one_line.h"

namespace shutdown_auditor::app {
namespace {

bool any_result(const CheckResult& result, std::string_view wanted) {
  return std::any_of(result.workloads.begin(), result.workloads.end(), [&](const CheckedWorkload& workload) {
    const report::ShutdownAuditStatus& status = workload.audit.status;
    return status.verdict == wanted ||
           std::any_of(status.findings.begin(), status.findings.end(),
                       [&](const report::ReportedFinding& finding) { return finding.result == wanted; });
  });
}

int exit_status(const CheckResult& result, const CheckOptions& options) {
  if ((result.workloads.empty() && options.fail_if_empty) || any_result(result, "Error")) {
    return kExitTrouble;
  }
  const bool found = options.fail_on != FailOn::kNone &&
                     (any_result(result, "Fail") || (options.fail_on == FailOn::kWarn && any_result(result, "Warn")));
  return found ? kExitFindings : kExitOk;
}

}  // namespace

int run_check(const CheckOptions& options, Io& io) {
  audit::Policy policy;
  if (!options.policy_file.empty()) {
    base::Result<audit::Policy> read = read_policy_file(options.policy_file);
    if (!read) {
      io.err << report::one_line(read.error().message) << '\n';
      return kExitTrouble;
    }
    policy = *std::move(read);
  }
  audit::AuditOptions audit_options;
  audit_options.now = io.clock.wall_now();
  if (options.kubernetes_minor != 0) {
    audit_options.kubernetes_minor = options.kubernetes_minor;
  }

  Input input = read_input(options.files, options.recursive, io.in);
  for (const manifest::Problem& problem : input.problems) {
    if (problem.severity == manifest::Problem::Severity::kError || !options.quiet) {
      io.err << report::one_line(manifest::to_string(problem)) << '\n';
    }
  }
  if (input.objects.empty()) {
    io.err << "no Kubernetes object in the input\n";
    return kExitTrouble;
  }
  const CheckResult result = audit_input(input, options, policy, audit_options);
  print_result(result, options, audit_options, io);
  if (!options.quiet) {
    print_notes(result.counts, policy, io);
  }
  if (!io.out.flush()) {
    io.err << "the result could not be written\n";
    return kExitTrouble;
  }
  return input.failed() ? kExitTrouble : exit_status(result, options);
}

}  // namespace shutdown_auditor::app
