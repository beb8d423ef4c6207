#include "kube/server_url.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstring>

#include <fmt/format.h>

#include "base/text.h"

namespace shutdown_auditor::kube {
namespace {

using base::ErrorKind;
using base::fail;

struct Address {
  int family = 0;
  std::array<unsigned char, 16> bytes{};
  int bits() const { return family == AF_INET ? 32 : 128; }
};

std::optional<Address> parse_address(std::string_view text) {
  const std::string host(text);
  for (const int family : {AF_INET, AF_INET6}) {
    Address address{family, {}};
    if (::inet_pton(family, host.c_str(), address.bytes.data()) == 1) {
      return address;
    }
  }
  return std::nullopt;
}

bool same_prefix(const Address& a, const Address& b, int bits) {
  if (a.family != b.family || bits > a.bits()) {
    return false;
  }
  const auto whole = static_cast<std::size_t>(bits / 8);
  if (std::memcmp(a.bytes.data(), b.bytes.data(), whole) != 0) {
    return false;
  }
  const int rest = bits % 8;
  return rest == 0 || ((a.bytes[whole] ^ b.bytes[whole]) >> (8 - rest)) == 0;
}

bool is_loopback(std::string_view host) {
  const auto address = parse_address(host);
  if (!address) {
    return host == "localhost";
  }
  if (address->family == AF_INET) {
    return address->bytes[0] == 127;
  }
  return same_prefix(*address, *parse_address("::1"), 128);
}

// "host", "host:80", "[::1]:80", "::1" into host and port (0 without); nullopt for a bad port.
struct HostPort {
  std::string host;
  int port = 0;
};
std::optional<HostPort> split_host_port(std::string_view text) {
  HostPort result;
  std::string_view port;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) {
      return std::nullopt;
    }
    result.host = text.substr(1, end - 1);
    port = text.substr(end + 1);
  } else if (const std::size_t colon = text.find(':');
             colon != std::string_view::npos && text.find(':', colon + 1) == std::string_view::npos) {
    result.host = text.substr(0, colon);
    port = text.substr(colon);
  } else {
    result.host = text;
  }
  if (port.empty()) {
    return result;
  }
  const auto number = base::parse_int64(port.substr(1));
  if (port[0] != ':' || !number || *number < 1 || *number > 65535) {
    return std::nullopt;
  }
  result.port = static_cast<int>(*number);
  return result;
}

bool entry_covers(std::string_view entry, std::string_view host, int port) {
  if (const std::size_t slash = entry.find('/'); slash != std::string_view::npos) {
    const auto range = parse_address(entry.substr(0, slash));
    const auto bits = base::parse_int64(entry.substr(slash + 1));
    const auto address = parse_address(host);
    return range && address && bits && *bits >= 0 && *bits <= 128 &&
           same_prefix(*range, *address, static_cast<int>(*bits));
  }
  const auto parsed = split_host_port(entry);
  if (!parsed || (parsed->port != 0 && parsed->port != port)) {
    return false;
  }
  if (const auto address = parse_address(parsed->host)) {
    const auto other = parse_address(host);
    return other && same_prefix(*address, *other, address->bits());
  }
  std::string_view name = parsed->host;
  if (name.starts_with("*.")) {
    name.remove_prefix(1);
  }
  if (name.starts_with('.')) {
    return host.size() > name.size() && host.ends_with(name);
  }
  return host == name || (host.size() > name.size() && host.ends_with(name) &&
                          host[host.size() - name.size() - 1] == '.');
}

}  // namespace

std::string ServerUrl::origin() const {
  const bool ipv6 = host.find(':') != std::string::npos;
  return fmt::format("{}://{}{}{}:{}", scheme, ipv6 ? "[" : "", host, ipv6 ? "]" : "", port);
}

base::Result<ServerUrl> parse_server_url(std::string_view text) {
  const auto refuse = [&](std::string_view why) {
    // A user part may hold a password: the text is shown without it.
    const std::size_t at = text.rfind('@');
    return fail(ErrorKind::kInvalid,
                fmt::format("{} {}", base::quoted(at == std::string_view::npos ? text : text.substr(at + 1)), why));
  };
  ServerUrl url;
  const std::size_t colon = text.find("://");
  url.scheme = colon == std::string_view::npos ? std::string() : base::to_lower(text.substr(0, colon));
  if (url.scheme != "https" && url.scheme != "http") {
    return refuse("is no http:// or https:// URL");
  }
  const std::string_view rest = text.substr(colon + 3);
  const std::size_t path = std::min(rest.find_first_of("/?#"), rest.size());
  const std::string_view authority = rest.substr(0, path);
  if (authority.find('@') != std::string_view::npos) {
    return refuse("holds a user: put credentials elsewhere");
  }
  if (rest.find_first_of("?#") != std::string_view::npos) {
    return refuse("has a query or fragment");
  }
  if (std::any_of(text.begin(), text.end(), [](char c) { return c <= ' ' || c == '\x7f' || c == '\\'; })) {
    return refuse("holds a character that no URL has");
  }
  const auto host_port = split_host_port(authority);
  if (!host_port) {
    return refuse("has a bad port");
  }
  if (host_port->host.empty()) {
    return refuse("has no host");
  }
  if (host_port->host.find(':') != std::string::npos && !parse_address(host_port->host)) {
    return refuse("has a bad IPv6 address");
  }
  url.host = base::to_lower(host_port->host);
  url.port = host_port->port != 0 ? host_port->port : url.scheme == "https" ? 443 : 80;
  url.prefix = rest.substr(path);
  while (url.prefix.ends_with('/')) {
    url.prefix.pop_back();
  }
  return url;
}

bool no_proxy_covers(std::string_view no_proxy, std::string_view host, int port) {
  const std::string wanted = base::to_lower(host);
  for (const std::string_view part : base::split(no_proxy, ',')) {
    const std::string entry = base::to_lower(base::trim(part));
    if (entry == "*" || (!entry.empty() && entry_covers(entry, wanted, port))) {
      return true;
    }
  }
  return false;
}

base::Result<std::string> proxy_for(const ServerUrl& server, const std::string& proxy_url,
                                    const EnvironmentLookup& environment) {
  const auto first_of = [&](const char* upper, const char* lower) {
    const std::string value = environment(upper).value_or("");
    return value.empty() ? environment(lower).value_or("") : value;
  };
  std::string text = proxy_url;
  std::string field = "proxy-url";
  if (text.empty()) {
    const bool https = server.scheme == "https";
    field = https ? "HTTPS_PROXY" : "HTTP_PROXY";
    text = https ? first_of("HTTPS_PROXY", "https_proxy") : first_of("HTTP_PROXY", "http_proxy");
    if (text.empty() || is_loopback(server.host) ||
        no_proxy_covers(first_of("NO_PROXY", "no_proxy"), server.host, server.port)) {
      return std::string();
    }
    if (text.find("://") == std::string::npos) {
      text.insert(0, "http://");  // as Go reads it
    }
  }
  const std::string scheme = base::to_lower(text.substr(0, text.find("://")));
  if (scheme.starts_with("socks")) {
    return fail(ErrorKind::kInvalid, fmt::format("{}: SOCKS proxies are not supported; use an http:// proxy", field));
  }
  if (scheme == "https") {
    return fail(ErrorKind::kInvalid, fmt::format("{}: https proxies are not supported; use an http:// proxy", field));
  }
  const auto proxy = parse_server_url(text);
  if (!proxy) {
    return base::unexpected(proxy.error().with_context(field));
  }
  return proxy->origin();
}

}  // namespace shutdown_auditor::kube
