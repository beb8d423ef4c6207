#pragma once

#include <string>
#include <string_view>

namespace shutdown_auditor::kube {

// One resource type of the API, for example {"apps", "v1", "deployments", "Deployment", true}.
struct Resource {
  std::string group;  // "" for core
  std::string version;
  std::string plural;
  std::string kind;
  bool namespaced = true;

  std::string api_version() const { return group.empty() ? version : group + "/" + version; }
};

// "/apis/apps/v1/namespaces/shop/deployments/web/status", percent-encoded. An empty namespace means all (or a
// cluster-scoped resource), an empty name the collection.
std::string path_of(const Resource& resource, std::string_view name_space, std::string_view name = {},
                    std::string_view subresource = {});

// Percent-encodes everything outside RFC 3986's unreserved characters.
std::string percent_encode(std::string_view text);

// Well-known resources.
namespace resources {
extern const Resource kDeployments, kStatefulSets, kDaemonSets, kPodDisruptionBudgets, kServices,
    kHorizontalPodAutoscalers, kScaledObjects, kJobs, kCronJobs, kNamespaces, kRollouts, kLeases, kEvents;
}

}  // namespace shutdown_auditor::kube
