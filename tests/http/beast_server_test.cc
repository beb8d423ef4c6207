#include "http/beast_server.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <stdexcept>
#include <thread>

#include "support/manual_clock.h"

namespace shutdown_auditor::http {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// A client that says exactly what it is told.
class RawClient {
 public:
  explicit RawClient(int port, bool v6 = false) : fd_(::socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_storage storage{};
    socklen_t size = 0;
    if (v6) {
      sockaddr_in6 address{};
      address.sin6_family = AF_INET6;
      address.sin6_addr = in6addr_loopback;
      address.sin6_port = htons(static_cast<std::uint16_t>(port));
      std::memcpy(&storage, &address, size = sizeof(address));
    } else {
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      address.sin_port = htons(static_cast<std::uint16_t>(port));
      std::memcpy(&storage, &address, size = sizeof(address));
    }
    EXPECT_EQ(::connect(fd_, static_cast<sockaddr*>(static_cast<void*>(&storage)), size), 0);
  }
  ~RawClient() { ::close(fd_); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  void send(std::string_view bytes) const { (void)!::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL); }

  // All that comes until the server closes ("<reset>" after a reset, "<open>" when it does not close in 30 s), or until
  // `enough` is part of it.
  std::string read(std::string_view enough = {}) const {
    std::string text;
    char buffer[65536];
    for (;;) {
      if (!enough.empty() && text.find(enough) != std::string::npos) {
        return text;
      }
      pollfd ready{fd_, POLLIN, 0};
      if (::poll(&ready, 1, 30'000) <= 0) {
        return text + "<open>";
      }
      const ssize_t got = ::recv(fd_, buffer, sizeof(buffer), 0);
      if (got <= 0) {
        return got == 0 ? text : text + "<reset>";
      }
      text.append(buffer, static_cast<std::size_t>(got));
    }
  }

 private:
  int fd_;
};

class BeastServerTest : public testing::Test {
 protected:
  void start(ServerOptions options = {}) {
    options.address = options.address == "0.0.0.0" ? "127.0.0.1" : options.address;
    server_ = make_beast_server(options);
    server_->handle("/livez", [](const ServerRequest&) { return ServerResponse{200, "text/plain; charset=utf-8", "ok"}; });
    server_->handle("/echo", [](const ServerRequest& request) { return ServerResponse{200, "text/x", request.query}; });
    server_->handle("/a b", [](const ServerRequest& request) { return ServerResponse{200, "text/x", request.path}; });
    server_->handle("/throws", [](const ServerRequest&) -> ServerResponse { throw std::runtime_error("secret"); });
    server_->handle("/throws-odd", [](const ServerRequest&) -> ServerResponse { throw 1; });
    server_->handle("/large", [](const ServerRequest&) { return ServerResponse{200, "text/x", std::string(kLarge, 'x')}; });
    server_->handle("/unready", [](const ServerRequest&) { return ServerResponse{503, "text/x", "no"}; });
    const auto started = server_->start();
    ASSERT_TRUE(started) << started.error().message;
    ASSERT_GT(server_->port(), 0);
  }

  // What one request gets on a connection that the client asks to close.
  std::string get(std::string_view line, std::string_view fields = "Host: x\r\nConnection: close\r\n", std::string_view body = {}) {
    const RawClient client(server_->port());
    client.send(std::string(line) + "\r\n" + std::string(fields) + "\r\n" + std::string(body));
    return client.read();
  }

