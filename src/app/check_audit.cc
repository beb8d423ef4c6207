#include "app/check_audit.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>

#include "app/check_surroundings.h"
#include "base/in_order.h"

namespace shutdown_auditor::app {
namespace {

// So many workloads are audited by one thread at a time; fewer are not worth a second one.
constexpr std::size_t kBatch = 64;

// Where objects go that name no namespace.
std::string default_namespace(const Input& input, const CheckOptions& options) {
  if (!options.name_space.empty()) {
    return options.name_space;
  }
  return input.named.size() == 1 ? *input.named.begin() : "default";
}

void add_up(CheckCounts& sum, const CheckCounts& more) {
  sum.workloads += more.workloads;
  sum.hooks += more.hooks;
  sum.owned += more.owned;
  sum.borrowing += more.borrowing;
  sum.out_of_scope += more.out_of_scope;
  sum.old_budgets += more.old_budgets;
}

struct Spot {
  const Source* source;
  objects::Mark mark;
};

// Where the field is that a finding is about: in the workload, or in the budget when it names no field of the workload.
Spot spot_of(const report::ReportedFinding& finding, const Source& own, const objects::PositionMap& positions,
             const NamespaceObjects& around) {
  if (!finding.field_path.empty()) {
    return {&own, positions.find(finding.field_path)};
  }
  if (finding.related_ref) {
    if (const InputBudget* budget = around.budget(finding.related_ref->name)) {
      return {&budget->source, finding.check == "pdb-overlapping" ? budget->selector : budget->limit};
    }
  }
  return {&own, own.start};
}

report::Place place(const Source& source, objects::Mark mark) { return {*source.file, mark.line, mark.column}; }

// The results of some workloads.
struct Batch {
  std::vector<report::ShutdownAudit> audits;
  CheckCounts counts;
  std::size_t end = 0;  // the number of the workload after them
};

class Auditor {
 public:
  Auditor(Input& input, const CheckOptions& options, const audit::Policy& policy,
          const audit::AuditOptions& audit_options)
      : input_(input),
        options_(options),
        policy_(policy),
        audit_options_(audit_options),
        fallback_(default_namespace(input, options)),
        namespaces_(group_by_namespace(input, fallback_)),
        budgets_elsewhere_(!input.live && input.budgets.empty() && input.old_budgets == 0 && !options.complete),
        threads_(input.workloads.size() > kBatch ? std::thread::hardware_concurrency() : 0) {}

  CheckResult run(const AuditSink& sink) {
    prepare();
    CheckResult result;
    result.counts.old_budgets = input_.old_budgets;
    base::InOrder<Batch> batches(threads_, [&](Batch& batch) {
      add_up(result.counts, batch.counts);
      std::for_each(batch.audits.begin(), batch.audits.end(), sink);
      if (options_.fix.empty() && batch.end < input_.workloads.size()) {
        input_.packed.drop_before(input_.workloads[batch.end].packed);
      }
    });
    for (std::size_t first = 0; first < input_.workloads.size(); first += kBatch) {
      batches.add([this, first] { return audit_batch(first); });
    }
    batches.finish();
    if (!options_.fix.empty()) {
      compute_fixes(result);
    }
    return result;
  }

 private:
  void prepare() {
    base::InOrder<bool> preparing(namespaces_.size() > 1 ? threads_ : 0, [](bool&) {});
    for (auto& [name, group] : namespaces_) {
      preparing.add([this, &group = group] {
        group.prepare(input_.unread, fallback_);
        return true;
      });
    }
    preparing.finish();
  }

  NamespaceObjects& around(const objects::Workload& workload) {
    return namespaces_.find(workload.meta.namespace_)->second;
  }

  Batch audit_batch(std::size_t first) {
    Batch batch;
    batch.end = std::min(first + kBatch, input_.workloads.size());
    batch.audits.reserve(batch.end - first);
    WorkloadUnpacker unpacker;
    for (std::size_t i = first; i < batch.end; ++i) {
      const InputWorkload& item = input_.workloads[i];
      if (!item.audited) {
        continue;
      }
      objects::PositionMap positions;
      const bool from_file = item.source.file != nullptr;
      const objects::Workload workload = unpacker.whole(item, fallback_, from_file ? &positions : nullptr);
      const NamespaceObjects& group = around(workload);
      if (is_wanted(workload, group, batch.counts)) {
        ++batch.counts.workloads;
        batch.audits.push_back(audit_one(item.source, workload, positions, group));
      }
    }
    return batch;
  }

