#pragma once

#include <string>
#include <vector>

#include "audit/application.h"
#include "objects/workload.h"

namespace shutdown_auditor::audit {

// A sidecar that labels or annotations ask an admission webhook for, and that the pod template does not show.
struct InjectedSidecar {
  std::string framework;  // id in the knowledge base
  SidecarKind kind = SidecarKind::kTraffic;
  std::string by;         // in words: "annotation linkerd.io/inject=enabled"
  // How long it carries traffic after its stop signal: annotated, else the documented default.
  ApplicationTime hold;
};

// Labels of the namespace, when they can be read, count where the injector looks at them; annotations of the namespace
// are not known. Of each framework at most one entry.
std::vector<InjectedSidecar> injected_sidecars(const objects::Workload& workload,
                                               const objects::StringMap* namespace_labels);

}  // namespace shutdown_auditor::audit
