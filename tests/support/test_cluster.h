#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace shutdown_auditor::testing_support {

// One request as the API server's audit log recorded it when its response was complete (audit.k8s.io/v1 Event).
struct AuditEntry {
  std::string verb;  // get, list, watch, create, update, patch, delete, deletecollection, …
  std::string user;
  std::string api_group;  // "" for the core group and for non-resource requests
  std::string resource;   // "" for non-resource requests
  std::string subresource;
  std::string ns;
  std::string name;
  int code = 0;  // HTTP status
  std::string user_agent;
  std::string request_uri;
  std::string timestamp;  // RFC 3339 with microseconds in UTC, so that text order is time order
};

struct TestClusterOptions {
  bool controller_manager = false;
  std::vector<std::string> apiserver_args;  // more flags, e.g. "--disable-admission-plugins=ServiceAccount"
};

// A real control plane of its own on the loopback address, started by tests/cluster/cluster.sh: etcd, kube-apiserver
// and, when asked for, kube-controller-manager. Never looks at KUBECONFIG. When this process ends without running the
// destructor, a watcher stops the servers within about a second. The servers must have been built before
// (tests/cluster/tools.sh); without them `start` fails. All functions block; use one object from one thread.
class TestCluster {
 public:
  using Options = TestClusterOptions;

  // Ready for requests when it returns. The error carries the last log lines of the server that did not start.
  static base::Result<std::unique_ptr<TestCluster>> start(const Options& options = {});

  // Stops every process and removes the directory. With KEEP_LOGS set in the environment the *.log files stay and
  // their place is printed.
  ~TestCluster();
  TestCluster(const TestCluster&) = delete;
  TestCluster& operator=(const TestCluster&) = delete;

  // The administrator's kubeconfig (system:masters), certificates inline.
  std::string kubeconfig_path() const;
  // Holds audit.log, <component>.log, <component>.pid, pki/ and bin/.
  const std::string& dir() const { return dir_; }

  // Runs kubectl as administrator and returns its stdout; any other exit status is an error with its stderr.
  base::Result<std::string> kubectl(std::vector<std::string> args, std::string stdin_text = {}) const;

  // SIGTERM and a wait for the end; start again on the same port with etcd's data.
  base::Result<void> stop_apiserver();
  base::Result<void> start_apiserver();
  base::Result<void> restart_apiserver();
  // SIGKILL to "etcd", "kube-apiserver" or "kube-controller-manager".
  base::Result<void> kill(const std::string& component);

  // Compacts etcd's history at its current revision. The API server still answers older resource versions from its
  // watch cache; after compact() and restart_apiserver() every one of them is 410 Gone.
  base::Result<void> compact();

  // A new client certificate for user `name` in `group` ("" for none), who has no rights but those of
  // system:authenticated; returns the path of the kubeconfig.
  base::Result<std::string> kubeconfig_for(const std::string& name, const std::string& group = {});

  // All completed requests so far, oldest first, the servers' own included. A request may appear here shortly after its
  // client has the answer, so wait for the expected entry; a watch appears when it ends. An unreadable log is a test
  // failure.
  std::vector<AuditEntry> audit_log() const;

 private:
  explicit TestCluster(std::string dir) : dir_(std::move(dir)) {}
  base::Result<std::string> run(const std::string& command, const std::vector<std::string>& options = {}) const;

  std::string dir_;
};

}  // namespace shutdown_auditor::testing_support
