#include "app/check_audit.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "audit/disruption.h"
#include "audit/neighbours.h"

namespace shutdown_auditor::app {
namespace {

constexpr std::string_view kHookAnnotation = "helm.sh/hook";
constexpr std::string_view kNamespaceNameLabel = "kubernetes.io/metadata.name";

struct BudgetSource {
  const InputObject* item;
  std::size_t at;  // in the budgets of its namespace
};

// The objects of one namespace, as the audit wants them. Pointers into the Input.
struct NamespaceObjects {
  std::vector<const objects::PodDisruptionBudget*> budgets;
  std::vector<const objects::Service*> services;
  std::vector<const objects::Autoscaler*> autoscalers;
  std::vector<const objects::Workload*> workloads;
  std::vector<const objects::JobTemplate*> jobs;
  std::map<std::string, BudgetSource, std::less<>> budget_sources;  // by name
  objects::StringMap labels;
  bool labels_known = false;
  std::optional<audit::BudgetSurvey> survey;  // made with the first audit
  std::optional<audit::Neighbours> neighbours;  // likewise
  std::set<const objects::ObjectMeta*> unnamed;  // of objects that name no namespace

  const objects::StringMap* known_labels() const { return labels_known ? &labels : nullptr; }

  audit::Surroundings surroundings(const Unread& unread) {
    audit::Surroundings around;
    around.budgets = unread.budgets ? nullptr : &budgets;
    around.services = unread.services ? nullptr : &services;
    around.autoscalers = unread.autoscalers ? nullptr : &autoscalers;
    around.workloads = unread.workloads ? nullptr : &workloads;
    around.jobs = unread.jobs ? nullptr : &jobs;
    around.namespace_labels = known_labels();
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

// Of two budgets of one name the later one stays, as after kubectl apply.
void add_budget(NamespaceObjects& group, const objects::PodDisruptionBudget& budget, const InputObject& item) {
  const auto [source, fresh] = group.budget_sources.try_emplace(budget.meta.name, BudgetSource{&item, group.budgets.size()});
  if (fresh || budget.meta.name.empty()) {
    group.budgets.push_back(&budget);
    return;
  }
  source->second.item = &item;
  group.budgets[source->second.at] = &budget;
}

using Namespaces = std::map<std::string, NamespaceObjects, std::less<>>;

Namespaces group_by_namespace(Input& input, const std::string& fallback) {
  Namespaces out;
  for (InputObject& item : input.objects) {
    manifest::Value& value = item.object.value;
    if (const auto* space = std::get_if<objects::Namespace>(&value)) {
      NamespaceObjects& group = out[space->meta.name];
      group.labels_known = true;
      group.labels.insert(group.labels.end(), space->meta.labels.begin(), space->meta.labels.end());
      continue;
    }
    objects::ObjectMeta& meta = meta_of(value);
    const bool unnamed = meta.namespace_.empty();
    if (unnamed) {
      meta.namespace_ = fallback;
    }
    NamespaceObjects& group = out[meta.namespace_];
    if (unnamed) {
      group.unnamed.insert(&meta);
    }
    if (const auto* workload = std::get_if<objects::Workload>(&value)) {
      // A hook's pod is gone when the budgets matter.
      const bool passing = workload->kind.kind == "Pod" && is_hook(workload->meta);
      if (!passing && !is_made_by_another(*workload)) {
        group.workloads.push_back(workload);
      }
    } else if (const auto* budget = std::get_if<objects::PodDisruptionBudget>(&value)) {
      if (!is_gone(item.object)) {
        add_budget(group, *budget, item);
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
    group.labels_known = group.labels_known || !input.live;
    // Every API server adds this label.
    group.labels.emplace_back(kNamespaceNameLabel, name);
    objects::normalize(group.labels);
  }
  return out;
}

// The field of a budget that a finding is about.
std::string_view budget_field(const objects::PodDisruptionBudget& budget, std::string_view check) {
  if (check == "pdb-overlapping") {
    return "spec.selector";
  }
  return budget.min_available ? "spec.minAvailable" : "spec.maxUnavailable";
}

struct Spot {
  const InputObject* item;
  objects::Mark mark;
};

// Where the field is that a finding is about: in the workload, or in the budget when it names no field of the workload.
Spot spot_of(const report::ReportedFinding& finding, const InputObject& item, const NamespaceObjects& around) {
  if (!finding.field_path.empty()) {
    return {&item, item.object.positions.find(finding.field_path)};
  }
  if (finding.related_ref) {
    const auto source = around.budget_sources.find(finding.related_ref->name);
    if (source != around.budget_sources.end()) {
      const manifest::Object& object = source->second.item->object;
      const auto& budget = std::get<objects::PodDisruptionBudget>(object.value);
      return {source->second.item, object.positions.find(budget_field(budget, finding.check))};
    }
  }
  return {&item, item.object.start};
}

report::Place place(const InputObject& item, objects::Mark mark) { return {item.file, mark.line, mark.column}; }

class Auditor {
 public:
  Auditor(const CheckOptions& options, const audit::Policy& policy, const audit::AuditOptions& audit_options)
      : options_(options), policy_(policy), audit_options_(audit_options) {}

  CheckResult audit_all(Input& input) {
    Namespaces namespaces = group_by_namespace(input, default_namespace(input, options_));
    counts_.old_budgets = static_cast<std::size_t>(std::count_if(
        input.objects.begin(), input.objects.end(), [](const InputObject& item) { return is_gone(item.object); }));
    const bool budget_seen = std::any_of(namespaces.begin(), namespaces.end(),
                                         [](const auto& entry) { return !entry.second.budgets.empty(); });
    const bool elsewhere = !input.live && !budget_seen && counts_.old_budgets == 0 && !options_.complete;
    CheckResult out;
    out.workloads.reserve(static_cast<std::size_t>(
        std::count_if(input.objects.begin(), input.objects.end(), [](const InputObject& item) {
          return std::holds_alternative<objects::Workload>(item.object.value);
        })));
    std::map<std::string, std::vector<const objects::Workload*>> audited;
    for (InputObject& item : input.objects) {
      const auto* workload = std::get_if<objects::Workload>(&item.object.value);
      if (workload == nullptr || !item.audited) {
        continue;
      }
      NamespaceObjects& around = namespaces.find(workload->meta.namespace_)->second;
      if (!is_wanted(*workload, around, input.live)) {
        continue;
      }
      if (!around.neighbours) {
        around.neighbours.emplace(around.surroundings(input.unread));
      }
      audit::Neighbours::Near near;
      audit::Surroundings surroundings = around.neighbours->around(*workload, near);
      surroundings.budgets_may_be_elsewhere = elsewhere;
      if (!options_.fix.empty()) {
        audited[workload->meta.namespace_].push_back(workload);
      }
      out.workloads.push_back({audit_one(item, *workload, surroundings, around)});
      item.object.positions = {};  // the places of the findings are known now
    }
    for (const auto& [name, workloads] : audited) {
      NamespaceObjects& around = namespaces.find(name)->second;
      audit::Surroundings surroundings = around.surroundings(input.unread);
      surroundings.budgets_may_be_elsewhere = elsewhere;
      out.fixes.push_back(fixes_of(workloads, around, surroundings));
    }
    counts_.workloads = out.workloads.size();
    out.counts = counts_;
    return out;
  }

 private:
  audit::Fixes fixes_of(const std::vector<const objects::Workload*>& workloads, const NamespaceObjects& around,
                        const audit::Surroundings& surroundings) const {
    audit::Fixes fixes = audit::compute_fixes(workloads, surroundings, policy_, audit_options_);
    // A patch names a namespace where its object does.
    for (audit::WorkloadFix& each : fixes.workloads) {
      if (around.unnamed.contains(&each.before->meta)) {
        each.after.meta.namespace_.clear();
      }
    }
    for (audit::BudgetFix& each : fixes.budgets) {
      const objects::ObjectMeta& source = each.before != nullptr ? each.before->meta : each.workload->meta;
      if (around.unnamed.contains(&source)) {
        each.after.meta.namespace_.clear();
      }
    }
    return fixes;
  }

  bool is_wanted(const objects::Workload& workload, const NamespaceObjects& around, bool live) {
    if (!live && is_hook(workload.meta)) {  // in a cluster it is there to stay
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
    if (!policy_.in_scope(workload.meta.namespace_, workload.meta.labels, around.known_labels())) {
      ++counts_.out_of_scope;
      return false;
    }
    return true;
  }

  report::ShutdownAudit audit_one(const InputObject& item, const objects::Workload& workload,
                                  const audit::Surroundings& surroundings, const NamespaceObjects& around) const {
    const audit::AuditResult result = audit::audit(workload, surroundings, policy_, audit_options_);
    report::ShutdownAudit out =
        report::make_shutdown_audit(result, workload, policy_.name, report::Detail::kPrinted);
    if (item.file.empty()) {
      return out;
    }
    out.place = place(item, item.object.start);
    const report::Place line{out.place.file, out.place.line, 0};
    out.meta.annotations = {{std::string(report::kSourceAnnotation), report::to_string(line)}};
    for (report::ReportedFinding& finding : out.status.findings) {
      const Spot spot = spot_of(finding, item, around);
      finding.place = place(*spot.item, spot.mark.line == 0 ? spot.item->object.start : spot.mark);
      // A line in the output of helm says little; the template is what there is to edit.
      if (const std::string& name = spot.item->object.template_name; !name.empty()) {
        finding.message += " (from " + name + ")";
      }
    }
    return out;
  }

  const CheckOptions& options_;
  const audit::Policy& policy_;
  const audit::AuditOptions& audit_options_;
  CheckCounts counts_;
};

}  // namespace

CheckResult audit_input(Input& input, const CheckOptions& options, const audit::Policy& policy,
                        const audit::AuditOptions& audit_options) {
  return Auditor(options, policy, audit_options).audit_all(input);
}

}  // namespace shutdown_auditor::app
