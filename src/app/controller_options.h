#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/result.h"
#include "report/event_text.h"
#include "telemetry/logging.h"

namespace CLI {
class App;
}

namespace shutdown_auditor::app {

// What `shutdown-auditor controller` can be told. Every flag has a twin in the environment, SHUTDOWN_AUDITOR_ and the
// flag in capitals with underscores; the flag wins.
struct ControllerOptions {
  std::string kubeconfig;
  std::string context;
  std::vector<std::string> namespaces;  // empty: all
  std::vector<std::string> kinds;       // that get audits; empty: all
  double qps = 50;                      // negative: no limit
  int burst = 100;
  std::string policy_file;
  std::string policy_name = "default";
  report::EventLevel events = report::EventLevel::kWarn;
  int bulk_writes_per_second = 50;
  int workers = 4;
  base::Duration resync_period = std::chrono::hours(10);
  base::Duration sync_timeout = std::chrono::minutes(2);
  base::Duration shutdown_timeout = std::chrono::seconds(25);

  bool leader_elect = true;
  base::Duration lease_duration = std::chrono::seconds(15);
  base::Duration renew_deadline = std::chrono::seconds(10);
  base::Duration retry_period = std::chrono::seconds(2);
  std::string lease_name = "shutdown-auditor";
  std::string lease_namespace;  // empty: the pod's, or the context's

  std::string metrics_address = ":8080";  // "0": off
  std::string health_address = ":8081";
  bool metrics_by_namespace = true;
  bool metrics_per_workload = false;
  base::LogLevel log_level = base::LogLevel::kInfo;
  telemetry::LogFormat log_format = telemetry::LogFormat::kJson;
};

// Declares the flags on `command`, to be stored in `options` when it parses; a value that makes no sense is CLI11's
// ValidationError naming flag and value. `options` must outlive `command`.
void add_controller_flags(CLI::App& command, ControllerOptions& options);

// "host:port", ":port" or "[v6]:port", port 0 to 65535; an empty host means every address of both families.
struct BindAddress {
  std::string host;
  int port = 0;
};
base::Result<BindAddress> parse_bind_address(const std::string& text);

}  // namespace shutdown_auditor::app
