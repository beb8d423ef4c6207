#include "app/check_command.h"

#include <algorithm>
#include <map>
#include <optional>
#include <ostream>
#include <set>

#include "app/check_pages.h"
#include "app/input.h"
#include "app/policy_file.h"
#include "app/version.h"
#include "audit/audit.h"
#include "audit/disruption.h"
#include "report/audit_json.h"
#include "report/github.h"
#include "report/junit.h"
#include "report/markdown.h"
#include "report/one_line.h"
#include "report/sarif.h"
#include "report/table.h"
#include "report/timeline.h"

namespace shutdown_auditor::app {
namespace {

constexpr std::string_view kHookAnnotation = "helm.sh/hook";
constexpr std::string_view kNamespaceNameLabel = "kubernetes.io/metadata.name";

// The objects of one namespace, as the audit wants them. Pointers into the Input.
struct NamespaceObjects {
  std::vector<const objects::PodDisruptionBudget*> budgets;
  std::vector<const objects::Service*> services;
  std::vector<const objects::Autoscaler*> autoscalers;
  std::vector<const objects::Workload*> workloads;
  std::vector<const objects::JobTemplate*> jobs;
  objects::StringMap labels;
  std::optional<audit::BudgetSurvey> survey;  // made with the first audit

  audit::Surroundings surroundings() {
    audit::Surroundings around;
    around.budgets = &budgets;
    around.services = &services;
    around.autoscalers = &autoscalers;
    around.workloads = &workloads;
    around.jobs = &jobs;
    around.namespace_labels = &labels;
    if (!survey) {
      survey.emplace(around);
    }
    around.survey = &*survey;
    return around;
  }
};

objects::ObjectMeta& meta_of(manifest::Value& value) {
  return std::visit([](auto& object) -> objects::ObjectMeta& { return object.meta; }, value);
}

// Where objects go that name no namespace.
std::string default_namespace(const Input& input, const CheckOptions& options) {
  if (!options.name_space.empty()) {
    return options.name_space;
  }
  std::set<std::string> named;
  for (const InputObject& item : input.objects) {
    if (const std::string& name = manifest::meta_of(item.object).namespace_; !name.empty()) {
      named.insert(name);
    }
  }
  return named.size() == 1 ? *named.begin() : "default";
}

// A ReplicaSet or Pod that another controller made says nothing that its owner does not say.
bool is_made_by_another(const objects::Workload& workload) {
  return workload.meta.controller() != nullptr && (workload.kind.kind == "ReplicaSet" || workload.kind.kind == "Pod");
}

bool is_hook(const objects::ObjectMeta& meta) { return objects::find(meta.annotations, kHookAnnotation) != nullptr; }

// The version that Kubernetes 1.25 removed.
bool is_gone(const manifest::Object& object) {
  return object.kind == objects::GroupKind{"policy", "PodDisruptionBudget"} && object.api_version == "policy/v1beta1";
}

using Namespaces = std::map<std::string, NamespaceObjects, std::less<>>;

Namespaces group_by_namespace(Input& input, const std::string& fallback) {
  Namespaces out;
  for (InputObject& item : input.objects) {
    manifest::Value& value = item.object.value;
    if (const auto* space = std::get_if<objects::Namespace>(&value)) {
      NamespaceObjects& group = out[space->meta.name];
      group.labels.insert(group.labels.end(), space->meta.labels.begin(), space->meta.labels.end());
      continue;
    }
    std::string& name = meta_of(value).namespace_;
    if (name.empty()) {
      name = fallback;
    }
    NamespaceObjects& group = out[name];
    if (const auto* workload = std::get_if<objects::Workload>(&value)) {
      // A hook's pod is gone when the budgets matter.
      const bool passing = workload->kind.kind == "Pod" && is_hook(workload->meta);
      if (!passing && !is_made_by_another(*workload)) {
        group.workloads.push_back(workload);
      }
    } else if (const auto* budget = std::get_if<objects::PodDisruptionBudget>(&value)) {
      if (!is_gone(item.object)) {
        group.budgets.push_back(budget);
      }
    } else if (const auto* service = std::get_if<objects::Service>(&value)) {
      group.services.push_back(service);
    } else if (const auto* autoscaler = std::get_if<objects::Autoscaler>(&value)) {
      group.autoscalers.push_back(autoscaler);
    } else if (const auto* job = std::get_if<objects::JobTemplate>(&value)) {
      group.jobs.push_back(job);
    }
  }
  for (auto& [name, group] : out) {
    // Every API server adds this label.
    group.labels.emplace_back(kNamespaceNameLabel, name);
    objects::normalize(group.labels);
  }
  return out;
}

std::string place(const InputObject& item, objects::Mark mark) {
  return mark.line == 0 ? item.file : item.file + ":" + std::to_string(mark.line);
}

struct Counts {
  std::size_t workloads = 0;
  std::size_t hooks = 0;
  std::size_t owned = 0;
  std::size_t borrowing = 0;  // Rollouts whose template is another workload's
  std::size_t out_of_scope = 0;
  std::size_t old_budgets = 0;
};

class Checker {
 public:
  Checker(const CheckOptions& options, const audit::Policy& policy, Io& io)
      : options_(options), policy_(policy), io_(io) {
    audit_options_.now = io.clock.wall_now();
    if (options.kubernetes_minor != 0) {
      audit_options_.kubernetes_minor = options.kubernetes_minor;
    }
  }

