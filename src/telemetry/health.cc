#include "telemetry/health.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace shutdown_auditor::telemetry {
namespace {

constexpr std::string_view kShutdownCheck = "shutdown";

struct HealthQuery {
  bool verbose = false;
  std::vector<std::string_view> exclude;
};

// Names of checks need no percent-decoding: they are plain words.
HealthQuery parse_query(std::string_view query) {
  HealthQuery out;
  for (const std::string_view pair : base::split(query, '&')) {
    const std::size_t equals = pair.find('=');
    const std::string_view key = pair.substr(0, equals);
    if (key == "verbose") {
      out.verbose = true;
    } else if (key == "exclude" && equals != std::string_view::npos) {
      out.exclude.push_back(pair.substr(equals + 1));
    }
  }
  return out;
}

double milliseconds(base::Duration duration) { return std::chrono::duration<double, std::milli>(duration).count(); }

}  // namespace

std::string_view to_string(HealthStatus status) {
  switch (status) {
    case HealthStatus::kHealthy:
      return "Healthy";
    case HealthStatus::kDegraded:
      return "Degraded";
    case HealthStatus::kUnhealthy:
      return "Unhealthy";
  }
  return "Unhealthy";
}

void Health::add_component(std::string name, Probe probe) {
  components_.push_back({std::move(name), std::move(probe)});
}

void Health::begin_shutdown() {
  const std::lock_guard lock(mutex_);
  shutting_down_ = true;
}

HealthResponse Health::livez(std::string_view query) const { return answer(live_, query, false); }

HealthResponse Health::readyz(std::string_view query) const {
  bool shutting_down = false;
  {
    const std::lock_guard lock(mutex_);
    shutting_down = shutting_down_;
  }
  std::vector<NamedCheck> checks = ready_;
  checks.push_back({std::string(kShutdownCheck), [shutting_down]() -> base::Result<void> {
                      if (shutting_down) {
                        return base::fail(base::ErrorKind::kCancelled, "shutting down");
                      }
                      return {};
                    }});
  return answer(checks, query, shutting_down);
}

HealthResponse Health::answer(const std::vector<NamedCheck>& checks, std::string_view query,
                              bool shutting_down) const {
  HealthQuery asked = parse_query(query);
  std::string lines;
  bool failed = false;
  for (const NamedCheck& check : checks) {
    const auto excluded = std::find(asked.exclude.begin(), asked.exclude.end(), check.name);
    // Nobody may exclude the end of the process from readiness.
    if (excluded != asked.exclude.end() && !(shutting_down && check.name == kShutdownCheck)) {
      asked.exclude.erase(excluded);
      lines += "[+]" + check.name + " excluded: ok\n";
      continue;
    }
    const bool ok = check.check().has_value();
    lines += (ok ? "[+]" : "[-]") + check.name + (ok ? " ok\n" : " failed: reason withheld\n");
    failed = failed || !ok;
  }
  if (!asked.exclude.empty()) {
    lines += "warn: some health checks cannot be excluded: no matches for";
    for (const std::string_view name : asked.exclude) {
      lines += " " + base::quoted(name);
    }
    lines += '\n';
  }
  if (failed) {
    return {.status = 503, .body = lines + "check failed\n"};
  }
  return {.status = 200, .body = asked.verbose || !asked.exclude.empty() ? lines + "check passed\n" : "ok"};
}

HealthResponse Health::health() const {
  HealthStatus worst = HealthStatus::kHealthy;
  nlohmann::ordered_json components = nlohmann::ordered_json::object();
  for (const Component& component : components_) {
    const base::SteadyTime asked = clock_.now();
    ComponentState state = component.probe();
    const base::Duration latency = state.latency.value_or(clock_.now() - asked);
    worst = std::max(worst, state.status);
    std::string last_error;
    {
      const std::lock_guard lock(mutex_);
      std::string& kept = last_errors_[component.name];
      if (!state.error.empty()) {
        kept = state.error;
      }
      last_error = kept;
    }
    auto& out = components[component.name];
    out["status"] = to_string(state.status);
    out["latencyMs"] = milliseconds(latency);
    if (!last_error.empty()) {
      out["lastError"] = last_error;
    }
  }
  nlohmann::ordered_json body = {{"status", to_string(worst)}, {"components", std::move(components)}};
  return {.status = worst == HealthStatus::kUnhealthy ? 503 : 200,
          .content_type = "application/json",
          .body = body.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n"};
}

}  // namespace shutdown_auditor::telemetry
