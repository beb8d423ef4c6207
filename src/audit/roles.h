#pragma once

#include <string>
#include <vector>

#include "audit/audit.h"
#include "objects/workload.h"

namespace shutdown_auditor::audit {

// A container that runs while the pod stops, and what it is for.
struct ContainerView {
  const objects::Container* container = nullptr;  // borrowed from the workload
  Role role = Role::kMain;
  std::string path;               // field path of the container
  // Times nobody declared are taken from the policy and the built-in numbers.
  bool takes_defaults = false;
  bool role_assumed = false;  // Services cannot be read
};

// The main containers in order, then the native sidecars (init containers with restartPolicy Always, KEP-753) in order.
// Serving: owns a targetPort of a Service that selects the pods and carries traffic, by name or number, or is the only
// main container behind such a Service. Without readable Services a single main container with a containerPort serves.
std::vector<ContainerView> classify(const objects::Workload& workload, const Surroundings& surroundings);

// False when both name a namespace and it is not the same one; files may leave it out.
bool same_namespace(const objects::ObjectMeta& a, const objects::ObjectMeta& b);

// The labels the pods will carry: the template's and those the controllers of this kind add. Where a controller chooses
// the value, it is one that no selector names.
objects::StringMap pod_labels(const objects::Workload& workload);

}  // namespace shutdown_auditor::audit
