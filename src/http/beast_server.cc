#include "http/beast_server.h"

#include <fmt/format.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include "base/log.h"

namespace shutdown_auditor::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;
using boost::system::error_code;

constexpr base::Logger kLog("http.server");
// For a client to take a refusal and close: closing while part of its request is unread would reset the connection, and
// the refusal with it.
constexpr std::chrono::seconds kLingerLimit{1};
constexpr std::chrono::milliseconds kAcceptRetry{100};

// Undoes %XX; nullopt when malformed (RFC 3986 §2.1).
std::optional<std::string> percent_decoded(std::string_view text) {
  const auto digit = [](char c) {
    const bool decimal = c >= '0' && c <= '9';
    const bool small = c >= 'a' && c <= 'f';
    const bool capital = c >= 'A' && c <= 'F';
    return decimal ? c - '0' : small ? c - 'a' + 10 : capital ? c - 'A' + 10 : -1;
  };
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded.push_back(text[i]);
      continue;
    }
    const int high = i + 2 < text.size() ? digit(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? digit(text[i + 2]) : -1;
    if (high < 0 || low < 0) {
      return std::nullopt;
    }
    decoded.push_back(static_cast<char>(high * 16 + low));
    i += 2;
  }
  return decoded;
}

ServerResponse plain(int status, std::string text) {
  return {status, "text/plain; charset=utf-8", std::move(text) + "\n"};
}

class Session;

// What sessions need of their server. Everything here runs on the server's thread.
class Host {
 public:
  virtual ~Host() = default;
  virtual const ServerOptions& options() const = 0;
  virtual bool stopping() const = 0;
  virtual ServerResponse answer(const ServerRequest& request) = 0;
  virtual void closed(const std::shared_ptr<Session>& session) = 0;
};

