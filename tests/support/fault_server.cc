#include "support/fault_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <list>
#include <stdexcept>
#include <thread>

#include "support/manual_clock.h"

namespace shutdown_auditor::testing_support {
namespace {

// Owns a descriptor.
class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd() { reset(); }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  int get() const { return fd_; }
  void reset() {
    if (fd_ >= 0) {
      ::close(fd_);
    }
    fd_ = -1;
  }

 private:
  int fd_;
};

using ContextPtr = std::shared_ptr<SSL_CTX>;  // shared: connections keep the one they began with across a rotation
struct SslFree {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};

void require(bool ok, const std::string& what) {
  if (!ok) {
    throw std::runtime_error("fault server: " + what);
  }
}

ContextPtr make_context(const CertifiedKey& tls, const std::string& client_ca, bool tls12_only) {
  ContextPtr context(SSL_CTX_new(TLS_server_method()), [](SSL_CTX* ctx) { SSL_CTX_free(ctx); });
  const auto open = [](const std::string& text) {
    return std::unique_ptr<BIO, int (*)(BIO*)>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), BIO_free);
  };
  const auto certificate_bio = open(tls.certificate);
  X509* const certificate = PEM_read_bio_X509(certificate_bio.get(), nullptr, nullptr, nullptr);
  const auto key_bio = open(tls.key);
  EVP_PKEY* const key = PEM_read_bio_PrivateKey(key_bio.get(), nullptr, nullptr, nullptr);
  require(SSL_CTX_use_certificate(context.get(), certificate) == 1, "certificate");
  require(SSL_CTX_use_PrivateKey(context.get(), key) == 1, "key");
  X509_free(certificate);
  EVP_PKEY_free(key);
  if (tls12_only) {
    SSL_CTX_set_max_proto_version(context.get(), TLS1_2_VERSION);
  }
  if (!client_ca.empty()) {
    const auto ca_bio = open(client_ca);
    X509* const ca = PEM_read_bio_X509(ca_bio.get(), nullptr, nullptr, nullptr);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()), ca);
    X509_free(ca);
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    const unsigned char session_context[] = "fault";
    SSL_CTX_set_session_id_context(context.get(), session_context, sizeof(session_context) - 1);
  }
  return context;
}

std::string subject_of(SSL* ssl) {
  X509* const certificate = SSL_get0_peer_certificate(ssl);
  if (certificate == nullptr) {
    return {};
  }
  char name[256] = {};
  X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name, sizeof(name));
  return name;
}

// One accepted connection: bytes in and out, with or without TLS; every wait ends when `stop_fd` becomes readable.
class Connection {
 public:
  Connection(int fd, int stop_fd) : fd_(fd), stop_fd_(stop_fd) {
    ::fcntl(fd, F_SETFL, O_NONBLOCK);
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  }

  bool handshake(const ContextPtr& context) {
    context_ = context;
    ssl_.reset(SSL_new(context.get()));
    SSL_set_fd(ssl_.get(), fd_.get());
    return repeat([this] { return SSL_accept(ssl_.get()); }) > 0;
  }
  SSL* ssl() const { return ssl_.get(); }

  // Bytes read, 0 when there will be none.
  std::size_t read(char* buffer, std::size_t size) {
    const int wanted = static_cast<int>(size);
    if (ssl_) {
      return static_cast<std::size_t>(std::max(0, repeat([&] { return SSL_read(ssl_.get(), buffer, wanted); })));
    }
    return transfer(POLLIN, [&] { return ::recv(fd_.get(), buffer, size, 0); });
  }

