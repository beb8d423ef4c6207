#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "http/transport.h"

// Credential plugins: kubectl's client-go credential plugins, group client.authentication.k8s.io.
namespace shutdown_auditor::kube {

// What a plugin gave: a token, a client certificate, or both. Holds secrets: never printed.
struct ExecCredential {
  std::string token = {};
  std::optional<http::ClientIdentity> identity = {};
  std::optional<base::WallTime> expires = {};  // absent: good until a 401
};

// Reads a plugin's standard output; failures say what is wrong and never quote it.
using ExecOutputParser =
    std::function<base::Result<ExecCredential>(std::string_view output, const std::string& api_version)>;

// An ExecCredential object in JSON: kind, the expected apiVersion, a status with a token or with certificate and key
// together, expirationTimestamp in RFC 3339.
base::Result<ExecCredential> parse_exec_credential(std::string_view json, const std::string& api_version);

struct ExecSpec {
  std::string command = {};  // a path, or a name that is looked up in PATH
  std::vector<std::string> args = {};
  std::vector<std::pair<std::string, std::string>> env = {};  // added to the inherited environment
  std::string api_version = {};   // client.authentication.k8s.io/v1 or /v1beta1
  std::string install_hint = {};  // shown when the command is missing
  std::string cluster_info = {};  // spec.cluster of KUBERNETES_EXEC_INFO as JSON; empty: not given
  base::Duration time_limit = std::chrono::seconds(60);
  ExecOutputParser parse = parse_exec_credential;
};

// Runs the plugin to its end, without a terminal and with no standard input. Blocks the calling thread; at the time
// limit (by `clock`) or on `stop` its process group is killed. At most 1 MiB of output is read; standard error goes to
// the log, at most 4 KiB of it. `environment` holds NAME=VALUE entries.
base::Result<ExecCredential> run_exec_plugin(const ExecSpec& spec, const std::vector<std::string>& environment,
                                             base::Clock& clock, const std::stop_token& stop);

}  // namespace shutdown_auditor::kube