  bool is_wanted(const objects::Workload& workload, const NamespaceObjects& group, CheckCounts& counts) const {
    if (!input_.live && is_hook(workload.meta)) {  // in a cluster it is there to stay
      ++counts.hooks;
      return false;
    }
    if (workload.template_elsewhere) {
      ++counts.borrowing;
      return false;
    }
    const bool owned = workload.meta.controller() != nullptr;
    if (is_made_by_another(workload) || (owned && options_.skip_owned)) {
      ++counts.owned;
      return false;
    }
    if (!policy_.in_scope(workload.meta.namespace_, workload.meta.labels, group.labels())) {
      ++counts.out_of_scope;
      return false;
    }
    return true;
  }

  report::ShutdownAudit audit_one(const Source& source, const objects::Workload& workload,
                                  const objects::PositionMap& positions, const NamespaceObjects& group) const {
    audit::Neighbours::Near near;
    audit::Surroundings surroundings = group.around(workload, near);
    surroundings.budgets_may_be_elsewhere = budgets_elsewhere_;
    const audit::AuditResult result = audit::audit(workload, surroundings, policy_, audit_options_);
    report::ShutdownAudit out =
        report::make_shutdown_audit(result, workload, policy_.name, report::Detail::kPrinted);
    if (source.file == nullptr) {
      return out;
    }
    out.place = place(source, source.start);
    const report::Place line{out.place.file, out.place.line, 0};
    out.meta.annotations = {{std::string(report::kSourceAnnotation), report::to_string(line)}};
    for (report::ReportedFinding& finding : out.status.findings) {
      const Spot spot = spot_of(finding, source, positions, group);
      finding.place = place(*spot.source, spot.mark.line == 0 ? spot.source->start : spot.mark);
      // A line in the output of helm says little; the template is what there is to edit.
      if (spot.source->template_name != nullptr) {
        finding.message += " (from " + *spot.source->template_name + ")";
      }
    }
    return out;
  }

  // Of all that is audited, namespace by namespace: a fix may be one of several workloads.
  void compute_fixes(CheckResult& result) {
    std::map<std::string, std::vector<const objects::Workload*>> wanted;
    std::map<std::string, std::vector<const objects::Workload*>> all;
    std::set<const objects::Workload*> unnamed;
    CheckCounts ignored;
    WorkloadUnpacker unpacker;
    for (const InputWorkload& item : input_.workloads) {
      const objects::Workload& workload = result.workloads.emplace_back(unpacker.whole(item, fallback_));
      if (item.name_space == nullptr) {
        unnamed.insert(&workload);
      }
      const bool passing = workload.kind.kind == "Pod" && is_hook(workload.meta);
      if (!passing && !is_made_by_another(workload)) {
        all[workload.meta.namespace_].push_back(&workload);
      }
      if (item.audited && is_wanted(workload, around(workload), ignored)) {
        wanted[workload.meta.namespace_].push_back(&workload);
      }
    }
    for (const auto& [name, workloads] : wanted) {
      const NamespaceObjects& group = namespaces_.find(name)->second;
      audit::Surroundings surroundings = group.everything();
      surroundings.workloads = surroundings.workloads == nullptr ? nullptr : &all[name];
      surroundings.budgets_may_be_elsewhere = budgets_elsewhere_;
      audit::Fixes fixes = audit::compute_fixes(workloads, surroundings, policy_, audit_options_);
      // A patch names a namespace where its object does.
      for (audit::WorkloadFix& each : fixes.workloads) {
        if (unnamed.contains(each.before)) {
          each.after.meta.namespace_.clear();
        }
      }
      for (audit::BudgetFix& each : fixes.budgets) {
        if (each.before != nullptr ? group.is_unnamed(*each.before) : unnamed.contains(each.workload)) {
          each.after.meta.namespace_.clear();
        }
      }
      result.fixes.push_back(std::move(fixes));
    }
  }

  Input& input_;
  const CheckOptions& options_;
  const audit::Policy& policy_;
  const audit::AuditOptions& audit_options_;
  const std::string fallback_;
  Namespaces namespaces_;
  const bool budgets_elsewhere_;
  const unsigned threads_;
};

}  // namespace

CheckResult audit_input(Input& input, const CheckOptions& options, const audit::Policy& policy,
                        const audit::AuditOptions& audit_options, const AuditSink& sink) {
  return Auditor(input, options, policy, audit_options).run(sink);
}

}  // namespace shutdown_auditor::app
