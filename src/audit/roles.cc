#include "audit/roles.h"

#include <algorithm>
#include <string_view>

#include "base/text.h"

namespace shutdown_auditor::audit {
namespace {

// A label value cannot hold this character, so no selector can ask for it.
constexpr std::string_view kChosenByController = "*";

bool named_like_metrics(const objects::ServicePort& port) {
  const std::string name = base::to_lower(port.name);
  return name.find("metric") != std::string::npos || name.find("prometheus") != std::string::npos;
}

// Does this Service send requests to pods that are ready and only to those?
bool carries_traffic(const objects::Service& service) {
  if (service.publish_not_ready_addresses || service.type == "ExternalName") return false;
  return service.ports.empty() || !std::all_of(service.ports.begin(), service.ports.end(), named_like_metrics);
}

bool owns(const objects::Container& container, const objects::ServicePort& port) {
  const bool by_name = port.target_port && port.target_port->is_string && !port.target_port->text.empty();
  const bool by_number = port.target_port && !port.target_port->is_string && port.target_port->number != 0;
  return std::any_of(container.ports.begin(), container.ports.end(), [&](const objects::ContainerPort& own) {
    return by_name ? own.name == port.target_port->text
                   : own.container_port == (by_number ? port.target_port->number : port.port);
  });
}

bool is_native_sidecar(const objects::Container& container) { return container.restart_policy == "Always"; }

}  // namespace

bool same_namespace(const objects::ObjectMeta& a, const objects::ObjectMeta& b) {
  return a.namespace_.empty() || b.namespace_.empty() || a.namespace_ == b.namespace_;
}

objects::StringMap pod_labels(const objects::Workload& workload) {
  objects::StringMap labels = workload.pod_template.meta.labels;
  const auto add = [&](std::string_view key) {
    if (objects::find(labels, key) == nullptr) labels.emplace_back(std::string(key), std::string(kChosenByController));
  };
  const std::string& kind = workload.kind.kind;
  if (kind == "Deployment" || kind == "ReplicaSet") add("pod-template-hash");
  if (kind == "Rollout") add("rollouts-pod-template-hash");
  if (kind == "StatefulSet" || kind == "DaemonSet") add("controller-revision-hash");
  if (kind == "DaemonSet") add("pod-template-generation");
  if (kind == "StatefulSet") {
    add("statefulset.kubernetes.io/pod-name");
    add("apps.kubernetes.io/pod-index");
  }
  objects::normalize(labels);
  return labels;
}

std::vector<ContainerView> classify(const objects::Workload& workload, const Surroundings& surroundings) {
  const objects::PodSpec& spec = workload.pod_template.spec;
  const objects::StringMap labels = pod_labels(workload);

  std::vector<const objects::Service*> traffic;
  if (surroundings.services != nullptr) {
    for (const objects::Service* service : *surroundings.services) {
      if (same_namespace(service->meta, workload.meta) && carries_traffic(*service) &&
          objects::matches_all(service->selector, labels)) {
        traffic.push_back(service);
      }
    }
  }
  const bool single = spec.containers.size() == 1;
  const auto serves = [&](const objects::Container& container) {
    if (surroundings.services == nullptr) return single && !container.ports.empty();
    if (single) return !traffic.empty();
    return std::any_of(traffic.begin(), traffic.end(), [&](const objects::Service* service) {
      return std::any_of(service->ports.begin(), service->ports.end(),
                         [&](const objects::ServicePort& port) { return owns(container, port); });
    });
  };

  std::vector<ContainerView> views;
  views.reserve(spec.containers.size() + spec.init_containers.size());
  for (std::size_t i = 0; i < spec.containers.size(); ++i) {
    const objects::Container& container = spec.containers[i];
    const bool serving = serves(container);
    views.push_back({&container, serving ? Role::kServing : Role::kMain,
                     "spec.template.spec.containers[" + std::to_string(i) + "]", serving || (single && traffic.empty()),
                     serving && surroundings.services == nullptr});
  }
  for (std::size_t i = 0; i < spec.init_containers.size(); ++i) {
    const objects::Container& container = spec.init_containers[i];
    if (!is_native_sidecar(container)) continue;
    views.push_back(
        {&container, Role::kSidecar, "spec.template.spec.initContainers[" + std::to_string(i) + "]", false, false});
  }
  return views;
}

}  // namespace shutdown_auditor::audit