  // False when the client is gone or the server stops.
  bool write(std::string_view bytes, std::atomic<std::size_t>& taken) {
    while (!bytes.empty()) {
      const std::size_t part = std::min<std::size_t>(bytes.size(), 64U << 10U);
      std::size_t done = 0;
      if (ssl_) {
        const int wanted = static_cast<int>(part);
        const int written = repeat([&] { return SSL_write(ssl_.get(), bytes.data(), wanted); });
        done = static_cast<std::size_t>(std::max(0, written));
      } else {
        done = transfer(POLLOUT, [&] { return ::send(fd_.get(), bytes.data(), part, MSG_NOSIGNAL); });
      }
      if (done == 0) {
        return false;
      }
      taken += done;
      bytes.remove_prefix(done);
    }
    return true;
  }

  // Waits for `events` (0: hang-up only) or `limit` (-1: none); false when the server stops.
  bool await(short events, int limit_ms = -1) {
    pollfd both[2] = {{fd_.get(), static_cast<short>(events | POLLRDHUP), 0}, {stop_fd_, POLLIN, 0}};
    while (::poll(both, 2, limit_ms) < 0 && errno == EINTR) {
    }
    return both[1].revents == 0;
  }
  bool pause(int limit_ms) {
    pollfd stop{stop_fd_, POLLIN, 0};
    while (::poll(&stop, 1, limit_ms) < 0 && errno == EINTR) {
    }
    return stop.revents == 0;
  }

  void reset() {
    const linger hard{1, 0};
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
    fd_.reset();
  }
  // Closing with unread input would send RST instead of FIN, so a half-close comes first.
  void close(bool notify) {
    if (ssl_ && notify) {
      SSL_shutdown(ssl_.get());
    }
    ::shutdown(fd_.get(), SHUT_WR);
    char rest[4096];
    while (await(POLLIN, 1000) && ::recv(fd_.get(), rest, sizeof(rest), 0) > 0) {
    }
    fd_.reset();
  }

 private:
  template <class Call>
  int repeat(const Call& call) {
    for (;;) {
      ERR_clear_error();
      const int result = call();
      if (result > 0) {
        return result;
      }
      const int error = SSL_get_error(ssl_.get(), result);
      if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
        return 0;
      }
      if (!await(error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT)) {
        return 0;
      }
    }
  }
  template <class Call>
  std::size_t transfer(short events, const Call& call) {
    for (;;) {
      const ssize_t result = call();
      if (result > 0) {
        return static_cast<std::size_t>(result);
      }
      if (result == 0 || (errno != EAGAIN && errno != EINTR) || !await(events)) {
        return 0;
      }
    }
  }

  Fd fd_;
  int stop_fd_;
  ContextPtr context_;
  std::unique_ptr<SSL, SslFree> ssl_;
};

// Reads one request; nullopt at the end of the connection.
std::optional<SeenRequest> read_request(Connection& connection, std::string& pending) {
  char buffer[16384];
  std::size_t head_end = 0;
  while ((head_end = pending.find("\r\n\r\n")) == std::string::npos) {
    const std::size_t got = connection.read(buffer, sizeof(buffer));
    if (got == 0) {
      return std::nullopt;
    }
    pending.append(buffer, got);
  }
  SeenRequest request;
  std::size_t line_start = 0;
  for (bool first = true; line_start < head_end; first = false) {
    const std::size_t line_end = std::min(pending.find("\r\n", line_start), head_end);
    const std::string line = pending.substr(line_start, line_end - line_start);
    if (first) {
      const std::size_t space = line.find(' ');
      request.method = line.substr(0, space);
      request.target = line.substr(space + 1, line.rfind(' ') - space - 1);
    } else {
      const std::size_t colon = line.find(':');
      const std::size_t value = line.find_first_not_of(' ', colon + 1);
      request.headers.emplace_back(line.substr(0, colon), value == std::string::npos ? "" : line.substr(value));
    }
    line_start = line_end + 2;
  }
  const std::string length = request.header("Content-Length");
  const std::size_t body_size = length.empty() ? 0 : std::stoul(length);
  pending.erase(0, head_end + 4);
  while (pending.size() < body_size) {
    const std::size_t got = connection.read(buffer, sizeof(buffer));
    if (got == 0) {
      return std::nullopt;
    }
    pending.append(buffer, got);
  }
  request.body = pending.substr(0, body_size);
  pending.erase(0, body_size);
  return request;
}

}  // namespace

