#include "http/cpprest_transport.h"

#include <cpprest/http_client.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pplx/threadpool.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <mutex>

#include "http/cpprest_transport_error.h"
#include "http/cpprest_transport_exchange.h"
#include "http/tls_client.h"

namespace shutdown_auditor::http {
namespace {

using web::http::client::http_client;
using web::http::client::http_client_config;
using Socket = boost::asio::ip::tcp::socket;
using TlsStream = boost::asio::ssl::stream<Socket&>;

constexpr std::chrono::seconds kUnarySilenceLimit{60};

// Bounds concurrent calls.
class Slots {
 public:
  explicit Slots(int count) : free_(count) {}
  bool acquire(const base::Cancellation& cancel) {
    std::unique_lock lock(mutex_);
    if (!base::system_clock().wait_until(lock, changed_, cancel.stop, cancel.deadline, [this] { return free_ > 0; })) {
      return false;
    }
    --free_;
    return true;
  }
  void release() {
    {
      const std::lock_guard lock(mutex_);
      ++free_;
    }
    changed_.notify_one();
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any changed_;
  int free_;
};

// TCP keep-alive for a connection to `address`, on the handle the library offers before it connects. The socket is not
// open then; opening it here is the only way to set options in time.
void tune_socket(Socket& socket, const std::string& address) {
  boost::system::error_code error;
  if (!socket.is_open()) {
    const auto literal = boost::asio::ip::make_address(address, error);
    if (error) {
      return;  // a name: the family is not known yet
    }
    socket.open(literal.is_v6() ? boost::asio::ip::tcp::v6() : boost::asio::ip::tcp::v4(), error);
    if (error) {
      return;  // connecting will fail the same way and report it
    }
  }
  const auto set = [&socket](int level, int name, int value) {
    ::setsockopt(socket.native_handle(), level, name, &value, sizeof(value));
  };
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, 30);
  set(IPPROTO_TCP, TCP_KEEPINTVL, 10);
  set(IPPROTO_TCP, TCP_KEEPCNT, 3);
  set(IPPROTO_TCP, TCP_USER_TIMEOUT, 60'000);
}

bool has_control_or_space(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](unsigned char c) { return c <= 0x20 || c == 0x7f; });
}

// What a request must not contain so that it stays one request on the wire.
std::string request_defect(const Request& request) {
  if (!request.target.starts_with('/') || has_control_or_space(request.target) ||
      request.target.find('#') != std::string::npos) {
    return "the request target is not an encoded path";
  }
  for (const auto& [name, value] : request.headers.all()) {
    const bool bad_name = name.empty() || has_control_or_space(name) || name.find(':') != std::string::npos;
    const bool bad_value = std::any_of(value.begin(), value.end(), [](unsigned char c) {
      return (c < 0x20 && c != '\t') || c == 0x7f;
    });
    if (bad_name || bad_value) {
      return "a header field has characters that are not allowed in it";
    }
  }
  return {};
}

std::string host_and_port(const TransportOptions& options) {
  const bool v6 = options.host.find(':') != std::string::npos;
  return v6 ? fmt::format("[{}]:{}", options.host, options.port) : fmt::format("{}:{}", options.host, options.port);
}

class CpprestTransport final : public Transport {
 public:
  // Throws what the library throws for an address it does not take.
  explicit CpprestTransport(TransportOptions options)
      : options_(std::move(options)),
        server_(host_and_port(options_)),
        slots_(options_.max_in_flight) {
    if (options_.scheme == "https") {
      const std::string& name = options_.tls_server_name.empty() ? options_.host : options_.tls_server_name;
      tls_ = std::make_shared<TlsClient>(options_.tls, name, options_.insecure_skip_tls_verify);
      if (!options_.tls_server_name.empty() && !is_ip_literal(name)) {
        host_header_ = options_.tls_server_name;
      }
    }
    if (host_header_.empty() && options_.host.find(':') != std::string::npos) {
      host_header_ = server_;  // the library would leave the brackets away
    }
    unary_ = std::make_unique<http_client>(base_uri(), config(kUnarySilenceLimit));
    stream_ = std::make_unique<http_client>(base_uri(), config(options_.stream_idle_limit));
  }

