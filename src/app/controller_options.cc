#include "app/controller_options.h"

#include <CLI/CLI.hpp>

#include <functional>

#include "app/cli.h"
#include "app/command_text.h"
#include "base/text.h"
#include "base/time.h"

namespace shutdown_auditor::app {
namespace {

// Flags of one command: name, help, and where the value goes.
class Flags {
 public:
  explicit Flags(CLI::App& command) : command_(command) {}

  template <class T>
  CLI::Option* plain(const std::string& name, T& target, const std::string& help) {
    return command_.add_option("--" + name, target, help)->capture_default_str();
  }
  CLI::Option* boolean(const std::string& name, bool& target, const std::string& help) {
    return command_.add_flag("--" + name + ",!--no-" + name, target, help);
  }
  // `read` returns what is wrong, empty when the value was taken.
  CLI::Option* parsed(const std::string& name, const std::string& shown, const std::string& help,
                      const std::function<std::string(const std::string&)>& read) {
    return command_
        .add_option_function<std::string>(
            "--" + name,
            [name, read](const std::string& text) {
              if (const std::string problem = read(text); !problem.empty()) {
                throw CLI::ValidationError("--" + name, problem);
              }
            },
            help)
        ->default_str(shown);
  }
  CLI::Option* duration(const std::string& name, base::Duration& target, base::Duration least,
                        const std::string& help) {
    return parsed(name, base::format_duration(target), help, [&target, least](const std::string& text) -> std::string {
             const auto value = base::parse_duration(text);
             if (!value) return value.error().message;
             if (*value < least) return base::quoted(text) + " is below " + base::format_duration(least);
             target = *value;
             return {};
           })
        ->type_name("DURATION");
  }
  CLI::Option* address(const std::string& name, std::string& target, const std::string& help) {
    return parsed(name, target, help, [&target](const std::string& text) -> std::string {
             if (text != "0") {
               if (const auto address = parse_bind_address(text); !address) return address.error().message;
             }
             target = text;
             return {};
           })
        ->type_name("ADDRESS");
  }

 private:
  CLI::App& command_;
};

template <class T>
std::function<std::string(const std::string&)> one_of(T& target, std::optional<T> (*parse)(std::string_view),
                                                       const std::string& choices) {
  return [&target, parse, choices](const std::string& text) -> std::string {
    const std::optional<T> value = parse(text);
    if (!value) return base::quoted(text) + " is not one of " + choices;
    target = *value;
    return {};
  };
}

}  // namespace

base::Result<BindAddress> parse_bind_address(const std::string& text) {
  const auto invalid = [&] {
    return base::fail(base::ErrorKind::kInvalid, base::quoted(text) + " is not HOST:PORT, :PORT or 0 for off");
  };
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos) return invalid();
  const auto port = base::parse_int64(std::string_view(text).substr(colon + 1));
  if (!port || *port < 0 || *port > 65535) return invalid();
  std::string host = text.substr(0, colon);
  if (host.empty()) {
    host = "::";
  } else if (host.front() == '[' && host.back() == ']' && host.size() > 2) {
    host = host.substr(1, host.size() - 2);
  } else if (host.find_first_of("[]:") != std::string::npos) {
    return invalid();
  }
  if (host == "localhost") host = "127.0.0.1";
  return BindAddress{host, static_cast<int>(*port)};
}

void add_controller_flags(CLI::App& command, ControllerOptions& o) {
  using std::chrono::milliseconds;
  using std::chrono::seconds;
  Flags flags(command);
  flags.plain("kubeconfig", o.kubeconfig, "Else $KUBECONFIG, the pod's own, ~/.kube/config")
      ->type_name("FILE");
  flags.plain("context", o.context, "Context of the kubeconfig")->group(kMoreFlags);
  flags.plain("namespaces", o.namespaces, "Only these namespaces, separated by commas")->delimiter(',');
  flags.plain("kinds", o.kinds, "Only these kinds, separated by commas")
      ->delimiter(',')
      ->check(CLI::IsMember({"Deployment", "StatefulSet", "DaemonSet", "Rollout"}))
      ->type_name("Deployment|StatefulSet|DaemonSet|Rollout");
  flags.plain("kube-api-qps", o.qps, "Requests a second to the API server; negative: no limit")->group(kMoreFlags);
  flags.plain("kube-api-burst", o.burst, "Requests at once")->check(CLI::Range(1, 100000))->group(kMoreFlags);
  flags.plain("policy", o.policy_file, "ShutdownPolicy from a file, not the cluster")
      ->type_name("FILE");
  flags.plain("policy-name", o.policy_name, "The ShutdownPolicy object to follow")->group(kMoreFlags);
  flags.parsed("events", "Warn", "Least result that is worth an Event",
               one_of(o.events, report::parse_event_level, "Warn, Fail, None"))
      ->type_name("Warn|Fail|None");
  flags.plain("bulk-writes-per-second", o.bulk_writes_per_second,
              "Rewrites of everything, audits a second; 0: only the limits of the client")
      ->check(CLI::Range(0, 100000))->group(kMoreFlags);
  flags.plain("max-concurrent-reconciles", o.workers, "Workers")->check(CLI::Range(1, 64))->group(kMoreFlags);
  flags.duration("sync-period", o.resync_period, seconds(1), "Time between two audits of everything")->group(kMoreFlags);
  flags.duration("cache-sync-timeout", o.sync_timeout, seconds(1), "Time to read everything at the start")
      ->group(kMoreFlags);
  flags.duration("shutdown-timeout", o.shutdown_timeout, seconds(1), "Time to stop in, all phases together")
      ->group(kMoreFlags);
  flags.boolean("leader-elect", o.leader_elect, "Lead only while holding the lease (default on)");
  flags.duration("leader-elect-lease-duration", o.lease_duration, seconds(1), "Age at which a lease may be taken over")
      ->group(kMoreFlags);
  flags.duration("leader-elect-renew-deadline", o.renew_deadline, milliseconds(500), "Time to renew in, then leave")
      ->group(kMoreFlags);
  flags.duration("leader-elect-retry-period", o.retry_period, milliseconds(100), "Time between two tries")
      ->group(kMoreFlags);
  flags.plain("leader-elect-resource-name", o.lease_name, "Name of the Lease")->group(kMoreFlags);
  flags.plain("leader-elect-resource-namespace", o.lease_namespace, "Its namespace; else the pod's or the context's")
      ->group(kMoreFlags);
  flags.address("metrics-bind-address", o.metrics_address, "/metrics; 0: off");
  flags.address("health-probe-bind-address", o.health_address, "/livez, /readyz, /health; 0: off")
      ->group(kMoreFlags);
  flags.boolean("metrics-by-namespace", o.metrics_by_namespace, "Label workload metrics with their namespace (default on)")
      ->group(kMoreFlags);
  flags.boolean("metrics-per-workload", o.metrics_per_workload, "One shortfall series for each workload")
      ->group(kMoreFlags);
  flags.parsed("log-level", "info", "Least level to log",
               one_of(o.log_level, telemetry::parse_log_level, "debug, info, warn, error"))
      ->type_name("debug|info|warn|error");
  flags.parsed("log-format", "json", "Form of the log", one_of(o.log_format, telemetry::parse_log_format, "json, text"))
      ->type_name("json|text");
  add_environment_twins(command);
}

}  // namespace shutdown_auditor::app
