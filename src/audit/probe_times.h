#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "objects/pod.h"

// When a probe decides (core/v1 SetDefaults_Probe, validateProbe; pkg/kubelet/prober/worker.go).
namespace shutdown_auditor::audit {

// A probe's numbers with the API server's defaults: zero and absent mean the default. Seconds; at least 1, the delay 0.
struct ProbeNumbers {
  std::int64_t initial_delay = 0;
  std::int64_t period = 10;
  std::int64_t timeout = 1;
  std::int64_t success_threshold = 1;
  std::int64_t failure_threshold = 3;
};
ProbeNumbers numbers_of(const objects::Probe& probe);

// From the moment the application begins to fail, right after a success or just before the next one: the decision comes
// after at least `min` and less than `max` seconds. Saturating.
struct ProbeWindow {
  std::int64_t min = 0;
  std::int64_t max = 0;
};
// The application answers with an error at once.
ProbeWindow window_of_errors(const ProbeNumbers& numbers);
// The application does not answer: every probe lasts its timeout, and the next begins when its period is over or at once.
ProbeWindow window_of_timeouts(const ProbeNumbers& numbers);

enum class ProbeKind : std::uint8_t { kReadiness, kLiveness, kStartup };
std::string_view field_of(ProbeKind kind);  // "readinessProbe"

// Why the API server refuses the probe, in words; empty when it takes it.
std::string probe_problem(ProbeKind kind, const objects::Probe& probe);

// The name of a port that the probe asks for and the container does not declare: the kubelet cannot send the probe, and
// its result stays what it was at the start (not ready, alive, not started). Empty: none. A port is looked up in the
// container's own ports only (pkg/probe, ResolveContainerPort).
std::string unknown_port(const objects::Probe& probe, const objects::Container& container);

}  // namespace shutdown_auditor::audit
