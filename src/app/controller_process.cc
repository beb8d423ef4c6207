#include "app/controller_process.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

#include "app/version.h"
#include "base/log.h"
#include "base/random.h"
#include "base/time.h"
#include "controller/cause.h"
#include "http/beast_server.h"
#include "kube/one_line.h"

namespace shutdown_auditor::app {
namespace {

constexpr base::Logger kLog("controller");
constexpr char kFieldManager[] = "shutdownaudit.dev/controller";
constexpr std::chrono::milliseconds kServerStop{500};

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "unknown";
  return name.data();
}

// "<hostname>_<uuid>": unique even when two processes share a host name.
std::string new_identity(base::Random& random) {
  const std::uint64_t high = (random.bits() & ~0xF000ULL) | 0x4000ULL;         // version 4
  const std::uint64_t low = (random.bits() & ~(3ULL << 62U)) | (2ULL << 62U);  // variant 10
  return fmt::format("{}_{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", host_name(), high >> 32U, (high >> 16U) & 0xFFFFU,
                     high & 0xFFFFU, low >> 48U, low & 0xFFFFFFFFFFFFULL);
}

http::ServerResponse to_response(telemetry::HealthResponse from) {
  return {from.status, std::move(from.content_type), std::move(from.body)};
}

telemetry::ComponentState source_health(const runtime::ReflectorLoop& reflector) {
  const runtime::ReflectorStatus status = reflector.status();
  // A resource type that is not installed is no fault where it is an extension of somebody else's.
  const bool fine = status.state == runtime::SourceState::kSynced
                        ? status.last_error.empty()
                        : status.state == runtime::SourceState::kAbsent && controller::is_extension(reflector.name());
  telemetry::ComponentState state;
  state.status = fine ? telemetry::HealthStatus::kHealthy : telemetry::HealthStatus::kDegraded;
  if (!fine) state.error = status.last_error.empty() ? std::string(to_string(status.state)) : status.last_error;
  return state;
}

// "https://10.0.0.1:6443/prefix" as the metrics' host label: no scheme, no path.
std::string host_label(const std::string& server) {
  const std::size_t scheme = server.find("://");
  const std::size_t begin = scheme == std::string::npos ? 0 : scheme + 3;
  return server.substr(begin, server.find('/', begin) - begin);
}

runtime::ControllerLoopOptions loop_options(const ControllerOptions& options, const controller::ClusterView& view,
                                            std::atomic<bool>& full_audit_runs) {
  runtime::ControllerLoopOptions loop;
  loop.name = "workload";
  loop.workers = options.workers;
  loop.resync_period = options.resync_period;
  loop.resync_keys = [&view, &full_audit_runs] {
    full_audit_runs = true;
    return view.workload_keys();
  };
  loop.resync_cause = controller::cause::kResync;
  return loop;
}

}  // namespace

ProcessTelemetry::ProcessTelemetry(const ControllerOptions& options, const std::string& server)
    : metrics({std::string(version()), std::string(revision()), host_label(server), "workload",
               options.lease_name, options.metrics_by_namespace, options.metrics_per_workload}),
      health(base::system_clock()),
      client(metrics),
      queue(metrics),
      events(metrics),
      audits(metrics),
      reconciles(metrics, static_cast<std::size_t>(options.workers)) {}

ControllerProcess::ControllerProcess(const ControllerOptions& options, kube::Connection& connection,
                                     ProcessTelemetry& telemetry, audit::Policy policy)
    : options_(options),
      clock_(base::system_clock()),
      connection_(connection),
      telemetry_(telemetry),
      policy_(std::move(policy)),
      fence_(clock_),
      fenced_(connection.api(), fence_),
      writer_({kFieldManager}, controller::kShutdownAudits, fenced_, clock_, base::system_random()),
      recorder_({kFieldManager, host_name()}, fenced_, clock_, base::system_random(), &telemetry.events),
      queue_(clock_, {}, &telemetry.queue),
      pacer_(clock_, options.bulk_writes_per_second),
      view_({connection.api(), clock_, base::system_random(), nullptr}, queue_, {options.namespaces, options.kinds, {}}),
      reconciler_({view_, policy_, writer_, recorder_, pacer_, clock_, telemetry.audits}, {.events = options.events}),
      coordinator_(clock_, options.shutdown_timeout) {}

