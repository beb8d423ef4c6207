#include "kube/kubeconfig_user.h"

#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/text.h"
#include "kube/resource.h"

namespace shutdown_auditor::kube {
namespace {

using base::fail;

constexpr std::string_view kExecGroup = "client.authentication.k8s.io/";

bool fits_a_header(std::string_view value) {
  return value.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

base::Result<void> set_impersonation(ClientConfig& config, const objects::KubeconfigUser& user) {
  if (user.as.empty()) {
    if (!user.as_uid.empty() || !user.as_groups.empty() || !user.as_user_extra.empty()) {
      return fail(base::ErrorKind::kInvalid, "as-uid, as-groups and as-user-extra need as");
    }
    return {};
  }
  // Repeated headers would be joined with ", " on the way and name one strange group instead of two.
  if (user.as_groups.size() > 1) {
    return fail(base::ErrorKind::kInvalid, "as-groups: only one group can be impersonated");
  }
  config.headers.add("Impersonate-User", user.as);
  if (!user.as_uid.empty()) {
    config.headers.add("Impersonate-Uid", user.as_uid);
  }
  for (const std::string& group : user.as_groups) {
    config.headers.add("Impersonate-Group", group);
  }
  for (const auto& [key, values] : user.as_user_extra) {
    if (values.size() > 1) {
      return fail(base::ErrorKind::kInvalid, fmt::format("as-user-extra.{}: only one value can be sent", key));
    }
    for (const std::string& value : values) {
      config.headers.add("Impersonate-Extra-" + percent_encode(base::to_lower(key)), value);
    }
  }
  for (const auto& [name, value] : config.headers.all()) {
    if (!fits_a_header(value)) {
      return fail(base::ErrorKind::kInvalid, "as: holds a line break");
    }
  }
  return {};
}

// spec.cluster of KUBERNETES_EXEC_INFO: client.authentication.k8s.io/v1 Cluster.
base::Result<std::string> cluster_info(const ClientConfig& config, const objects::KubeconfigCluster& cluster) {
  nlohmann::json info = {{"server", cluster.server}};
  if (!cluster.tls_server_name.empty()) {
    info["tls-server-name"] = cluster.tls_server_name;
  }
  if (cluster.insecure_skip_tls_verify) {
    info["insecure-skip-tls-verify"] = true;
  }
  if (!cluster.proxy_url.empty()) {
    info["proxy-url"] = cluster.proxy_url;
  }
  std::string ca = config.tls_files.ca.text;
  if (ca.empty() && !config.tls_files.ca.file.empty()) {
    auto text = base::read_file(config.tls_files.ca.file, 1U << 20U);
    if (!text) {
      return base::unexpected(text.error().with_context("certificate-authority"));
    }
    ca = *std::move(text);
  }
  if (!ca.empty()) {
    info["certificate-authority-data"] = base::base64_encode(ca);
  }
  return info.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

base::Result<void> set_exec(ClientConfig& config, const objects::KubeconfigExec& exec,
                            const objects::KubeconfigCluster& cluster, const ConfigOptions& options,
                            base::Clock& clock) {
  if (exec.command.empty()) {
    return fail(base::ErrorKind::kInvalid, "exec.command: is missing");
  }
  if (exec.api_version != std::string(kExecGroup) + "v1" && exec.api_version != std::string(kExecGroup) + "v1beta1") {
    return fail(base::ErrorKind::kInvalid, fmt::format("exec.apiVersion: {} is not {}v1 or v1beta1",
                                                 base::quoted(exec.api_version, 50), kExecGroup));
  }
  if (exec.interactive_mode == "Always") {
    return fail(base::ErrorKind::kInvalid,
                "exec.interactiveMode: Always needs a terminal; use a plugin that does not ask");
  }
  if (!exec.interactive_mode.empty() && exec.interactive_mode != "Never" && exec.interactive_mode != "IfAvailable") {
    return fail(base::ErrorKind::kInvalid, fmt::format("exec.interactiveMode: {} is not Never, IfAvailable or Always",
                                                 base::quoted(exec.interactive_mode, 40)));
  }
  ExecSpec spec;
  spec.command = exec.command;
  spec.args = exec.args;
  spec.api_version = exec.api_version;
  spec.install_hint = exec.install_hint;
  spec.parse = options.parse_exec_output;
  for (const objects::KubeconfigExecEnv& variable : exec.env) {
    spec.env.emplace_back(variable.name, variable.value);
  }
  if (exec.provide_cluster_info) {
    auto info = cluster_info(config, cluster);
    if (!info) {
      return base::unexpected(info.error());
    }
    spec.cluster_info = *std::move(info);
  }
  auto run = [spec = std::move(spec), environment = options.environment, &clock](const std::stop_token& stop) {
    return run_exec_plugin(spec, environment, clock, stop);
  };
  config.credentials = std::make_unique<ExecCredentials>(std::move(run), clock);
  return {};
}

}  // namespace

base::Result<PemSource> pem_source(const std::string& field, const std::string& file, const std::string& data) {
  PemSource source{"", file, field};
  if (!data.empty()) {
    auto text = base::base64_decode(data);
    if (!text) {
      return base::unexpected(text.error().with_context(field + "-data"));
    }
    if (base::trim(*text).empty()) {
      return fail(base::ErrorKind::kInvalid, field + "-data: is empty");
    }
    source.text = *std::move(text);
  }
  return source;
}

base::Result<void> set_user(ClientConfig& config, const objects::KubeconfigUser& user,
                            const objects::KubeconfigCluster& cluster, const ConfigOptions& options,
                            base::Clock& clock) {
  if (user.auth_provider) {
    return fail(base::ErrorKind::kInvalid,
                fmt::format("auth-provider {} was removed from Kubernetes; use an exec plugin",
                            base::quoted(user.auth_provider->name, 40)));
  }
  if (!user.username.empty() || !user.password.empty()) {
    return fail(base::ErrorKind::kInvalid,
                "username and password were removed from Kubernetes; use a token, a certificate or exec");
  }
  auto certificate = pem_source("client-certificate", user.client_certificate, user.client_certificate_data);
  if (!certificate) {
    return base::unexpected(certificate.error());
  }
  auto key = pem_source("client-key", user.client_key, user.client_key_data);
  if (!key) {
    return base::unexpected(key.error());
  }
  if (certificate->given() != key->given()) {
    return fail(base::ErrorKind::kInvalid,
                certificate->given() ? "client-key: is missing" : "client-certificate: is missing");
  }
  config.tls_files.certificate = *std::move(certificate);
  config.tls_files.key = *std::move(key);
  if (auto set = set_impersonation(config, user); !set) {
    return set;
  }
  if (!user.token.empty()) {
    if (!fits_a_header(user.token)) {
      return fail(base::ErrorKind::kInvalid, "token: holds a line break");
    }
    config.credentials = std::make_unique<StaticToken>(user.token);
  } else if (!user.token_file.empty()) {
    config.credentials = std::make_unique<TokenFile>(user.token_file, clock);
    if (const auto token = config.credentials->token({}); !token) {
      return base::unexpected(token.error());
    }
  } else if (user.exec) {
    return set_exec(config, *user.exec, cluster, options, clock);
  } else {
    config.credentials = std::make_unique<StaticToken>();
  }
  return {};
}

}  // namespace shutdown_auditor::kube
