#pragma once

#include <string>

#include "audit/application.h"
#include "audit/application_facts.h"
#include "objects/workload.h"

namespace shutdown_auditor::audit {

// The signal that starts a container's stop, as the program gets it.
struct StopSignal {
  std::string name = "SIGTERM";
  bool certain = true;  // false: an image that cannot be seen into may set another one
  std::string problem;  // why lifecycle.stopSignal has no effect
};

// lifecycle.stopSignal where the API server keeps it (KEP-4960: needs spec.os.name; alpha and off up to Kubernetes 1.36,
// where the server drops it silently), else STOPSIGNAL of an official image, else SIGTERM; then what dumb-init replaces.
StopSignal stop_signal(const objects::PodSpec& spec, const objects::Container& container, const ApplicationFacts& facts,
                       const Framework* framework, int kubernetes_minor);

// Fills signal_handling, signal_reason, signal_remedy, graceful_signal and known_server.
void judge_signal(const FrameworkMatch& match, const ApplicationFacts& facts, const StopSignal& signal,
                  ApplicationReading& reading);

}  // namespace shutdown_auditor::audit
