#pragma once

#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

#include "base/backoff.h"
#include "base/random.h"
#include "http/transport.h"
#include "kube/api.h"
#include "kube/credentials.h"
#include "kube/rate_limiter.h"

namespace shutdown_auditor::kube {

// What happens on the wire, for metrics. Called on the callers' threads, several at once; must be quick. `verb` is the
// HTTP method, or LIST or WATCH; `code` is 0 when no response came.
class ClientObserver {
 public:
  virtual ~ClientObserver() = default;
  virtual void attempt(std::string_view /*verb*/, int /*code*/, base::Duration /*latency*/) {}
  // An attempt after the first; `code` is that of the attempt before.
  virtual void retry(std::string_view /*verb*/, int /*code*/) {}
  virtual void rate_limited(base::Duration /*waited*/) {}
  virtual void response_size(std::string_view /*verb*/, std::size_t /*bytes*/) {}
};

struct ClientOptions {
  double qps = 20;  // negative: no limit
  int burst = 40;
  std::string user_agent = {};  // see user_agent()
  http::Headers headers = {};   // sent with every request; an Authorization here replaces the credentials
  int max_attempts = 10;
  base::BackoffPolicy backoff = {std::chrono::milliseconds(200), std::chrono::seconds(10), 2.0, 1.0, {}};
  base::Duration call_limit = std::chrono::seconds(30);  // of a call without a deadline, in total
  base::Duration list_idle_limit = std::chrono::seconds(60);
  std::size_t max_watch_line_bytes = std::size_t{16} << 20U;
};

// "shutdown-auditor/0.1.0 (linux/amd64) controller".
std::string user_agent(std::string_view name, std::string_view version, std::string_view component);

// The API server over a Transport. Retries: 429 and 5xx of idempotent requests, with Retry-After when given, else for
// 429, 503 and 504 with a growing jittered delay; other requests only after 429 with Retry-After (they had no effect).
// Lost connections are tried again when the request is idempotent or was never sent, refused connections never (the
// caller's loop decides). A wait that would pass the deadline is not begun: the error carries retry_after. One 401
// renews the credentials. Keeps references to everything passed in.
class Client final : public Api {
 public:
  Client(http::Transport& transport, Credentials& credentials, ClientOptions options, base::Clock& clock,
         base::Random& random, ClientObserver& observer);

  Result<ApiResponse> call(const ApiRequest& request, const base::Cancellation& cancel) override;
  Result<objects::ListMeta> list(const Resource& resource, const ListOptions& options, objects::ItemSink& sink,
                                 const base::Cancellation& cancel) override;
  Result<std::unique_ptr<WatchStream>> watch(const Resource& resource, const WatchOptions& options,
                                             const base::Cancellation& cancel) override;

 private:
  struct Attempt;
  Result<http::Headers> headers(const ApiRequest& request, const base::Cancellation& cancel);
  bool explicit_authorization() const;
  Result<void> take_turn(std::string_view what, const base::Cancellation& cancel);
  Result<http::StreamResponse> open(std::string_view verb, const std::string& what, const std::string& path,
                                    const Query& query, std::size_t wake_bytes, const base::Cancellation& cancel);
  Attempt attempt(const std::string& what, const ApiRequest& request, const http::Request& wire,
                  const base::Cancellation& cancel);
  void log_warnings(const http::Headers& headers);

  http::Transport& transport_;
  Credentials& credentials_;
  const ClientOptions options_;
  base::Clock& clock_;
  base::Random& random_;
  ClientObserver& observer_;
  RateLimiter limiter_;
  std::mutex warnings_mutex_;
  std::set<std::string, std::less<>> warnings_;  // texts logged already, bounded
};

// Whether the server has that resource (API discovery). A missing group or version is false, not an error.
Result<bool> serves(Api& api, const Resource& resource, const base::Cancellation& cancel);

}  // namespace shutdown_auditor::kube