  int run() {
    Input input = read_input(options_.files, options_.recursive, io_.in);
    for (const manifest::Problem& problem : input.problems) {
      if (problem.severity == manifest::Problem::Severity::kError || !options_.quiet) {
        io_.err << report::one_line(manifest::to_string(problem)) << '\n';
      }
    }
    if (input.objects.empty()) {
      io_.err << "no Kubernetes object in the input\n";
      return kExitTrouble;
    }
    const std::vector<report::ShutdownAudit> audits = audit_all(input);
    if (options_.timeline) {
      print_timelines(audits);
    } else {
      print(audits);
    }
    note_what_was_left_out();
    if (!io_.out.flush()) {
      io_.err << "the result could not be written\n";
      return kExitTrouble;
    }
    if (input.failed() || (counts_.workloads == 0 && options_.fail_if_empty) || any_result(audits, "Error")) {
      return kExitTrouble;
    }
    const bool found = options_.fail_on != FailOn::kNone &&
                       (any_result(audits, "Fail") || (options_.fail_on == FailOn::kWarn && any_result(audits, "Warn")));
    return found ? kExitFindings : kExitOk;
  }

 private:
  std::vector<report::ShutdownAudit> audit_all(Input& input) {
    Namespaces namespaces = group_by_namespace(input, default_namespace(input, options_));
    counts_.old_budgets = static_cast<std::size_t>(std::count_if(
        input.objects.begin(), input.objects.end(), [](const InputObject& item) { return is_gone(item.object); }));
    const bool budget_seen = std::any_of(namespaces.begin(), namespaces.end(),
                                         [](const auto& entry) { return !entry.second.budgets.empty(); });
    std::vector<report::ShutdownAudit> audits;
    for (const InputObject& item : input.objects) {
      const auto* workload = std::get_if<objects::Workload>(&item.object.value);
      if (workload == nullptr) {
        continue;
      }
      NamespaceObjects& around = namespaces.find(workload->meta.namespace_)->second;
      if (!is_wanted(*workload, around)) {
        continue;
      }
      audit::Surroundings surroundings = around.surroundings();
      surroundings.budgets_may_be_elsewhere = !budget_seen && counts_.old_budgets == 0 && !options_.complete;
      audits.push_back(audit_one(item, *workload, surroundings));
      if (options_.timeline) {
        native_sidecars_.push_back(report::native_sidecars(*workload));
      }
    }
    counts_.workloads = audits.size();
    return audits;
  }

  bool is_wanted(const objects::Workload& workload, const NamespaceObjects& around) {
    if (is_hook(workload.meta)) {
      ++counts_.hooks;
      return false;
    }
    if (workload.template_elsewhere) {
      ++counts_.borrowing;
      return false;
    }
    const bool owned = workload.meta.controller() != nullptr;
    if (is_made_by_another(workload) || (owned && options_.skip_owned)) {
      ++counts_.owned;
      return false;
    }
    if (!policy_.in_scope(workload.meta.namespace_, workload.meta.labels, &around.labels)) {
      ++counts_.out_of_scope;
      return false;
    }
    return true;
  }

