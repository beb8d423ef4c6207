#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

// Addresses of servers and the proxies to them. Pure functions.
namespace shutdown_auditor::kube {

struct ServerUrl {
  std::string scheme;  // "https" or "http"
  std::string host;    // IPv6 without brackets
  int port = 443;
  std::string prefix;  // "/k8s/clusters/c-1", no trailing '/'

  std::string origin() const;  // "https://[::1]:6443", without the prefix
};

// An http or https URL without user, query or fragment; kInvalid says which part is wrong.
base::Result<ServerUrl> parse_server_url(std::string_view text);

// The value of an environment variable, nullopt when it is not set.
using EnvironmentLookup = std::function<std::optional<std::string>(const std::string& name)>;

// The proxy for a server as "http://host:port", empty for none: `proxy_url` of the kubeconfig when given, else
// HTTPS_PROXY (HTTP_PROXY for http servers; upper case before lower case) unless NO_PROXY covers the server. Loopback
// servers are reached directly (Go's net/http/httpproxy). SOCKS and https proxies and proxies with a password are
// refused.
base::Result<std::string> proxy_for(const ServerUrl& server, const std::string& proxy_url,
                                    const EnvironmentLookup& environment);

// One NO_PROXY list: "*", addresses, CIDR ranges, names ("example.com" covers its subdomains, ".example.com" and
// "*.example.com" only those), each with an optional ":port".
bool no_proxy_covers(std::string_view no_proxy, std::string_view host, int port);

}  // namespace shutdown_auditor::kube
