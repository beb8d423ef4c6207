#include "audit/probes.h"

#include <fmt/format.h>

#include <array>

#include "audit/command.h"
#include "audit/probe_times.h"
#include "audit/seconds.h"
#include "base/text.h"

namespace shutdown_auditor::audit {
namespace {

// A port as a number where the container declares its name.
std::string resolved(const objects::IntOrString& port, const objects::Container& container) {
  if (!port.is_string) return std::to_string(port.number);
  for (const objects::ContainerPort& own : container.ports) {
    if (own.name == port.text) return std::to_string(own.container_port);
  }
  return port.text;
}

bool same_handler(const objects::Handler& a, const objects::Handler& b, const objects::Container& container) {
  if (a.http_get && b.http_get) {
    const auto scheme = [](const objects::HttpGetAction& get) { return get.scheme.empty() ? "HTTP" : get.scheme; };
    const auto path = [](const objects::HttpGetAction& get) { return get.path.empty() ? "/" : get.path; };
    return path(*a.http_get) == path(*b.http_get) && a.http_get->host == b.http_get->host &&
           scheme(*a.http_get) == scheme(*b.http_get) &&
           resolved(a.http_get->port, container) == resolved(b.http_get->port, container);
  }
  if (a.tcp_socket && b.tcp_socket) {
    return a.tcp_socket->host == b.tcp_socket->host &&
           resolved(a.tcp_socket->port, container) == resolved(b.tcp_socket->port, container);
  }
  if (a.grpc && b.grpc) return *a.grpc == *b.grpc;
  if (a.exec && b.exec) return *a.exec == *b.exec;
  return false;
}

struct KindOfProbe {
  ProbeKind kind;
  const std::optional<objects::Probe>* probe;
};

std::array<KindOfProbe, 3> probes_of(const objects::Container& container) {
  return {KindOfProbe{ProbeKind::kReadiness, &container.readiness_probe},
          KindOfProbe{ProbeKind::kLiveness, &container.liveness_probe},
          KindOfProbe{ProbeKind::kStartup, &container.startup_probe}};
}

void check_missing(const ContainerView& view, Collector& out) {
  out.applies(Check::kReadinessProbeMissing);
  out.applies(Check::kLivenessProbeMissing);
  if (!view.container->readiness_probe) {
    out.report(Check::kReadinessProbeMissing, CheckResult::kWarn, "ReadinessProbeMissing",
               "No readiness probe: a Service sends requests here as soon as the container runs, and a rollout stops the "
               "old pods at the same moment.",
               "Add a readinessProbe that asks the application whether it can serve.", view.path, view.container->name);
  }
  if (!view.container->liveness_probe) {
    out.report(Check::kLivenessProbeMissing, CheckResult::kWarn, "LivenessProbeMissing",
               "No liveness probe: a process that hangs is never restarted.",
               "Add a livenessProbe on something cheap, slower to fail than the readiness probe.", view.path,
               view.container->name);
  }
}

// Probes that are written and cannot do their work. A startup probe counts as readiness: until it has passed nothing is.
void check_usable(const ContainerView& view, Collector& out) {
  const objects::Container& container = *view.container;
  for (const auto& [kind, probe] : probes_of(container)) {
    if (!*probe) continue;
    const Check check = kind == ProbeKind::kLiveness ? Check::kLivenessProbeMissing : Check::kReadinessProbeMissing;
    if (out.reported(check, container.name)) continue;
    const std::string problem = probe_problem(kind, **probe);
    const std::string port = problem.empty() ? unknown_port(**probe, container) : std::string();
    if (problem.empty() && port.empty()) continue;
    const std::string field(field_of(kind));
    const std::string path = view.path + "." + field;
    if (!problem.empty()) {
      out.report(check, CheckResult::kWarn,
                 kind == ProbeKind::kLiveness ? "LivenessProbeRefused" : "ReadinessProbeRefused",
                 fmt::format("The API server refuses the {}: {}.", field, problem), "Correct the " + field + ".", path,
                 container.name);
    } else {
      const std::string name = base::quoted(port, 40);
      const std::string_view effect = kind == ProbeKind::kLiveness ? "a process that hangs is not restarted"
                                                                   : "the pod never becomes ready";
      out.report(check, CheckResult::kWarn,
                 kind == ProbeKind::kLiveness ? "LivenessProbePortUnknown" : "ReadinessProbePortUnknown",
                 fmt::format("The {} asks port {}, and the container declares no port of that name: it is never sent, and "
                             "{}.", field, name, effect),
                 fmt::format("Name one of the container's ports {}, or write the port's number into the {}.", name, field),
                 path, container.name);
    }
  }
}

void check_identical(const ContainerView& view, Collector& out) {
  const objects::Container& container = *view.container;
  if (!container.readiness_probe || !container.liveness_probe) return;
  out.applies(Check::kProbesIdentical);
  if (!same_handler(container.readiness_probe->handler, container.liveness_probe->handler, container)) return;
  const ProbeNumbers readiness = numbers_of(*container.readiness_probe);
  const ProbeNumbers liveness = numbers_of(*container.liveness_probe);
  // An overloaded application answers with errors, or late, or not at all.
  const bool errors = window_of_errors(liveness).max <= window_of_errors(readiness).max;
  const bool timeouts = window_of_timeouts(liveness).max <= window_of_timeouts(readiness).max;
  if (!errors && !timeouts) return;
  const auto window = errors ? &window_of_errors : &window_of_timeouts;
  // The least number of failures with which liveness is later, whichever way the application fails.
  ProbeNumbers slower = liveness;
  slower.failure_threshold = saturating_add(window_of_timeouts(readiness).max / liveness.period, 1);
  out.report(Check::kProbesIdentical, CheckResult::kWarn, "ProbesIdentical",
             fmt::format("Liveness and readiness ask the same and liveness gives up after {} s{}, readiness after {} s: an "
                         "overloaded container is restarted instead of relieved.",
                         window(liveness).max, errors ? "" : " without an answer", window(readiness).max),
             fmt::format("Make liveness slower, for example failureThreshold {} with its periodSeconds {}, or give it a "
                         "cheaper handler.", slower.failure_threshold, liveness.period),
             view.path + ".livenessProbe", container.name)
      .wanted = slower.failure_threshold;
}

void check_always_succeeds(const ContainerView& view, Collector& out) {
  std::vector<std::string> names;
  for (const auto& [kind, probe] : probes_of(*view.container)) {
    if (!*probe) continue;
    out.applies(Check::kProbeAlwaysSucceeds);
    if (always_succeeds(**probe, *view.container)) names.emplace_back(field_of(kind));
  }
  if (names.empty()) return;
  out.report(Check::kProbeAlwaysSucceeds, CheckResult::kWarn, "ProbeAlwaysSucceeds",
             fmt::format("The command of {} succeeds whatever the application does.", base::join(names, " and ")),
             "Ask the application: httpGet, grpc or tcpSocket on its port, or a command that can fail.",
             view.path + "." + names.front(), view.container->name);
}

void check_grace(const ContainerView& view, const ContainerTerms& terms, const PodTerms& pod, Collector& out) {
  for (const auto& [kind, probe] : probes_of(*view.container)) {
    if (!*probe || !(*probe)->termination_grace_period_seconds || kind == ProbeKind::kReadiness) continue;
    const std::string_view name = field_of(kind);
    out.applies(Check::kProbeGrace);
    const std::int64_t grace = *(*probe)->termination_grace_period_seconds;
    const std::int64_t needed = needed_seconds(needs_ms(terms, SumLevel::kKnown, pod.budget_seconds()));
    if (needed <= grace || out.reported(Check::kProbeGrace, view.container->name)) continue;
    out.report(Check::kProbeGrace, CheckResult::kWarn, "ProbeGraceTooShort",
               fmt::format("When {} fails the container gets {} s to stop, and it is known to need {} s.", name, grace,
                           needed),
               fmt::format("Set {}.terminationGracePeriodSeconds to at least {}, or leave it out.", name, needed),
               view.path + "." + std::string(name) + ".terminationGracePeriodSeconds", view.container->name)
        .wanted = needed;
  }
}

}  // namespace

bool always_succeeds(const objects::Probe& probe, const objects::Container& container) {
  if (!probe.handler.exec) return false;
  const CommandReading command = read_command(probe.handler.exec->command, &container);
  return command.outcome == CommandReading::Outcome::kTimed && !command.can_fail &&
         command.max_ms < to_ms(numbers_of(probe).timeout);
}

void check_probes(const std::vector<ContainerView>& views, const PodTerms& terms, Collector& out) {
  for (std::size_t i = 0; i < views.size(); ++i) {
    if (views[i].role == Role::kServing) {
      check_missing(views[i], out);
      check_usable(views[i], out);
    }
    if (views[i].role != Role::kSidecar) check_identical(views[i], out);
    check_always_succeeds(views[i], out);
    check_grace(views[i], terms.containers.at(i), terms, out);
  }
}

}  // namespace shutdown_auditor::audit
