#pragma once

#include <string>
#include <vector>

#include "audit/application.h"
#include "audit/audit.h"
#include "objects/workload.h"

namespace shutdown_auditor::audit {

// A container that runs while the pod stops, and what it is for.
struct ContainerView {
  const objects::Container* container = nullptr;  // borrowed from the workload
  Role role = Role::kMain;
  std::string path;  // field path of the container
  // Times nobody declared are taken from the policy and the built-in numbers.
  bool takes_defaults = false;
  bool role_assumed = false;  // Services cannot be read
  bool native = false;        // a native sidecar: an init container with restartPolicy Always (KEP-753)
  SidecarKind sidecar = SidecarKind::kNone;  // what it was recognised as, whatever its role
  ApplicationReading application;            // the program in it
};

// The main containers in order, then the native sidecars in order, each with its path and nothing else known.
std::vector<ContainerView> stopping_containers(const objects::Workload& workload);

// Gives each view its role from its `application` and the Services around. Serving: a main container that owns a
// targetPort of a Service that selects the pods and carries traffic, by name or number, or is the only main container
// behind such a Service. Sidecar: a native sidecar, or a main container recognised as one (application.sidecar or
// known_sidecar()) beside another that is not, and that serves nothing itself. A helper that owns only a port named like
// metrics serves nothing. Without readable Services a single main container with a containerPort serves.
void assign_roles(const objects::Workload& workload, const Surroundings& surroundings, std::vector<ContainerView>& views);

// Programs that run beside an application and are named by their image's last part (registry and tag left off), or by a
// container name that an injector reserves: what the knowledge base of applications does not hold. Never guesses from a
// word inside a name, except for the ending "exporter".
SidecarKind known_sidecar(const objects::Container& container);

// False when both name a namespace and it is not the same one; files may leave it out.
bool same_namespace(const objects::ObjectMeta& a, const objects::ObjectMeta& b);

// The labels the pods will carry: the template's and those the controllers of this kind add. Where a controller chooses
// the value, it is one that no selector names.
objects::StringMap pod_labels(const objects::Workload& workload);

// Where the pod spec of this workload is written: "spec.template.spec", of a Pod without a controller "spec".
std::string pod_spec_path(const objects::Workload& workload);

}  // namespace shutdown_auditor::audit