// One connection. Shared because every pending operation of the event loop keeps it alive.
class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(tcp::socket socket, Host& host)
      : host_(host),
        socket_(std::move(socket)),
        timer_(socket_.get_executor()),
        buffer_(host.options().max_header_bytes * 2) {}

  void start() { await_request(host_.options().read_limit); }

  // Closes unless a response is on its way.
  void stop_if_idle() {
    if (!writing_) {
      close();
    }
  }

  void close() {
    if (closed_) {
      return;
    }
    closed_ = true;
    error_code ignored;
    timer_.cancel();
    socket_.close(ignored);
    host_.closed(shared_from_this());
  }

 private:
  void limit(std::chrono::seconds limit) {
    timer_.expires_after(limit);
    timer_.async_wait([self = shared_from_this()](error_code error) {
      // A limit that ran out just before it was replaced still reports success.
      if (!error && self->timer_.expiry() <= base::system_clock().now()) {
        self->close();
      }
    });
  }

  void await_request(std::chrono::seconds quiet_limit) {
    if (buffer_.size() > 0) {  // pipelined
      read_head();
      return;
    }
    limit(quiet_limit);
    socket_.async_wait(tcp::socket::wait_read, [self = shared_from_this()](error_code error) {
      if (error) {
        self->close();
      } else {
        self->read_head();
      }
    });
  }

  void read_head() {
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(host_.options().max_header_bytes));
    parser_->body_limit(boost::none);
    limit(host_.options().read_limit);
    const auto done = [self = shared_from_this()](error_code error, std::size_t) {
      if (!self->closed_) {
        self->on_head(error);
      }
    };
    beast::http::async_read_header(socket_, buffer_, *parser_, done);
  }

  void on_head(error_code error) {
    using Error = beast::http::error;
    const auto& head = parser_->get();
    const auto verb = head.method();
    const bool head_only = verb == beast::http::verb::head;
    const bool has_body = error == Error::unexpected_body || error == Error::body_limit ||
                          (!error && (parser_->chunked() || parser_->content_length().value_or(0) > 0));
    if (error == Error::header_limit || error == Error::buffer_overflow) {
      refuse(plain(431, "request header fields too large"), false);
    } else if (error == Error::end_of_stream || error == Error::partial_message ||
               (error && error.category() != beast::http::make_error_code(Error::bad_method).category())) {
      close();
    } else if (error && !has_body) {
      refuse(plain(400, "bad request"), false);
    } else if (verb != beast::http::verb::get && !head_only) {
      refuse(plain(405, "method not allowed"), false);
    } else if (has_body) {
      refuse(plain(413, "requests must have no body"), head_only);
    } else if (head.version() >= 11 && head.find(beast::http::field::host) == head.end()) {
      refuse(plain(400, "the Host field is missing"), head_only);
    } else {
      const std::string_view target(head.target().data(), head.target().size());
      const std::size_t mark = target.find('?');
      std::optional<std::string> path = percent_decoded(target.substr(0, mark));
      if (!path) {
        refuse(plain(400, "bad request"), head_only);
        return;
      }
      const ServerRequest request{*std::move(path),
                                  std::string(mark == std::string_view::npos ? "" : target.substr(mark + 1))};
      respond(host_.answer(request), head.keep_alive() && !host_.stopping(), head_only);
    }
  }

  // Part of the request may never be read.
  void refuse(ServerResponse answer, bool head_only) {
    unread_ = true;
    respond(std::move(answer), false, head_only);
  }

  void respond(ServerResponse answer, bool keep_alive, bool head_only) {
    response_ = {};
    response_.version(11);
    response_.result(static_cast<unsigned>(answer.status));
    response_.set(beast::http::field::content_type, answer.content_type);
    response_.set(beast::http::field::cache_control, "no-store");
    response_.set("X-Content-Type-Options", "nosniff");
    if (answer.status == 405) {
      response_.set(beast::http::field::allow, "GET, HEAD");
    }
    response_.keep_alive(keep_alive);
    response_.content_length(answer.body.size());
    if (!head_only) {
      response_.body() = std::move(answer.body);
    }
    writing_ = true;
    limit(host_.options().read_limit);
    beast::http::async_write(socket_, response_, [self = shared_from_this()](error_code error, std::size_t) {
      self->writing_ = false;
      const bool go_on = self->response_.keep_alive() && !self->host_.stopping();
      if (error || self->closed_ || (!go_on && !self->unread_)) {
        self->close();
      } else if (go_on) {
        self->await_request(self->host_.options().idle_limit);
      } else {
        self->linger();
      }
    });
  }

  void linger() {
    error_code ignored;
    socket_.shutdown(tcp::socket::shutdown_send, ignored);
    limit(kLingerLimit);
    discard();
  }

  void discard() {
    socket_.async_read_some(asio::buffer(rest_), [self = shared_from_this()](error_code error, std::size_t) {
      if (error || self->host_.stopping()) {
        self->close();
      } else {
        self->discard();
      }
    });
  }

  Host& host_;
  tcp::socket socket_;
  asio::steady_timer timer_;
  beast::flat_buffer buffer_;
  std::optional<beast::http::request_parser<beast::http::empty_body>> parser_;
  beast::http::response<beast::http::string_body> response_;
  char rest_[1024] = {};
  bool writing_ = false;
  bool unread_ = false;
  bool closed_ = false;
};

class BeastServer final : public Server, private Host {
 public:
  explicit BeastServer(ServerOptions options) : options_(std::move(options)) {}
  ~BeastServer() override { stop(base::system_clock().now()); }
  BeastServer(const BeastServer&) = delete;
  BeastServer& operator=(const BeastServer&) = delete;

  void handle(std::string path, Handler handler) override { handlers_[std::move(path)] = std::move(handler); }

