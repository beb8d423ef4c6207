#include "audit/roles.h"

#include <algorithm>
#include <array>
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

std::vector<const objects::Service*> traffic_services(const objects::Workload& workload, const Surroundings& surroundings) {
  std::vector<const objects::Service*> traffic;
  if (surroundings.services == nullptr || surroundings.services->empty()) return traffic;
  // What controllers add has values that no selector names, so the template's own labels decide.
  const objects::StringMap& labels = workload.pod_template.meta.labels;
  for (const objects::Service* service : *surroundings.services) {
    if (same_namespace(service->meta, workload.meta) && carries_traffic(*service) &&
        objects::matches_all(service->selector, labels)) {
      traffic.push_back(service);
    }
  }
  return traffic;
}

struct Known {
  std::string_view name;
  SidecarKind kind;
};

// Last part of the image, and what it is for. From the projects' own image names.
constexpr std::array<Known, 24> kSidecarImages{{
    {"cloud-sql-proxy", SidecarKind::kTraffic},
    {"gce-proxy", SidecarKind::kTraffic},
    {"consul-dataplane", SidecarKind::kTraffic},
    {"daprd", SidecarKind::kTraffic},
    {"pgbouncer", SidecarKind::kTraffic},
    {"proxyv2", SidecarKind::kTraffic},
    {"configmap-reload", SidecarKind::kHelper},
    {"filebeat", SidecarKind::kHelper},
    {"fluent-bit", SidecarKind::kHelper},
    {"fluentd", SidecarKind::kHelper},
    {"git-sync", SidecarKind::kHelper},
    {"grafana-agent", SidecarKind::kHelper},
    {"jaeger-agent", SidecarKind::kHelper},
    {"k8s-sidecar", SidecarKind::kHelper},
    {"kube-rbac-proxy", SidecarKind::kHelper},
    {"metricbeat", SidecarKind::kHelper},
    {"opentelemetry-collector", SidecarKind::kHelper},
    {"opentelemetry-collector-contrib", SidecarKind::kHelper},
    {"prometheus-config-reloader", SidecarKind::kHelper},
    {"promtail", SidecarKind::kHelper},
    {"statsd-exporter", SidecarKind::kHelper},
    {"telegraf", SidecarKind::kHelper},
    {"vault-agent", SidecarKind::kHelper},
    {"vault-k8s", SidecarKind::kHelper},
}};

// Names that mesh injectors give the container they add.
constexpr std::array<Known, 5> kSidecarNames{{{"istio-proxy", SidecarKind::kTraffic},
                                              {"linkerd-proxy", SidecarKind::kTraffic},
                                              {"consul-dataplane", SidecarKind::kTraffic},
                                              {"daprd", SidecarKind::kTraffic},
                                              {"vault-agent", SidecarKind::kHelper}}};

template <std::size_t n>
SidecarKind find_known(const std::array<Known, n>& list, std::string_view name) {
  const auto found = std::find_if(list.begin(), list.end(), [&](const Known& each) { return each.name == name; });
  return found == list.end() ? SidecarKind::kNone : found->kind;
}

// "registry.local:5000/team/app:1.2@sha256:…" -> "app".
std::string_view image_name(std::string_view image) {
  image = image.substr(0, image.find('@'));
  const std::size_t slash = image.rfind('/');
  if (slash != std::string_view::npos) image.remove_prefix(slash + 1);
  return image.substr(0, image.find(':'));
}

}  // namespace

SidecarKind known_sidecar(const objects::Container& container) {
  const SidecarKind by_name = find_known(kSidecarNames, container.name);
  if (by_name != SidecarKind::kNone) return by_name;
  const std::string_view image = image_name(container.image);
  // "node-exporter", "postgres_exporter"; a program called just "exporter" may be anything.
  if (image.size() > 9 && (image.ends_with("-exporter") || image.ends_with("_exporter"))) return SidecarKind::kHelper;
  return find_known(kSidecarImages, image);
}

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

std::string pod_spec_path(const objects::Workload& workload) {
  return workload.kind.kind == "Pod" ? "spec" : "spec.template.spec";
}

std::vector<ContainerView> stopping_containers(const objects::Workload& workload) {
  const objects::PodSpec& spec = workload.pod_template.spec;
  const std::string path = pod_spec_path(workload);
  std::vector<ContainerView> views;
  views.reserve(spec.containers.size() + spec.init_containers.size());
  const auto add = [&](const objects::Container& container, std::string_view list, std::size_t index, bool native) {
    ContainerView& view = views.emplace_back();
    view.container = &container;
    view.path = path;
    view.path.append(list).append(std::to_string(index)).append("]");
    view.native = native;
  };
  for (std::size_t i = 0; i < spec.containers.size(); ++i) add(spec.containers[i], ".containers[", i, false);
  for (std::size_t i = 0; i < spec.init_containers.size(); ++i) {
    if (is_native_sidecar(spec.init_containers[i])) add(spec.init_containers[i], ".initContainers[", i, true);
  }
  return views;
}

void assign_roles(const objects::Workload& workload, const Surroundings& surroundings, std::vector<ContainerView>& views) {
  const std::vector<const objects::Service*> traffic = traffic_services(workload, surroundings);
  const auto serves = [&](const ContainerView& view) {
    return std::any_of(traffic.begin(), traffic.end(), [&](const objects::Service* service) {
      return std::any_of(service->ports.begin(), service->ports.end(), [&](const objects::ServicePort& port) {
        return owns(*view.container, port) && !(view.sidecar == SidecarKind::kHelper && named_like_metrics(port));
      });
    });
  };
  for (ContainerView& view : views) {
    view.sidecar = view.application.sidecar;
    if (view.sidecar == SidecarKind::kNone) view.sidecar = known_sidecar(*view.container);
    view.role = view.native ? Role::kSidecar : serves(view) ? Role::kServing : Role::kMain;
  }
  const auto recognised = [](const ContainerView& view) {
    return view.role == Role::kMain && view.sidecar != SidecarKind::kNone;
  };
  const auto is_application = [&](const ContainerView& view) { return view.role != Role::kSidecar && !recognised(view); };
  const auto applications = std::count_if(views.begin(), views.end(), is_application);
  // A log shipper that runs for its own sake is no sidecar.
  if (applications > 0) {
    for (ContainerView& view : views) {
      if (recognised(view)) view.role = Role::kSidecar;
    }
  }
  const auto mains =
      std::count_if(views.begin(), views.end(), [](const ContainerView& view) { return view.role != Role::kSidecar; });
  for (ContainerView& view : views) {
    if (view.role == Role::kSidecar) continue;
    const bool behind = surroundings.services == nullptr ? !view.container->ports.empty() : !traffic.empty();
    if (mains == 1 && behind) view.role = Role::kServing;
    view.role_assumed = view.role == Role::kServing && surroundings.services == nullptr;
    view.takes_defaults = view.role == Role::kServing || (mains == 1 && traffic.empty());
  }
}

}  // namespace shutdown_auditor::audit