class FaultServer::Impl {
 public:
  Impl(Handler handler, Options options)
      : options_(std::move(options)),
        handler_(std::move(handler)),
        stop_fd_(::eventfd(0, EFD_CLOEXEC)),
        listener_(listen_socket()) {
    if (options_.tls) {
      use_certificate(*options_.tls, options_.client_ca);
    }
    acceptor_ = std::jthread([this] { accept_loop(); });
  }

  ~Impl() {
    stop_.request_stop();
    const std::uint64_t one = 1;
    (void)!::write(stop_fd_.get(), &one, sizeof(one));
    acceptor_.join();
    connections_.clear();  // joins
  }

  void use_certificate(const CertifiedKey& tls, const std::string& client_ca) {
    const ContextPtr context = make_context(tls, client_ca, options_.tls12_only);
    const std::lock_guard lock(mutex_);
    context_ = context;
  }

  const Options options_;
  mutable std::mutex mutex_;  // guards the four below
  Handler handler_;
  AcceptHandler accept_handler_;
  ContextPtr context_;
  std::vector<SeenRequest> requests_;

  std::atomic<int> accepted_{0};
  std::atomic<int> open_{0};
  std::atomic<std::size_t> sent_{0};
  int port_ = 0;

 private:
  int listen_socket() {
    const bool v6 = options_.address.find(':') != std::string::npos;
    const int fd = ::socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    sockaddr_storage address{};
    socklen_t size = 0;
    if (v6) {
      sockaddr_in6 v6_address{};
      v6_address.sin6_family = AF_INET6;
      ::inet_pton(AF_INET6, options_.address.c_str(), &v6_address.sin6_addr);
      std::memcpy(&address, &v6_address, size = sizeof(v6_address));
    } else {
      sockaddr_in v4_address{};
      v4_address.sin_family = AF_INET;
      ::inet_pton(AF_INET, options_.address.c_str(), &v4_address.sin_addr);
      std::memcpy(&address, &v4_address, size = sizeof(v4_address));
    }
    sockaddr* const generic = static_cast<sockaddr*>(static_cast<void*>(&address));
    require(::bind(fd, generic, size) == 0 && ::listen(fd, 128) == 0, "cannot listen on " + options_.address);
    ::getsockname(fd, generic, &size);
    in_port_t port = 0;  // the same offset in both address types
    const char* const bytes = static_cast<char*>(static_cast<void*>(&address));
    std::memcpy(&port, bytes + offsetof(sockaddr_in, sin_port), sizeof(port));
    port_ = ntohs(port);
    return fd;
  }

  ContextPtr current_context() const {
    const std::lock_guard lock(mutex_);
    return context_;
  }

