#include "audit/injection.h"

#include <algorithm>
#include <string_view>

#include "audit/application_times.h"
#include "audit/framework_match.h"
#include "audit/framework_table.h"
#include "audit/seconds.h"

namespace shutdown_auditor::audit {
namespace {

class Injections {
 public:
  Injections(const objects::Workload& workload, const objects::StringMap* namespace_labels)
      : template_(workload.pod_template), namespace_labels_(namespace_labels) {}

  // The first condition that holds.
  const Condition* first(Conditions list) const {
    const auto place = std::find_if(list.begin(), list.end(), [&](const Condition& each) { return holds(each); });
    return place == list.end() ? nullptr : &*place;
  }

  bool shown(const Framework& framework) const {
    const auto is_it = [&](const objects::Container& container) {
      return std::find(framework.containers.begin(), framework.containers.end(),
          container.name) != framework.containers.end() ||
             is_image(framework.images, parse_image(container.image));
    };
    const objects::PodSpec& spec = template_.spec;
    return std::any_of(spec.containers.begin(), spec.containers.end(), is_it) ||
           std::any_of(spec.init_containers.begin(), spec.init_containers.end(), is_it);
  }

 private:
  bool holds(const Condition& condition) const {
    const objects::StringMap* map = condition.kind == Condition::Kind::kAnnotation ? &template_.meta.annotations
                                    : condition.kind == Condition::Kind::kLabel    ? &template_.meta.labels
                                                                                   : namespace_labels_;
    const std::string* value = map != nullptr ? objects::find(*map, condition.name) : nullptr;
    return value != nullptr && !value->empty() && (condition.value.empty() || glob_match(condition.value, *value));
  }

  const objects::PodTemplate& template_;
  const objects::StringMap* namespace_labels_;
};

std::string in_words(const Condition& condition) {
  std::string text = condition.kind == Condition::Kind::kAnnotation ? "annotation "
                     : condition.kind == Condition::Kind::kLabel    ? "label "
                                                                    : "namespace label ";
  text += condition.name;
  return condition.value.empty() ? text : text + "=" + std::string(condition.value);
}

// The sidecar itself is not there: only annotations and defaults tell its times.
ApplicationTime hold_of(const Framework& framework, const objects::Workload& workload) {
  const objects::Container nothing;
  const Environment environment(nothing);
  const Program program;
  const ApplicationFacts facts{program, environment, workload.pod_template.meta.annotations, {}};
  ApplicationReading reading;
  read_times(framework, facts, "SIGTERM", reading);
  ApplicationTime hold = reading.drain;
  if (hold.ms && reading.delay.ms) hold.ms = saturating_add(*hold.ms, *reading.delay.ms);
  return hold;
}

}  // namespace

std::vector<InjectedSidecar> injected_sidecars(const objects::Workload& workload,
                                               const objects::StringMap* namespace_labels) {
  std::vector<InjectedSidecar> found;
  const objects::ObjectMeta& meta = workload.pod_template.meta;
  if (meta.labels.empty() && meta.annotations.empty() && (namespace_labels == nullptr || namespace_labels->empty())) {
    return found;
  }
  static const std::vector<const Framework*> kInjectable = [] {
    std::vector<const Framework*> list;
    for (const Framework& each : frameworks()) {
      if (!each.injected_by.empty()) list.push_back(&each);
    }
    return list;
  }();
  const Injections injections(workload, namespace_labels);
  for (const Framework* candidate : kInjectable) {
    const Framework& each = *candidate;
    const Condition* by = injections.first(each.injected_by);
    if (by == nullptr || injections.first(each.not_injected_by) != nullptr || injections.shown(each)) continue;
    InjectedSidecar sidecar{std::string(each.id), each.sidecar, in_words(*by), {}};
    if (each.sidecar == SidecarKind::kTraffic) sidecar.hold = hold_of(each, workload);
    found.push_back(std::move(sidecar));
  }
  return found;
}

}  // namespace shutdown_auditor::audit