  static constexpr std::size_t kLarge = 32U << 20U;
  std::unique_ptr<Server> server_;
};

TEST_F(BeastServerTest, Answers) {
  start();
  const struct {
    const char* line;
    const char* status;
    const char* body;
  } cases[] = {
      {"GET /livez HTTP/1.1", "HTTP/1.1 200 ", "\r\n\r\nok"},
      {"GET /livez?verbose HTTP/1.1", "HTTP/1.1 200 ", "\r\n\r\nok"},
      {"GET /%6civez HTTP/1.1", "HTTP/1.1 200 ", "\r\n\r\nok"},
      {"GET /echo?a=%20b&c HTTP/1.1", "HTTP/1.1 200 ", "\r\n\r\na=%20b&c"},
      {"GET /a%20b HTTP/1.1", "HTTP/1.1 200 ", "\r\n\r\n/a b"},
      {"HEAD /livez HTTP/1.1", "HTTP/1.1 200 ", "\r\n\r\n"},
      {"GET /unready HTTP/1.1", "HTTP/1.1 503 ", "no"},
      {"GET /livez/ HTTP/1.1", "HTTP/1.1 404 ", "not found\n"},
      {"GET /../livez HTTP/1.1", "HTTP/1.1 404 ", "not found\n"},
      {"GET /throws HTTP/1.1", "HTTP/1.1 500 ", "internal error\n"},
      {"GET /throws-odd HTTP/1.1", "HTTP/1.1 500 ", "internal error\n"},
      {"GET /%zz HTTP/1.1", "HTTP/1.1 400 ", "bad request\n"},
      {"GET /% HTTP/1.1", "HTTP/1.1 400 ", "bad request\n"},
      {"nonsense", "HTTP/1.1 400 ", "bad request\n"},
      {"POST /livez HTTP/1.1", "HTTP/1.1 405 ", "method not allowed\n"},
      {"TRACE /livez HTTP/1.1", "HTTP/1.1 405 ", "method not allowed\n"},
      {"DELETE /livez HTTP/1.1", "HTTP/1.1 405 ", "method not allowed\n"},
  };
  for (const auto& row : cases) {
    EXPECT_THAT(get(row.line), AllOf(StartsWith(row.status), EndsWith(row.body), HasSubstr("X-Content-Type-Options: nosniff\r\n"),
                                     HasSubstr("Connection: close\r\n")))
        << row.line;
  }
  EXPECT_THAT(get("HEAD /livez HTTP/1.1"), HasSubstr("Content-Length: 2\r\n"));
  EXPECT_THAT(get("POST /livez HTTP/1.1"), HasSubstr("Allow: GET, HEAD\r\n"));
  EXPECT_THAT(get("GET /throws HTTP/1.1"), Not(HasSubstr("secret")));
  EXPECT_THAT(get("GET /livez HTTP/1.1", ""), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(get("GET /livez HTTP/1.0", ""), AllOf(StartsWith("HTTP/1.1 200 "), EndsWith("ok")));
}

TEST_F(BeastServerTest, RefusesBodiesAndLongHeaders) {
  start();
  EXPECT_THAT(get("GET /livez HTTP/1.1", "Host: x\r\nContent-Length: 5\r\n", "hello"), StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(get("GET /livez HTTP/1.1", "Host: x\r\nContent-Length: 99999999999\r\n"), StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(get("GET /livez HTTP/1.1", "Host: x\r\nTransfer-Encoding: chunked\r\n"), StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(get("POST /livez HTTP/1.1", "Host: x\r\nContent-Length: 5\r\n", "hello"), StartsWith("HTTP/1.1 405 "));
  EXPECT_THAT(get("GET /livez HTTP/1.1", "Host: x\r\nContent-Length: -1\r\n"), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(get("GET /livez HTTP/1.1", "Host: x\r\nX: " + std::string(9000, 'x') + "\r\n"), StartsWith("HTTP/1.1 431 "));
  EXPECT_THAT(get("GET /" + std::string(100'000, 'x') + " HTTP/1.1"), StartsWith("HTTP/1.1 431 "));
}

TEST_F(BeastServerTest, KeepsConnectionsAndReadsPipelinedRequests) {
  start();
  const RawClient client(server_->port());
  for (int i = 0; i < 3; ++i) {
    client.send("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_THAT(client.read("\r\n\r\nok"), StartsWith("HTTP/1.1 200 "));
  }
  client.send("GET /echo?1 HTTP/1.1\r\nHost: x\r\n\r\nGET /echo?2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(client.read(), AllOf(HasSubstr("\r\n\r\n1HTTP/1.1 200 "), EndsWith("\r\n\r\n2")));
}

TEST_F(BeastServerTest, ClosesWhatDoesNotGoOn) {
  ServerOptions options;
  options.read_limit = options.idle_limit = std::chrono::seconds(2);
  options.max_connections = 300;
  start(options);
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 200; ++i) {
    clients.push_back(std::make_unique<RawClient>(server_->port()));
    clients.back()->send(i % 2 == 0 ? "GET /livez HTTP/1.1\r\nHo" : "");
  }
  const RawClient idle(server_->port());
  idle.send("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n");
  for (const auto& client : clients) {
    ASSERT_EQ(client->read(), "");
  }
  EXPECT_THAT(idle.read(), EndsWith("\r\n\r\nok")) << "closed after the answer";
}

TEST_F(BeastServerTest, ClosesAReaderThatDoesNotRead) {
  ServerOptions options;
  options.read_limit = std::chrono::seconds(1);
  options.max_connections = 1;
  start(options);
  const RawClient stuck(server_->port());
  stuck.send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
  // The only place is taken until the server gives up on that client.
  EXPECT_TRUE(testing_support::eventually([&] { return get("GET /livez HTTP/1.1").starts_with("HTTP/1.1 200 "); }));
}

TEST_F(BeastServerTest, BoundsConnections) {
  ServerOptions options;
  options.max_connections = 2;
  start(options);
  auto first = std::make_unique<RawClient>(server_->port());
  const RawClient second(server_->port());
  for (const RawClient* client : {static_cast<const RawClient*>(first.get()), &second}) {
    client->send("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_THAT(client->read("\r\n\r\nok"), StartsWith("HTTP/1.1 200 "));
  }
  EXPECT_THAT(get("GET /livez HTTP/1.1"), testing::AnyOf("", "<reset>"));
  first.reset();
  EXPECT_TRUE(testing_support::eventually([&] { return get("GET /livez HTTP/1.1").starts_with("HTTP/1.1 200 "); }));
}

TEST_F(BeastServerTest, StopLetsResponsesFinishAndClosesTheRest) {
  start();
  const RawClient idle(server_->port());
  const RawClient half(server_->port());
  half.send("GET /liv");
  const RawClient busy(server_->port());
  busy.send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
  const std::string begun = busy.read("\r\n\r\n");
  std::atomic<bool> stopped{false};
  std::string rest;
  {
    const std::jthread stopper([&] {
      server_->stop(base::system_clock().now() + std::chrono::seconds(30));
      stopped = true;
    });
    EXPECT_EQ(idle.read(), "");
    EXPECT_THAT(half.read(), testing::AnyOf("", "<reset>"));  // it had sent something unread
    EXPECT_FALSE(stopped);
    rest = busy.read();
  }
  EXPECT_THAT(begun, StartsWith("HTTP/1.1 200 "));
  EXPECT_GE(begun.size() + rest.size(), kLarge);
  server_->stop(base::system_clock().now());
}

TEST_F(BeastServerTest, StopCutsResponsesAtItsDeadline) {
  start();
  const RawClient busy(server_->port());
  busy.send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
  busy.read("\r\n\r\n");
  server_->stop(base::system_clock().now());
  server_.reset();
  EXPECT_LT(busy.read().size(), kLarge);
}

TEST_F(BeastServerTest, ListensOnBothFamilies) {
  ServerOptions options;
  options.address = "::";
  start(options);
  for (const bool v6 : {false, true}) {
    const RawClient client(server_->port(), v6);
    client.send("GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    EXPECT_THAT(client.read(), EndsWith("ok")) << v6;
  }
}

TEST_F(BeastServerTest, SaysWhyItCannotListen) {
  start();
  ServerOptions options;
  options.address = "127.0.0.1";
  options.port = server_->port();
  const auto taken = make_beast_server(options)->start();
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().kind, base::ErrorKind::kIo);
  EXPECT_THAT(taken.error().message, AllOf(HasSubstr("127.0.0.1 port " + std::to_string(options.port)), HasSubstr("in use")));
  options.address = "localhost";
  const auto name = make_beast_server(options)->start();
  ASSERT_FALSE(name);
  EXPECT_EQ(name.error().kind, base::ErrorKind::kInvalid);
  EXPECT_THAT(name.error().message, HasSubstr("\"localhost\""));
}

}  // namespace
}  // namespace shutdown_auditor::http
