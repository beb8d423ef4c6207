// Streamed responses: the watch side of the transport.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <atomic>
#include <cstring>
#include <thread>

#include "http/line_splitter.h"
#include "http/transport_fixture.h"

namespace shutdown_auditor::http {
namespace {

using testing::StartsWith;
using testing_support::chunk;
using testing_support::chunked_head;
using testing_support::close_connection;
using testing_support::eventually;
using testing_support::FaultServer;
using testing_support::Gate;
using testing_support::last_chunk;
using testing_support::pieces_of;
using testing_support::reset_connection;
using testing_support::respond;
using testing_support::respond_chunked;
using testing_support::Script;
using testing_support::SeenRequest;
using testing_support::send_bytes;
using testing_support::stall;
using testing_support::wait_for;
using std::chrono::milliseconds;

const Request kWatch = make_request(Method::kGet, "/api/v1/pods?watch=true");

std::unique_ptr<BodyReader> open_body(Transport& transport, int status = 200) {
  auto response = transport.open(kWatch, patient());
  if (!response) {
    ADD_FAILURE() << text_of(response.error());
    return nullptr;
  }
  EXPECT_EQ(response->status, status);
  return std::move(response->body);
}

TEST(TransportStreamTest, DeliversWhateverTheChunks) {
  const std::string text = "{\"type\":\"ADDED\"}\n{\"type\":\"MODIFIED\"}\n";
  for (const std::size_t size : {std::size_t{1}, std::size_t{2}, std::size_t{7}, text.size()}) {
    FaultServer server([&](const SeenRequest&) { return respond_chunked(pieces_of(text, size)); });
    const auto transport = make_transport(plain_options(server));
    const auto body = open_body(*transport);
    EXPECT_EQ(read_to_end(*body), text + "<end>") << size;
    EXPECT_EQ(read_to_end(*body), "<end>") << size;
  }
}

TEST(TransportStreamTest, DeliversOneByteAtATimeOverTheWire) {
  const Script whole = respond_chunked({"{\"a\":1}\n", "{\"b\":", "2}\n"});
  std::string bytes;
  for (const auto& step : whole) {
    bytes += step.bytes;
  }
  FaultServer server([&](const SeenRequest&) { return Script{testing_support::drip(bytes, 1, milliseconds(0))}; });
  const auto transport = make_transport(plain_options(server));
  const auto body = open_body(*transport);
  EXPECT_EQ(read_to_end(*body), "{\"a\":1}\n{\"b\":2}\n<end>");
}

TEST(TransportStreamTest, DeliversThousandsOfLinesInOrder) {
  std::string text;
  for (int i = 0; i < 5000; ++i) {
    text += "{\"line\":" + std::to_string(i) + "}\n";
  }
  FaultServer server([&](const SeenRequest&) { return respond_chunked(pieces_of(text, 33)); });
  const auto transport = make_transport(plain_options(server));
  const auto body = open_body(*transport);
  LineSplitter splitter(1000);
  int lines = 0;
  char buffer[1000];
  for (;;) {
    const auto got = body->read(buffer, patient());
    ASSERT_TRUE(got) << text_of(got.error());
    if (*got == 0) {
      break;
    }
    splitter.append(std::string_view(buffer, *got));
    for (auto line = splitter.next(); line.value(); line = splitter.next()) {
      ASSERT_EQ(**line, "{\"line\":" + std::to_string(lines++) + "}");
    }
  }
  EXPECT_EQ(lines, 5000);
  EXPECT_TRUE(splitter.finish());
}

TEST(TransportStreamTest, DeliversOneHugeLine) {
  const std::string line(5U << 20U, 'x');
  FaultServer server([&](const SeenRequest&) { return respond_chunked({line + "\n"}); });
  const auto transport = make_transport(plain_options(server));
  const auto body = open_body(*transport);
  EXPECT_EQ(read_to_end(*body).size(), line.size() + std::string("\n<end>").size());
}

TEST(TransportStreamTest, ShowsStatusAndFieldsBeforeTheBody) {
  Gate gate;
  FaultServer server([&](const SeenRequest&) {
    return Script{send_bytes(chunked_head(410, {{"Content-Type", "application/json"}, {"Audit-Id", "x"}})), wait_for(gate),
                  send_bytes(chunk("gone") + last_chunk())};
  });
  const auto transport = make_transport(plain_options(server));
  auto response = transport->open(kWatch, patient());
  ASSERT_TRUE(response) << text_of(response.error());
  EXPECT_EQ(response->status, 410);
  ASSERT_NE(response->headers.find("audit-id"), nullptr);
  gate.open();
  EXPECT_EQ(read_to_end(*response->body), "gone<end>");
}

TEST(TransportStreamTest, TellsABrokenStreamFromAnEndedOne) {
  const std::string head = chunked_head() + chunk("a\n");
  const struct {
    const char* name;
    Script script;
    const char* seen;
  } cases[] = {
      {"ended", {send_bytes(head + last_chunk())}, "a\n<end>"},
      {"empty", {send_bytes(chunked_head() + last_chunk())}, "<end>"},
      {"closed in a chunk", {send_bytes(head + "a\r\nabc"), close_connection()}, "a\n<Reset>"},
      {"closed between chunks", {send_bytes(head), close_connection()}, "a\n<Reset>"},
      {"bad chunk size", {send_bytes(head + "zz\r\n"), stall()}, "a\n<Protocol>"},
      {"huge chunk size", {send_bytes(head + "7fffffff0\r\n"), stall()}, "a\n<Protocol>"},
  };
  for (const auto& row : cases) {
    FaultServer server([&](const SeenRequest&) { return row.script; });
    const auto transport = make_transport(plain_options(server));
    const auto body = open_body(*transport);
    EXPECT_EQ(read_to_end(*body), row.seen) << row.name;
  }
}

TEST(TransportStreamTest, ReportsAResetInTheMiddle) {
  Gate gate;
  FaultServer server([&](const SeenRequest&) {
    return Script{send_bytes(chunked_head() + chunk("a\n") + "a\r\nabc"), wait_for(gate), reset_connection()};
  });
  const auto transport = make_transport(plain_options(server));
  const auto body = open_body(*transport);
  char buffer[10];
  ASSERT_EQ(body->read(buffer, patient()).value(), 2U);
  gate.open();
  const auto failed = body->read(buffer, patient());
  ASSERT_FALSE(failed);
  EXPECT_THAT(text_of(failed.error()), StartsWith("Reset: 127.0.0.1:" + std::to_string(server.port())));
  EXPECT_FALSE(body->read(buffer, patient()));
}

TEST(TransportStreamTest, LeavesACutLineToTheSplitter) {
  FaultServer server([&](const SeenRequest&) { return respond_chunked({"{\"a\":1}\n{\"type\":\"MOD"}); });
  const auto transport = make_transport(plain_options(server));
  const auto body = open_body(*transport);
  LineSplitter splitter(1000);
  splitter.append("{\"a\":1}\n{\"type\":\"MOD");
  EXPECT_EQ(read_to_end(*body), "{\"a\":1}\n{\"type\":\"MOD<end>");
  EXPECT_EQ(*splitter.next().value(), "{\"a\":1}");
  EXPECT_FALSE(splitter.next().value().has_value());
  EXPECT_FALSE(splitter.finish());
}

TEST(TransportStreamTest, AReadLimitLeavesTheStreamUsable) {
  Gate gate;
  FaultServer server([&](const SeenRequest&) {
    return Script{send_bytes(chunked_head()), wait_for(gate), send_bytes(chunk("late\n") + last_chunk())};
  });
  const auto transport = make_transport(plain_options(server));
  const auto body = open_body(*transport);
  EXPECT_EQ(read_to_end(*body, within(milliseconds(20))), "<Timeout>");
  EXPECT_EQ(read_to_end(*body, within(milliseconds(1))), "<Timeout>");
  gate.open();
  EXPECT_EQ(read_to_end(*body), "late\n<end>");
}

TEST(TransportStreamTest, SilenceEndsTheStreamInTheLibrary) {
  FaultServer server([&](const SeenRequest&) { return Script{send_bytes(chunked_head() + chunk("a\n")), stall()}; });
  TransportOptions options = plain_options(server);
  options.stream_idle_limit = milliseconds(600);
  const auto transport = make_transport(options);
  const auto body = open_body(*transport);
  EXPECT_EQ(read_to_end(*body), "a\n<Timeout>");
  EXPECT_TRUE(eventually([&] { return server.connections_open() == 0; }));
}

TEST(TransportStreamTest, StopsABlockedReadAndClosesTheConnection) {
  FaultServer server([&](const SeenRequest&) { return Script{send_bytes(chunked_head() + chunk("a\n")), stall()}; });
  const auto transport = make_transport(plain_options(server));
  auto body = open_body(*transport);
  std::stop_source stop;
  std::atomic<bool> first{false};
  std::string rest;
  {
    const std::jthread reader([&] {
      char buffer[10];
      first = body->read(buffer, {stop.get_token()}).value_or(0) == 2;
      rest = read_to_end(*body, {stop.get_token()});
    });
    ASSERT_TRUE(eventually([&] { return first.load(); }));
    stop.request_stop();
  }
  EXPECT_EQ(rest, "<Cancelled>");
  EXPECT_EQ(read_to_end(*body), "<Cancelled>");
  body.reset();
  EXPECT_TRUE(eventually([&] { return server.connections_open() == 0; }));
}

TEST(TransportStreamTest, TheCancellationOfOpenDoesNotReachTheBody) {
  FaultServer server([&](const SeenRequest&) { return respond_chunked({"a\n"}); });
  const auto transport = make_transport(plain_options(server));
  std::stop_source stop;
  auto response = transport->open(kWatch, {stop.get_token()});
  ASSERT_TRUE(response);
  stop.request_stop();
  EXPECT_EQ(read_to_end(*response->body), "a\n<end>");
}

TEST(TransportStreamTest, OpenEndsAtItsDeadline) {
  FaultServer server([](const SeenRequest&) { return Script{stall()}; });
  const auto late = make_transport(plain_options(server))->open(kWatch, within(milliseconds(50)));
  ASSERT_FALSE(late);
  EXPECT_THAT(text_of(late.error()), StartsWith("Timeout: 127.0.0.1:"));
}

TEST(TransportStreamTest, OpenEndsWhenStopped) {
  FaultServer server([](const SeenRequest&) { return Script{stall()}; });
  const auto transport = make_transport(plain_options(server));
  std::stop_source stop;
  std::string outcome;
  {
    const std::jthread caller([&] {
      const auto response = transport->open(kWatch, {stop.get_token()});
      outcome = response ? "opened" : text_of(response.error());
    });
    ASSERT_TRUE(server.await_requests(1));
    stop.request_stop();
  }
  EXPECT_THAT(outcome, StartsWith("Cancelled: "));
}

// Bytes the server got rid of once it has been stuck for a while.
std::size_t settled_bytes(const FaultServer& server) {
  std::size_t last = 0;
  auto since = base::system_clock().now();
  eventually([&] {
    const std::size_t now = server.bytes_sent();
    if (now != last) {
      last = now;
      since = base::system_clock().now();
    }
    return last > 0 && base::system_clock().now() - since > milliseconds(300);
  });
  return last;
}

TEST(TransportStreamTest, AReaderThatDoesNotReadHoldsTheServerBack) {
  constexpr std::size_t kTotal = 100U << 20U;
  const std::string piece(64U << 10U, 'x');
  Script script{send_bytes(chunked_head())};
  for (std::size_t sent = 0; sent < kTotal; sent += piece.size()) {
    script.push_back(send_bytes(chunk(piece)));
  }
  script.push_back(send_bytes(last_chunk()));
  FaultServer server([&](const SeenRequest&) { return script; });
  TransportOptions options = plain_options(server);
  options.stream_buffer_bytes = 1U << 20U;
  const auto transport = make_transport(options);
  {
    const auto body = open_body(*transport);
    EXPECT_LT(settled_bytes(server), 20U << 20U) << "the read-ahead and what the two sockets hold";
    std::size_t received = 0;
    std::vector<char> buffer(1U << 20U);
    for (;;) {
      const auto got = body->read(buffer, patient());
      ASSERT_TRUE(got) << text_of(got.error());
      if (*got == 0) {
        break;
      }
      received += *got;
    }
    EXPECT_EQ(received, kTotal);
  }
  // Dropping a reader in front of a full channel must not hang either.
  auto dropped = open_body(*transport);
  settled_bytes(server);
  dropped.reset();
  EXPECT_TRUE(eventually([&] { return server.connections_open() <= 1; }));
}

TEST(TransportStreamTest, StreamsTakeNoSlotsOfSend) {
  FaultServer server([&](const SeenRequest& request) {
    return request.path() == "/" ? respond(200, "{}") : Script{send_bytes(chunked_head()), stall()};
  });
  TransportOptions options = plain_options(server);
  options.max_in_flight = 1;
  const auto transport = make_transport(options);
  std::vector<std::unique_ptr<BodyReader>> streams;
  for (int i = 0; i < 10; ++i) {
    streams.push_back(open_body(*transport));
  }
  EXPECT_EQ(outcome_of(*transport), "200");
}

TEST(TransportStreamTest, AReaderMayOutliveItsTransport) {
  Gate gate;
  FaultServer server([&](const SeenRequest&) {
    return Script{send_bytes(chunked_head() + chunk("a")), wait_for(gate), send_bytes(chunk("b") + last_chunk())};
  });
  std::unique_ptr<BodyReader> body;
  {
    const auto transport = make_transport(plain_options(server));
    body = open_body(*transport);
  }
  gate.open();
  EXPECT_EQ(read_to_end(*body), "ab<end>");
}

// This process's socket that is connected to a loopback `port`, or -1.
int socket_to(int port) {
  for (int fd = 3; fd < 1000; ++fd) {
    sockaddr_in6 peer{};
    socklen_t size = sizeof(peer);
    if (::getpeername(fd, static_cast<sockaddr*>(static_cast<void*>(&peer)), &size) == 0 && ntohs(peer.sin6_port) == port &&
        (peer.sin6_family == AF_INET || peer.sin6_family == AF_INET6)) {
      return fd;
    }
  }
  return -1;
}

TEST(TransportStreamTest, AsksTheKernelToWatchThePeer) {
  const testing_support::TestCa ca;
  const auto key = ca.issue({.addresses = {"127.0.0.1", "::1"}});
  for (const bool tls : {false, true}) {
    for (const std::string host : {"127.0.0.1", "::1"}) {
      FaultServer::Options server_options;
      server_options.address = host;
      if (tls) {
        server_options.tls = key;
      }
      FaultServer server([](const SeenRequest&) { return Script{send_bytes(chunked_head()), stall()}; }, server_options);
      TransportOptions options = tls ? tls_options(server, ca.pem()) : plain_options(server);
      options.host = host;
      const auto transport = make_transport(options);
      const auto body = open_body(*transport);
      const int fd = socket_to(server.port());
      ASSERT_GE(fd, 0);
      const auto value = [fd](int level, int name) {
        int number = -1;
        socklen_t size = sizeof(number);
        ::getsockopt(fd, level, name, &number, &size);
        return number;
      };
      EXPECT_EQ(value(SOL_SOCKET, SO_KEEPALIVE), 1) << host << tls;
      EXPECT_EQ(value(IPPROTO_TCP, TCP_KEEPIDLE), 30);
      EXPECT_EQ(value(IPPROTO_TCP, TCP_KEEPINTVL), 10);
      EXPECT_EQ(value(IPPROTO_TCP, TCP_KEEPCNT), 3);
      EXPECT_EQ(value(IPPROTO_TCP, TCP_USER_TIMEOUT), 60'000);
    }
  }
}

TEST(TransportStreamTest, StreamsOverTls) {
  const testing_support::TestCa ca;
  const std::string text(300'000, 'x');
  FaultServer::Options server_options;
  server_options.tls = ca.issue({.addresses = {"127.0.0.1"}});
  FaultServer server([&](const SeenRequest& request) -> Script {
    const std::string head = chunked_head();
    if (request.path() == "/cut") {
      return {send_bytes(head + chunk("a\n")), close_connection()};
    }
    if (request.path() == "/silent") {
      return {send_bytes(head + chunk("a\n")), stall()};
    }
    return respond_chunked(pieces_of(text, 1000));
  }, server_options);
  const auto transport = make_transport(tls_options(server, ca.pem()));
  EXPECT_EQ(read_to_end(*transport->open(make_request(Method::kGet, "/whole"), patient()).value().body), text + "<end>");
  EXPECT_EQ(read_to_end(*transport->open(make_request(Method::kGet, "/cut"), patient()).value().body), "a\n<Reset>");
  const auto silent = transport->open(make_request(Method::kGet, "/silent"), patient());
  EXPECT_EQ(read_to_end(*silent.value().body, within(milliseconds(20))), "a\n<Timeout>");
}

TEST(TransportStreamTest, CancelsWhileDataFlows) {
  const std::string piece(1000, 'x');
  Script script{send_bytes(chunked_head())};
  for (int i = 0; i < 5000; ++i) {
    script.push_back(send_bytes(chunk(piece)));
  }
  FaultServer server([&](const SeenRequest&) { return script + stall(); });
  TransportOptions options = plain_options(server);
  options.stream_buffer_bytes = 5000;
  const auto transport = make_transport(options);
  for (int round = 0; round < 30; ++round) {
    const auto body = open_body(*transport);
    char buffer[700];
    for (int reads = 0; reads < round; ++reads) {
      ASSERT_TRUE(body->read(buffer, patient()));
    }
  }
  EXPECT_TRUE(eventually([&] { return server.connections_open() == 0; }));
}

}  // namespace
}  // namespace shutdown_auditor::http