base::Result<void> ControllerProcess::prepare() {
  loop_.emplace(loop_options(options_, view_, full_audit_runs_), queue_, reconciler_, clock_, base::system_random(),
                &telemetry_.reconciles);
  if (auto elected = prepare_election(); !elected) return elected;
  runtime::ManagerOptions manager_options;
  manager_options.sync_timeout = options_.sync_timeout;
  manager_.emplace(manager_options, clock_, fence_, elector_.get(), coordinator_);
  for (runtime::ReflectorLoop* reflector : view_.reflectors()) manager_->add_source(*reflector);
  // With Roles only, a cluster-scoped policy cannot be read.
  if (options_.policy_file.empty() && options_.namespaces.empty()) {
    follower_.emplace(controller::PolicyFollower::Parts{connection_.api(), fenced_, clock_, base::system_random(), policy_,
                                                        [this] {
                                                          view_.enqueue_all(controller::cause::kPolicy);
                                                          full_audit_runs_ = true;
                                                        }},
                      options_.policy_name);
    manager_->add_source(follower_->source());
    manager_->add_loop(follower_->loop());
  }
  manager_->add_loop(*loop_);
  manager_->add_recorder(recorder_);
  manager_->on_leading([this] {
    view_.follow(true);
    view_.enqueue_all(controller::cause::kStart);
    full_audit_runs_ = true;
    if (follower_) follower_->lead();
    kLog.info("started leading", {{"workloads", view_.workload_keys().size()}});
  });
  add_health();
  telemetry_.metrics.before_render([this] { refresh_metrics(); });

  const auto probe = [this](telemetry::HealthResponse (telemetry::Health::*ask)(std::string_view) const) {
    return [this, ask](const http::ServerRequest& request) { return to_response((telemetry_.health.*ask)(request.query)); };
  };
  if (auto served = serve("health", options_.health_address,
                          {{"/livez", probe(&telemetry::Health::livez)},
                           {"/healthz", probe(&telemetry::Health::livez)},
                           {"/readyz", probe(&telemetry::Health::readyz)},
                           {"/health", [this](const auto&) { return to_response(telemetry_.health.health()); }}});
      !served) {
    return served;
  }
  return serve("metrics", options_.metrics_address, {{"/metrics", [this](const auto&) {
                 return http::ServerResponse{200, std::string(telemetry::kMetricsContentType),
                                             telemetry_.metrics.render()};
               }}});
}

base::Result<void> ControllerProcess::prepare_election() {
  if (!options_.leader_elect) return {};
  runtime::LeaderElectionOptions election;
  election.name_space = options_.lease_namespace.empty() ? connection_.name_space() : options_.lease_namespace;
  election.name = options_.lease_name;
  election.identity = new_identity(base::system_random());
  election.lease_duration = options_.lease_duration;
  election.renew_deadline = options_.renew_deadline;
  election.retry_period = options_.retry_period;
  kLog.info("leader election", {{"lease", election.name_space + "/" + election.name}, {"identity", election.identity}});
  auto elector = runtime::LeaderElector::create(
      election, connection_.api(), fence_, clock_, base::system_random(), [](std::string_view why) {
        // Another process may lead from now on: no cleanup is worth the time.
        kLog.error("leadership lost, leaving", {{"err", why}});
        std::_Exit(1);
      });
  if (!elector) return base::unexpected(elector.error());
  elector_ = std::move(*elector);
  return {};
}

base::Result<void> ControllerProcess::serve(
    const std::string& what, const std::string& address,
    const std::vector<std::pair<std::string, http::Server::Handler>>& handlers) {
  if (address == "0") return {};
  const auto bind = parse_bind_address(address);
  if (!bind) return base::unexpected(bind.error());
  http::ServerOptions server_options;
  server_options.address = bind->host;
  server_options.port = bind->port;
  auto server = http::make_beast_server(server_options);
  for (const auto& [path, handler] : handlers) server->handle(path, handler);
  if (auto started = server->start(); !started) return started;
  const std::string host = bind->host.find(':') == std::string::npos ? bind->host : "[" + bind->host + "]";
  kLog.info("serving", {{"what", what}, {"address", fmt::format("{}:{}", host, server->port())}});
  servers_.push_back(std::move(server));
  return {};
}

