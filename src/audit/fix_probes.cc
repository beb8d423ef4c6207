#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "audit/fix_ways.h"
#include "audit/probe_times.h"
#include "audit/probes.h"
#include "audit/roles.h"
#include "base/text.h"

namespace shutdown_auditor::audit {
namespace {

constexpr std::int64_t kMaxThreshold = 2147483647;  // an int32
// A Deployment counts its rollout as failed after this long (progressDeadlineSeconds by default).
constexpr std::int64_t kProgressDeadlineSeconds = 600;

bool is_tcp(std::string_view protocol) { return protocol.empty() || protocol == "TCP"; }

// As its name where the container gives it one.
objects::IntOrString named(const objects::ContainerPort& port) {
  if (!port.name.empty()) return {true, 0, port.name};
  return {false, port.container_port, {}};
}

std::optional<objects::IntOrString> port_of(const std::optional<objects::Probe>& probe) {
  if (!probe || probe_problem(ProbeKind::kReadiness, *probe).starts_with("port")) return std::nullopt;
  const objects::Handler& handler = probe->handler;
  if (handler.http_get && handler.http_get->host.empty()) return handler.http_get->port;
  if (handler.tcp_socket && handler.tcp_socket->host.empty()) return handler.tcp_socket->port;
  if (handler.grpc) return objects::IntOrString{false, handler.grpc->port, {}};
  return std::nullopt;
}

bool usable(const objects::IntOrString& port, const objects::Container& container) {
  if (!port.is_string) return port.number >= 1 && port.number <= 65535;
  return std::any_of(container.ports.begin(), container.ports.end(),
                     [&](const objects::ContainerPort& own) { return own.name == port.text && is_tcp(own.protocol); });
}

// The container's port behind a Service that selects the pods.
std::optional<objects::IntOrString> service_port(const objects::Workload& workload, const objects::Container& container,
                                                 const Surroundings& around) {
  if (around.services == nullptr) return std::nullopt;
  for (const objects::Service* service : *around.services) {
    if (!same_namespace(service->meta, workload.meta) ||
        !objects::matches_all(service->selector, workload.pod_template.meta.labels)) {
      continue;
    }
    for (const objects::ServicePort& port : service->ports) {
      const objects::IntOrString target = port.target_port.value_or(objects::IntOrString{false, port.port, {}});
      for (const objects::ContainerPort& own : container.ports) {
        const bool same = target.is_string ? own.name == target.text : own.container_port == target.number;
        if (same && is_tcp(own.protocol) && is_tcp(port.protocol)) return named(own);
      }
    }
  }
  return std::nullopt;
}

// A TCP port that the container is known to listen on, with where it is written. A probe knows it best.
struct KnownPort {
  objects::IntOrString port;
  std::string from;
};
std::optional<KnownPort> known_port(const objects::Workload& workload, const objects::Container& container,
                                    const Surroundings& around) {
  for (const auto& [name, probe] : {std::pair{"readinessProbe", &container.readiness_probe},
                                    std::pair{"livenessProbe", &container.liveness_probe},
                                    std::pair{"startupProbe", &container.startup_probe}}) {
    const auto port = port_of(*probe);
    if (port && usable(*port, container)) return KnownPort{*port, name};
  }
  if (const auto port = service_port(workload, container, around)) return KnownPort{*port, "Service"};
  const auto tcp = [](const objects::ContainerPort& each) { return is_tcp(each.protocol); };
  if (std::count_if(container.ports.begin(), container.ports.end(), tcp) != 1) return std::nullopt;
  return KnownPort{named(*std::find_if(container.ports.begin(), container.ports.end(), tcp)), "only port"};
}

objects::Handler tcp_socket(const objects::IntOrString& port) {
  objects::Handler handler;
  handler.tcp_socket = objects::TcpSocketAction{{}, port};
  return handler;
}

// The least failures after which liveness gives up later than readiness, however the application fails.
std::int64_t slower_threshold(const objects::Probe& liveness, const objects::Probe& readiness) {
  const ProbeNumbers slow = numbers_of(liveness);
  const std::int64_t window =
      std::max(window_of_timeouts(numbers_of(readiness)).max, window_of_errors(numbers_of(readiness)).max);
  return std::clamp<std::int64_t>(window / slow.period + 1, slow.failure_threshold, kMaxThreshold);
}

const std::string kNoPort = "no TCP port of the container is known to serve: no probe, Service or single port names one";

Ways missing_readiness(const objects::Workload& workload, const objects::Container& container, const FixContext& context) {
  Ways found;
  found.none = kNoPort;
  const auto& liveness = container.liveness_probe;
  if (liveness && probe_problem(ProbeKind::kLiveness, *liveness).empty() && !always_succeeds(*liveness, container)) {
    objects::Probe probe;
    probe.handler = liveness->handler;
    const ProbeNumbers numbers = numbers_of(*liveness);
    probe.period_seconds = std::max<std::int64_t>(1, numbers.period / 2);
    if (numbers.timeout != 1) probe.timeout_seconds = numbers.timeout;
    Way way{workload, {}};
    container_named(way.after, container.name)->readiness_probe = probe;
    way.reasons.push_back({container.name, "readinessProbe",
                           "readiness-probe-missing: asks what livenessProbe asks, and gives up first"});
    found.ways.push_back(way);
    container_named(way.after, container.name)->liveness_probe->failure_threshold = slower_threshold(*liveness, probe);
    way.reasons.push_back({container.name, "livenessProbe", "slower than readinessProbe, which asks the same"});
    found.ways.push_back(std::move(way));
  }
  if (const auto port = known_port(workload, container, context.surroundings)) {
    Way way{workload, {}};
    container_named(way.after, container.name)->readiness_probe.emplace().handler = tcp_socket(port->port);
    way.reasons.push_back({container.name, "readinessProbe",
                           fmt::format("readiness-probe-missing: the port of the {} accepts connections; a path that tells "
                                       "readiness would say more", port->from)});
    found.ways.push_back(std::move(way));
  }
  return found;
}

Ways missing_liveness(const objects::Workload& workload, const objects::Container& container, const FixContext& context) {
  Ways found;
  found.none = kNoPort;
  const auto port = known_port(workload, container, context.surroundings);
  if (!port) return found;
  Way way{workload, {}};
  objects::Container& changed = *container_named(way.after, container.name);
  objects::Probe probe;
  probe.handler = tcp_socket(port->port);
  if (container.readiness_probe) probe.failure_threshold = slower_threshold(probe, *container.readiness_probe);
  changed.liveness_probe = probe;
  way.reasons.push_back({container.name, "livenessProbe",
                         fmt::format("liveness-probe-missing: a cheap question to the port of the {}, slower to give up "
                                     "than readinessProbe", port->from)});
  if (!container.startup_probe) {
    objects::Probe startup;
    startup.handler = probe.handler;
    startup.failure_threshold = kProgressDeadlineSeconds / numbers_of(startup).period;
    changed.startup_probe = startup;
    way.reasons.push_back({container.name, "startupProbe",
                           fmt::format("keeps livenessProbe from restarting a slow start: {} s, when a Deployment counts "
                                       "its rollout as failed by default", kProgressDeadlineSeconds)});
  }
  found.ways.push_back(std::move(way));
  return found;
}

std::optional<objects::Probe>& field(objects::Container& container, ProbeKind kind) {
  if (kind == ProbeKind::kReadiness) return container.readiness_probe;
  return kind == ProbeKind::kLiveness ? container.liveness_probe : container.startup_probe;
}

constexpr std::array kKinds{ProbeKind::kReadiness, ProbeKind::kLiveness, ProbeKind::kStartup};

// The probe asks for a port by a name that the container does not give.
Ways unknown_port_name(const Finding& finding, const objects::Workload& workload, const objects::Container& container) {
  Ways found;
  found.none = "which of the container's ports is meant is not certain";
  if (container.ports.size() != 1 || !is_tcp(container.ports.front().protocol)) return found;
  Way way{workload, {}};
  for (const ProbeKind kind : kKinds) {
    std::optional<objects::Probe>& probe = field(*container_named(way.after, container.name), kind);
    if (!probe || unknown_port(*probe, container).empty()) continue;
    objects::IntOrString& port = probe->handler.http_get ? probe->handler.http_get->port : probe->handler.tcp_socket->port;
    port = named(container.ports.front());
    way.reasons.push_back({container.name, std::string(field_of(kind)),
                           fmt::format("{}: the container's only port", id_of(finding.check))});
  }
  found.ways.push_back(std::move(way));
  return found;
}

Ways always_succeeding(const objects::Workload& workload, const objects::Container& container, const FixContext& context) {
  Ways found;
  found.none = kNoPort;
  const auto port = known_port(workload, container, context.surroundings);
  if (!port) return found;
  Way way{workload, {}};
  objects::Container& changed = *container_named(way.after, container.name);
  for (const ProbeKind kind : kKinds) {
    std::optional<objects::Probe>& probe = field(changed, kind);
    if (!probe || !always_succeeds(*probe, container)) continue;
    probe->handler = tcp_socket(port->port);
    way.reasons.push_back({container.name, std::string(field_of(kind)),
                           fmt::format("probe-always-succeeds: asks the port of the {} instead", port->from)});
  }
  if (changed.liveness_probe && changed.readiness_probe) {
    changed.liveness_probe->failure_threshold = slower_threshold(*changed.liveness_probe, *changed.readiness_probe);
  }
  found.ways.push_back(std::move(way));
  return found;
}

Ways probe_numbers(const Finding& finding, const objects::Workload& workload) {
  Ways found;
  if (!finding.wanted || *finding.wanted > kMaxThreshold) {
    found.none = "the number is larger than the API server takes";
    return found;
  }
  Way way{workload, {}};
  objects::Container& changed = *container_named(way.after, finding.container);
  if (finding.check == Check::kProbesIdentical) {
    changed.liveness_probe->failure_threshold = finding.wanted;
    way.reasons.push_back({finding.container, "livenessProbe",
                           "probes-identical: gives up later than readinessProbe, which asks the same"});
  } else {
    for (const ProbeKind kind : {ProbeKind::kLiveness, ProbeKind::kStartup}) {
      std::optional<objects::Probe>& probe = field(changed, kind);
      if (!probe || !probe->termination_grace_period_seconds ||
          *probe->termination_grace_period_seconds >= *finding.wanted) {
        continue;
      }
      probe->termination_grace_period_seconds = finding.wanted;
      way.reasons.push_back({finding.container, std::string(field_of(kind)),
                             fmt::format("probe-grace: the container is known to need {} s", *finding.wanted)});
    }
  }
  found.ways.push_back(std::move(way));
  return found;
}

}  // namespace

Ways ways_by_probe(const Finding& finding, const objects::Workload& workload, const FixContext& context) {
  const objects::Container& container = *container_named(workload, finding.container);
  if (finding.reason.ends_with("PortUnknown")) return unknown_port_name(finding, workload, container);
  if (finding.reason.ends_with("Refused")) return {{}, "what the probe was meant to ask is not certain"};
  switch (finding.check) {
    case Check::kReadinessProbeMissing: return missing_readiness(workload, container, context);
    case Check::kLivenessProbeMissing: return missing_liveness(workload, container, context);
    case Check::kProbeAlwaysSucceeds: return always_succeeding(workload, container, context);
    default: return probe_numbers(finding, workload);
  }
}

}  // namespace shutdown_auditor::audit