  TransportResult<Response> send(const Request& request, const base::Cancellation& cancel) override {
    if (!slots_.acquire(cancel)) {
      return base::unexpected(interrupted(cancel, "waiting for a free connection", false));
    }
    const std::unique_ptr<Slots, void (*)(Slots*)> slot(&slots_, [](Slots* slots) { slots->release(); });
    auto opened = exchange(*unary_, request, cancel);
    if (!opened) {
      return base::unexpected(opened.error());
    }
    Response response{opened->status, std::move(opened->headers), {}};
    char buffer[16384];
    for (;;) {
      const auto got = opened->body->read(buffer, cancel);
      if (!got) {
        const bool ours =
            got.error().kind == TransportErrorKind::kTimeout && base::system_clock().now() >= cancel.deadline;
        return base::unexpected(ours ? interrupted(cancel, "reading the response body", true) : got.error());
      }
      if (*got == 0) {
        return response;
      }
      if (*got > options_.max_body_bytes - response.body.size()) {
        return base::unexpected(TransportError{
            TransportErrorKind::kTooLarge,
            fmt::format("{}: the response is larger than {} bytes", server_, options_.max_body_bytes), true});
      }
      response.body.append(buffer, *got);
    }
  }

  TransportResult<StreamResponse> open(const Request& request, const base::Cancellation& cancel) override {
    return exchange(*stream_, request, cancel);
  }

 private:
  web::uri base_uri() const {
    web::uri_builder builder;
    builder.set_scheme(options_.scheme);
    builder.set_host(options_.host);
    builder.set_port(options_.port);
    builder.set_path(options_.path_prefix);
    return builder.to_uri();
  }

  http_client_config config(base::Duration silence_limit) const {
    http_client_config config;
    config.set_timeout(silence_limit);
    config.set_max_redirects(0);  // a followed redirect takes the Authorization header with it, wherever it leads
    if (tls_) {
      const std::string& name = options_.tls_server_name.empty() ? options_.host : options_.tls_server_name;
      config.set_tlsext_sni_enabled(!is_ip_literal(name));
      config.set_validate_certificates(!options_.insecure_skip_tls_verify);
      config.set_ssl_context_callback([tls = tls_](boost::asio::ssl::context& context) {
        if (const auto done = tls->configure(context.native_handle()); !done) {
          throw TlsMaterialFailure(done.error().message);
        }
      });
    }
    if (options_.proxy.empty()) {
      const bool tls = tls_ != nullptr;
      config.set_nativehandle_options([tls, host = options_.host](web::http::client::native_handle handle) {
        tune_socket(tls ? static_cast<TlsStream*>(handle)->next_layer() : *static_cast<Socket*>(handle), host);
      });
    } else {
      // No socket options here: the type of the handle changes between new and reused connections through a proxy.
      const web::uri address(options_.proxy);
      web::uri_builder plain(address);
      plain.set_user_info("");
      web::web_proxy proxy(plain.to_uri());
      const std::string user_info = web::uri::decode(address.user_info());
      if (const std::size_t colon = user_info.find(':'); !user_info.empty()) {
        proxy.set_credentials(web::credentials(
            user_info.substr(0, colon), colon == std::string::npos ? std::string() : user_info.substr(colon + 1)));
      }
      config.set_proxy(std::move(proxy));
    }
    return config;
  }

  TransportError interrupted(const base::Cancellation& cancel, std::string_view doing, bool sent) const {
    if (cancel.stop_requested()) {
      return {TransportErrorKind::kCancelled, fmt::format("{}: stopped while {}", server_, doing), sent};
    }
    return {TransportErrorKind::kTimeout, fmt::format("{}: deadline passed while {}", server_, doing), sent};
  }

  web::http::http_request to_library(const Request& request) const {
    web::http::http_request made(std::string(to_string(request.method)));
    made.set_request_uri(web::uri(request.target));
    for (const auto& [name, value] : request.headers.all()) {
      made.headers().add(name, value);
    }
    if (!host_header_.empty()) {
      made.headers().add("Host", host_header_);
    }
    if (!request.body.empty()) {
      // As bytes: the library's own stream of characters is one of bytes by a cast that is undefined behaviour.
      made.set_body(std::vector<unsigned char>(request.body.begin(), request.body.end()));
    }
    return made;
  }

