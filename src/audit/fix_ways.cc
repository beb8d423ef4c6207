#include "audit/fix_ways.h"

#include <fmt/format.h>

#include <algorithm>

#include "audit/seconds.h"
#include "base/text.h"

namespace shutdown_auditor::audit {
namespace {

constexpr int kStopSignalMinor = 37;  // ContainerStopSignals is on by default (KEP-4960)

template <class Workload>
auto* only_container(Workload& workload, const std::string& name) {
  decltype(workload.pod_template.spec.containers.data()) found = nullptr;
  bool twice = false;
  for (auto* list : {&workload.pod_template.spec.containers, &workload.pod_template.spec.init_containers}) {
    for (auto& each : *list) {
      if (each.name != name) continue;
      twice = twice || found != nullptr;
      found = &each;
    }
  }
  return twice ? nullptr : found;
}

// Why a second pod cannot be expected to run beside the old one; empty: it can.
std::string alone_because(const objects::PodSpec& spec) {
  const bool host_port = std::any_of(spec.containers.begin(), spec.containers.end(), [](const objects::Container& each) {
    return std::any_of(each.ports.begin(), each.ports.end(),
                       [](const objects::ContainerPort& port) { return port.host_port; });
  });
  if (host_port) return "the pod binds a port of its node, so a new pod may not fit beside the old one (maxSurge 1)";
  if (spec.host_network) return "the pod is in its node's network, so a new pod may not fit beside the old one (maxSurge 1)";
  if (spec.mounts_persistent_volume_claim) {
    return "the pod mounts a volume that two pods may not be able to share, so a new one beside the old one (maxSurge 1) "
           "may never start";
  }
  return {};
}

Ways by_strategy(const Finding& finding, const objects::Workload& workload) {
  Ways found;
  Way way{workload, {}};
  if (workload.kind.kind == "DaemonSet") {
    found.none = "maxSurge is set too, and the two go together";
    if (workload.max_surge) return found;
    way.after.max_unavailable = objects::IntOrString{false, 1, {}};
    way.reasons.push_back({{}, "strategy", "rollout-unsafe: one node at a time"});
  } else if (finding.reason == "RecreateStrategy") {
    found.none = "whether two versions may run side by side is not in the manifest";
    return found;
  } else {
    found.none = alone_because(workload.pod_template.spec);
    if (!found.none.empty()) return found;
    found.none = "other parts of the strategy would have to change with it";
    way.after.max_unavailable = objects::IntOrString{false, 0, {}};
    way.after.max_surge = objects::IntOrString{false, 1, {}};
    way.reasons.push_back({{}, "strategy", "rollout-unsafe: a new pod is ready before an old one stops"});
  }
  found.ways.push_back(std::move(way));
  return found;
}

Ways by_stop_signal(const Finding& finding, const objects::Workload& workload, const AuditOptions& options) {
  Ways found;
  const objects::Container* container = container_named(workload, finding.container);
  if (container == nullptr) return found;
  const ApplicationReading application = read_application(workload, *container, options.kubernetes_minor);
  if (application.graceful_signal.empty()) {
    found.none = "no signal is known that lets the program finish";
    return found;
  }
  found.none = fmt::format("the program wants {}: the image's STOPSIGNAL is not part of a manifest, and "
                           "lifecycle.stopSignal needs Kubernetes 1.{}", application.graceful_signal, kStopSignalMinor);
  if (options.kubernetes_minor < kStopSignalMinor) return found;
  Way way{workload, {}};
  container_named(way.after, finding.container)->stop_signal = application.graceful_signal;
  way.reasons.push_back({finding.container, "stopSignal",
                         fmt::format("{}: {} lets the program finish what is under way", id_of(finding.check),
                                     application.graceful_signal)});
  if (workload.pod_template.spec.os_name.empty()) {
    way.after.pod_template.spec.os_name = "linux";
    way.reasons.push_back({{}, "os", "the API server takes lifecycle.stopSignal only where os.name is written"});
  }
  found.ways.push_back(std::move(way));
  return found;
}

Ways by_application(const Finding& finding, const objects::Workload& workload) {
  if (!finding.wanted) {
    return {{}, finding.check == Check::kDrainUnbounded ? "nobody says how long a request may take"
                                                        : "how the value was meant is not known"};
  }
  return ways_by_setting(finding, workload, TimeRule::Kind::kDrain, *finding.wanted);
}

bool is_about_container(Check check) {
  switch (check) {
    case Check::kRolloutUnsafe:
    case Check::kAnnotationInvalid:
    case Check::kExemptionExpired:
    case Check::kSingleReplica:
    case Check::kSidecarInjected:
    case Check::kAuditError: return false;
    default: return true;
  }
}

void append(Ways& ways, Ways more) {
  std::move(more.ways.begin(), more.ways.end(), std::back_inserter(ways.ways));
  if (ways.none.empty()) ways.none = std::move(more.none);
}

}  // namespace

objects::Container* container_named(objects::Workload& workload, const std::string& name) {
  return only_container(workload, name);
}
const objects::Container* container_named(const objects::Workload& workload, const std::string& name) {
  return only_container(workload, name);
}

Ways ways_to_fix(const Finding& finding, const objects::Workload& workload, const FixContext& context) {
  if (is_about_container(finding.check)) {
    if (workload.kind.kind == "Rollout") {
      return {{}, "a Rollout is a custom resource: a patch of one container would replace the whole list of them"};
    }
    if (finding.container.empty() || container_named(workload, finding.container) == nullptr) {
      return {{}, "a patch finds a container by its name, and no other may have the same"};
    }
  }
  switch (finding.check) {
    case Check::kPreStopMissing:
    case Check::kPreStopShort: {
      Ways found = ways_by_hook(finding, workload, context);
      append(found, ways_by_setting(finding, workload, TimeRule::Kind::kDelay, finding.wanted.value_or(0)));
      return found;
    }
    case Check::kPreStopBroken: return ways_by_hook(finding, workload, context);
    case Check::kSidecarStopsFirst: {
      Ways found = ways_by_hook(finding, workload, context);
      if (finding.wanted) append(found, ways_by_setting(finding, workload, TimeRule::Kind::kDrain, *finding.wanted));
      return found;
    }
    case Check::kReadinessProbeMissing:
    case Check::kLivenessProbeMissing:
    case Check::kProbesIdentical:
    case Check::kProbeAlwaysSucceeds:
    case Check::kProbeGrace: return ways_by_probe(finding, workload, context);
    case Check::kSignalNotDelivered: return ways_by_command(finding, workload);
    case Check::kSignalNotGraceful: return by_stop_signal(finding, workload, context.options);
    case Check::kDrainTooShort:
    case Check::kDrainUnbounded: return by_application(finding, workload);
    case Check::kRolloutUnsafe: return by_strategy(finding, workload);
    case Check::kPreStopUnknown: return {{}, "how long the hook takes is not in the manifest: measure it and declare it"};
    case Check::kAnnotationInvalid: return {{}, "what the annotation should say is not known"};
    default: return {{}, "nothing to compute: the page of the check says what to do"};
  }
}

}  // namespace shutdown_auditor::audit
