#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/cancellation.h"
#include "base/result.h"
#include "http/message.h"

namespace shutdown_auditor::http {

// Why no (complete) HTTP response came. One entry for each decision a caller takes.
enum class TransportErrorKind {
  kCancelled,  // the stop token of the call
  kTimeout,    // its deadline, or the connection was silent for too long
  kConnect,    // refused, unreachable, name not resolved: nothing was sent
  kTls,        // handshake or certificate; nothing was sent
  kReset,      // the connection broke while in use
  kProtocol,   // not HTTP, a bad chunk, a redirect loop …
  kTooLarge,   // over max_body_bytes
};
std::string_view to_string(TransportErrorKind kind);

struct TransportError {
  TransportErrorKind kind = TransportErrorKind::kProtocol;
  std::string message;       // one line, with host and cause; no secrets
  bool sent = false;         // request bytes may have reached the server
};

template <class T>
using TransportResult = base::Result<T, TransportError>;

// The body of a streamed response, read by one thread. Destroying it cancels the request and waits for the library to
// let go (milliseconds).
class BodyReader {
 public:
  virtual ~BodyReader() = default;
  // Blocks for at least one byte, the end (0) or a failure. Ends early on `cancel`; the deadline there is the idle
  // limit of this one read (kTimeout; the stream stays usable). After a failure other than kTimeout every call fails.
  virtual TransportResult<std::size_t> read(std::span<char> buffer, const base::Cancellation& cancel) = 0;
};

struct StreamResponse {
  int status = 0;
  Headers headers;
  std::unique_ptr<BodyReader> body;  // never null
};

// Client certificate and key as PEM text (a chain is allowed in `certificate`).
struct ClientIdentity {
  std::string certificate;
  std::string key;
};

// TLS material, asked for at each new connection so that rotated files take effect without a restart.
// Called on library threads, several at once; must be quick. A failure refuses that connection with its message.
struct TlsMaterial {
  std::string ca_pem;                      // the only trusted roots; empty is an error unless insecure
  std::optional<ClientIdentity> identity;
};
using TlsMaterialSource = std::function<base::Result<TlsMaterial>()>;

struct TransportOptions {
  std::string scheme = "https";      // or "http" (tests, kubectl proxy)
  std::string host;                  // name or literal address, IPv6 without brackets
  int port = 443;
  std::string path_prefix;           // "/k8s/clusters/c-1" for servers behind a prefix; no trailing '/'
  TlsMaterialSource tls;             // required for https
  std::string tls_server_name;       // name to verify and send as SNI instead of `host`; empty: host
  bool insecure_skip_tls_verify = false;
  std::string proxy;                 // "http://host:port", empty for none
  std::size_t max_body_bytes = 64U << 20U;         // of a non-streamed response
  std::size_t stream_buffer_bytes = 1U << 20U;     // read ahead of a streamed response; more waits in the socket
  base::Duration stream_idle_limit = std::chrono::seconds(300);  // silence that ends a stream in the library itself
  int max_in_flight = 8;             // concurrent send() calls; further ones wait
};

// HTTP/1.1 to one server. Blocking calls for our own threads; no redirects are followed, nothing is decompressed, and
// no retry happens for a request that may have had an effect (see cpprest_transport.h for the one the library makes).
// Safe from any thread.
class Transport {
 public:
  virtual ~Transport() = default;
  // The whole response, whatever its status. `cancel.deadline` bounds the call in total, waiting for a slot included.
  virtual TransportResult<Response> send(const Request& request, const base::Cancellation& cancel) = 0;
  // Returns at the response's headers; the body is read from the result. `cancel` bounds the call until then only.
  virtual TransportResult<StreamResponse> open(const Request& request, const base::Cancellation& cancel) = 0;
};

}  // namespace shutdown_auditor::http
