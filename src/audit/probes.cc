#include "audit/probes.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "audit/command.h"
#include "audit/seconds.h"
#include "base/text.h"

namespace shutdown_auditor::audit {
namespace {

// Zero and absent mean the default; the API server refuses negative numbers.
std::int64_t or_default(const std::optional<std::int64_t>& value, std::int64_t fallback) {
  return value && *value > 0 ? *value : fallback;
}

// From the first failure on, probes answered at once: failureThreshold periods.
std::int64_t seconds_to_fail(const objects::Probe& probe) {
  return saturating_multiply(or_default(probe.failure_threshold, 3), or_default(probe.period_seconds, 10));
}

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

bool always_succeeds(const objects::Probe& probe) {
  if (!probe.handler.exec) return false;
  const CommandReading command = read_command(probe.handler.exec->command);
  return command.outcome == CommandReading::Outcome::kTimed && !command.can_fail && command.max_ms == 0;
}

using NamedProbe = std::pair<std::string_view, const std::optional<objects::Probe>*>;

std::array<NamedProbe, 3> probes_of(const objects::Container& container) {
  return {NamedProbe{"readinessProbe", &container.readiness_probe}, NamedProbe{"livenessProbe", &container.liveness_probe},
          NamedProbe{"startupProbe", &container.startup_probe}};
}

void check_missing(const ContainerView& view, Collector& out) {
  out.applies(Check::kReadinessProbeMissing);
  out.applies(Check::kLivenessProbeMissing);
  if (!view.container->readiness_probe) {
    out.report(Check::kReadinessProbeMissing, CheckResult::kWarn, "ReadinessProbeMissing",
               "No readiness probe: a Service sends requests here as soon as the container runs, and a rollout stops the old "
               "pods at the same moment.",
               "Add a readinessProbe that asks the application whether it can serve.", view.path, view.container->name);
  }
  if (!view.container->liveness_probe) {
    out.report(Check::kLivenessProbeMissing, CheckResult::kWarn, "LivenessProbeMissing",
               "No liveness probe: a process that hangs is never restarted.",
               "Add a livenessProbe on something cheap, slower to fail than the readiness probe.", view.path,
               view.container->name);
  }
}

void check_identical(const ContainerView& view, Collector& out) {
  const objects::Container& container = *view.container;
  if (!container.readiness_probe || !container.liveness_probe) return;
  out.applies(Check::kProbesIdentical);
  if (!same_handler(container.readiness_probe->handler, container.liveness_probe->handler, container)) return;
  const std::int64_t readiness = seconds_to_fail(*container.readiness_probe);
  const std::int64_t liveness = seconds_to_fail(*container.liveness_probe);
  if (liveness > readiness) return;
  out.report(Check::kProbesIdentical, CheckResult::kWarn, "ProbesIdentical",
             fmt::format("Liveness and readiness ask the same and liveness gives up after {} s, readiness after {} s: an "
                         "overloaded container is restarted instead of relieved.", liveness, readiness),
             fmt::format("Make liveness slower, for example failureThreshold {} with its periodSeconds {}, or give it a "
                         "cheaper handler.",
                         saturating_add(readiness / or_default(container.liveness_probe->period_seconds, 10), 1),
                         or_default(container.liveness_probe->period_seconds, 10)),
             view.path + ".livenessProbe", container.name);
}

void check_always_succeeds(const ContainerView& view, Collector& out) {
  std::vector<std::string> names;
  for (const auto& [name, probe] : probes_of(*view.container)) {
    if (!*probe) continue;
    out.applies(Check::kProbeAlwaysSucceeds);
    if (always_succeeds(**probe)) names.emplace_back(name);
  }
  if (names.empty()) return;
  out.report(Check::kProbeAlwaysSucceeds, CheckResult::kWarn, "ProbeAlwaysSucceeds",
             fmt::format("The command of {} succeeds whatever the application does.", base::join(names, " and ")),
             "Ask the application: httpGet, grpc or tcpSocket on its port, or a command that can fail.",
             view.path + "." + names.front(), view.container->name);
}

void check_grace(const ContainerView& view, const ContainerTerms& terms, const PodTerms& pod, Collector& out) {
  for (const auto& [name, probe] : probes_of(*view.container)) {
    if (!*probe || !(*probe)->termination_grace_period_seconds || name == "readinessProbe") continue;
    out.applies(Check::kProbeGrace);
    const std::int64_t grace = *(*probe)->termination_grace_period_seconds;
    const std::int64_t needed = needed_seconds(needs_ms(terms, SumLevel::kKnown, pod.budget_seconds()));
    if (needed <= grace || out.reported(Check::kProbeGrace, view.container->name)) continue;
    out.report(Check::kProbeGrace, CheckResult::kWarn, "ProbeGraceTooShort",
               fmt::format("When {} fails the container gets {} s to stop, and it is known to need {} s.", name, grace, needed),
               fmt::format("Set {}.terminationGracePeriodSeconds to at least {}, or leave it out.", name, needed),
               view.path + "." + std::string(name) + ".terminationGracePeriodSeconds", view.container->name);
  }
}

}  // namespace

void check_probes(const std::vector<ContainerView>& views, const PodTerms& terms, Collector& out) {
  for (std::size_t i = 0; i < views.size(); ++i) {
    if (views[i].role == Role::kServing) check_missing(views[i], out);
    if (views[i].role != Role::kSidecar) check_identical(views[i], out);
    check_always_succeeds(views[i], out);
    check_grace(views[i], terms.containers.at(i), terms, out);
  }
}

}  // namespace shutdown_auditor::audit
