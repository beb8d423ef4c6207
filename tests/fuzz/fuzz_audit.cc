#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <variant>
#include <vector>

#include "audit/audit.h"
#include "audit/fix.h"
#include "manifest/loader.h"

// A manifest file through the whole audit: each workload of it among everything else in it. Whatever it holds, an audit
// ends with a verdict, texts that fit one line of a status, and sums in the right order. Then its fixes.
namespace {

using namespace shutdown_auditor;

template <class T>
std::vector<const T*> all(const std::vector<manifest::Object>& objects) {
  std::vector<const T*> found;
  for (const manifest::Object& object : objects) {
    if (const T* value = std::get_if<T>(&object.value)) found.push_back(value);
  }
  return found;
}

void check(bool condition) {
  if (!condition) std::abort();
}

bool one_line(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return false;
  }
  return !text.empty() && text.size() <= 512;
}

void check_fixes(const audit::Fixes& fixes, const std::vector<const objects::Workload*>& workloads) {
  check(fixes.workloads.size() == workloads.size());
  for (std::size_t i = 0; i < workloads.size(); ++i) {
    const audit::WorkloadFix& fix = fixes.workloads[i];
    check(fix.before == workloads[i]);
    check(fix.changed() || fix.after == *fix.before);
    for (const audit::FieldReason& reason : fix.reasons) check(!reason.field.empty() && one_line(reason.text));
    for (const audit::Unfixed& unfixed : fix.unfixed) check(!unfixed.why.empty());
  }
  for (const audit::BudgetFix& fix : fixes.budgets) check(!fix.why.empty() && (fix.before != nullptr || fix.workload != nullptr));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::vector<manifest::Object> objects;
  manifest::load(
      text, "f", {&audit::reads_annotation, false}, [&](manifest::Object object) { objects.push_back(std::move(object)); },
      [](const manifest::Problem&) {});
  const auto workloads = all<objects::Workload>(objects);
  const auto budgets = all<objects::PodDisruptionBudget>(objects);
  const auto services = all<objects::Service>(objects);
  const auto autoscalers = all<objects::Autoscaler>(objects);
  const auto jobs = all<objects::JobTemplate>(objects);
  const objects::StringMap namespace_labels;
  audit::Surroundings around;
  around.workloads = &workloads;
  around.budgets = &budgets;
  around.services = &services;
  around.autoscalers = &autoscalers;
  around.jobs = &jobs;
  around.namespace_labels = &namespace_labels;
  for (const objects::Workload* workload : workloads) {
    const audit::AuditResult result = audit::audit(*workload, around, {}, {});
    for (const audit::Finding& finding : result.findings) {
      check(finding.reason != "InternalError");
      check(one_line(finding.message) && one_line(finding.remediation));
    }
    if (result.verdict == audit::Verdict::kError) continue;
    check(result.budget.provable_seconds <= result.budget.required_seconds);
    check(result.budget.shortfall_seconds >= 0 && result.budget.seconds_after_signal >= 2);
    for (const audit::ContainerReading& container : result.containers) {
      const audit::PreStopReading& hook = container.pre_stop;
      check(hook.min_ms >= 0);
      check(!hook.nominal_ms || *hook.nominal_ms >= hook.min_ms);
      check(!hook.max_ms || *hook.max_ms >= hook.nominal_ms.value_or(hook.min_ms));
    }
  }
  check_fixes(audit::compute_fixes(workloads, around, {}, {}), workloads);
  return 0;
}
