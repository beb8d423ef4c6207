#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace shutdown_auditor::telemetry {

enum class HealthStatus : std::uint8_t { kHealthy, kDegraded, kUnhealthy };
std::string_view to_string(HealthStatus status);  // "Healthy", "Degraded", "Unhealthy"

struct ComponentState {
  HealthStatus status = HealthStatus::kHealthy;
  std::string error;                      // one line, without secrets; empty: none now
  std::optional<base::Duration> latency;  // of the component's own work; absent: of asking it
};

struct HealthResponse {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
};

// What /livez, /readyz and /health answer. Checks and probes run on the asking thread, without a lock held, must be quick
// and safe from any thread; register all of them before the first question. Liveness is about this process only: a check
// on the API server's reachability would have the whole fleet restarted by an outage. Safe from any thread.
class Health {
 public:
  // Success, or what is wrong in one line.
  using Check = std::function<base::Result<void>()>;
  using Probe = std::function<ComponentState()>;

  // Keeps a reference.
  explicit Health(base::Clock& clock) : clock_(clock) {}

  void add_live_check(std::string name, Check check) { live_.push_back({std::move(name), std::move(check)}); }
  void add_ready_check(std::string name, Check check) { ready_.push_back({std::move(name), std::move(check)}); }
  void add_component(std::string name, Probe probe);

  // From now on /readyz is 503 and /livez stays as it is.
  void begin_shutdown();

  // `query` is raw, without '?': `verbose` lists the checks, `exclude=NAME` (repeatable) leaves one out; a name that is
  // unknown is said in the answer. 200 "ok", or 503 with the list; reasons are withheld here (they are in the log and in
  // /health) as kube-apiserver's pkg/server/healthz does.
  HealthResponse livez(std::string_view query) const;
  HealthResponse readyz(std::string_view query) const;
  // JSON: overall status (the worst) and each component's status, latencyMs and lastError, which stays when the component
  // recovers. 503 when the worst is Unhealthy.
  HealthResponse health() const;

 private:
  struct NamedCheck {
    std::string name;
    Check check;
  };
  struct Component {
    std::string name;
    Probe probe;
  };
  HealthResponse answer(const std::vector<NamedCheck>& checks, std::string_view query, bool shutting_down) const;

  base::Clock& clock_;
  std::vector<NamedCheck> live_;
  std::vector<NamedCheck> ready_;
  std::vector<Component> components_;
  mutable std::mutex mutex_;
  bool shutting_down_ = false;
  mutable std::map<std::string, std::string> last_errors_;  // by component
};

}  // namespace shutdown_auditor::telemetry
