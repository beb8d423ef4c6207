#include "audit/framework_match.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "audit/application_cases.h"

namespace shutdown_auditor::audit {
namespace {

using testing::Application;
using testing::in_words;
using testing::read;
constexpr MatchedBy kExe = MatchedBy::kExecutable;
constexpr MatchedBy kMod = MatchedBy::kModule;
constexpr MatchedBy kEnv = MatchedBy::kEnvironment;
constexpr MatchedBy kImg = MatchedBy::kImage;
constexpr MatchedBy kNone = MatchedBy::kNone;

struct Row {
  Application app;
  std::string framework;
  MatchedBy by;
};

Application image(std::string name) { return {{}, {}, {}, std::move(name)}; }

std::vector<Row> rows() {
  return {
      {{{"gunicorn", "app:app"}}, "gunicorn", kExe},
      {{{"/usr/local/bin/gunicorn", "app:app"}}, "gunicorn", kExe},
      {{{"python3", "-m", "gunicorn", "app:app"}}, "gunicorn", kMod},
      {{{"python", "-u", "/usr/bin/gunicorn", "app:app"}}, "gunicorn", kExe},
      {image("corp/my-gunicorn-app:3"), "gunicorn", kImg},
      {{{}, {"gunicorn", "app:app"}, {}, "python:3.11"}, "gunicorn", kExe},
      {{{"uvicorn", "app:app"}}, "uvicorn", kExe},
      {{{"python", "-Xdev", "-m", "uvicorn", "app:app"}}, "uvicorn", kMod},
      {{{"hypercorn", "app:app"}}, "hypercorn", kExe},
      {{{"daphne", "app:app"}}, "daphne", kExe},
      {{{"granian", "app:app"}}, "granian", kExe},
      {{{"uwsgi", "--ini", "app.ini"}}, "uwsgi", kExe},
      {{{"waitress-serve", "app:app"}}, "waitress", kExe},
      {{{"flask", "run"}}, "flask-dev", kExe},
      {{{"flask", "db", "upgrade"}}, "", kNone},
      {{{"python", "-m", "flask", "--app", "x", "run"}}, "flask-dev", kMod},
      {{{"python", "manage.py", "runserver", "0.0.0.0:80"}}, "django-runserver", kExe},
      {{{"./manage.py", "runserver"}}, "django-runserver", kExe},
      {{{"python", "manage.py", "migrate"}}, "python-generic", kExe},
      {{{"python", "-m", "http.server"}}, "python-http-server", kMod},
      {{{"celery", "-A", "x", "worker"}}, "celery", kExe},
      {{{"python", "-m", "celery", "-A", "x", "worker"}}, "celery", kMod},
      {{{"celery", "-A", "x", "beat"}}, "celery-beat-flower", kExe},
      {{{"celery", "-A", "x", "flower"}}, "celery-beat-flower", kExe},
      {{{"rq", "worker", "high"}}, "rq", kExe},
      {{{"dramatiq", "tasks"}}, "dramatiq", kExe},
      {{{"arq", "tasks.Settings"}}, "arq", kExe},
      {{{"airflow", "celery", "worker"}}, "airflow-celery-worker", kExe},
      {{{"airflow", "webserver"}}, "", kNone},
      {{{"python3.11", "/srv/app.py"}}, "python-generic", kExe},
      {{{"python", "-c", "import uvicorn"}}, "python-generic", kExe},
      {image("python:3.11"), "python-generic", kImg},
      {image("corp.example/python:3.11"), "", kNone},
      {{{"node", "server.js"}}, "node", kExe},
      {{{"npm", "start"}}, "npm-wrapper", kExe},
      {{{"yarn", "start"}}, "yarn-wrapper", kExe},
      {{{"pnpm", "start"}}, "pnpm-wrapper", kExe},
      {{{"pm2-runtime", "app.js"}}, "pm2-runtime", kExe},
      {{{"next", "start"}}, "nextjs", kExe},
      {{{"node", "node_modules/.bin/next", "start"}}, "nextjs", kExe},
      {{{"node", "/app/.next/standalone/server.js"}}, "nextjs", kMod},
      {{{"node", "server.js"}, {}, {{"NEXT_TELEMETRY_DISABLED", "1"}}}, "nextjs", kEnv},
      {{{"node", "-r", "dotenv/config", "dist/main.js"}}, "nestjs", kMod},
      {{{"java", "-jar", "/app.jar"}}, "java-generic", kExe},
      {{{"java", "-cp", "/srv", "Main"}}, "java-generic", kExe},
      {image("eclipse-temurin:21"), "java-generic", kImg},
      {{{"java", "-cp", "a:b", "org.springframework.boot.loader.launch.JarLauncher"}}, "spring-boot", kMod},
      {{{"java", "-jar", "/app.jar"}, {}, {{"SPRING_PROFILES_ACTIVE", "prod"}}}, "spring-boot", kEnv},
      {{{}, {}, {{"SPRING_PROFILES_ACTIVE", "prod"}}}, "spring-boot", kEnv},
      {{{"nginx"}, {}, {{"SPRING_PROFILES_ACTIVE", "prod"}}}, "nginx", kExe},
      {{{"python", "x.py"}, {}, {{"SPRING_PROFILES_ACTIVE", "prod"}}}, "python-generic", kExe},
      {{{"java", "-jar", "/deployments/quarkus-run.jar"}}, "quarkus", kMod},
      {{{"./application"}, {}, {{"QUARKUS_HTTP_PORT", "80"}}}, "quarkus", kEnv},
      {{{"java", "-jar", "x.jar"}, {}, {}, "corp/quarkus-shop:1"}, "quarkus", kImg},
      {{{"java", "-jar", "x.jar"}, {}, {{"MICRONAUT_ENVIRONMENTS", "k8s"}}}, "micronaut", kEnv},
      {{{"catalina.sh", "run"}}, "tomcat", kExe},
      {image("tomcat:10"), "tomcat", kImg},
      {{{"java", "-jar", "/usr/local/jetty/start.jar"}}, "jetty", kMod},
      {{{"java", "io.vertx.core.Launcher", "run"}}, "vertx", kMod},
      {{{"java", "io.helidon.Main"}}, "helidon", kMod},
      {{{"java", "-jar", "x.jar", "server", "conf.yml"}}, "dropwizard", kMod},
      {{{"java", "-jar", "x.jar"}, {}, {{"STREAMS_BOOTSTRAP_SERVERS", "k:9092"}}}, "kafka-streams", kEnv},
      {{{"dotnet", "Shop.dll"}}, "dotnet-host", kMod},
      {{{"./Shop"}, {}, {{"ASPNETCORE_URLS", "http://+:80"}}}, "dotnet-host", kEnv},
      {image("golang:1.22"), "go-generic", kImg},
      {image("gcr.io/distroless/static:nonroot"), "", kNone},
      {image("nginx:1.27"), "nginx", kImg},
      {image("nginx@sha256:00"), "nginx", kImg},
      {{{"nginx", "-g", "daemon off;"}}, "nginx", kExe},
      {{{"openresty"}}, "openresty", kExe},
      {{{"/nginx-ingress-controller"}}, "ingress-nginx", kExe},
      {image("registry.k8s.io/ingress-nginx/controller:v1.15.1@sha256:00"), "ingress-nginx", kImg},
      {image("nginx/nginx-ingress:3"), "f5-nginx-ingress", kImg},
      {{{"haproxy", "-f", "x"}}, "haproxy", kExe},
      {{{"httpd-foreground"}}, "apache-httpd", kExe},
      {image("php:8.2-apache"), "apache-httpd", kImg},
      {{{"php-fpm8.2", "-F"}}, "php-fpm", kExe},
      {image("php:8.2-fpm-alpine"), "php-fpm", kImg},
      {{{"caddy", "run"}}, "caddy", kExe},
      {image("docker.io/traefik:v3.7.11"), "traefik", kImg},
      {{{"envoy", "-c", "x"}}, "envoy", kExe},
      {{{}, {"proxy", "sidecar"}, {}, "docker.io/istio/proxyv2:1.30.0"}, "istio-proxy", kImg},
      {{{}, {}, {}, "auto", {}, "istio-proxy"}, "istio-proxy", MatchedBy::kAnnotation},
      {image("cr.l5d.io/linkerd/proxy:edge"), "linkerd-proxy", kImg},
      {image("hashicorp/consul-dataplane:1.6"), "consul-dataplane", kImg},
      {{{"envoy-gateway", "envoy", "shutdown-manager"}}, "envoy-gateway", kExe},
      {{{"/bin/contour", "envoy", "shutdown-manager"}}, "contour-shutdown-manager", kExe},
      {{{"contour", "serve"}}, "", kNone},
      {{{"kong", "docker-start"}}, "kong", kExe},
      {{{"cloudflared", "tunnel", "run"}}, "cloudflared", kExe},
      {image("registry.k8s.io/coredns/coredns:v1.11"), "coredns", kImg},
      {{{"bundle", "exec", "puma", "-C", "config/puma.rb"}}, "puma", kExe},
      {{{"bin/rails", "server"}}, "puma", kExe},
      {{{"rails", "console"}}, "", kNone},
      {{{"bundle", "exec", "unicorn", "-c", "x"}}, "unicorn", kExe},
      {{{"passenger", "start"}}, "passenger", kExe},
      {{{"ruby", "/usr/local/bundle/bin/sidekiq"}}, "sidekiq", kExe},
      {{{"bundle", "exec", "rake", "resque:work"}}, "resque", kExe},
      {{{"rake", "db:migrate"}}, "", kNone},
      {{{"./bin/jobs"}}, "solid-queue", kExe},
      {{{"/opt/jobs"}}, "", kNone},
      {{{"bundle", "exec", "good_job", "start"}}, "good-job", kExe},
      {{{"mix", "phx.server"}}, "phoenix", kExe},
      {{{"/app/bin/shop", "start"}, {}, {{"PHX_SERVER", "true"}}}, "phoenix", kEnv},
      {{{"php", "artisan", "queue:work", "--tries=3"}}, "laravel-queue", kExe},
      {{{"php", "index.php"}}, "", kNone},
      {{{"postgres", "-c", "x=1"}}, "postgresql", kExe},
      {{{"mariadbd"}}, "mysql", kExe},
      {image("redis:alpine"), "redis", kImg},
      {{{"redis-server", "--save", ""}}, "redis", kExe},
      {image("rabbitmq:3"), "rabbitmq", kImg},
      {{{"/opt/kafka/bin/kafka-server-start.sh", "x"}}, "kafka", kExe},
      {image("docker.elastic.co/elasticsearch/elasticsearch:8"), "elasticsearch", kImg},
      {{{"mongod"}}, "mongodb", kExe},
      {{{"etcd"}}, "etcd", kExe},
      {{{"cassandra", "-f"}}, "cassandra", kExe},
      {{{"nats-server", "-c", "x"}}, "nats", kExe},
      {{{"python", "-m", "shop.temporal.worker"}}, "temporal-worker", kMod},
      {{{"gitlab-runner", "run"}}, "gitlab-runner", kExe},
      {image("jenkins/inbound-agent:1"), "jenkins-agent", kImg},
      {image("ghcr.io/kedacore/http-add-on-interceptor:0.8"), "keda-http-interceptor", kImg},
      {{{"agent", "run"}}, "datadog-agent", kExe},
      {{{"agent"}}, "", kNone},
      {{{"/fluent-bit/bin/fluent-bit"}}, "fluent-bit", kExe},
      {{{"vector"}}, "vector", kExe},
      {{{"/otelcol-contrib"}}, "otel-collector", kExe},
      {image("gcr.io/cloud-sql-connectors/cloud-sql-proxy:2.8"), "cloud-sql-proxy", kImg},
      {{{"vault", "agent", "-config=x"}}, "vault-agent", kExe},
      {{{"vault", "server"}}, "", kNone},
      {{{"/daprd"}}, "dapr", kExe},
      {{{"sleep", "infinity"}}, "idle", kExe},
      {{{"/manager"}, {}, {}, "corp/redis-operator:1"}, "", kNone},
      {{{"/bin/app", "--drain", "1"}}, "", kNone},
      {{{"/scripts/start.sh"}, {}, {}, "redis:7"}, "redis", kImg},
      {{{"agent", "x"}, {}, {{"DOTNET_ENVIRONMENT", "x"}}}, "dotnet-host", kEnv},
  };
}

TEST(FrameworkMatch, RecognisesPrograms) {
  for (const Row& row : rows()) {
    const ApplicationReading reading = read(row.app);
    EXPECT_EQ(reading.framework, row.framework) << in_words(row.app);
    EXPECT_EQ(reading.matched_by, row.by) << in_words(row.app);
  }
}

TEST(FrameworkMatch, EveryFrameworkThatARuleCanMatchHasARow) {
  std::set<std::string> seen;
  for (const Row& row : rows()) seen.insert(row.framework);
  for (const Framework& each : frameworks()) {
    const bool matchable = !each.behaviour.empty();
    EXPECT_EQ(seen.contains(std::string(each.id)), matchable) << each.id;
  }
}

TEST(FrameworkMatch, TakesImageNamesApart) {
  const struct {
    std::string_view reference, registry, repository, tag;
    bool hub;
  } kRows[] = {
      {"nginx", "", "nginx", "", true},
      {"nginx:1.27@sha256:0", "", "nginx", "1.27", true},
      {"library/nginx:1", "", "nginx", "1", true},
      {"docker.io/library/nginx", "docker.io", "nginx", "", true},
      {"mirror.example/library/nginx:1", "mirror.example", "nginx", "1", true},
      {"public.example/docker/library/nginx:1", "public.example", "nginx", "1", true},
      {"localhost:5000/nginx:1", "localhost:5000", "nginx", "1", false},
      {"corp/nginx", "", "corp/nginx", "", true},
      {"registry.local/a/b:c", "registry.local", "a/b", "c", false},
      {"", "", "", "", true},
      {":", "", "", "", true},
      {"@", "", "", "", true},
  };
  for (const auto& row : kRows) {
    const ImageName image = parse_image(row.reference);
    EXPECT_EQ(image.registry, row.registry) << row.reference;
    EXPECT_EQ(image.repository, row.repository) << row.reference;
    EXPECT_EQ(image.tag, row.tag) << row.reference;
    EXPECT_EQ(image.docker_hub, row.hub) << row.reference;
  }
}

TEST(FrameworkMatch, GlobsMatch) {
  EXPECT_TRUE(glob_match("*a*b?", "xxaxxbc"));
  EXPECT_TRUE(glob_match("*", ""));
  EXPECT_FALSE(glob_match("a", ""));
  EXPECT_FALSE(glob_match("", "a"));
  EXPECT_FALSE(glob_match("a*b", "ac"));
}

}  // namespace
}  // namespace shutdown_auditor::audit
