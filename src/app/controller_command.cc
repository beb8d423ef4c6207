#include "app/controller_command.h"

#include "app/controller_process.h"
#include "app/policy_file.h"
#include "app/version.h"
#include "base/log.h"
#include "kube/connection.h"
#include "manifest/config_document.h"
#include "runtime/signal_waiter.h"
#include "telemetry/logging.h"

namespace shutdown_auditor::app {
namespace {

constexpr base::Logger kLog("main");
constexpr int kExitConfiguration = 2;
constexpr int kExitFailure = 1;

}  // namespace

int run_controller(const ControllerOptions& options, const std::vector<std::string>& environment) {
  base::Clock& clock = base::system_clock();
  telemetry::install_logging({options.log_format, options.log_level}, clock);
  kLog.info("starting", {{"version", version()}, {"revision", revision()}});

  audit::Policy policy;
  if (!options.policy_file.empty()) {
    auto read = read_policy_file(options.policy_file);
    if (!read) {
      kLog.error("the policy cannot be used", {{"err", read.error().message}});
      return kExitConfiguration;
    }
    policy = std::move(*read);
  }
  kube::ConfigOptions config_options;
  config_options.kubeconfig = options.kubeconfig;
  config_options.context = options.context;
  config_options.environment = environment;
  config_options.load = manifest::read_kubeconfig;
  auto config = kube::resolve_config(config_options, clock);
  if (!config) {
    kLog.error("no usable configuration of a cluster", {{"err", config.error().message}});
    return kExitConfiguration;
  }
  ProcessTelemetry telemetry(options, config->endpoint.server);
  kube::ClientOptions client;
  client.qps = options.qps;
  client.burst = options.burst;
  client.user_agent = kube::user_agent("shutdown-auditor", version(), "controller");
  auto connection = kube::Connection::open(std::move(*config), std::move(client), clock, base::system_random(),
                                           telemetry.client);
  if (!connection) {
    kLog.error("no usable configuration of a cluster", {{"err", connection.error().message}});
    return kExitConfiguration;
  }
  ControllerProcess process(options, **connection, telemetry, std::move(policy));
  if (auto ready = process.prepare(); !ready) {
    kLog.error("cannot start", {{"err", ready.error().message}});
    return ready.error().kind == base::ErrorKind::kInvalid ? kExitConfiguration : kExitFailure;
  }
  std::stop_source stop;
  auto signals = runtime::SignalWaiter::create({[&stop](int signal) {
                                                  kLog.info("asked to stop", {{"signal", signal}});
                                                  stop.request_stop();
                                                },
                                                {},
                                                {}});
  if (!signals) {
    kLog.error("cannot start", {{"err", signals.error().message}});
    return kExitFailure;
  }
  return process.run(stop.get_token());
}

}  // namespace shutdown_auditor::app