  // Sends, once more after a stale connection, and waits for the head.
  TransportResult<StreamResponse> exchange(http_client& client, const Request& request,
                                           const base::Cancellation& cancel) {
    if (const std::string defect = request_defect(request); !defect.empty()) {
      return base::unexpected(TransportError{TransportErrorKind::kProtocol, server_ + ": " + defect, false});
    }
    for (bool resent = false;; resent = true) {
      if (cancel.stop_requested()) {
        return base::unexpected(interrupted(cancel, "sending the request", resent));
      }
      const bool may_reuse = answered_;  // before that no connection can have been kept
      auto exchange = std::make_shared<Exchange>(options_.stream_buffer_bytes, request.wake_bytes);
      try {
        exchange->start(client, to_library(request), server_);
      } catch (const std::exception& failure) {
        return base::unexpected(TransportError{
            TransportErrorKind::kProtocol, fmt::format("{}: the request cannot be sent: {}", server_, failure.what()),
            false});
      }
      switch (exchange->await_head(cancel)) {
        case Exchange::Outcome::kInterrupted:
          // Not waited for: a name being resolved cannot be interrupted, and the exchange owns all it needs.
          exchange->cancel();
          return base::unexpected(interrupted(cancel, "waiting for the response", true));
        case Exchange::Outcome::kHead: {
          answered_ = true;
          auto body = make_exchange_body(exchange, server_);
          if (exchange->head().status < 200) {
            return base::unexpected(TransportError{
                TransportErrorKind::kProtocol,
                fmt::format("{}: interim response {} instead of an answer", server_, exchange->head().status), true});
          }
          return StreamResponse{exchange->head().status, std::move(exchange->head().headers), std::move(body)};
        }
        case Exchange::Outcome::kFailed: {
          Failure failure = describe_failure(exchange->failure(), server_, tls_ ? tls_->last_refusal() : std::string());
          const bool again = failure.stale_connection && may_reuse && !resent && request.method != Method::kPost;
          if (!again) {
            return base::unexpected(std::move(failure.error));
          }
          break;
        }
      }
    }
  }

  const TransportOptions options_;
  const std::string server_;  // "host:port" for messages
  std::string host_header_;   // empty: the library writes host:port
  std::shared_ptr<TlsClient> tls_;  // shared with the library's configurations, which outlive this for a moment
  Slots slots_;
  std::atomic<bool> answered_{false};
  std::unique_ptr<http_client> unary_;
  std::unique_ptr<http_client> stream_;
};

std::string option_defect(const TransportOptions& options) {
  if (options.scheme != "https" && options.scheme != "http") {
    return fmt::format("scheme \"{}\": only http and https are known", options.scheme);
  }
  const bool colon = options.host.find(':') != std::string::npos;
  if (options.host.empty() || options.host.find_first_of("/?#@[]%\\\"") != std::string::npos ||
      has_control_or_space(options.host) || (colon && !is_ip_literal(options.host))) {
    return fmt::format("host \"{}\" is neither a name nor an address", options.host);
  }
  if (options.port < 1 || options.port > 65535) {
    return fmt::format("port {} is not within 1 and 65535", options.port);
  }
  if (!options.path_prefix.empty() && (!options.path_prefix.starts_with('/') || options.path_prefix.ends_with('/') ||
                                       has_control_or_space(options.path_prefix))) {
    return fmt::format("path prefix \"{}\" must begin and not end with '/'", options.path_prefix);
  }
  if (has_control_or_space(options.tls_server_name) || options.tls_server_name.find(':') != std::string::npos) {
    return fmt::format("TLS server name \"{}\" is not a name", options.tls_server_name);
  }
  if (options.scheme == "https" && !options.tls) {
    return "https needs TLS material";
  }
  if (options.max_in_flight < 1 || options.stream_buffer_bytes == 0 ||
      options.stream_idle_limit <= base::Duration::zero()) {
    return "max_in_flight, stream_buffer_bytes and stream_idle_limit must be positive";
  }
  if (!options.proxy.empty()) {
    if (!options.proxy.starts_with("http://")) {
      return "only http:// proxies are supported";  // the value may hold a password
    }
    if (colon) {
      return "a server given as IPv6 address cannot be reached through a proxy";
    }
  }
  return {};
}

std::vector<std::string> capture_environment() {
  std::vector<std::string> entries;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    entries.emplace_back(*entry);
  }
  return entries;
}

// What is here is the work of the first call.
const std::vector<std::string>& prepare_runtime(std::size_t io_threads) {
  static const std::vector<std::string> entries = [io_threads] {
    std::vector<std::string> before = capture_environment();
    ::setenv("SSL_CERT_FILE", "/dev/null", 1);
    ::setenv("SSL_CERT_DIR", "/nonexistent", 1);
    try {
      crossplat::threadpool::initialize_with_threads(io_threads);
    } catch (const std::exception&) {
      // Somebody used the library first; its pool works too.
    }
    return before;
  }();
  return entries;
}

}  // namespace

const std::vector<std::string>& original_environment() { return prepare_runtime(kIoThreads); }

void initialize_http_runtime(std::size_t io_threads) { prepare_runtime(io_threads); }

base::Result<std::unique_ptr<Transport>> make_cpprest_transport(TransportOptions options) {
  initialize_http_runtime();
  if (const std::string defect = option_defect(options); !defect.empty()) {
    return base::fail(base::ErrorKind::kInvalid, "transport: " + defect);
  }
  try {
    return std::unique_ptr<Transport>(std::make_unique<CpprestTransport>(std::move(options)));
  } catch (const std::exception& failure) {
    return base::fail(base::ErrorKind::kInvalid, std::string("transport: ") + failure.what());
  }
}

}  // namespace shutdown_auditor::http
