#include "app/check_command.h"

#include <algorithm>
#include <optional>
#include <ostream>
#include <string>
#include <utility>

#include "app/check_audit.h"
#include "app/check_baseline.h"
#include "app/check_report.h"
#include "app/input.h"
#include "app/live_cluster.h"
#include "app/live_flags.h"
#include "app/policy_file.h"
#include "base/text.h"
#include "report/one_line.h"

namespace shutdown_auditor::app {
namespace {

// What is to be audited, and how.
struct Subject {
  Input input;
  audit::Policy policy;
  audit::AuditOptions audit_options;
  bool failed = false;  // part of what was asked for is missing
};

bool read_given_policy(Subject& subject, const CheckOptions& options, Io& io) {
  if (options.policy_file.empty()) {
    return true;
  }
  base::Result<audit::Policy> read = read_policy_file(options.policy_file);
  if (!read) {
    io.err << report::one_line(read.error().message) << '\n';
    return false;
  }
  subject.policy = *std::move(read);
  return true;
}

std::string policy_text(const Subject& subject, const CheckOptions& options) {
  if (!options.policy_file.empty()) {
    return "the policy is that of " + options.policy_file;
  }
  return subject.policy.name.empty() ? "the policy is the built-in one"
                                     : "the policy is the cluster's ShutdownPolicy " + base::quoted(subject.policy.name);
}

bool read_live_subject(Subject& subject, const CheckOptions& options, Io& io) {
  base::Result<LiveQuery> query = live_query(options.live, options.name_space);
  if (!query) {
    io.err << report::one_line(query.error().message) << '\n';
    return false;
  }
  query->read_policy = options.policy_file.empty();
  std::optional<ReadCluster> cluster =
      read_cluster(options.live.connection, *std::move(query), options.live.all_namespaces, io);
  if (!cluster) {
    return false;
  }
  for (const std::string& remark : cluster->input.remarks) {
    io.err << report::one_line(remark) << '\n';
  }
  subject.input = std::move(cluster->input.input);
  subject.failed = cluster->input.failed;
  if (cluster->input.policy) {
    subject.policy = *std::move(cluster->input.policy);
  }
  if (options.kubernetes_minor == 0 && cluster->kubernetes_minor != 0) {
    subject.audit_options.kubernetes_minor = cluster->kubernetes_minor;
  }
  if (!options.quiet) {
    io.err << report::one_line("note: " + cluster->place + "; " + policy_text(subject, options)) << '\n';
  }
  return true;
}

// nullopt after a line on io.err.
std::optional<Subject> gather(const CheckOptions& options, Io& io) {
  Subject subject;
  subject.audit_options.now = io.clock.wall_now();
  if (options.kubernetes_minor != 0) {
    subject.audit_options.kubernetes_minor = options.kubernetes_minor;
  }
  if (!read_given_policy(subject, options, io)) {
    return std::nullopt;
  }
  if (options.files.empty()) {
    if (!read_live_subject(subject, options, io)) {
      return std::nullopt;
    }
  } else {
    if (io.in_terminal && std::find(options.files.begin(), options.files.end(), "-") != options.files.end()) {
      io.err << "reading manifests from the terminal; Ctrl-D ends them, Ctrl-C gives up\n" << std::flush;
    }
    subject.input = read_input(options.files, options.recursive, io.in);
  }
  return subject;
}

}  // namespace

int run_check(const CheckOptions& options, Io& io) {
  base::Result<std::optional<report::Baseline>> baseline = read_given_baseline(options);
  if (!baseline) {
    io.err << report::one_line(baseline.error().message) << '\n';
    return kExitTrouble;
  }
  std::optional<Subject> subject = gather(options, io);
  if (!subject) {
    return kExitTrouble;
  }
  Input& input = subject->input;
  for (const manifest::Problem& problem : input.problems) {
    if (problem.severity == manifest::Problem::Severity::kError || !options.quiet) {
      io.err << report::one_line(manifest::to_string(problem)) << '\n';
    }
  }
  if (input.size() == 0 && !input.live) {
    if (!input.failed()) {
      io.err << "no Kubernetes object in the input\n";
    }
    return kExitTrouble;
  }
  CheckReport report(options, *std::move(baseline), io);
  CheckEnd end;
  end.whole = !input.failed() && !subject->failed;
  end.result = audit_input(input, options, subject->policy, subject->audit_options,
                           [&report](report::ShutdownAudit& audit) { report.add(audit); });
  return report.finish(end, subject->policy);
}

}  // namespace shutdown_auditor::app