  void accept_loop() {
    for (;;) {
      pollfd both[2] = {{listener_.get(), POLLIN, 0}, {stop_fd_.get(), POLLIN, 0}};
      while (::poll(both, 2, -1) < 0 && errno == EINTR) {
      }
      if (both[1].revents != 0) {
        return;
      }
      const int fd = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) {
        continue;
      }
      const int number = ++accepted_;
      ++open_;
      connections_.emplace_back([this, fd, number] {
        // A write to a closed socket inside OpenSSL must not end the test program.
        sigset_t pipe_signal;
        sigemptyset(&pipe_signal);
        sigaddset(&pipe_signal, SIGPIPE);
        ::pthread_sigmask(SIG_BLOCK, &pipe_signal, nullptr);
        serve(fd, number);
        --open_;
      });
    }
  }

  void serve(int fd, int number) {
    Connection connection(fd, stop_fd_.get());
    AcceptHandler accept_handler;
    ContextPtr context;
    {
      const std::lock_guard lock(mutex_);
      accept_handler = accept_handler_;
      context = context_;
    }
    if (accept_handler && !run(connection, accept_handler(number))) {
      return;
    }
    if (context && !options_.start_plain && !connection.handshake(context)) {
      return;
    }
    std::string pending;
    for (int count = 1;; ++count) {
      std::optional<SeenRequest> request = read_request(connection, pending);
      if (!request) {
        return;
      }
      request->connection = number;
      request->number = count;
      if (SSL* const ssl = connection.ssl()) {
        const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
        request->server_name = name == nullptr ? "" : name;
        request->client_subject = subject_of(ssl);
      }
      Handler handler;
      {
        const std::lock_guard lock(mutex_);
        requests_.push_back(*request);
        handler = handler_;
      }
      if (!run(connection, handler(*request))) {
        return;
      }
    }
  }

  // False when the connection is over.
  bool run(Connection& connection, const Script& script) {
    for (const Step& step : script) {
      switch (step.kind) {
        case Step::Kind::kSend:
          if (!connection.write(step.bytes, sent_)) {
            return false;
          }
          break;
        case Step::Kind::kDrip:
          for (std::size_t at = 0; at < step.bytes.size(); at += step.piece) {
            if (!connection.write(std::string_view(step.bytes).substr(at, step.piece), sent_) ||
                !connection.pause(static_cast<int>(step.pause.count()))) {
              return false;
            }
          }
          break;
        case Step::Kind::kWait:
          if (!step.gate->wait(stop_.get_token())) {
            return false;
          }
          break;
        case Step::Kind::kStall:
          connection.await(0);
          return false;
        case Step::Kind::kReset:
          connection.reset();
          return false;
        case Step::Kind::kClose:
        case Step::Kind::kAbandon:
          connection.close(step.kind == Step::Kind::kClose);
          return false;
        case Step::Kind::kStartTls:
          if (!connection.handshake(current_context())) {
            return false;
          }
          break;
      }
    }
    return true;
  }

  std::stop_source stop_;
  Fd stop_fd_;
  Fd listener_;
  std::list<std::jthread> connections_;  // only the acceptor adds
  std::jthread acceptor_;
};

FaultServer::FaultServer(Handler handler) : FaultServer(std::move(handler), Options{}) {}
FaultServer::FaultServer(Handler handler, Options options)
    : impl_(std::make_unique<Impl>(std::move(handler), std::move(options))) {}
FaultServer::~FaultServer() = default;

int FaultServer::port() const { return impl_->port_; }

void FaultServer::on(Handler handler) {
  const std::lock_guard lock(impl_->mutex_);
  impl_->handler_ = std::move(handler);
}

void FaultServer::on_accept(AcceptHandler handler) {
  const std::lock_guard lock(impl_->mutex_);
  impl_->accept_handler_ = std::move(handler);
}

void FaultServer::use_certificate(const CertifiedKey& tls, const std::string& client_ca) {
  impl_->use_certificate(tls, client_ca);
}

std::vector<SeenRequest> FaultServer::requests() const {
  const std::lock_guard lock(impl_->mutex_);
  return impl_->requests_;
}

std::size_t FaultServer::request_count() const {
  const std::lock_guard lock(impl_->mutex_);
  return impl_->requests_.size();
}

std::size_t FaultServer::count(std::string_view method) const {
  const std::lock_guard lock(impl_->mutex_);
  return static_cast<std::size_t>(std::count_if(impl_->requests_.begin(), impl_->requests_.end(),
                                                [&](const SeenRequest& request) { return request.method == method; }));
}

int FaultServer::connections_accepted() const { return impl_->accepted_; }
int FaultServer::connections_open() const { return impl_->open_; }
std::size_t FaultServer::bytes_sent() const { return impl_->sent_; }

bool FaultServer::await_requests(std::size_t count) const {
  return eventually([&] { return request_count() >= count; });
}

}  // namespace shutdown_auditor::testing_support
