#include "audit/application.h"

#include <algorithm>
#include <array>

#include "audit/application_signal.h"
#include "audit/application_times.h"
#include "audit/seconds.h"

namespace shutdown_auditor::audit {
namespace {

constexpr std::array<std::string_view, 6> kHandlings{"Graceful", "Fast", "Ignored", "Reload", "NotDelivered", "Unknown"};

// How long a traffic sidecar carries traffic after its stop signal.
ApplicationTime hold_of(const ApplicationReading& reading) {
  ApplicationTime hold;
  if (reading.sidecar != SidecarKind::kTraffic || reading.signal_handling == SignalHandling::kUnknown) return hold;
  if (reading.signal_handling != SignalHandling::kGraceful) {
    hold.ms = 0;
    hold.source = TimeSource::kFrameworkDefault;
    hold.where = "default of " + reading.framework;
    return hold;
  }
  hold = reading.drain;
  if (hold.ms && reading.delay.ms) hold.ms = saturating_add(*hold.ms, *reading.delay.ms);
  return hold;
}

}  // namespace

std::string_view to_string(SignalHandling handling) { return kHandlings.at(static_cast<std::size_t>(handling)); }

ApplicationReading read_application(const objects::Workload& workload, const objects::Container& container,
                                    int kubernetes_minor) {
  const objects::PodSpec& spec = workload.pod_template.spec;
  ApplicationReading reading;
  Environment environment(container);
  const Program program = read_program(container, spec.share_process_namespace, environment);
  const FrameworkMatch match = match_framework(program, environment, container);
  const ApplicationFacts facts{program, environment, workload.pod_template.meta.annotations, parse_image(container.image)};
  const StopSignal signal = stop_signal(spec, container, facts, match.framework, kubernetes_minor);
  if (!signal.problem.empty()) reading.problems.push_back(signal.problem);
  reading.stop_signal = signal.name.empty() ? "SIGTERM" : signal.name;
  if (match.framework != nullptr) {
    reading.framework = match.framework->id;
    reading.matched_by = match.by;
    reading.sidecar = match.framework->sidecar;
  }
  judge_signal(match, facts, signal, reading);
  if (match.framework != nullptr && !match.framework->generic) {
    read_times(*match.framework, facts, reading.stop_signal, reading);
    reading.hold = hold_of(reading);
  }
  return reading;
}

}  // namespace shutdown_auditor::audit
