#include "kube/resource.h"

namespace shutdown_auditor::kube {

std::string percent_encode(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const bool alphanumeric = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (alphanumeric || c == '-' || c == '.' || c == '_' || c == '~') {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += kHex[byte >> 4U];
      out += kHex[byte & 15U];
    }
  }
  return out;
}

std::string path_of(const Resource& resource, std::string_view name_space, std::string_view name,
                    std::string_view subresource) {
  std::string path = resource.group.empty() ? "/api/" : "/apis/" + percent_encode(resource.group) + "/";
  path += percent_encode(resource.version);
  if (resource.namespaced && !name_space.empty()) {
    path += "/namespaces/" + percent_encode(name_space);
  }
  path += "/" + percent_encode(resource.plural);
  if (!name.empty()) {
    path += "/" + percent_encode(name);
  }
  if (!subresource.empty()) {
    path += "/" + percent_encode(subresource);
  }
  return path;
}

namespace resources {
const Resource kDeployments{"apps", "v1", "deployments", "Deployment", true};
const Resource kStatefulSets{"apps", "v1", "statefulsets", "StatefulSet", true};
const Resource kDaemonSets{"apps", "v1", "daemonsets", "DaemonSet", true};
const Resource kPodDisruptionBudgets{"policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget", true};
const Resource kServices{"", "v1", "services", "Service", true};
const Resource kHorizontalPodAutoscalers{"autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler",
                                         true};
const Resource kScaledObjects{"keda.sh", "v1alpha1", "scaledobjects", "ScaledObject", true};
const Resource kJobs{"batch", "v1", "jobs", "Job", true};
const Resource kCronJobs{"batch", "v1", "cronjobs", "CronJob", true};
const Resource kNamespaces{"", "v1", "namespaces", "Namespace", false};
const Resource kRollouts{"argoproj.io", "v1alpha1", "rollouts", "Rollout", true};
const Resource kLeases{"coordination.k8s.io", "v1", "leases", "Lease", true};
const Resource kEvents{"events.k8s.io", "v1", "events", "Event", true};
}  // namespace resources

}  // namespace shutdown_auditor::kube
