#pragma once

#include <gmock/gmock.h>

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "integration/support/controller_process.h"
#include "support/manual_clock.h"
#include "support/test_cluster.h"

namespace shutdown_auditor::testing_support {

// One API server with our CRDs for all tests of a program, and what they ask it. Every test gets a namespace of its own
// and leaves no workload, budget, service or audit behind.
class ClusterTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { start_cluster({}); }
  static void TearDownTestSuite();
  static void start_cluster(const TestClusterOptions& options);
  void SetUp() override;
  void TearDown() override;

  static TestCluster& cluster();
  const std::string& ns() const { return namespace_; }

  // kubectl as administrator in the test's namespace; a failure of it is a test failure.
  std::string kubectl(std::vector<std::string> args, std::string stdin_text = {}) const;
  nlohmann::json kubectl_json(std::vector<std::string> args) const;
  void apply(const std::string& manifest) const { kubectl({"apply", "-f", "-"}, manifest); }
  static void install_crds();

  // A kubeconfig for a user of that name with all rights: the name tells its requests from those of others.
  std::string administrator(const std::string& name) const;
  // A controller of that user, its lease in the test's namespace.
  std::unique_ptr<ControllerProcess> controller(const std::string& user, std::vector<std::string> args = {}) const;
  std::unique_ptr<ControllerProcess> controller_with(const std::string& kubeconfig,
                                                     std::vector<std::string> args = {}) const;

  // A ShutdownAudit of the test's namespace by its own name; null when there is none.
  nlohmann::json audit_named(const std::string& name) const;
  bool await_audit(const std::string& name, const std::string& verdict) const;
  // The audit of a Deployment in the test's namespace; null when there is none.
  nlohmann::json audit_of(const std::string& deployment) const;
  std::string verdict_of(const std::string& deployment) const;
  bool await_verdict(const std::string& deployment, const std::string& verdict) const;
  // Waits until these are the only audits of the namespace and all have a status.
  bool await_audits(const std::vector<std::string>& deployments) const;

  // Waits until /health says this. For a moment any source may be degraded: a server refuses watches of a type whose
  // storage it has only begun to serve (429, "storage is (re)initializing").
  static bool await_health(const ControllerProcess& process, const std::string& status);

  // Requests that changed something, or tried to, of one user, oldest first.
  std::vector<AuditEntry> writes_of(const std::string& user) const;
  // Of those, the successful ones to status of ShutdownAudits of the test's namespace ("" for all of them).
  std::size_t status_writes(const std::string& user, const std::string& deployment = {}) const;
  // A new Deployment, audited: what was queued before it has been done by then.
  void pass_a_sentinel(const std::string& user);

  // Our Events on objects of that name in the test's namespace: {"reason", "type", "note"}, oldest first.
  std::vector<nlohmann::json> events_of(const std::string& deployment) const;

 private:
  std::string namespace_;
  int sentinels_ = 0;
};

// What a Deployment in a test says; everything else is the reference workload's.
struct DeploymentText {
  std::string name = "web";
  int replicas = 3;
  std::string grace = "60";  // empty: left out
  bool declared = true;      // annotations: requests 30, cleanup 20
  std::string label = {};    // one more label of the Deployment itself
  std::string kind = "Deployment";  // or StatefulSet, DaemonSet, Rollout with the same pods
};
std::string deployment(const DeploymentText& text);
// minAvailable of the pods of that Deployment.
std::string budget(const std::string& name, int min_available);
std::string service(const std::string& name);

std::string describe(const std::vector<AuditEntry>& entries);

}  // namespace shutdown_auditor::testing_support
