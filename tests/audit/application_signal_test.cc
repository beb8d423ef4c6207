#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "audit/application_cases.h"

namespace shutdown_auditor::audit {
namespace {

using testing::Application;
using testing::in_words;
using testing::read;
using H = SignalHandling;

struct Row {
  Application app;
  std::string signal;
  SignalHandling handling;
  bool known_server;
  std::string reason;  // a part of it; empty: none is given
};

void check(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    const ApplicationReading reading = read(row.app);
    EXPECT_EQ(reading.stop_signal, row.signal) << in_words(row.app);
    EXPECT_EQ(reading.signal_handling, row.handling) << in_words(row.app);
    EXPECT_EQ(reading.known_server, row.known_server) << in_words(row.app);
    EXPECT_EQ(reading.signal_reason.empty(), row.reason.empty()) << in_words(row.app) << reading.signal_reason;
    EXPECT_THAT(reading.signal_reason, ::testing::HasSubstr(row.reason)) << in_words(row.app);
    EXPECT_EQ(reading.signal_remedy.empty(), row.reason.empty()) << in_words(row.app);
    EXPECT_LT(reading.signal_reason.size() + reading.signal_remedy.size(), 440u) << in_words(row.app);
  }
}

// Servers for which SIGTERM is not the graceful signal.
TEST(ApplicationSignal, WhatServersDoOnTheirStopSignal) {
  check({
      {{{"gunicorn"}}, "SIGTERM", H::kGraceful, false, ""},
      {{{}, {}, {}, "nginx:1.27"}, "SIGQUIT", H::kGraceful, false, ""},
      {{{"nginx", "-g", "daemon off;"}, {}, {}, "library/nginx"}, "SIGQUIT", H::kGraceful, false, ""},
      {{{"nginx"}}, "SIGTERM", H::kFast, false,
       "nginx drops its open connections on SIGTERM; whether the image sets STOPSIGNAL SIGQUIT"},
      {{{}, {}, {}, "registry.local/nginx:1"}, "SIGTERM", H::kUnknown, false, ""},
      {{{}, {}, {}, "bitnami/nginx:1"}, "SIGTERM", H::kUnknown, false, ""},
      {{{"dumb-init", "-r", "15:3", "nginx"}}, "SIGQUIT", H::kGraceful, false, ""},
      {{{"dumb-init", "--rewrite", "15:0", "app"}}, "SIGTERM", H::kNotDelivered, false, "drop the stop signal"},
      {{{"openresty"}, {}, {}, "openresty/openresty:1"}, "SIGQUIT", H::kGraceful, false, ""},
      {{{"kong"}, {}, {}, "kong:3"}, "SIGQUIT", H::kGraceful, false, ""},
      {{{"kong"}}, "SIGTERM", H::kFast, false, "Kong drops"},
      {{{"haproxy"}, {}, {}, "haproxy:3"}, "SIGUSR1", H::kGraceful, false, ""},
      {{{"haproxy"}}, "SIGTERM", H::kFast, false, "HAProxy closes all"},
      {{{}, {}, {}, "php:8.3-apache"}, "SIGWINCH", H::kGraceful, false, ""},
      {{{"httpd-foreground"}}, "SIGTERM", H::kFast, false, "Apache httpd drops"},
      {{{}, {}, {}, "php:8.3-fpm"}, "SIGQUIT", H::kGraceful, false, ""},
      {{{"php-fpm"}}, "SIGTERM", H::kFast, false, "php-fpm's children die"},
      {{{"bundle", "exec", "unicorn"}}, "SIGTERM", H::kFast, true, "unicorn kills its workers at once on SIGTERM"},
      {{{"dumb-init", "-r", "15:3", "unicorn"}}, "SIGQUIT", H::kGraceful, false, ""},
      {{{"rake", "resque:work"}}, "SIGTERM", H::kFast, true, "resque kills the job"},
      {{{"rake", "resque:work"}, {}, {{"GRACEFUL_TERM", "1"}}}, "SIGTERM", H::kGraceful, false, ""},
      {{{"uwsgi", "--master", "--http", ":80"}}, "SIGTERM", H::kReload, true, "reloads instead of stopping"},
      {{{"uwsgi", "--ini", "a.ini"}}, "SIGTERM", H::kReload, false, "unless its configuration file"},
      {{{"uwsgi", "--master", "--die-on-term"}}, "SIGTERM", H::kFast, true, "die-on-term"},
      {{{"uwsgi", "--master"}, {}, {{"UWSGI_DIE_ON_TERM", "1"}}}, "SIGTERM", H::kFast, true, "die-on-term"},
      {{{"uwsgi", "--master", "--hook-master-start", "unix_signal:15 gracefully_kill_them_all"}}, "SIGTERM", H::kGraceful,
       false, ""},
      {{{}, {}, {}, "postgres:16"}, "SIGINT", H::kGraceful, false, ""},
      {{{"postgres"}}, "SIGTERM", H::kGraceful, false, ""},
      {{{"gitlab-runner", "run"}, {}, {}, "gitlab/gitlab-runner:1"}, "SIGQUIT", H::kGraceful, false, ""},
      {{{"gitlab-runner", "run"}}, "SIGTERM", H::kFast, false, "aborts its builds"},
      {{{"envoy"}}, "SIGTERM", H::kFast, true, "exits within milliseconds"},
      {{{}, {}, {}, "envoyproxy/envoy:v1"}, "SIGTERM", H::kFast, false, "exits within milliseconds"},
      {{{"nats-server"}}, "SIGTERM", H::kFast, true, "stops at once"},
      {{{"java", "-jar", "quarkus-run.jar"}}, "SIGTERM", H::kFast, false, "unless quarkus.shutdown.timeout is set"},
      {{{"java", "-jar", "quarkus-run.jar"}, {}, {{"QUARKUS_SHUTDOWN_TIMEOUT", "30"}}}, "SIGTERM", H::kGraceful, false, ""},
      {{{"java", "io.vertx.core.Launcher"}}, "SIGTERM", H::kFast, false, "Vert.x waits for no request"},
      {{{"java", "-jar", "x.jar"}, {}, {{"MICRONAUT_X", "1"}}}, "SIGTERM", H::kFast, false,
       "Micronaut waits for no request"},
      {{{"java", "-jar", "x.jar"}, {}, {{"MICRONAUT_LIFECYCLE_GRACEFUL_SHUTDOWN_ENABLED", "true"}}}, "SIGTERM",
       H::kGraceful, false, ""},
      {{{"java", "-jar", "my-boot.jar"}}, "SIGTERM", H::kUnknown, false, ""},
      {{{"java", "-jar", "my-boot.jar"}, {}, {{"SERVER_SHUTDOWN", "graceful"}}}, "SIGTERM", H::kGraceful, false, ""},
      {{{"java", "-jar", "my-boot.jar", "--server.shutdown=immediate"}}, "SIGTERM", H::kFast, true,
       "server.shutdown=immediate"},
      {{{"arq", "x"}}, "SIGTERM", H::kFast, false, "job_completion_wait"},
      {{{"/cloud-sql-proxy"}}, "SIGTERM", H::kFast, true, "exits at once"},
      {{{"/cloud-sql-proxy", "--max-sigterm-delay=30s"}}, "SIGTERM", H::kGraceful, false, ""},
      {{{"celery", "worker"}}, "SIGTERM", H::kGraceful, false, ""},
      {{{"celery", "worker"}, {}, {{"REMAP_SIGTERM", "SIGQUIT"}}}, "SIGTERM", H::kFast, true, "cold"},
      {{{"waitress-serve", "a:a"}}, "SIGTERM", H::kIgnored, true, "so as process 1 it goes on"},
      {{{"tini", "--", "waitress-serve", "a:a"}}, "SIGTERM", H::kFast, true, "not process 1"},
      {{{"flask", "run"}}, "SIGTERM", H::kIgnored, true, "development server"},
      {{{"flask", "run", "--debug"}}, "SIGTERM", H::kFast, true, "development server"},
      {{{"python", "manage.py", "runserver"}}, "SIGTERM", H::kFast, false, "development server"},
      {{{"python", "manage.py", "runserver", "--noreload"}}, "SIGTERM", H::kIgnored, false, "without its reloader"},
      {{{"python", "-m", "http.server"}}, "SIGTERM", H::kIgnored, true, "no handler"},
      {{{"python", "-m", "http.server"}, {}, {}, "a", {}, "app", true}, "SIGTERM", H::kFast, true, "not process 1"},
      {{{"java", "-jar", "x.jar"}, {}, {}, "php:8-fpm"}, "SIGQUIT", H::kIgnored, true, "thread dump"},
      {{{"php", "artisan", "queue:work"}, {}, {}, "php:8.3-fpm"}, "SIGQUIT", H::kGraceful, false, ""},
      // The code decides, and cannot be seen.
      {{{"python", "app.py"}}, "SIGTERM", H::kUnknown, false, ""},
      {{{"node", "server.js"}}, "SIGTERM", H::kUnknown, false, ""},
      {{{"tini", "--", "node", "server.js"}}, "SIGTERM", H::kUnknown, false, ""},
      {{{"java", "-cp", "/srv", "Main"}}, "SIGTERM", H::kUnknown, false, ""},
      {{{"/bin/app", "--drain", "1"}}, "SIGTERM", H::kUnknown, false, ""},
      {{{}, {}, {}, "golang:1.22"}, "SIGTERM", H::kUnknown, false, ""},
      {{{"sleep", "infinity"}}, "SIGTERM", H::kUnknown, false, ""},
      {{{}, {}, {}, "corp/my-gunicorn"}, "SIGTERM", H::kUnknown, false, ""},
      {{{"/start.sh", "gunicorn"}}, "SIGTERM", H::kUnknown, false, ""},
  });
}

TEST(ApplicationSignal, WhetherItGetsThere) {
  check({
      {{{"sh", "-c", "gunicorn a:a"}}, "SIGTERM", H::kUnknown, false,
       "where sh is Debian's dash, the shell stays process 1"},
      {{{"sh", "-c", "gunicorn a:a"}, {}, {}, "python:3.11"}, "SIGTERM", H::kNotDelivered, false, "passes no signal on"},
      {{{"sh", "-c", "gunicorn a:a"}, {}, {}, "python:3.11-alpine"}, "SIGTERM", H::kGraceful, false, ""},
      {{{"sh", "-c", "exec gunicorn a:a"}}, "SIGTERM", H::kGraceful, false, ""},
      {{{"bash", "-c", "set -e; python3 -V; gunicorn a:a"}}, "SIGTERM", H::kGraceful, false, ""},
      {{{"sh", "-c", "gunicorn a:a; echo bye"}}, "SIGTERM", H::kNotDelivered, false, "process 1 is the shell sh"},
      {{{"tini", "--", "sh", "-c", "gunicorn a:a; echo bye"}}, "SIGTERM", H::kFast, true, "dies of the stop signal at once"},
      {{{"tini", "--", "sh", "-c", "gunicorn a:a"}}, "SIGTERM", H::kUnknown, false,
       "the shell dies at once and the program is killed"},
      {{{"bash", "-c", "trap 'x' EXIT; gunicorn a:a; true"}}, "SIGTERM", H::kFast, true, "ends at once"},
      {{{"npm", "start"}}, "SIGTERM", H::kUnknown, false, "where that is Debian's dash"},
      {{{"npm", "start"}, {}, {}, "node:20-alpine"}, "SIGTERM", H::kUnknown, false, ""},
      {{{"npm", "start"}, {}, {{"npm_config_script_shell", "/bin/bash"}}}, "SIGTERM", H::kUnknown, false, ""},
      {{{"tini", "--", "npm", "start"}}, "SIGTERM", H::kFast, false, "npm that is not process 1"},
      {{{"yarn", "start"}}, "SIGTERM", H::kFast, false, "yarn classic ends at once"},
      {{{"pnpm", "start"}}, "SIGTERM", H::kUnknown, false, "pnpm ends at once"},
      {{{"uv", "run", "gunicorn"}}, "SIGTERM", H::kUnknown, false, ""},
      {{{}, {"gunicorn", "a:a"}}, "SIGTERM", H::kUnknown, false, ""},
      {{{}, {"gunicorn", "a:a"}, {}, "python:3.11"}, "SIGTERM", H::kGraceful, false, ""},
      {{{}, {"sh", "-c", "a; b"}, {}, "corp/app"}, "SIGTERM", H::kUnknown, false, ""},
  });
}

TEST(ApplicationSignal, TheStopSignalOfThePodNeedsTheCluster) {
  const struct {
    std::string written, os_name;
    int minor;
    std::string signal;
    std::string problem;
  } kRows[] = {
      {"SIGQUIT", "linux", 37, "SIGQUIT", ""},
      {"SIGQUIT", "", 37, "SIGTERM", "needs spec.os.name"},
      {"SIGQUIT", "linux", 34, "SIGTERM", "feature gate ContainerStopSignals"},
      {"SIGQUIT", "linux", 30, "SIGTERM", "does not know it"},
      {"", "linux", 37, "SIGTERM", ""},
      {"SIGRTMIN+3", "linux", 37, "SIGRTMIN+3", ""},
  };
  for (const auto& row : kRows) {
    Application app{{"nginx"}};
    app.stop_signal = row.written;
    app.os_name = row.os_name;
    app.kubernetes_minor = row.minor;
    const ApplicationReading reading = read(app);
    EXPECT_EQ(reading.stop_signal, row.signal);
    EXPECT_EQ(reading.problems.empty(), row.problem.empty());
    if (!reading.problems.empty()) { EXPECT_THAT(reading.problems.front(), ::testing::HasSubstr(row.problem)); }
  }
  Application kept{{"nginx"}, {}, {}, "nginx:1"};
  kept.stop_signal = "SIGTERM";
  kept.os_name = "linux";
  kept.kubernetes_minor = 37;
  EXPECT_EQ(read(kept).signal_handling, H::kFast);
  EXPECT_TRUE(read(kept).known_server);
  EXPECT_EQ(read(kept).graceful_signal, "SIGQUIT");
  kept.stop_signal = "SIGKILL";
  EXPECT_EQ(read(kept).signal_handling, H::kFast);
}

// Containers whose end a kubelet recorded: what they did with the signal (finished, cut, went on until the kill). A
// reading may say less than that, never something else.
TEST(ApplicationSignal, AgreesWithRecordedTerminations) {
  enum class Seen { kFinished, kCut, kKilled };
  const struct {
    Application app;
    Seen seen;
  } kRows[] = {
      {{{"/bin/app", "--drain", "1"}}, Seen::kFinished},
      {{{"/bin/bash", "-c", "/bin/app --drain 1"}}, Seen::kFinished},
      {{{"/bin/bash", "-c", "/bin/app --drain 1 && true"}}, Seen::kKilled},
      {{{"/bin/bash", "-c", "cd /; /bin/app --drain 1"}}, Seen::kFinished},
      {{{"/bin/bash", "-c", "(/bin/app --drain 1)"}}, Seen::kKilled},
      {{{"/bin/bash", "-c", "/bin/app --drain 1 >/tmp/l 2>&1"}}, Seen::kKilled},
      {{{"/bin/sh", "-c", "true && /bin/app --drain 1"}}, Seen::kKilled},
      {{{"/bin/sh", "-c", "/bin/app --drain 1 | cat"}}, Seen::kKilled},
      {{{"/bin/sh", "-c", "exec /bin/app --drain 1 | tee /tmp/l"}}, Seen::kKilled},
      {{{"/bin/sh", "-c", "if true; then /bin/app --drain 1; fi"}}, Seen::kKilled},
      {{{"/bin/busybox", "sh", "-c", "true && /bin/app --drain 1"}}, Seen::kFinished},
      {{{"/scripts/noexec.sh"}}, Seen::kKilled},
      {{{"/scripts/trapwait.sh"}}, Seen::kFinished},
      {{{"/usr/bin/tini", "-g", "--", "/bin/sh", "-c", "/bin/app --drain 1; echo done"}}, Seen::kCut},
      {{{"/usr/bin/tini", "--", "/bin/app", "--nohandler"}}, Seen::kCut},
      {{{"/usr/bin/dumb-init", "/bin/sh", "-c", "/bin/app --drain 1; echo done"}}, Seen::kCut},
      {{{"/usr/bin/dumb-init", "--", "/bin/app", "--drain", "1"}}, Seen::kFinished},
      {{{"/bin/sh", "-c", "/bin/app --drain 1; echo done"}, {}, {}, "a", {}, "app", true}, Seen::kCut},
      {{{"timeout", "1000", "/bin/app", "--drain", "1"}}, Seen::kFinished},
      {{{"sleep", "infinity"}}, Seen::kKilled},
      {{{"tail", "-f", "/dev/null"}}, Seen::kKilled},
      {{{"python3", "/srv/kbint.py"}}, Seen::kKilled},
      {{{"python3", "/srv/aio.py"}}, Seen::kFinished},
      {{{"node", "server.js"}}, Seen::kKilled},
      {{{"node", "server-close.js"}}, Seen::kFinished},
      {{{"/usr/bin/tini", "--", "node", "server.js"}}, Seen::kCut},
      {{{"npm", "start"}}, Seen::kCut},
      {{{"/bin/sh", "-c", "npm run start:close"}}, Seen::kKilled},
      {{{"/usr/bin/tini", "--", "npm", "run", "start:close"}}, Seen::kCut},
      {{{"npm", "run", "start:close"}, {}, {{"npm_config_script_shell", "/bin/bash"}}}, Seen::kFinished},
      {{{"gunicorn", "-b", "0.0.0.0:8080", "wsgi:app"}}, Seen::kFinished},
      {{{"/bin/sh", "-c", "gunicorn -b 0.0.0.0:8080 wsgi:app"}}, Seen::kKilled},
      {{{"/bin/bash", "-c", "set -e; python3 -V; gunicorn -b 0.0.0.0:8080 wsgi:app"}}, Seen::kFinished},
      {{{"/usr/bin/tini", "--", "/bin/sh", "-c", "gunicorn -b 0.0.0.0:8080 wsgi:app"}}, Seen::kCut},
      {{{"uvicorn", "--workers", "2", "asgi:app"}}, Seen::kFinished},
      {{{"hypercorn", "-b", "0.0.0.0:8080", "asgi:app"}}, Seen::kFinished},
      {{{"/bin/sh", "-c", "mkdir -p /tmp/q; exec celery -A tasks worker -P solo"}}, Seen::kFinished},
      {{{"/bin/sh", "-c", "mkdir -p /tmp/q; celery -A tasks worker -P prefork; echo bye"}}, Seen::kKilled},
      {{{"java", "-cp", "/srv", "Main"}}, Seen::kCut},
      {{{"java", "-cp", "/srv", "Main", "5"}}, Seen::kFinished},
      {{{"redis-server", "--save", ""}}, Seen::kFinished},
      {{{"/bin/bash", "-c", "trap 'rm -f /tmp/x' EXIT; /bin/app --drain 1; echo end"}}, Seen::kCut},
      {{{"/bin/sh", "-c", "trap 'echo bye' EXIT; /bin/app --drain 1"}}, Seen::kKilled},
      {{{"/bin/sh", "-c", "nginx -c /etc/nginx/tt.conf; echo bye"}}, Seen::kKilled},
  };
  int decided = 0;
  for (const auto& row : kRows) {
    const SignalHandling handling = read(row.app).signal_handling;
    if (handling == H::kUnknown) continue;
    ++decided;
    const Seen said = handling == H::kGraceful ? Seen::kFinished : handling == H::kFast ? Seen::kCut : Seen::kKilled;
    EXPECT_EQ(static_cast<int>(said), static_cast<int>(row.seen)) << in_words(row.app);
  }
  EXPECT_EQ(decided, 18);  // the others depend on what is not in the manifest
}

}  // namespace
}  // namespace shutdown_auditor::audit
