#include "app/live_cluster.h"

#include <malloc.h>

#include <algorithm>
#include <future>
#include <nlohmann/json.hpp>
#include <ostream>

#include "app/progress_line.h"
#include "app/version.h"
#include "base/file.h"
#include "base/log.h"
#include "base/random.h"
#include "base/text.h"
#include "base/time.h"
#include "http/certificate.h"
#include "http/cpprest_transport.h"
#include "kube/connection.h"
#include "manifest/config_document.h"
#include "report/one_line.h"

namespace shutdown_auditor::app {
namespace {

constexpr std::chrono::seconds kHello{10};
constexpr std::chrono::milliseconds kProgressPeriod{100};
constexpr std::size_t kMaxPemBytes = std::size_t{1} << 20U;

// Warnings of the modules below as lines for a person, while it lives.
class WarningLines {
 public:
  explicit WarningLines(std::ostream& err) {
    base::set_log_sink(
        [&err, this](base::LogLevel, std::string_view, std::string_view message, const base::LogField* fields,
                     std::size_t count) {
          std::string line = "warning: " + std::string(message);
          for (std::size_t i = 0; i < count; ++i) {
            line += (i == 0 ? " (" : ", ") + std::string(fields[i].key) + ": " + fields[i].value;
          }
          const std::lock_guard lock(mutex_);
          err << report::one_line(line + (count > 0 ? ")" : "")) << '\n';
        },
        base::LogLevel::kWarn);
  }
  ~WarningLines() { base::set_log_sink({}, base::LogLevel::kWarn); }
  WarningLines(const WarningLines&) = delete;
  WarningLines& operator=(const WarningLines&) = delete;

 private:
  std::mutex mutex_;
};

// When the user's own certificate ends; nullopt when there is none that can be read.
std::optional<base::WallTime> certificate_end(const kube::PemSource& certificate) {
  std::string pem = certificate.text;
  if (pem.empty() && !certificate.file.empty()) {
    pem = base::read_file(certificate.file, kMaxPemBytes).value_or("");
  }
  return http::certificate_end(pem);
}

// "34+" of the server's version to 34.
int minor_of(const std::string& version_body) {
  const auto version = nlohmann::json::parse(version_body, nullptr, false);
  if (!version.is_object() || !version.contains("minor") || !version["minor"].is_string()) {
    return 0;
  }
  const std::string minor = version["minor"].get<std::string>();
  const std::size_t digits = std::min(minor.find_first_not_of("0123456789"), minor.size());
  const std::int64_t number = base::parse_int64(std::string_view(minor).substr(0, digits)).value_or(0);
  return number > 0 && number < 1000 ? static_cast<int>(number) : 0;
}

// A failed request for a person: which server, from which file, what to do.
std::string explain(const kube::Error& error, const kube::Endpoint& endpoint, bool all_namespaces,
                    const std::optional<base::WallTime>& certificate_end, base::WallTime now) {
  if (error.kind == kube::ErrorKind::kForbidden && all_namespaces) {
    kube::Error narrower = error;
    narrower.kind = kube::ErrorKind::kInvalid;
    narrower.message += "; give -n NAMESPACE, or grant it with RBAC";
    return kube::one_line(narrower, endpoint);
  }
  if (error.kind == kube::ErrorKind::kUnauthorized && certificate_end && *certificate_end < now) {
    kube::Error expired = error;
    expired.kind = kube::ErrorKind::kInvalid;
    expired.message = "the client certificate expired on " + base::format_rfc3339(*certificate_end) +
                      "; log in again or renew it";
    return kube::one_line(expired, endpoint);
  }
  return kube::one_line(error, endpoint);
}

kube::ConfigOptions config_options(const LiveConnection& from) {
  kube::ConfigOptions options;
  options.kubeconfig = from.kubeconfig;
  options.context = from.context;
  options.cluster = from.cluster;
  options.user = from.user;
  options.as = from.as;
  options.as_groups = from.as_groups;
  options.environment = http::original_environment();
  options.load = manifest::read_kubeconfig;
  return options;
}

kube::ClientOptions client_options() {
  kube::ClientOptions options;
  options.qps = -1;  // a dozen requests
  options.max_attempts = 3;
  options.user_agent = kube::user_agent("shutdown-auditor", version(), "check");
  return options;
}

// Reads in a thread of its own, so that this one can show how far it is.
kube::Result<LiveInput> read_with_progress(kube::Api& api, const LiveQuery& query, Io& io) {
  std::atomic<std::size_t> objects_read{0};
  const base::SteadyTime began = io.clock.now();
  auto reading =
      std::async(std::launch::async, [&] { return read_live_input(api, io.clock, query, objects_read); });
  ProgressLine progress(io.err, io.progress_terminal);
  while (reading.wait_for(kProgressPeriod) != std::future_status::ready) {
    progress.update(io.clock.now() - began, objects_read);
  }
  return reading.get();
}

}  // namespace

std::optional<ReadCluster> read_cluster(const LiveConnection& connection, LiveQuery query, bool all_namespaces, Io& io) {
  // What one thread reads another one prints: with one heap the memory of the first is used again.
  ::mallopt(M_ARENA_MAX, 1);
  http::initialize_http_runtime(1);  // a few long lists are read
  const WarningLines warnings(io.err);
  const auto refuse = [&io](const std::string& line) {
    io.err << report::one_line(line) << '\n';
    return std::nullopt;
  };
  auto config = kube::resolve_config(config_options(connection), io.clock);
  if (!config) {
    const bool none = config.error().kind == base::ErrorKind::kNotFound && connection.kubeconfig.empty();
    return refuse(config.error().message + (none ? "; -f FILE audits manifests without a cluster" : ""));
  }
  const auto own_end = certificate_end(config->tls_files.certificate);
  kube::ClientObserver observer;
  auto opened =
      kube::Connection::open(std::move(*config), client_options(), io.clock, base::system_random(), observer);
  if (!opened) {
    return refuse(opened.error().message);
  }
  kube::Connection& cluster = **opened;

  ReadCluster out;
  const base::Duration patience = query.request_timeout > base::Duration::zero()
                                      ? std::min<base::Duration>(query.request_timeout, kHello)
                                      : kHello;
  const auto hello = cluster.api().call({.path = "/version", .idempotent = true},
                                        base::Cancellation{}.limited(io.clock.now(), patience));
  if (hello) {
    out.kubernetes_minor = minor_of(hello->body);
  } else if (hello.error().kind != kube::ErrorKind::kForbidden) {  // not everybody may ask that
    return refuse(explain(hello.error(), cluster.endpoint(), all_namespaces, own_end, io.clock.wall_now()));
  }
  if (!all_namespaces && query.name_space.empty()) {
    query.name_space = cluster.name_space();
  }
  out.place = (query.name_space.empty() ? "all namespaces" : "namespace " + base::quoted(query.name_space)) + " of " +
              cluster.endpoint().server;
  auto read = read_with_progress(cluster.api(), query, io);
  if (!read) {
    return refuse(explain(read.error(), cluster.endpoint(), all_namespaces, own_end, io.clock.wall_now()));
  }
  out.input = *std::move(read);
  return out;
}

}  // namespace shutdown_auditor::app
