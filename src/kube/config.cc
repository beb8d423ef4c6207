#include "kube/config.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "kube/kubeconfig_merge.h"
#include "kube/kubeconfig_user.h"
#include "kube/server_url.h"

namespace shutdown_auditor::kube {
namespace {

using base::fail;

constexpr base::Logger kLog{"kube"};
constexpr std::size_t kMaxNamespaceBytes = 1024;

EnvironmentLookup lookup_in(const std::vector<std::string>& environment) {
  return [&environment](const std::string& name) -> std::optional<std::string> {
    for (const std::string& entry : environment) {
      if (entry.size() > name.size() && entry[name.size()] == '=' && entry.starts_with(name)) {
        return entry.substr(name.size() + 1);
      }
    }
    return std::nullopt;
  };
}

template <class T>
const T* find_named(const std::vector<objects::KubeconfigNamed<T>>& entries, const std::string& name) {
  const auto found =
      std::find_if(entries.begin(), entries.end(), [&](const auto& entry) { return entry.name == name; });
  return found == entries.end() ? nullptr : &found->value;
}

template <class T>
std::string names_of(const std::vector<objects::KubeconfigNamed<T>>& entries) {
  std::vector<std::string> names;
  for (const auto& entry : entries) {
    names.push_back(entry.name);
  }
  return names.empty() ? "none" : base::truncate_utf8(base::join(names, ", "), 50);
}

// The address part of a configuration; both sources of one share it.
base::Result<void> set_server(ClientConfig& config, const ServerUrl& url, const std::string& proxy_url,
                              const EnvironmentLookup& environment) {
  config.transport.scheme = url.scheme;
  config.transport.host = url.host;
  config.transport.port = url.port;
  config.transport.path_prefix = url.prefix;
  config.endpoint.server = url.origin() + url.prefix;
  auto proxy = proxy_for(url, proxy_url, environment);
  if (!proxy) {
    return base::unexpected(proxy.error());
  }
  config.transport.proxy = *std::move(proxy);
  return {};
}

base::Result<void> set_cluster(ClientConfig& config, const objects::KubeconfigCluster& cluster,
                               const EnvironmentLookup& environment) {
  if (cluster.server.empty()) {
    return fail(base::ErrorKind::kInvalid, "server: is missing");
  }
  const auto url = parse_server_url(cluster.server);
  if (!url) {
    return base::unexpected(url.error().with_context("server"));
  }
  if (auto set = set_server(config, *url, cluster.proxy_url, environment); !set) {
    return set;
  }
  auto ca = pem_source("certificate-authority", cluster.certificate_authority, cluster.certificate_authority_data);
  if (!ca) {
    return base::unexpected(ca.error());
  }
  config.tls_files.ca = *std::move(ca);
  config.tls_files.insecure = cluster.insecure_skip_tls_verify;
  config.transport.tls_server_name = cluster.tls_server_name;
  config.transport.insecure_skip_tls_verify = cluster.insecure_skip_tls_verify;
  if (cluster.insecure_skip_tls_verify && config.tls_files.ca.given()) {
    return fail(base::ErrorKind::kInvalid, "insecure-skip-tls-verify and certificate-authority exclude each other");
  }
  if (url->scheme == "https" && !cluster.insecure_skip_tls_verify && !config.tls_files.ca.given()) {
    return fail(base::ErrorKind::kInvalid, "certificate-authority: is missing; only the cluster's own CA is trusted");
  }
  if (cluster.insecure_skip_tls_verify) {
    kLog.warn("the server's certificate is NOT verified: anyone in between can read and change everything",
              {{"server", config.endpoint.server}, {"cause", "insecure-skip-tls-verify"}});
  }
  return {};
}

// The user with the impersonation of the command line, which replaces that of the file.
objects::KubeconfigUser impersonating(objects::KubeconfigUser user, const ConfigOptions& options) {
  if (!options.as.empty() || !options.as_groups.empty()) {
    user.as = options.as;
    user.as_groups = options.as_groups;
    user.as_uid.clear();
    user.as_user_extra.clear();
  }
  return user;
}

base::Result<ClientConfig> from_kubeconfig(const objects::Kubeconfig& merged, const std::string& source,
                                           const ConfigOptions& options, base::Clock& clock) {
  const auto refuse = [&](std::string_view what, std::string_view remedy) {
    return fail(base::ErrorKind::kInvalid, one_line(source, what, remedy));
  };
  const std::string context_name = options.context.empty() ? merged.current_context : options.context;
  objects::KubeconfigContext context;
  if (!context_name.empty()) {
    const auto* found = find_named(merged.contexts, context_name);
    if (!found) {
      return refuse(fmt::format("{}: there is no context {}",
                                options.context.empty() ? "current-context" : "--context",
                                base::quoted(context_name, 60)),
                    fmt::format("choose one of: {}", names_of(merged.contexts)));
    }
    context = *found;
  } else if (options.cluster.empty()) {
    return refuse("current-context: is not set", fmt::format("give --context, one of: {}", names_of(merged.contexts)));
  }
  const auto missing = [&](const char* what, const std::string& name, const std::string& known) {
    return refuse(fmt::format("context {}: there is no {} {}", base::quoted(context_name, 40), what,
                              base::quoted(name, 40)),
                  fmt::format("it has: {}", known));
  };
  const std::string cluster_name = options.cluster.empty() ? context.cluster : options.cluster;
  const auto* cluster = find_named(merged.clusters, cluster_name);
  if (!cluster) {
    return missing("cluster", cluster_name, names_of(merged.clusters));
  }
  const std::string user_name = options.user.empty() ? context.user : options.user;
  const objects::KubeconfigUser nobody;
  const auto* user = user_name.empty() ? &nobody : find_named(merged.users, user_name);
  if (!user) {
    return missing("user", user_name, names_of(merged.users));
  }

  ClientConfig config;
  config.endpoint.source = source;
  config.endpoint.context = context_name.empty() ? cluster_name : context_name;
  config.name_space = !options.name_space.empty() ? options.name_space
                      : context.namespace_.empty() ? "default"
                                                   : context.namespace_;
  if (const auto set = set_cluster(config, *cluster, lookup_in(options.environment)); !set) {
    return refuse(fmt::format("cluster {}: {}", base::quoted(cluster_name, 40), set.error().message), "");
  }
  if (const auto set = set_user(config, impersonating(*user, options), *cluster, options, clock); !set) {
    return refuse(fmt::format("user {}: {}", base::quoted(user_name, 40), set.error().message), "");
  }
  return config;
}

base::Result<ClientConfig> in_cluster(const std::string& host, const std::string& port, const ConfigOptions& options,
                                      base::Clock& clock) {
  const auto number = base::parse_int64(port);
  if (!number || *number < 1 || *number > 65535) {
    return fail(base::ErrorKind::kInvalid,
                one_line("in-cluster", fmt::format("KUBERNETES_SERVICE_PORT is {}", base::quoted(port, 40)),
                         "unset it or give a port"));
  }
  if (!options.as.empty() || !options.as_groups.empty()) {
    return fail(base::ErrorKind::kInvalid,
                one_line("in-cluster", "a service account cannot impersonate here", "give --kubeconfig together with --as"));
  }
  ClientConfig config;
  config.endpoint.source = "in-cluster";
  const std::string dir = options.service_account_dir;
  const ServerUrl url{"https", host, static_cast<int>(*number), ""};
  if (const auto set = set_server(config, url, "", lookup_in(options.environment)); !set) {
    return fail(base::ErrorKind::kInvalid, one_line("in-cluster", set.error().message, ""));
  }
  config.tls_files.ca = {"", dir + "/ca.crt", "certificate-authority"};
  config.credentials = std::make_unique<TokenFile>(dir + "/token", clock);
  if (const auto token = config.credentials->token({}); !token) {
    return fail(base::ErrorKind::kInvalid, one_line("in-cluster", token.error().message,
                                              "is automountServiceAccountToken off?"));
  }
  config.name_space = options.name_space;
  if (config.name_space.empty()) {
    const auto text = base::read_file(dir + "/namespace", kMaxNamespaceBytes);
    config.name_space = text ? std::string(base::trim(*text)) : std::string();
  }
  if (config.name_space.empty()) {
    config.name_space = "default";
  }
  return config;
}

base::Result<ClientConfig> from_files(const std::vector<std::string>& paths, bool skip_missing,
                                      const ConfigOptions& options, base::Clock& clock) {
  std::vector<KubeconfigFile> files;
  std::vector<std::string> missing;
  for (const std::string& path : paths) {
    auto loaded = options.load(path);
    if (loaded) {
      files.push_back({path, *std::move(loaded)});
    } else if (loaded.error().kind == base::ErrorKind::kNotFound && skip_missing) {
      missing.push_back(path);
    } else if (loaded.error().kind == base::ErrorKind::kNotFound) {
      return fail(base::ErrorKind::kNotFound, one_line(path, "there is no such kubeconfig", "check --kubeconfig"));
    } else {
      // The loader's message begins with file and line.
      std::string_view message = loaded.error().message;
      const std::string place = message.starts_with(path) ? path : "kubeconfig " + path;
      if (message.starts_with(path + ":")) {
        message.remove_prefix(path.size() + 1);
      }
      return fail(loaded.error().kind, one_line(place, base::trim(message), "correct the file"));
    }
  }
  const std::string list = base::join(paths, ":");
  if (files.empty()) {
    return fail(base::ErrorKind::kNotFound,
                one_line("KUBECONFIG " + list, "none of its files exists", "correct or unset it"));
  }
  if (!missing.empty()) {
    kLog.warn("files of KUBECONFIG are missing", {{"files", base::join(missing, ", ")}});
  }
  const std::string source = files.size() == 1 ? files[0].path : list;
  const auto merged = merge_kubeconfigs(std::move(files));
  return merged ? from_kubeconfig(*merged, source, options, clock) : base::unexpected(merged.error());
}

}  // namespace

base::Result<ClientConfig> resolve_config(const ConfigOptions& options, base::Clock& clock) {
  const EnvironmentLookup environment = lookup_in(options.environment);
  if (!options.kubeconfig.empty()) {
    return from_files({options.kubeconfig}, false, options, clock);
  }
  std::vector<std::string> listed;
  const std::string kubeconfig_variable = environment("KUBECONFIG").value_or("");
  for (const std::string_view path : base::split(kubeconfig_variable, ':')) {
    if (!path.empty() && std::find(listed.begin(), listed.end(), path) == listed.end()) {
      listed.emplace_back(path);
    }
  }
  if (!listed.empty()) {
    return from_files(listed, true, options, clock);
  }
  const std::string host = environment("KUBERNETES_SERVICE_HOST").value_or("");
  const std::string port = environment("KUBERNETES_SERVICE_PORT").value_or("");
  if (!host.empty() && !port.empty()) {
    return in_cluster(host, port, options, clock);
  }
  const std::string home = environment("HOME").value_or("");
  if (!home.empty()) {
    auto config = from_files({home + "/.kube/config"}, false, options, clock);
    if (config || config.error().kind != base::ErrorKind::kNotFound) {
      return config;
    }
  }
  return fail(base::ErrorKind::kNotFound, one_line("kubeconfig", "no cluster is configured",
                                             "give --kubeconfig FILE, set KUBECONFIG, or run inside a cluster"));
}

}  // namespace shutdown_auditor::kube
