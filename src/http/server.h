#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "base/cancellation.h"
#include "base/result.h"

namespace shutdown_auditor::http {

struct ServerRequest {
  std::string path;   // without query, percent-decoded
  std::string query;  // raw, without '?'
};

struct ServerResponse {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
};

struct ServerOptions {
  std::string address = "0.0.0.0";    // literal; "::" serves both families
  int port = 0;                       // 0: the system chooses, see port()
  int max_connections = 64;           // further ones are closed at once
  std::chrono::seconds read_limit{5};  // to receive one request's headers, and to write its response
  std::chrono::seconds idle_limit{30};
  std::size_t max_header_bytes = 8192;
};

// A small inbound HTTP/1.1 server for health and metrics: GET and HEAD only (405 otherwise), request bodies refused.
class Server {
 public:
  using Handler = std::function<ServerResponse(const ServerRequest&)>;
  virtual ~Server() = default;  // stops

  // Before start. Exact path; unknown paths are 404. Handlers run on the server's thread: quick and thread-safe. A
  // throwing handler is a 500.
  virtual void handle(std::string path, Handler handler) = 0;
  // Binds and serves on a thread of its own; the error names address and port.
  virtual base::Result<void> start() = 0;
  // The bound port, after start.
  virtual int port() const = 0;
  // Stops accepting, lets responses in progress finish until `deadline`, closes the rest. Idempotent.
  virtual void stop(base::SteadyTime deadline) = 0;
};

}  // namespace shutdown_auditor::http