  report::ShutdownAudit audit_one(const InputObject& item, const objects::Workload& workload,
                                  const audit::Surroundings& surroundings) const {
    const audit::AuditResult result = audit::audit(workload, surroundings, policy_, audit_options_);
    report::ShutdownAudit out =
        report::make_shutdown_audit(result, workload, policy_.name, report::Detail::kPrinted);
    out.meta.annotations = {{std::string(report::kSourceAnnotation), place(item, item.object.start)}};
    for (report::ReportedFinding& finding : out.status.findings) {
      const objects::Mark mark =
          finding.field_path.empty() ? item.object.start : item.object.positions.find(finding.field_path);
      finding.source = place(item, mark.line == 0 ? item.object.start : mark);
    }
    return out;
  }

  void print(const std::vector<report::ShutdownAudit>& audits) const {
    switch (options_.output) {
      case OutputFormat::kTable:
      case OutputFormat::kWide: {
        report::TableOptions table;
        table.wide = options_.output == OutputFormat::kWide;
        table.color = options_.color == ColorMode::kAlways || (options_.color == ColorMode::kAuto && io_.color_terminal);
        table.roll_up = !options_.quiet;
        io_.out << report::table_text(audits, table);
        return;
      }
      case OutputFormat::kJson:
        io_.out << report::list_json(audits);
        return;
      case OutputFormat::kYaml:
        io_.out << report::list_yaml(audits);
        return;
      case OutputFormat::kSarif: {
        report::SarifOptions sarif{version(), {}, {}};
        for (const CheckPage& page : check_pages()) {
          sarif.pages.push_back({page.id, page.text});
        }
        io_.out << report::sarif_json(audits, sarif);
        return;
      }
      case OutputFormat::kJUnit:
        io_.out << report::junit_xml(audits, {options_.fail_on == FailOn::kWarn});
        return;
      case OutputFormat::kGitHub:
        io_.out << report::github_annotations(audits);
        return;
      case OutputFormat::kMarkdown:
        io_.out << report::markdown_text(audits, {});
        return;
    }
  }

  void print_timelines(const std::vector<report::ShutdownAudit>& audits) const {
    // Native sidecars stop last since 1.29 (KEP-753).
    const bool ordered = audit_options_.kubernetes_minor >= 29;
    for (std::size_t i = 0; i < audits.size(); ++i) {
      report::TimelineOptions timeline{io_.columns, io_.unicode, {}};
      if (ordered) {
        timeline.native_sidecars = native_sidecars_[i];
      }
      io_.out << (i == 0 ? "" : "\n") << report::timeline_text(audits[i], timeline);
    }
  }

  void note_what_was_left_out() const {
    if (options_.quiet) {
      return;
    }
    const auto note = [this](std::size_t count, std::string_view why) {
      if (count > 0) {
        io_.err << "note: " << count << (count == 1 ? " workload" : " workloads") << " not audited: " << why << '\n';
      }
    };
    note(counts_.hooks, "Helm hooks are read for their labels only");
    note(counts_.owned, "made by another controller");
    note(counts_.borrowing, "spec.workloadRef lends it the pods of a workload that is audited itself");
    note(counts_.out_of_scope, policy_.name.empty()
                                   ? "their namespace is one the built-in policy leaves out (a --policy file can say otherwise)"
                                   : "outside the scope of the policy");
    if (counts_.old_budgets > 0) {
      io_.err << "note: " << counts_.old_budgets
              << (counts_.old_budgets == 1 ? " PodDisruptionBudget" : " PodDisruptionBudgets")
              << " left out: Kubernetes 1.25 and later do not serve policy/v1beta1; write policy/v1\n";
    }
    if (counts_.workloads == 0) {
      io_.err << "note: no workload to audit in the input\n";
    }
  }

  static bool any_result(const std::vector<report::ShutdownAudit>& audits, std::string_view result) {
    return std::any_of(audits.begin(), audits.end(), [&](const report::ShutdownAudit& audit) {
      return audit.status.verdict == result ||
             std::any_of(audit.status.findings.begin(), audit.status.findings.end(),
                         [&](const report::ReportedFinding& finding) { return finding.result == result; });
    });
  }

  const CheckOptions& options_;
  const audit::Policy& policy_;
  Io& io_;
  audit::AuditOptions audit_options_;
  Counts counts_;
  std::vector<std::vector<std::string>> native_sidecars_;  // of each audit, for the timeline
};

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
  return Checker(options, policy, io).run();
}

}  // namespace shutdown_auditor::app
