#include "integration/support/cluster_test_base.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <optional>
#include <set>

namespace shutdown_auditor::testing_support {
namespace {

std::unique_ptr<TestCluster>& the_cluster() {
  static std::unique_ptr<TestCluster> cluster;
  return cluster;
}

bool is_write(const std::string& verb) { return verb != "get" && verb != "list" && verb != "watch"; }

}  // namespace

void ClusterTest::start_cluster(const TestClusterOptions& options) {
  auto cluster = TestCluster::start(options);
  ASSERT_TRUE(cluster) << cluster.error().message;
  the_cluster() = std::move(*cluster);
  install_crds();
}

void ClusterTest::TearDownTestSuite() { the_cluster().reset(); }

TestCluster& ClusterTest::cluster() { return *the_cluster(); }

void ClusterTest::install_crds() {
  const auto applied = cluster().kubectl({"apply", "-f", SA_SOURCE_DIR "/crds"});
  ASSERT_TRUE(applied) << applied.error().message;
  const auto ready = cluster().kubectl({"wait", "--for=condition=Established", "--timeout=30s",
                                        "crd/shutdownaudits.shutdownaudit.dev", "crd/shutdownpolicies.shutdownaudit.dev"});
  ASSERT_TRUE(ready) << ready.error().message;
}

void ClusterTest::SetUp() {
  static int count = 0;
  ASSERT_NE(the_cluster(), nullptr) << "there is no cluster";
  namespace_ = "test-" + std::to_string(++count);
  ASSERT_TRUE(cluster().kubectl({"create", "namespace", namespace_}));
}

void ClusterTest::TearDown() {
  if (!the_cluster()) return;
  kubectl({"delete", "deployments,statefulsets,daemonsets,poddisruptionbudgets,services,shutdownaudits", "--all",
           "--wait=false"});
}

std::string ClusterTest::kubectl(std::vector<std::string> args, std::string stdin_text) const {
  args.insert(args.begin(), "--namespace=" + namespace_);
  auto output = cluster().kubectl(std::move(args), std::move(stdin_text));
  if (!output) {
    ADD_FAILURE() << output.error().message;
    return {};
  }
  return *output;
}

nlohmann::json ClusterTest::kubectl_json(std::vector<std::string> args) const {
  args.insert(args.end(), {"-o", "json"});
  return nlohmann::json::parse(kubectl(std::move(args)), nullptr, false);
}

std::string ClusterTest::administrator(const std::string& name) const {
  const auto path = cluster().kubeconfig_for(name, "system:masters");
  EXPECT_TRUE(path) << path.error().message;
  return path ? *path : std::string();
}

std::unique_ptr<ControllerProcess> ClusterTest::controller(const std::string& user,
                                                           std::vector<std::string> args) const {
  return controller_with(administrator(user), std::move(args));
}

std::unique_ptr<ControllerProcess> ClusterTest::controller_with(const std::string& kubeconfig,
                                                                std::vector<std::string> args) const {
  args.push_back("--leader-elect-resource-namespace=" + namespace_);
  return ControllerProcess::start(kubeconfig, std::move(args));
}

nlohmann::json ClusterTest::audit_named(const std::string& name) const {
  const auto text = cluster().kubectl({"--namespace=" + namespace_, "get", "shutdownaudit", name, "-o", "json"});
  return text ? nlohmann::json::parse(*text, nullptr, false) : nlohmann::json();
}

bool ClusterTest::await_audit(const std::string& name, const std::string& verdict) const {
  const bool seen = eventually([&] {
    const nlohmann::json audit = audit_named(name);
    return audit.is_object() && audit.value("status", nlohmann::json::object()).value("verdict", "") == verdict;
  });
  EXPECT_TRUE(seen) << name << " is not " << verdict << " but:\n" << audit_named(name).dump(1);
  return seen;
}

nlohmann::json ClusterTest::audit_of(const std::string& deployment) const { return audit_named("deployment-" + deployment); }

std::string ClusterTest::verdict_of(const std::string& deployment) const {
  const nlohmann::json audit = audit_of(deployment);
  return audit.is_object() && audit.contains("status") ? audit["status"].value("verdict", "") : std::string();
}

bool ClusterTest::await_verdict(const std::string& deployment, const std::string& verdict) const {
  const bool seen = eventually([&] { return verdict_of(deployment) == verdict; });
  EXPECT_TRUE(seen) << "verdict of " << deployment << " is not " << verdict << " but:\n"
                    << audit_of(deployment).dump(1);
  return seen;
}

bool ClusterTest::await_health(const ControllerProcess& process, const std::string& status) {
  nlohmann::json body;
  const bool seen = eventually([&] {
    body = nlohmann::json::parse(process.http_get("/health").body, nullptr, false);
    return body.is_object() && body.value("status", "") == status;
  });
  EXPECT_TRUE(seen) << "/health is not " << status << " but:\n" << body.dump(1);
  return seen;
}

bool ClusterTest::await_audits(const std::vector<std::string>& deployments) const {
  std::set<std::string> expected;
  for (const std::string& deployment : deployments) expected.insert("deployment-" + deployment);
  std::set<std::string> found;
  const bool equal = eventually([&] {
    found.clear();
    for (const auto& audit : kubectl_json({"get", "shutdownaudits"}).value("items", nlohmann::json::array())) {
      if (audit.contains("status")) found.insert(audit["metadata"]["name"].get<std::string>());
    }
    return found == expected;
  });
  EXPECT_THAT(found, ::testing::ContainerEq(expected));
  return equal;
}

std::vector<AuditEntry> ClusterTest::writes_of(const std::string& user) const {
  std::vector<AuditEntry> entries = cluster().audit_log();
  std::erase_if(entries, [&](const AuditEntry& entry) { return entry.user != user || !is_write(entry.verb); });
  return entries;
}

std::size_t ClusterTest::status_writes(const std::string& user, const std::string& deployment) const {
  const auto entries = writes_of(user);
  return static_cast<std::size_t>(std::count_if(entries.begin(), entries.end(), [&](const AuditEntry& entry) {
    return entry.resource == "shutdownaudits" && entry.subresource == "status" && entry.ns == namespace_ &&
           entry.code < 300 && (deployment.empty() || entry.name == "deployment-" + deployment);
  }));
}

void ClusterTest::pass_a_sentinel(const std::string& user) {
  const std::string name = "sentinel-" + std::to_string(++sentinels_);
  apply(deployment({.name = name, .replicas = 1}));
  EXPECT_TRUE(eventually([&] { return status_writes(user, name) == 1; })) << "no audit of " << name;
}

std::vector<nlohmann::json> ClusterTest::events_of(const std::string& deployment) const {
  std::vector<nlohmann::json> events;
  for (const auto& event : kubectl_json({"get", "events.events.k8s.io", "--field-selector=regarding.name=" + deployment})
                               .value("items", nlohmann::json::array())) {
    if (event.value("reportingController", "") == "shutdownaudit.dev/controller") events.push_back(event);
  }
  std::stable_sort(events.begin(), events.end(), [](const nlohmann::json& a, const nlohmann::json& b) {
    return a.value("eventTime", "") < b.value("eventTime", "");
  });
  return events;
}

std::string deployment(const DeploymentText& text) {
  const bool daemon = text.kind == "DaemonSet";
  return fmt::format(R"(---
apiVersion: {version}
kind: {kind}
metadata:
  name: {name}
  labels: {{app: {name}{label}}}
  annotations: {{{annotations}}}
spec:
{own}  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata:
      labels: {{app: {name}}}
    spec:
{grace}      containers:
      - name: app
        image: registry.example/app:1
        ports: [{{name: http, containerPort: 8080}}]
        lifecycle: {{preStop: {{exec: {{command: [sh, -c, "sleep 5"]}}}}}}
        readinessProbe: {{httpGet: {{path: /readyz, port: http}}, periodSeconds: 5}}
        livenessProbe: {{httpGet: {{path: /livez, port: http}}, periodSeconds: 10}}
)",
                     fmt::arg("version", text.kind == "Rollout" ? "argoproj.io/v1alpha1" : "apps/v1"),
                     fmt::arg("kind", text.kind),
                     fmt::arg("own", (daemon ? "" : fmt::format("  replicas: {}\n", text.replicas)) +
                                         (text.kind == "StatefulSet" ? fmt::format("  serviceName: {}\n", text.name) : "")),
                     fmt::arg("name", text.name), fmt::arg("label", text.label.empty() ? "" : ", " + text.label),
                     fmt::arg("annotations",
                              text.declared ? "shutdownaudit.dev/max-request-seconds: \"30\", "
                                              "shutdownaudit.dev/cleanup-seconds: \"20\""
                                            : ""),
                     fmt::arg("replicas", text.replicas),
                     fmt::arg("grace", text.grace.empty()
                                           ? ""
                                           : "      terminationGracePeriodSeconds: " + text.grace + "\n"));
}

std::string budget(const std::string& name, int min_available) {
  return fmt::format(R"(---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {{name: {0}}}
spec:
  minAvailable: {1}
  selector: {{matchLabels: {{app: {0}}}}}
)",
                     name, min_available);
}

std::string service(const std::string& name) {
  return fmt::format(R"(---
apiVersion: v1
kind: Service
metadata: {{name: {0}}}
spec:
  selector: {{app: {0}}}
  ports: [{{name: http, port: 80, targetPort: http}}]
)",
                     name);
}

std::string describe(const std::vector<AuditEntry>& entries) {
  std::string text;
  for (const AuditEntry& entry : entries) {
    text += fmt::format("{} {} {} {}/{}/{} {} -> {}\n", entry.timestamp, entry.user, entry.verb, entry.ns, entry.resource,
                        entry.name, entry.subresource, entry.code);
  }
  return text;
}

}  // namespace shutdown_auditor::testing_support
