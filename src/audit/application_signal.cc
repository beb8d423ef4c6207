#include "audit/application_signal.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

namespace shutdown_auditor::audit {
namespace {

// ContainerStopSignals: alpha, off by default; beta and on by default.
constexpr int kStopSignalAlpha = 33;
constexpr int kStopSignalBeta = 37;

std::string fill_in(std::string_view text, std::string_view signal) {
  constexpr std::string_view kMark = "{signal}";
  const std::size_t at = text.find(kMark);
  if (at == std::string_view::npos) return std::string(text);
  return std::string(text.substr(0, at)) + std::string(signal) + std::string(text.substr(at + kMark.size()));
}

const BehaviourRule* find_rule(const Framework& framework, std::string_view signal, const ApplicationFacts& facts) {
  for (const BehaviourRule& rule : framework.behaviour) {
    if (applies(rule.signals, signal) && applies(rule.when, rule.unless, facts)) return &rule;
  }
  return nullptr;
}

const std::vector<const Framework*>& with_image_signal() {
  static const std::vector<const Framework*> kList = [] {
    std::vector<const Framework*> list;
    for (const Framework& each : frameworks()) {
      if (!each.image_signal.empty()) list.push_back(&each);
    }
    return list;
  }();
  return kList;
}

void set(ApplicationReading& reading, SignalHandling handling, std::string reason, std::string remedy) {
  reading.signal_handling = handling;
  reading.signal_reason = std::move(reason);
  reading.signal_remedy = std::move(remedy);
}

void judge_rule(const BehaviourRule& rule, const FrameworkMatch& match, const ApplicationFacts& facts,
                const StopSignal& signal, ApplicationReading& reading) {
  SignalHandling handling = rule.handling;
  std::string reason = fill_in(rule.reason, signal.name);
  if (handling == SignalHandling::kIgnored) {
    if (facts.program.process_one) {
      reason += ", so as process 1 it goes on until it is killed";
    } else {
      handling = SignalHandling::kFast;
      reason += ", and as it is not process 1 the signal ends it at once";
    }
  }
  const bool bad = handling != SignalHandling::kGraceful && handling != SignalHandling::kUnknown;
  if (bad && !signal.certain) {
    reason += fmt::format("; whether the image sets STOPSIGNAL {} cannot be seen", match.framework->image_signal);
  }
  set(reading, handling, std::move(reason), std::string(rule.remedy));
  reading.known_server = bad && rule.certain && signal.certain &&
                         (match.by == MatchedBy::kExecutable || match.by == MatchedBy::kModule);
}

}  // namespace

StopSignal stop_signal(const objects::PodSpec& spec, const objects::Container& container, const ApplicationFacts& facts,
                       const Framework* framework, int kubernetes_minor) {
  StopSignal signal;
  bool set_here = false;
  if (!container.stop_signal.empty()) {
    if (kubernetes_minor < kStopSignalAlpha) {
      signal.problem = fmt::format("lifecycle.stopSignal {} has no effect: Kubernetes 1.{} does not know it.",
                                   container.stop_signal.substr(0, 16), kubernetes_minor);
    } else if (kubernetes_minor < kStopSignalBeta) {
      signal.problem = fmt::format("lifecycle.stopSignal {} has no effect on Kubernetes 1.{} unless the feature gate "
                                   "ContainerStopSignals is on.", container.stop_signal.substr(0, 16), kubernetes_minor);
    } else if (spec.os_name.empty()) {
      signal.problem = "lifecycle.stopSignal needs spec.os.name; the API server refuses the pod without it.";
    } else {
      const std::string_view known = signal_name(container.stop_signal);
      signal.name = known.empty() ? container.stop_signal.substr(0, 16) : std::string(known);
      set_here = true;
    }
  }
  if (!set_here) {
    for (const Framework* each : with_image_signal()) {
      if (is_image(each->image_signal_images, facts.image)) {
        signal.name = each->image_signal;
        set_here = true;
        break;
      }
    }
  }
  for (const auto& [from, to] : facts.program.rewrites) {
    if (!from.empty() && from == signal.name) {
      signal.name = to;
      set_here = true;
      break;
    }
  }
  signal.certain = set_here || framework == nullptr || framework->image_signal.empty();
  return signal;
}

void judge_signal(const FrameworkMatch& match, const ApplicationFacts& facts, const StopSignal& signal,
                  ApplicationReading& reading) {
  const Program& program = facts.program;
  if (match.framework != nullptr) reading.graceful_signal = match.framework->graceful_signal;
  if (signal.name == "SIGKILL") {
    set(reading, SignalHandling::kFast, "the stop signal is SIGKILL, which ends the container at once",
        "Set a stop signal that the program handles.");
    return;
  }
  if (signal.name.empty()) {
    set(reading, SignalHandling::kNotDelivered, "dumb-init is told to drop the stop signal",
        "Remove the --rewrite of the stop signal to 0.");
    return;
  }
  switch (program.delivery) {
    case Program::Delivery::kLost:
      set(reading, SignalHandling::kNotDelivered, program.reason, program.remedy);
      return;
    case Program::Delivery::kCut:
      set(reading, SignalHandling::kFast, program.reason, program.remedy);
      reading.known_server = true;
      return;
    case Program::Delivery::kUnsure:
      set(reading, SignalHandling::kUnknown, program.reason, program.remedy);
      return;
    case Program::Delivery::kUnknown: {
      // The entrypoint of the maker's image starts the maker's program.
      const bool own = match.framework != nullptr && is_image(match.framework->images, facts.image);
      if (!program.args_only || program.opaque || !own) return;
      break;
    }
    case Program::Delivery::kDirect: break;
  }
  if (match.framework == nullptr || match.hint) return;
  const BehaviourRule* rule = find_rule(*match.framework, signal.name, facts);
  if (rule != nullptr) judge_rule(*rule, match, facts, signal, reading);
}

}  // namespace shutdown_auditor::audit
