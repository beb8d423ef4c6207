#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "http/transport.h"

namespace shutdown_auditor::http {

inline constexpr std::size_t kIoThreads = 3;

// Prepares the process for cpprestsdk: a pool of a few library threads instead of forty, and SSL_CERT_FILE and
// SSL_CERT_DIR pointing at nothing, so that OpenSSL does not parse the system's roots for every new connection only to
// have them dropped (22 ms each where they are installed). First in main, after signals are blocked and before any
// thread starts, because it changes the environment. Later calls, and a pool that exists already, change nothing. For a process
// that reads a few long lists one thread is best: with more of them the library hands every chunk of a response from one to the
// next (185,000 futex calls in a live check of 10,000 Deployments, 12,000 with one).
void initialize_http_runtime(std::size_t io_threads = kIoThreads);

// "NAME=value" entries of the environment as it was before initialize_http_runtime: what a child process must be
// given, whose own TLS may depend on the two variables. Prepares the process when that has not happened yet.
const std::vector<std::string>& original_environment();

// A Transport over cpprestsdk 2.10 (the only code that touches it). kInvalid names the option that makes no sense.
//
// What callers should know beyond the interface:
// - The library itself sends a request again, POST included, when a connection it kept alive turns out to be closed
//   before the first byte of the answer. So a created object needs a name of its own (a second POST is then 409).
//   This layer adds one resend of GET, PUT, PATCH and DELETE for the case the library misses: writing to such a
//   connection fails. Never after a refused connection, never of POST.
// - Repeated header fields are joined with ", " in both directions.
// - With `tls_server_name` the Host header is that name without a port; otherwise it is host:port.
// - A stream whose reader takes nothing for `stream_idle_limit` ends as if the server had been silent.
// - TCP keep-alive (30 s, then 3 probes of 10 s; 60 s for unacknowledged data) is set for servers given as an address.
//   For a name, the option can only be set on connections that are used again, so the idle limit does the work there.
// - With credentials in `proxy` the library leaks the password's string (32 bytes and its text) at each new connection.
// - A unary response that is silent for 60 s fails with kTimeout even when the deadline is later.
base::Result<std::unique_ptr<Transport>> make_cpprest_transport(TransportOptions options);

}  // namespace shutdown_auditor::http
