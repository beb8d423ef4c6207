#include "audit/application.h"

#include <gmock/gmock.h>

#include <random>
#include <string>
#include <vector>

#include "audit/application_cases.h"

namespace shutdown_auditor::audit {
namespace {

using testing::Application;
using testing::in_words;
using testing::read;
using T = TimeSource;

struct Row {
  Application app;
  std::string delay, drain, cleanup;  // milliseconds, "unbounded", "-": not known
  TimeSource drain_source;
  std::string where;
};

TEST(ApplicationTimes, AreReadFromFlagsVariablesAndDefaults) {
  const std::vector<Row> rows{
      {{{"gunicorn", "a:a"}}, "0", "30000", "0", T::kFrameworkDefault, "default of gunicorn"},
      {{{"gunicorn", "--graceful-timeout", "60", "a:a"}}, "0", "60000", "0", T::kFlag, "--graceful-timeout"},
      {{{"gunicorn", "--graceful-timeout=60", "a:a"}}, "0", "60000", "0", T::kFlag, "--graceful-timeout"},
      {{{"gunicorn", "--graceful-timeout=60", "--graceful-timeout", "5"}}, "0", "5000", "0", T::kFlag, "--graceful-timeout"},
      {{{"gunicorn", "-t", "99"}}, "0", "30000", "0", T::kFrameworkDefault, "default of gunicorn"},
      {{{"gunicorn"}, {}, {{"GUNICORN_CMD_ARGS", "--workers 2 --graceful-timeout '45'"}}}, "0", "45000", "0", T::kEnv,
       "env GUNICORN_CMD_ARGS"},
      {{{"gunicorn", "--graceful-timeout=9"}, {}, {{"GUNICORN_CMD_ARGS", "--graceful-timeout=45"}}}, "0", "9000", "0",
       T::kFlag,
       "--graceful-timeout"},
      {{{"sh", "-c", "exec gunicorn --graceful-timeout ${T:-7} a:a"}}, "0", "7000", "0", T::kFlag, "--graceful-timeout"},
      {{{"gunicorn", "--graceful-timeout=$(T)"}, {}, {{"T", "8"}}}, "0", "8000", "0", T::kFlag, "--graceful-timeout"},
      {{{"uvicorn", "a:a"}}, "0", "unbounded", "-", T::kFrameworkDefault, "default of uvicorn"},
      {{{"uvicorn", "a:a"}, {}, {{"UVICORN_TIMEOUT_GRACEFUL_SHUTDOWN", "12"}}}, "0", "12000", "-", T::kEnv,
       "env UVICORN_TIMEOUT_GRACEFUL_SHUTDOWN"},
      {{{"uvicorn", "--timeout-graceful-shutdown", "2"}, {}, {{"UVICORN_TIMEOUT_GRACEFUL_SHUTDOWN", "12"}}}, "0", "2000",
       "-",
       T::kFlag, "--timeout-graceful-shutdown"},
      {{{"hypercorn", "a:a"}}, "0", "3000", "60000", T::kFrameworkDefault, "default of hypercorn"},
      {{{"granian", "--workers-kill-timeout", "1m30s"}}, "0", "90000", "0", T::kFlag, "--workers-kill-timeout"},
      {{{"celery", "-A", "x", "worker"}}, "0", "unbounded", "0", T::kFrameworkDefault, "default of celery"},
      {{{"celery", "-A", "x", "worker", "--soft-time-limit=90"}}, "0", "90000", "0", T::kFlag, "--soft-time-limit"},
      {{{"celery", "-A", "x", "worker", "--soft-time-limit=90", "--time-limit", "120"}}, "0", "120000", "0", T::kFlag,
       "--time-limit"},
      {{{"rq", "worker"}}, "0", "180000", "0", T::kFrameworkDefault, "default of rq"},
      {{{"dramatiq", "x"}}, "0", "600000", "0", T::kFrameworkDefault, "default of dramatiq"},
      {{{"dramatiq", "x", "--worker-shutdown-timeout", "30000"}}, "0", "30000", "0", T::kFlag, "--worker-shutdown-timeout"},
      {{{"pm2-runtime", "-k", "5000", "x.js"}}, "0", "5000", "0", T::kFlag, "-k"},
      {{{"pm2-runtime", "x.js"}}, "0", "1600", "0", T::kFrameworkDefault, "default of pm2-runtime"},
      {{{"java", "-Dspring.lifecycle.timeout-per-shutdown-phase=45s", "-jar", "my-boot.jar"}}, "0", "45000", "0", T::kFlag,
       "-Dspring.lifecycle.timeout-per-shutdown-phase"},
      {{{"java", "-jar", "my-boot.jar", "--spring.lifecycle.timeout-per-shutdown-phase=1m"}}, "0", "60000", "0", T::kFlag,
       "--spring.lifecycle.timeout-per-shutdown-phase"},
      {{{"java", "-jar", "my-boot.jar"}, {}, {{"SPRING_LIFECYCLE_TIMEOUT_PER_SHUTDOWN_PHASE", "45"}}}, "0", "45", "0",
       T::kEnv,
       "env SPRING_LIFECYCLE_TIMEOUT_PER_SHUTDOWN_PHASE"},
      // A system property wins over a variable.
      {{{"java", "-jar", "my-boot.jar"}, {}, {{"SPRING_LIFECYCLE_TIMEOUTPERSHUTDOWNPHASE", "45s"},
         {"JAVA_TOOL_OPTIONS", "-Xmx1g -Dspring.lifecycle.timeout-per-shutdown-phase=50s"}}}, "0", "50000", "0", T::kEnv,
       "env JAVA_TOOL_OPTIONS"},
      // JAVA_OPTS is for start scripts; java itself does not read it.
      {{{"java", "-jar", "my-boot.jar"}, {}, {{"JAVA_OPTS", "-Dspring.lifecycle.timeout-per-shutdown-phase=50s"}}}, "0",
       "30000", "0",
       T::kFrameworkDefault, "default of spring-boot"},
      {{{"/run.sh"}, {}, {{"JAVA_OPTS", "-Dspring.lifecycle.timeout-per-shutdown-phase=50s"}, {"SPRING_PROFILES_ACTIVE",
       "p"}}}, "0",
       "50000", "0", T::kEnv, "env JAVA_OPTS"},
      {{{"java", "-jar", "my-boot.jar"}, {}, {{"SPRING_APPLICATION_JSON",
         "{\"spring\":{\"lifecycle\":{\"timeout-per-shutdown-phase\": \"20s\"}}}"}}}, "0", "20000", "0", T::kEnv,
       "SPRING_APPLICATION_JSON timeout-per-shutdown-phase"},
      {{{"java", "-jar", "my-boot.jar"}, {}, {{"SPRING_TASK_EXECUTION_SHUTDOWN_AWAITTERMINATIONPERIOD", "10s"},
         {"SPRING_TASK_SCHEDULING_SHUTDOWN_AWAITTERMINATIONPERIOD", "PT5S"}}}, "0", "30000", "15000", T::kFrameworkDefault,
       "default of spring-boot"},
      {{{"java", "-jar", "quarkus-run.jar"}}, "0", "-", "0", T::kNone, ""},
      {{{"java", "-jar", "quarkus-run.jar"}, {}, {{"QUARKUS_SHUTDOWN_TIMEOUT", "30"}, {"QUARKUS_SHUTDOWN_DELAY", "10s"}}},
       "10000",
       "30000", "0", T::kEnv, "env QUARKUS_SHUTDOWN_TIMEOUT"},
      {{{"java", "-jar", "x.jar"}, {}, {{"MICRONAUT_ENVIRONMENTS", "k8s"}}}, "0", "-", "0", T::kNone, ""},
      {{{"java", "-jar", "x.jar"}, {}, {{"MICRONAUT_LIFECYCLE_GRACEFUL_SHUTDOWN_ENABLED", "true"}}}, "0", "15000", "0",
       T::kFrameworkDefault, "default of micronaut"},
      {{{"catalina.sh", "run"}}, "0", "2000", "0", T::kFrameworkDefault, "default of tomcat"},
      {{{"java", "-jar", "start.jar", "jetty.server.stopTimeout=9000"}}, "0", "9000", "0", T::kFlag,
       "jetty.server.stopTimeout"},
      {{{"java", "-Dserver.shutdown-grace-period=PT20S", "io.helidon.Main"}}, "0", "20000", "0", T::kFlag,
       "-Dserver.shutdown-grace-period"},
      {{{"java", "-Ddw.server.shutdownGracePeriod=45 seconds", "-jar", "x.jar", "server", "c.yml"}}, "0", "45000", "0",
       T::kFlag,
       "-Ddw.server.shutdownGracePeriod"},
      {{{"dotnet", "A.dll"}}, "0", "30000", "0", T::kFrameworkDefault, "default of dotnet-host"},
      {{{"dotnet", "A.dll"}, {}, {}, "mcr.example/dotnet/aspnet:6.0"}, "0", "5000", "0", T::kFrameworkDefault,
       "default of dotnet-host"},
      {{{"dotnet", "A.dll"}, {}, {{"ASPNETCORE_SHUTDOWNTIMEOUTSECONDS", "50"}}, "mcr.example/dotnet/aspnet:6.0"}, "0",
       "50000", "0",
       T::kEnv, "env ASPNETCORE_SHUTDOWNTIMEOUTSECONDS"},
      {{{}, {}, {}, "nginx:1.27"}, "0", "unbounded", "0", T::kFrameworkDefault, "default of nginx"},
      {{{"nginx", "-g", "daemon off; worker_shutdown_timeout 1m30s;"}, {}, {}, "nginx:1.27"}, "0", "90000", "0", T::kFlag,
       "-g worker_shutdown_timeout"},
      {{{"/nginx-ingress-controller"}}, "0", "240000", "10000", T::kFrameworkDefault, "default of ingress-nginx"},
      {{{"/nginx-ingress-controller", "--shutdown-grace-period=5", "--post-shutdown-grace-period=2"}}, "5000", "240000",
       "2000",
       T::kFrameworkDefault, "default of ingress-nginx"},
      {{{}, {"--entryPoints.web.transport.lifeCycle.graceTimeOut=20",
       "--entrypoints.b.transport.lifecycle.gracetimeout=15s"}, {},
        "traefik:v3"}, "0", "20000", "0", T::kFlag, "--entrypoints.*.transport.lifecycle.gracetimeout"},
      {{{"traefik"}, {}, {{"TRAEFIK_ENTRYPOINTS_WEB_TRANSPORT_LIFECYCLE_REQUESTACCEPTGRACETIMEOUT", "5s"}}}, "5000",
       "10000", "0",
       T::kFrameworkDefault, "default of traefik"},
      {{{"kong"}, {}, {{"KONG_NGINX_MAIN_WORKER_SHUTDOWN_TIMEOUT", "30"}}, "kong:3"}, "0", "30000", "0", T::kEnv,
       "env KONG_NGINX_MAIN_WORKER_SHUTDOWN_TIMEOUT"},
      {{{"cloudflared", "--grace-period", "45s"}}, "0", "45000", "0", T::kFlag, "--grace-period"},
      {{{"puma"}}, "0", "unbounded", "0", T::kFrameworkDefault, "default of puma"},
      {{{"puma", "-w", "2"}}, "0", "30000", "0", T::kFrameworkDefault, "default of puma"},
      {{{"puma", "-w2"}}, "0", "30000", "0", T::kFrameworkDefault, "default of puma"},
      {{{"puma", "-w", "0"}}, "0", "unbounded", "0", T::kFrameworkDefault, "default of puma"},
      {{{"puma"}, {}, {{"WEB_CONCURRENCY", "3"}}}, "0", "30000", "0", T::kFrameworkDefault, "default of puma"},
      {{{"sidekiq", "-t", "60"}}, "0", "60000", "3500", T::kFlag, "-t"},
      {{{"sidekiq", "-t60"}}, "0", "60000", "3500", T::kFlag, "-t"},
      {{{"sidekiq", "--timeout=60"}}, "0", "60000", "3500", T::kFlag, "--timeout"},
      {{{"rake", "resque:work"}, {}, {{"TERM_CHILD", "1"}, {"RESQUE_PRE_SHUTDOWN_TIMEOUT", "20"}}}, "20000", "4000", "0",
       T::kFrameworkDefault, "default of resque"},
      {{{"rake", "resque:work"}, {}, {{"GRACEFUL_TERM", "1"}}}, "0", "unbounded", "0", T::kFrameworkDefault,
       "default of resque"},
      {{{"good_job", "start", "--shutdown-timeout=-1"}}, "0", "unbounded", "0", T::kFlag, "--shutdown-timeout"},
      {{{"good_job", "start"}, {}, {{"GOOD_JOB_SHUTDOWN_TIMEOUT", "25"}}}, "0", "25000", "0", T::kEnv,
       "env GOOD_JOB_SHUTDOWN_TIMEOUT"},
      {{{"mix", "phx.server"}}, "0", "30000", "-", T::kFrameworkDefault, "default of phoenix"},
      {{{"php", "artisan", "queue:work", "--timeout=90"}}, "0", "90000", "0", T::kFlag, "--timeout"},
      {{{"postgres"}}, "0", "unbounded", "-", T::kFrameworkDefault, "default of postgresql"},
      {{{}, {}, {}, "postgres:16"}, "0", "0", "-", T::kFrameworkDefault, "default of postgresql"},
      {{{"redis-server", "--shutdown-timeout", "20"}}, "0", "20000", "-", T::kFlag, "--shutdown-timeout"},
      {{{"redis-server"}, {}, {}, "redis:6.2"}, "0", "0", "-", T::kFrameworkDefault, "default of redis"},
      {{{"mongod", "--setParameter", "shutdownTimeoutMillisForSignaledShutdown=5000"}}, "0", "5000", "-", T::kFlag,
       "shutdownTimeoutMillisForSignaledShutdown"},
      {{{"gitlab-runner", "run"}, {}, {}, "gitlab/gitlab-runner:v17"}, "0", "unbounded", "0", T::kFrameworkDefault,
       "default of gitlab-runner"},
      {{{"gitlab-runner", "run"}}, "0", "-", "30000", T::kNone, ""},
      {{{}, {}, {{"KEDA_HTTP_SHUTDOWN_DELAY", "3s"}, {"KEDA_HTTP_DRAIN_TIMEOUT", "0s"}},
       "x/kedacore/http-add-on-interceptor"}, "-", "-",
       "-", T::kNone, ""},
      {{{}, {}, {{"KEDA_HTTP_SHUTDOWN_DELAY", "3s"}}, "ghcr.io/kedacore/http-add-on-interceptor"}, "3000", "30000", "0",
       T::kFrameworkDefault, "default of keda-http-interceptor"},
      {{{"vector", "--no-graceful-shutdown-limit"}}, "0", "unbounded", "0", T::kFrameworkDefault, "default of vector"},
      {{{"vector"}, {}, {{"VECTOR_GRACEFUL_SHUTDOWN_LIMIT_SECS", "10"}}}, "0", "10000", "0", T::kEnv,
       "env VECTOR_GRACEFUL_SHUTDOWN_LIMIT_SECS"},
      {{{"/daprd", "--dapr-block-shutdown-duration", "8s", "--dapr-graceful-shutdown-seconds", "-1"}}, "8000", "5000", "0",
       T::kFrameworkDefault, "default of dapr"},
      // Nothing is known of what cannot be recognised, or is no more than a runtime.
      {{{"/bin/app"}}, "-", "-", "-", T::kNone, ""},
      {{{"python", "app.py"}}, "-", "-", "-", T::kNone, ""},
  };
  for (const Row& row : rows) {
    const ApplicationReading reading = read(row.app);
    EXPECT_EQ(in_words(reading.delay), row.delay) << in_words(row.app);
    EXPECT_EQ(in_words(reading.drain), row.drain) << in_words(row.app);
    EXPECT_EQ(in_words(reading.cleanup), row.cleanup) << in_words(row.app);
    EXPECT_EQ(reading.drain.source, row.drain_source) << in_words(row.app);
    EXPECT_EQ(reading.drain.where, row.where) << in_words(row.app);
  }
}

struct Words {
  Application app;
  std::string drain;
  std::string hidden;   // part of it; empty: nothing hidden
  std::string problem;  // part of the first; empty: none
};

TEST(ApplicationTimes, SayWhatTheManifestDoesNotTell) {
  const std::vector<Words> rows{
      {{{"gunicorn"}}, "30000", "gunicorn.conf.py may say otherwise", ""},
      {{{"gunicorn", "--graceful-timeout=5"}}, "5000", "", ""},
      {{{"gunicorn"}, {}, {}, "a", {}, "app", false, {"GUNICORN_CMD_ARGS"}}, "30000",
       "env GUNICORN_CMD_ARGS comes from a ConfigMap", ""},
      {{{"uvicorn"}, {}, {}, "a", {}, "app", false, {"UVICORN_TIMEOUT_GRACEFUL_SHUTDOWN"}}, "-",
       "env UVICORN_TIMEOUT_GRACEFUL_SHUTDOWN comes from a ConfigMap", ""},
      {{{"uvicorn", "--timeout-graceful-shutdown=1"}, {}, {}, "a", {}, "app", false, {"UVICORN_TIMEOUT_GRACEFUL_SHUTDOWN"}},
       "1000", "", ""},
      {{{"gunicorn"}, {}, {}, "a", {}, "app", false, {}, true}, "30000", "envFrom names a ConfigMap", ""},
      {{{"hypercorn"}, {}, {}, "a", {}, "app", false, {}, true}, "3000",
       "the hypercorn configuration file may say otherwise", ""},
      {{{"rq", "worker"}}, "180000", "", ""},
      {{{"gunicorn", "--graceful-timeout", "$(T)"}, {}, {}, "a", {}, "app", false, {"T"}}, "-",
       "takes its value from \"$(T)\"", ""},
      {{{"sh", "-c", "exec gunicorn --graceful-timeout $T"}}, "-", "takes its value from \"$T\"", ""},
      {{{"gunicorn", "--graceful-timeout", "1m"}}, "-", "",
       "--graceful-timeout \"1m\" is not a whole number of seconds; gunicorn refuses it."},
      {{{"cloudflared"}, {}, {{"TUNNEL_GRACE_PERIOD", "30"}}}, "-", "", "env TUNNEL_GRACE_PERIOD \"30\" has no unit"},
      {{{"granian"}, {}, {{"GRANIAN_WORKERS_KILL_TIMEOUT", "1h"}}}, "-", "", "is not between 1 s and 30 min"},
      {{{"java", "-jar", "my-boot.jar"}, {}, {{"SPRING_LIFECYCLE_TIMEOUT_PER_SHUTDOWN_PHASE", "45"}}}, "45", "",
       "env SPRING_LIFECYCLE_TIMEOUT_PER_SHUTDOWN_PHASE \"45\" has no unit and means milliseconds; for seconds write 45s."},
  };
  for (const Words& row : rows) {
    const ApplicationReading reading = read(row.app);
    EXPECT_EQ(in_words(reading.drain), row.drain) << in_words(row.app);
    EXPECT_EQ(reading.hidden.empty(), row.hidden.empty()) << in_words(row.app) << reading.hidden;
    EXPECT_THAT(reading.hidden, ::testing::HasSubstr(row.hidden)) << in_words(row.app);
    const std::string problem = reading.problems.empty() ? "" : reading.problems.front();
    EXPECT_EQ(problem.empty(), row.problem.empty()) << in_words(row.app) << problem;
    EXPECT_THAT(problem, ::testing::HasSubstr(row.problem)) << in_words(row.app);
  }
}

struct Sidecar {
  Application app;
  SidecarKind kind;
  std::string hold;
};

TEST(ApplicationTimes, SayHowLongATrafficSidecarHolds) {
  constexpr SidecarKind kTraffic = SidecarKind::kTraffic;
  const std::vector<Sidecar> rows{
      {{{}, {}, {}, "docker.io/istio/proxyv2:1.30.0"}, kTraffic, "5000"},
      {{{}, {}, {}, "docker.io/istio/proxyv2:1.30.0", {{"proxy.istio.io/config",
       "{\"terminationDrainDuration\": \"30s\"}"}}}, kTraffic,
       "30000"},
      {{{}, {}, {{"PROXY_CONFIG", "{\"terminationDrainDuration\":\"20s\"}"}}, "docker.io/istio/proxyv2:1.30.0"}, kTraffic,
       "20000"},
      {{{}, {}, {{"EXIT_ON_ZERO_ACTIVE_CONNECTIONS", "true"}}, "docker.io/istio/proxyv2:1.30.0"}, kTraffic, "unbounded"},
      {{{}, {}, {}, "cr.l5d.io/linkerd/proxy:edge"}, kTraffic, "120000"},
      {{{"/cloud-sql-proxy", "x:y:z"}}, kTraffic, "0"},
      {{{"/cloud-sql-proxy", "--max-sigterm-delay=30s", "x:y:z"}}, kTraffic, "30000"},
      {{{"/cloud_sql_proxy", "-term_timeout=15s"}}, kTraffic, "15000"},
      {{{"/daprd", "--dapr-block-shutdown-duration=10s"}}, kTraffic, "15000"},
      {{{"/fluent-bit/bin/fluent-bit"}}, SidecarKind::kHelper, "-"},
      {{{"gunicorn"}}, SidecarKind::kNone, "-"},
  };
  for (const Sidecar& row : rows) {
    const ApplicationReading reading = read(row.app);
    EXPECT_EQ(reading.sidecar, row.kind) << in_words(row.app);
    EXPECT_EQ(in_words(reading.hold), row.hold) << in_words(row.app);
  }
}

TEST(ApplicationReadingTest, SurvivesGarbage) {
  const std::vector<std::string> words{
      "tini", "--", "sh", "-c", "exec gunicorn --graceful-timeout ${T:-7} \"$@\"", "a; b", "$(T)", "$T", "dumb-init", "-r",
          "15:3",
      "env", "A=$(B)", "gunicorn", "--graceful-timeout", "--graceful-timeout=", "java", "-jar", "my-boot.jar", "python",
          "-m", "", "-",
      "bundle", "exec", "nginx", "-g", "worker_shutdown_timeout", "worker_shutdown_timeout 9999999999y;", "timeout", "npm",
          "busybox",
      "docker-entrypoint.sh", "--entrypoints.a.transport.lifecycle.gracetimeout=1s", "traefik", "'", "\"", "\\", "${",
          "$((1"};
  const std::vector<std::string> names{"T", "GUNICORN_CMD_ARGS", "SPRING_X", "JAVA_TOOL_OPTIONS", "SPRING_APPLICATION_JSON",
      "PHX_HOST"};
  const std::vector<std::string> images{"nginx", "python:3.11", "x/y", "", "@", "docker.io/istio/proxyv2:1", "a:b/c:d"};
  std::mt19937 random(5);
  const auto any = [&](const std::vector<std::string>& list) { return list[random() % list.size()]; };
  for (int round = 0; round < 20000; ++round) {
    Application app;
    for (auto left = random() % 8; left > 0; --left) app.command.push_back(any(words));
    for (auto left = random() % 4; left > 0; --left) app.args.push_back(any(words));
    for (auto left = random() % 4; left > 0; --left) app.env.emplace_back(any(names), any(words));
    app.image = any(images);
    app.shared_process_namespace = random() % 2 == 0;
    const ApplicationReading reading = read(app);
    EXPECT_EQ(reading.framework.empty(), reading.matched_by == MatchedBy::kNone) << in_words(app);
    EXPECT_EQ(reading.signal_reason.empty(), reading.signal_remedy.empty()) << in_words(app);
    for (const ApplicationTime& time : {reading.delay, reading.drain, reading.cleanup, reading.hold}) {
      EXPECT_FALSE(time.ms && (time.unbounded || *time.ms < 0)) << in_words(app);
    }
  }
}

}  // namespace
}  // namespace shutdown_auditor::audit