void ControllerProcess::add_health() {
  telemetry::Health& health = telemetry_.health;
  health.add_ready_check("caches", [this]() -> base::Result<void> {
    if (manager_->ready()) return {};
    return base::fail(base::ErrorKind::kTimeout, std::string(to_string(manager_->phase())));
  });
  const auto check = [](bool good, const char* problem) -> base::Result<void> {
    if (good) return {};
    return base::fail(base::ErrorKind::kInternal, problem);
  };
  health.add_live_check("workers", [this, check] { return check(loop_->healthy(), "reconciliations keep throwing"); });
  if (elector_) {
    health.add_live_check("lease", [this, check] { return check(elector_->healthy(), "the lease is not renewed"); });
  }
  for (runtime::ReflectorLoop* reflector : view_.reflectors()) {
    health.add_component(std::string(reflector->name()), [reflector] { return source_health(*reflector); });
  }
  if (follower_) {
    health.add_component("policy", [this] {
      telemetry::ComponentState state;
      state.error = follower_->problem();
      if (!state.error.empty()) state.status = telemetry::HealthStatus::kDegraded;
      return state;
    });
  }
  if (elector_) {
    health.add_component("leader-election", [this] {
      const runtime::LeaderStatus status = elector_->status();
      telemetry::ComponentState state;
      state.error = status.last_error;
      if (!elector_->healthy()) {
        state.status = telemetry::HealthStatus::kUnhealthy;
      } else if (!status.last_error.empty()) {
        state.status = telemetry::HealthStatus::kDegraded;
      }
      return state;
    });
  }
}

void ControllerProcess::refresh_metrics() {
  const runtime::WorkQueueStats queue = queue_.stats();
  telemetry_.metrics.set_queue(queue.ready, queue.unfinished, queue.longest_running);
  // Keys that wait for their turn to be written have been audited already.
  if (queue.ready + queue.processing == 0 && full_audit_runs_.exchange(false)) {
    telemetry_.metrics.set_last_full_audit(clock_.wall_now());
  }
  if (elector_) {
    const runtime::LeaderStatus status = elector_->status();
    telemetry_.metrics.set_leader(status.state == runtime::LeaderState::kLeading, status.slow_paths);
  }
}

// A server that cannot be used fails every resource type the same way: one line for a person says it once.
std::string ControllerProcess::one_failure(const std::string& all) const {
  for (const runtime::ReflectorLoop* reflector : view_.reflectors()) {
    const std::string error = reflector->last_error();
    if (reflector->settled() || error.empty()) continue;
    return kube::one_line(connection_.endpoint().server,
                          fmt::format("nothing read in {}: {}", base::format_duration(options_.sync_timeout), error),
                          "are server and kubeconfig right?");
  }
  return all;
}

int ControllerProcess::run(const std::stop_token& stop) {
  coordinator_.add({"servers", runtime::stop_order::kServers, std::chrono::seconds(1),
                    [this](const base::Cancellation& cancel) -> base::Result<void> {
                      for (const auto& server : servers_) {
                        server->stop(cancel.limited(clock_.now(), kServerStop).deadline);
                      }
                      return {};
                    }});
  int status = 0;
  if (const auto worked = manager_->run(stop); !worked) {
    kLog.error("cannot go on", {{"err", one_failure(worked.error().message)}});
    status = 1;
  }
  kLog.info("shutdown begins", {{"phase", to_string(manager_->phase())}});
  telemetry_.health.begin_shutdown();
  const runtime::ShutdownReport report = coordinator_.run();
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(report.took).count();
  kLog.info("shutdown complete", {{"ms", took}, {"exit", status}});
  if (report.any_abandoned()) std::_Exit(status);  // a phase still runs: nothing it uses may be destroyed
  return status;
}

}  // namespace shutdown_auditor::app
