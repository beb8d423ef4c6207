#include "audit/probe_times.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "audit/seconds.h"
#include "base/text.h"

namespace shutdown_auditor::audit {
namespace {

constexpr std::int64_t kMaxNumber = 2147483647;  // they are int32
constexpr std::int64_t kMaxPort = 65535;

std::int64_t or_default(const std::optional<std::int64_t>& value, std::int64_t fallback) {
  return value && *value > 0 ? *value : fallback;
}

// The port of the probe, when its handler has one that may be a name.
const objects::IntOrString* port_of(const objects::Probe& probe) {
  if (probe.handler.http_get) return &probe.handler.http_get->port;
  return probe.handler.tcp_socket ? &probe.handler.tcp_socket->port : nullptr;
}

// IANA_SVC_NAME: lower-case letters, digits and single dashes inside, at least one letter, at most 15.
bool is_port_name(std::string_view name) {
  const auto letter = [](char c) { return c >= 'a' && c <= 'z'; };
  const auto fine = [&](char c) { return letter(c) || (c >= '0' && c <= '9') || c == '-'; };
  return !name.empty() && name.size() <= 15 && std::all_of(name.begin(), name.end(), fine) &&
         std::any_of(name.begin(), name.end(), letter) && name.find("--") == std::string_view::npos &&
         name.front() != '-' && name.back() != '-';
}

bool is_port_number(std::int64_t number) { return number >= 1 && number <= kMaxPort; }

}  // namespace

ProbeNumbers numbers_of(const objects::Probe& probe) {
  ProbeNumbers numbers;
  numbers.initial_delay = or_default(probe.initial_delay_seconds, 0);
  numbers.period = or_default(probe.period_seconds, numbers.period);
  numbers.timeout = or_default(probe.timeout_seconds, numbers.timeout);
  numbers.success_threshold = or_default(probe.success_threshold, numbers.success_threshold);
  numbers.failure_threshold = or_default(probe.failure_threshold, numbers.failure_threshold);
  return numbers;
}

ProbeWindow window_of_errors(const ProbeNumbers& numbers) {
  const std::int64_t min = saturating_multiply(numbers.failure_threshold - 1, numbers.period);
  return {min, saturating_add(min, numbers.period)};
}

ProbeWindow window_of_timeouts(const ProbeNumbers& numbers) {
  const std::int64_t step = std::max(numbers.period, numbers.timeout);
  const std::int64_t min = saturating_add(saturating_multiply(numbers.failure_threshold - 1, step), numbers.timeout);
  return {min, saturating_add(min, numbers.period)};
}

std::string_view field_of(ProbeKind kind) {
  constexpr std::array<std::string_view, 3> kFields{"readinessProbe", "livenessProbe", "startupProbe"};
  return kFields.at(static_cast<std::size_t>(kind));
}

std::string probe_problem(ProbeKind kind, const objects::Probe& probe) {
  const objects::Handler& handler = probe.handler;
  const int handlers =
      (handler.exec ? 1 : 0) + (handler.http_get ? 1 : 0) + (handler.tcp_socket ? 1 : 0) + (handler.grpc ? 1 : 0);
  if (handlers != 1) return handlers == 0 ? "it has no handler" : "it has more than one handler";
  if (handler.exec && handler.exec->command.empty()) return "exec has no command";
  if (const objects::IntOrString* port = port_of(probe); port != nullptr) {
    const bool fine = port->is_string ? is_port_name(port->text) : is_port_number(port->number);
    if (!fine) return "port " + base::quoted(objects::to_string(*port), 40) + " is neither a port number nor a port name";
  }
  if (handler.grpc && !is_port_number(handler.grpc->port)) return "the gRPC port is not a port number";
  using Number = std::pair<std::string_view, std::optional<std::int64_t>>;
  for (const auto& [name, value] : {Number{"initialDelaySeconds", probe.initial_delay_seconds},
                                    Number{"timeoutSeconds", probe.timeout_seconds},
                                    Number{"periodSeconds", probe.period_seconds},
                                    Number{"successThreshold", probe.success_threshold},
                                    Number{"failureThreshold", probe.failure_threshold}}) {
    if (value && (*value < 0 || *value > kMaxNumber)) return std::string(name) + " is " + std::to_string(*value);
  }
  if (kind != ProbeKind::kReadiness && numbers_of(probe).success_threshold != 1) return "successThreshold must be 1";
  if (const auto& grace = probe.termination_grace_period_seconds; grace) {
    if (kind == ProbeKind::kReadiness) return "terminationGracePeriodSeconds does not belong in a readiness probe";
    if (*grace <= 0) return "terminationGracePeriodSeconds is " + std::to_string(*grace);
  }
  return {};
}

std::string unknown_port(const objects::Probe& probe, const objects::Container& container) {
  const objects::IntOrString* port = port_of(probe);
  if (port == nullptr || !port->is_string) return {};
  const bool declared = std::any_of(container.ports.begin(), container.ports.end(),
                                    [&](const objects::ContainerPort& own) { return own.name == port->text; });
  return declared ? std::string() : port->text;
}

}  // namespace shutdown_auditor::audit