  base::Result<void> start() override {
    error_code error;
    const auto address = asio::ip::make_address(options_.address, error);
    if (error || options_.port < 0 || options_.port > 65535) {
      return base::fail(base::ErrorKind::kInvalid, fmt::format("cannot listen on \"{}\" port {}: not an address and a port",
                                                               options_.address, options_.port));
    }
    const tcp::endpoint endpoint(address, static_cast<unsigned short>(options_.port));
    acceptor_.open(endpoint.protocol(), error);
    if (!error) {
      acceptor_.set_option(asio::socket_base::reuse_address(true), error);
    }
    if (!error && address.is_v6()) {
      acceptor_.set_option(asio::ip::v6_only(!address.is_unspecified()), error);
    }
    if (!error) {
      acceptor_.bind(endpoint, error);
    }
    if (!error) {
      acceptor_.listen(asio::socket_base::max_listen_connections, error);
    }
    if (error) {
      error_code ignored;
      acceptor_.close(ignored);
      return base::fail(base::ErrorKind::kIo, fmt::format("cannot listen on {} port {}: {}", options_.address,
                                                          options_.port, error.message()));
    }
    port_ = acceptor_.local_endpoint().port();
    accept();
    thread_ = std::jthread([this] { io_.run(); });
    return {};
  }

  int port() const override { return port_; }

  void stop(base::SteadyTime deadline) override {
    if (!thread_.joinable()) {
      return;
    }
    asio::post(io_, [this] {
      stopping_ = true;
      error_code ignored;
      acceptor_.close(ignored);
      retry_.cancel();
      for (const auto& session : std::set<std::shared_ptr<Session>>(sessions_)) {
        session->stop_if_idle();
      }
      announce_if_drained();
    });
    {
      std::unique_lock lock(mutex_);
      drained_changed_.wait_until(lock, deadline, [this] { return drained_; });
    }
    io_.stop();
    thread_.join();
  }

 private:
  const ServerOptions& options() const override { return options_; }
  bool stopping() const override { return stopping_; }

  ServerResponse answer(const ServerRequest& request) override {
    const auto found = handlers_.find(request.path);
    if (found == handlers_.end()) {
      return plain(404, "not found");
    }
    try {
      return found->second(request);
    } catch (const std::exception& failure) {
      kLog.error("A request handler failed", {{"path", request.path}, {"error", failure.what()}});
    } catch (...) {
      kLog.error("A request handler failed", {{"path", request.path}, {"error", "unknown exception"}});
    }
    return plain(500, "internal error");
  }

  void closed(const std::shared_ptr<Session>& session) override {
    sessions_.erase(session);
    announce_if_drained();
  }

  void announce_if_drained() {
    if (!stopping_ || !sessions_.empty()) {
      return;
    }
    {
      const std::lock_guard lock(mutex_);
      drained_ = true;
    }
    drained_changed_.notify_all();
  }

  void accept() {
    acceptor_.async_accept([this](error_code error, tcp::socket socket) {
      if (stopping_) {
        return;
      }
      if (error) {
        // Out of descriptors, mostly: trying again at once would spin.
        kLog.warn("Accepting a connection failed", {{"error", error.message()}});
        retry_.expires_after(kAcceptRetry);
        retry_.async_wait([this](error_code cancelled) {
          if (!cancelled && !stopping_) {
            accept();
          }
        });
        return;
      }
      if (sessions_.size() < static_cast<std::size_t>(options_.max_connections)) {
        Host& host = *this;
        (*sessions_.insert(std::make_shared<Session>(std::move(socket), host)).first)->start();
      }
      accept();
    });
  }

  const ServerOptions options_;
  std::map<std::string, Handler> handlers_;  // read-only after start
  asio::io_context io_{1};
  // On the server's thread only:
  tcp::acceptor acceptor_{io_};
  asio::steady_timer retry_{io_};
  std::set<std::shared_ptr<Session>> sessions_;
  bool stopping_ = false;

  int port_ = 0;
  std::mutex mutex_;  // guards the next
  bool drained_ = false;
  std::condition_variable drained_changed_;
  std::jthread thread_;
};

}  // namespace

std::unique_ptr<Server> make_beast_server(ServerOptions options) {
  return std::make_unique<BeastServer>(std::move(options));
}

}  // namespace shutdown_auditor::http
