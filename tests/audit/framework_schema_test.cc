#include "frameworks/knowledge.h"

#include <gmock/gmock.h>

#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "audit/framework_table.h"

namespace shutdown_auditor::tools {
namespace {

std::string data_file() {
  std::ifstream file(std::string(SA_SOURCE_DIR) + "/src/audit/frameworks.yaml", std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// What the knowledge base has to know; each is either matched by a rule or says why it cannot be.
const std::set<std::string> kKnown{
    "gunicorn", "uvicorn", "hypercorn", "daphne", "granian", "uwsgi", "waitress", "flask-dev", "django-runserver",
    "python-generic", "celery", "celery-beat-flower", "rq", "dramatiq", "arq", "airflow-celery-worker", "node",
        "npm-wrapper",
    "yarn-wrapper", "pnpm-wrapper", "pm2-runtime", "nextjs", "nestjs", "java-generic", "spring-boot", "quarkus", "micronaut",
    "tomcat", "jetty", "vertx", "helidon", "dropwizard", "kafka-streams", "dotnet-host", "go-generic", "nginx", "openresty",
    "ingress-nginx", "f5-nginx-ingress", "haproxy", "apache-httpd", "php-fpm", "caddy", "traefik", "envoy", "istio-proxy",
    "linkerd-proxy", "consul-dataplane", "envoy-gateway", "contour-shutdown-manager", "kong", "cloudflared", "coredns",
        "puma",
    "unicorn", "passenger", "sidekiq", "resque", "solid-queue", "good-job", "phoenix", "laravel-queue", "postgresql",
        "mysql",
    "redis", "rabbitmq", "kafka", "elasticsearch", "mongodb", "etcd", "cassandra", "nats", "temporal-worker",
        "gitlab-runner",
    "jenkins-agent", "keda-http-interceptor", "datadog-agent", "fluent-bit", "vector", "otel-collector", "cloud-sql-proxy",
    "vault-agent", "dapr", "aws-lb-target-group", "gke-backendconfig", "tini", "dumb-init", "shell-form"};

TEST(FrameworkSchema, TheDataKeepsItsRulesAndKnowsEveryFramework) {
  const auto knowledge = read_knowledge(data_file(), "frameworks.yaml");
  ASSERT_TRUE(knowledge) << knowledge.error().message;
  EXPECT_EQ(kKnown.size(), 88u);
  std::set<std::string> ids;
  for (const Wrapper& each : knowledge->wrappers) ids.insert(each.id);
  for (const Framework& each : knowledge->frameworks) {
    ids.insert(each.id);
    for (const Time& time : each.times) EXPECT_FALSE(time.source.empty()) << each.id;
    EXPECT_EQ(each.image_signal.empty() ? each.graceful_signal : each.image_signal, each.graceful_signal) << each.id;
  }
  for (const std::string& id : kKnown) EXPECT_TRUE(ids.contains(id)) << id;
}

TEST(FrameworkSchema, TheTablesHoldWhatTheFileSays) {
  const auto knowledge = read_knowledge(data_file(), "frameworks.yaml");
  ASSERT_TRUE(knowledge);
  const auto tables = audit::frameworks();
  ASSERT_EQ(tables.size(), knowledge->frameworks.size());
  for (std::size_t i = 0; i < tables.size(); ++i) {
    const Framework& written = knowledge->frameworks[i];
    EXPECT_EQ(tables[i].id, written.id);
    EXPECT_THAT(tables[i].executables, ::testing::ElementsAreArray(written.executables)) << written.id;
    ASSERT_EQ(tables[i].times.size(), written.times.size()) << written.id;
    for (std::size_t k = 0; k < written.times.size(); ++k) {
      EXPECT_EQ(tables[i].times[k].default_ms, written.times[k].default_ms) << written.id;
      EXPECT_THAT(tables[i].times[k].flags, ::testing::ElementsAreArray(written.times[k].flags)) << written.id;
    }
    ASSERT_EQ(tables[i].behaviour.size(), written.behaviour.size()) << written.id;
    for (std::size_t k = 0; k < written.behaviour.size(); ++k) {
      EXPECT_EQ(tables[i].behaviour[k].reason, written.behaviour[k].reason) << written.id;
    }
  }
  EXPECT_EQ(audit::wrappers().size(), knowledge->wrappers.size());
}

TEST(FrameworkSchema, AWrongFileIsRefusedWithItsLine) {
  const std::string head = "version: 1\nframeworks:\n  - id: a\n    source: s\n    confidence: verified\n";
  const std::string rule = head + "    executables: [a]\n    behaviour:\n      - {on: [SIGTERM], is: graceful}\n";
  const struct {
    std::string text;
    std::string message;
  } kRows[] = {
      {"version: 2\nframeworks: []\n", "f:1: only version 1 is known"},
      {"frameworks: []\n", "f:1: has no version"},
      {"version: 1\nframeworks: []\n", "f:1: lists no frameworks"},
      {"version: 1\nframework: []\n", "f:2: unknown key framework"},
      {"version: 1\nversion: 1\n", "f:2: repeated key version"},
      {"[1", "f:"},
      {"version: 1\nframeworks:\n  - id: a\n", "f:3: has no source"},
      {head + "    exe: [a]\n", "f:6: unknown key exe"},
      {head, "f:3: a needs either a rule to match or unmatched"},
      {head + "    executables: [a]\n", "f:3: a has no behaviour"},
      {head + "    executables: ['*']\n", "f:6: bad pattern *"},
      {head + "    executables: a\n", "f:6: executables has to be a list"},
      {head + "    graceful_signal: SIGFOO\n", "f:6: unknown graceful_signal SIGFOO"},
      {head + "    runtime: cobol\n", "f:6: unknown runtime cobol"},
      {head + "    generic: maybe\n", "f:6: generic is not a bool"},
      {head + "    stop_signal: {is: SIGQUIT}\n", "f:6: stop_signal has no images"},
      {head + "    injected_by: [env X]\n", "f:6: condition not possible here: env X"},
      {head + "    executables: [a]\n    behaviour:\n      - {on: [SIGTERM], is: fast}\n",
       "f:8: a behaviour that loses work needs a reason"},
      {head + "    executables: [a]\n    behaviour:\n      - {on: [SIGX], is: graceful}\n", "f:8: unknown signal SIGX"},
      {head + "    executables: [a]\n    behaviour:\n      - {on: [SIGTERM], is: graceful, when: [moon X]}\n",
       "f:8: unknown condition moon X"},
      {rule + "    times:\n      - {kind: drain, default: 3, source: s, flags: [--x]}\n",
       "f:10: a time needs a syntax exactly when it can be written"},
      {rule + "    times:\n      - {kind: drain, default: 3, flags: [--x], syntax: int_seconds}\n", "f:10: has no source"},
      {rule + "    times:\n      - {kind: drain, default: soon, source: s}\n",
       "f:10: default soon is not seconds with at most one decimal, 0 to 86400"},
      {rule + "    times:\n      - {kind: drain, default: none, source: s}\n",
       "f:10: a time that cannot be written needs a default"},
      {rule + "    times:\n      - {kind: drain, default: 1, source: s, syntax: moons, flags: [--x]}\n",
       "f:10: unknown syntax moons"},
      {rule + "  - {id: a, source: s, confidence: verified, unmatched: never}\n", "f:9: repeated id a"},
  };
  EXPECT_TRUE(read_knowledge(rule, "f"));
  for (const auto& row : kRows) {
    const auto result = read_knowledge(row.text, "f");
    ASSERT_FALSE(result) << row.text;
    EXPECT_THAT(result.error().message, ::testing::StartsWith(row.message)) << row.text;
  }
}

}  // namespace
}  // namespace shutdown_auditor::tools
