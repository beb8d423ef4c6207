#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "http/message.h"
#include "http/transport.h"
#include "kube/credentials.h"
#include "kube/exec_plugin.h"
#include "kube/one_line.h"
#include "kube/tls_files.h"
#include "objects/kubeconfig.h"

namespace shutdown_auditor::kube {

// Reads one kubeconfig file. kNotFound when there is none; other failures name file, line and field.
using KubeconfigLoader = std::function<base::Result<objects::Kubeconfig>(const std::string& path)>;

struct ConfigOptions {
  // From the command line; each empty when not given.
  std::string kubeconfig = {};
  std::string context = {};
  std::string cluster = {};
  std::string user = {};
  std::string name_space = {};
  std::string as = {};                       // user to impersonate, instead of the kubeconfig's
  std::vector<std::string> as_groups = {};

  std::vector<std::string> environment = {};  // NAME=VALUE; exec plugins inherit it
  KubeconfigLoader load = {};
  ExecOutputParser parse_exec_output = parse_exec_credential;
  std::string service_account_dir = "/var/run/secrets/kubernetes.io/serviceaccount";
};

// Everything a connection needs, checked as far as possible without one.
struct ClientConfig {
  http::TransportOptions transport = {};  // all but `tls`, which connect() makes from `tls_files`
  TlsFiles tls_files = {};
  std::unique_ptr<Credentials> credentials = {};
  http::Headers headers = {};    // impersonation
  std::string name_space = {};   // of the context or the service account; "default" when they name none
  Endpoint endpoint = {};
};

// Where to find the API server and as whom, in this order: --kubeconfig; the files of $KUBECONFIG, merged (the first
// file that sets something wins, missing files are skipped with one warning); the service account of the pod we run in;
// ~/.kube/config (client-go tools/clientcmd, controller-runtime GetConfig). Relative paths are relative to their file.
// Failures are one line of at most 300 bytes: file, field, what to do. The credentials keep a reference to `clock`.
base::Result<ClientConfig> resolve_config(const ConfigOptions& options, base::Clock& clock);

}  // namespace shutdown_auditor::kube
