// Whole responses: what goes over the wire, which failures are told apart, what is sent again.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <thread>

#include "http/transport_fixture.h"

namespace shutdown_auditor::http {
namespace {

using testing::AnyOf;
using testing::HasSubstr;
using testing::StartsWith;
using testing_support::abandon;
using testing_support::chunk;
using testing_support::chunked_head;
using testing_support::close_connection;
using testing_support::drip;
using testing_support::eventually;
using testing_support::FaultServer;
using testing_support::Gate;
using testing_support::reset_connection;
using testing_support::respond;
using testing_support::respond_chunked;
using testing_support::Script;
using testing_support::SeenRequest;
using testing_support::send_bytes;
using testing_support::stall;
using testing_support::wait_for;
using std::chrono::milliseconds;

Script ok(const SeenRequest&) { return respond(200, "{}"); }

TEST(TransportSendTest, SendsMethodTargetFieldsAndBodyUnchanged) {
  FaultServer server(ok);
  TransportOptions options = plain_options(server);
  options.path_prefix = "/k8s/clusters/c-1";
  const auto transport = make_transport(options);
  const struct {
    Method method;
    const char* target;
    const char* body;
    const char* type;
  } cases[] = {
      {Method::kGet, "/api/v1/pods?labelSelector=a%3Db,c%20in%20(x,y)&limit=500&continue=", "", ""},
      {Method::kPost, "/api/v1/namespaces/a/events", "{\"a\":1}", "application/json"},
      {Method::kPut, "/apis/coordination.k8s.io/v1/namespaces/a/leases/b", "{}", "application/json"},
      {Method::kPatch, "/x?fieldManager=f&force=true", "a: b\n", "application/apply-patch+yaml"},
      {Method::kPatch, "/x", "{\"a\":null}", "application/merge-patch+json"},
      {Method::kDelete, "/x", "{\"gracePeriodSeconds\":0}", "application/json"},
      {Method::kDelete, "/y", "", ""},
  };
  for (const auto& row : cases) {
    Request request = make_request(row.method, row.target, row.body, row.type);
    request.headers.add("Authorization", "Bearer secret");
    request.headers.add("Accept", "application/json;as=Table, */*");
    ASSERT_EQ(outcome_of(*transport, request), "200");
    const SeenRequest seen = server.requests().back();
    EXPECT_EQ(seen.method, to_string(row.method));
    EXPECT_EQ(seen.target, std::string("/k8s/clusters/c-1") + row.target);
    EXPECT_EQ(seen.body, row.body);
    EXPECT_EQ(seen.header("Content-Type"), row.type);
    EXPECT_EQ(seen.header("Authorization"), "Bearer secret");
    EXPECT_EQ(seen.header("Accept"), "application/json;as=Table, */*");
    EXPECT_EQ(seen.header("Host"), "127.0.0.1:" + std::to_string(server.port()));
    EXPECT_EQ(seen.header("Accept-Encoding"), "");
  }
}

TEST(TransportSendTest, ReturnsEveryFinalStatusWithFieldsAndBody) {
  FaultServer server(ok);
  const auto transport = make_transport(plain_options(server));
  for (const int status : {200, 201, 400, 401, 403, 404, 409, 410, 422, 429, 500, 503}) {
    const std::string body = "{\"code\":" + std::to_string(status) + "}";
    server.on([&](const SeenRequest&) { return respond(status, body, {{"Retry-After", "7"}}); });
    const auto response = transport->send(make_request(Method::kGet, "/"), patient());
    ASSERT_TRUE(response) << text_of(response.error());
    EXPECT_EQ(response->status, status);
    EXPECT_EQ(response->body, body);
    ASSERT_NE(response->headers.find("retry-after"), nullptr);
    EXPECT_EQ(*response->headers.find("retry-after"), "7");
  }
  server.on([](const SeenRequest&) { return Script{send_bytes("HTTP/1.1 204 No Content\r\n\r\n")}; });
  EXPECT_EQ(outcome_of(*transport), "204");
}

TEST(TransportSendTest, ReadsEveryFraming) {
  const std::string body(100'000, 'x');
  const std::pair<const char*, Script> cases[] = {
      {"length", respond(200, body)},
      {"chunks", respond_chunked(testing_support::pieces_of(body, 9'999))},
      {"dripped", {drip(respond_chunked({body})[0].bytes + chunk(body) + "0\r\n\r\n", 30'000, milliseconds(1))}},
      {"until close", {send_bytes("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + body), close_connection()}},
  };
  for (const auto& [name, script] : cases) {
    FaultServer server([&](const SeenRequest&) { return script; });
    const auto response = make_transport(plain_options(server))->send(make_request(Method::kGet, "/"), patient());
    ASSERT_TRUE(response) << name << ": " << text_of(response.error());
    EXPECT_EQ(response->body, body) << name;
  }
}

TEST(TransportSendTest, DecompressesNothing) {
  FaultServer server([](const SeenRequest&) { return respond(200, "\x1f\x8b raw", {{"Content-Encoding", "gzip"}}); });
  const auto response = make_transport(plain_options(server))->send(make_request(Method::kGet, "/"), patient());
  ASSERT_TRUE(response);
  EXPECT_EQ(response->body, "\x1f\x8b raw");
}

TEST(TransportSendTest, FollowsNoRedirectAndKeepsTheToken) {
  FaultServer other(ok);
  FaultServer server([&](const SeenRequest&) {
    return respond(302, "", {{"Location", "http://127.0.0.1:" + std::to_string(other.port()) + "/"}});
  });
  Request request = make_request(Method::kGet, "/");
  request.headers.add("Authorization", "Bearer secret");
  EXPECT_EQ(outcome_of(*make_transport(plain_options(server)), request), "302");
  EXPECT_EQ(other.connections_accepted(), 0);
}

TEST(TransportSendTest, ReusesConnections) {
  FaultServer server(ok);
  const auto transport = make_transport(plain_options(server));
  for (int i = 0; i < 50; ++i) {
    ASSERT_EQ(outcome_of(*transport), "200");
  }
  // The library gives a connection back slightly after the response, so now and then another one is opened, more often
  // on a busy machine.
  EXPECT_LE(server.connections_accepted(), 25);
}

// The first request on a connection is answered; the second, if any reaches it, meets `then`.
FaultServer::Handler once_then(Script answer, Script then) {
  return [=](const SeenRequest& request) {
    return request.target == "/first" ? answer : request.number > 1 ? then : respond(200, "{}");
  };
}

TEST(TransportSendTest, SurvivesAConnectionTheServerClosedMeanwhile) {
  for (const Method method : {Method::kGet, Method::kPut, Method::kPatch, Method::kDelete, Method::kPost}) {
    FaultServer server(once_then(respond(200, "{}") + close_connection(), {}));
    const auto transport = make_transport(plain_options(server));
    ASSERT_EQ(outcome_of(*transport, make_request(Method::kGet, "/first")), "200");
    ASSERT_TRUE(eventually([&] { return server.connections_open() <= 1; }));
    EXPECT_EQ(outcome_of(*transport, make_request(method, "/second", "{}")), "200") << to_string(method);
    EXPECT_EQ(server.request_count(), 2U);
  }
}

TEST(TransportSendTest, SendsAgainAfterAResetButNeverAPost) {
  for (const Method method : {Method::kGet, Method::kPut, Method::kPatch, Method::kDelete, Method::kPost}) {
    FaultServer server(once_then(respond(200, "{}") + reset_connection(), {}));
    const auto transport = make_transport(plain_options(server));
    ASSERT_EQ(outcome_of(*transport, make_request(Method::kGet, "/first")), "200");
    ASSERT_TRUE(eventually([&] { return server.connections_open() == 0; }));
    const std::string outcome = outcome_of(*transport, make_request(method, "/second", "{}"));
    if (method == Method::kPost) {
      EXPECT_THAT(outcome, AnyOf(StartsWith("Reset: "), testing::Eq("200")));
    } else {
      EXPECT_EQ(outcome, "200") << to_string(method);
    }
    EXPECT_LE(server.request_count(), 2U);
  }
}

TEST(TransportSendTest, TheLibraryRepeatsARequestWhoseReusedConnectionDiesUnanswered) {
  for (const Method method : {Method::kGet, Method::kPost}) {
    FaultServer server(once_then(respond(200, "{}"), {abandon()}));
    const auto transport = make_transport(plain_options(server));
    ASSERT_EQ(outcome_of(*transport, make_request(Method::kGet, "/first")), "200");
    EXPECT_EQ(outcome_of(*transport, make_request(method, "/second", "{}")), "200");
    // Now and then the library opens a second connection instead of taking the first one again.
    const std::vector<SeenRequest> seen = server.requests();
    const bool reused = std::any_of(seen.begin(), seen.end(), [](const SeenRequest& r) { return r.number == 2; });
    EXPECT_EQ(seen.size(), reused ? 3U : 2U) << to_string(method);
  }
}

TEST(TransportSendTest, DoesNotRepeatOnAFreshConnection) {
  for (const Script& end : {Script{abandon()}, Script{reset_connection()}}) {
    FaultServer server([&](const SeenRequest&) { return end; });
    const auto transport = make_transport(plain_options(server));
    const auto failed = transport->send(make_request(Method::kGet, "/"), patient());
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().kind, TransportErrorKind::kReset) << failed.error().message;
    EXPECT_TRUE(failed.error().sent);
    EXPECT_EQ(server.request_count(), 1U);
  }
}

TEST(TransportSendTest, TellsFailuresApart) {
  const std::string head = chunked_head();
  const struct {
    const char* name;
    Script script;
    const char* outcome;
  } cases[] = {
      {"garbage", {send_bytes("this is not HTTP\r\n\r\n"), close_connection()}, "Protocol: "},
      {"interim only", {send_bytes("HTTP/1.1 103 Early Hints\r\n\r\n"), stall()}, "Protocol: "},
      {"bad chunk size", {send_bytes(head + "zz\r\nabc\r\n"), stall()}, "Protocol: "},
      {"closed in a chunk", {send_bytes(head + "a\r\nabc"), close_connection()}, "Reset: "},
      {"reset in a chunk", {send_bytes(head + "a\r\nabc"), reset_connection()}, "Reset: "},
      {"no last chunk", {send_bytes(head + chunk("abc")), close_connection()}, "Reset: "},
      {"short length", {send_bytes("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"), close_connection()}, "Reset: "},
      {"half a head", {send_bytes("HTTP/1.1 200 OK\r\nContent-"), close_connection()}, "Reset: "},
  };
  for (const auto& row : cases) {
    FaultServer server([&](const SeenRequest&) { return row.script; });
    const auto failed = make_transport(plain_options(server))->send(make_request(Method::kGet, "/"), patient());
    ASSERT_FALSE(failed) << row.name;
    EXPECT_THAT(text_of(failed.error()), StartsWith(row.outcome + ("127.0.0.1:" + std::to_string(server.port())))) << row.name;
    EXPECT_TRUE(failed.error().sent) << row.name;
  }
}

TEST(TransportSendTest, ReportsWhatNeverConnected) {
  int free_port = 0;
  {
    const FaultServer gone(ok);
    free_port = gone.port();
  }
  TransportOptions options;
  options.scheme = "http";
  options.host = "127.0.0.1";
  options.port = free_port;
  const auto refused = make_transport(options)->send(make_request(Method::kPost, "/", "{}"), patient());
  ASSERT_FALSE(refused);
  EXPECT_THAT(text_of(refused.error()), AllOf(StartsWith("Connect: 127.0.0.1:"), HasSubstr("refused")));
  EXPECT_FALSE(refused.error().sent);

  options.host = "no-such-host.invalid";
  const auto unknown = make_transport(options)->send(make_request(Method::kGet, "/"), patient());
  ASSERT_FALSE(unknown);
  EXPECT_THAT(text_of(unknown.error()), AllOf(StartsWith("Connect: no-such-host.invalid:"), HasSubstr("resolve")));
  EXPECT_FALSE(unknown.error().sent);
}

TEST(TransportSendTest, ReachesAnIpv6Address) {
  FaultServer::Options server_options;
  server_options.address = "::1";
  FaultServer server(ok, server_options);
  TransportOptions options = plain_options(server);
  options.host = "::1";
  const auto transport = make_transport(options);
  EXPECT_EQ(outcome_of(*transport), "200");
  EXPECT_EQ(outcome_of(*transport), "200");
  EXPECT_EQ(server.requests().at(0).header("Host"), "[::1]:" + std::to_string(server.port()));
}

TEST(TransportSendTest, TriesTheNextAddressOfAName) {
  FaultServer server(ok);  // on 127.0.0.1 only; localhost is ::1 as well
  TransportOptions options = plain_options(server);
  options.host = "localhost";
  EXPECT_EQ(outcome_of(*make_transport(options)), "200");
}

TEST(TransportSendTest, UsesAProxyOnlyWhenTold) {
  FaultServer server(ok);
  FaultServer proxy(ok);
  const std::string proxy_url = "http://127.0.0.1:" + std::to_string(proxy.port());
  for (const char* name : {"http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "ALL_PROXY"}) {
    ::setenv(name, proxy_url.c_str(), 1);
  }
  TransportOptions options = plain_options(server);
  EXPECT_EQ(outcome_of(*make_transport(options)), "200");
  EXPECT_EQ(proxy.connections_accepted(), 0);
  options.proxy = proxy_url;
  EXPECT_EQ(outcome_of(*make_transport(options), make_request(Method::kGet, "/a?b=c")), "200");
  EXPECT_EQ(server.request_count(), 1U);
  EXPECT_EQ(proxy.requests().at(0).target, "http://127.0.0.1:" + std::to_string(server.port()) + "/a?b=c");
}

TEST(TransportSendTest, BoundsTheBody) {
  const std::string body(2U << 20U, 'x');
  for (const Script& script : {respond(200, body), respond_chunked(testing_support::pieces_of(body, 100'000))}) {
    FaultServer server([&](const SeenRequest&) { return script; });
    TransportOptions options = plain_options(server);
    options.max_body_bytes = body.size();
    EXPECT_EQ(outcome_of(*make_transport(options)), "200");
    --options.max_body_bytes;
    EXPECT_THAT(outcome_of(*make_transport(options)), StartsWith("TooLarge: 127.0.0.1:"));
    EXPECT_TRUE(eventually([&] { return server.connections_open() == 0; }));
  }
}

TEST(TransportSendTest, EndsAtItsDeadlineWhateverTheServerDoes) {
  const std::string endless(1'000'000, 'x');
  const struct {
    const char* name;
    Script script;
  } cases[] = {
      {"silence", {stall()}},
      {"dripping head", {drip("HTTP/1.1 200 OK\r\nX: " + endless, 1, milliseconds(5))}},
      {"dripping body", {send_bytes(chunked_head()), drip(chunk(endless), 1, milliseconds(5))}},
      {"dripping chunks", {send_bytes(chunked_head()), send_bytes(chunk("a")), send_bytes(chunk("b")), stall()}},
  };
  for (const auto& row : cases) {
    FaultServer server([&](const SeenRequest&) { return row.script; });
    const auto failed = make_transport(plain_options(server))->send(make_request(Method::kGet, "/"), within(milliseconds(100)));
    ASSERT_FALSE(failed) << row.name;
    EXPECT_THAT(text_of(failed.error()), AllOf(StartsWith("Timeout: 127.0.0.1:"), HasSubstr("deadline"))) << row.name;
    EXPECT_TRUE(failed.error().sent);
    EXPECT_TRUE(eventually([&] { return server.connections_open() == 0; })) << row.name;
  }
}

TEST(TransportSendTest, TimesOutWhenNobodyAnswersAfterAccept) {
  FaultServer server(ok);
  server.on_accept([](int) { return Script{stall()}; });
  EXPECT_THAT(outcome_of(*make_transport(plain_options(server)), make_request(Method::kGet, "/"), within(milliseconds(50))),
              StartsWith("Timeout: "));
  const testing_support::TestCa ca;
  EXPECT_THAT(outcome_of(*make_transport(tls_options(server, ca.pem())), make_request(Method::kGet, "/"), within(milliseconds(50))),
              StartsWith("Timeout: "));
}

TEST(TransportSendTest, StopsWhenAsked) {
  for (const Script& script : {Script{stall()}, Script{send_bytes(chunked_head() + chunk("a")), stall()}}) {
    FaultServer server([&](const SeenRequest&) { return script; });
    const auto transport = make_transport(plain_options(server));
    std::stop_source stop;
    std::string outcome;
    {
      const std::jthread caller([&] {
        outcome = outcome_of(*transport, make_request(Method::kGet, "/"), {stop.get_token()});
      });
      ASSERT_TRUE(server.await_requests(1));
      stop.request_stop();
    }
    EXPECT_THAT(outcome, StartsWith("Cancelled: 127.0.0.1:"));
    EXPECT_TRUE(eventually([&] { return server.connections_open() == 0; }));
    const auto late = transport->send(make_request(Method::kGet, "/"), {stop.get_token()});
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().kind, TransportErrorKind::kCancelled);
    EXPECT_FALSE(late.error().sent);
    EXPECT_EQ(server.request_count(), 1U);
  }
}

TEST(TransportSendTest, BoundsConcurrentCalls) {
  Gate gate;
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  FaultServer server([&](const SeenRequest&) {
    most = std::max(most.load(), ++inside);
    --inside;
    return Script{wait_for(gate)} + respond(200, "{}");
  });
  TransportOptions options = plain_options(server);
  options.max_in_flight = 2;
  const auto transport = make_transport(options);
  std::atomic<int> good{0};
  {
    std::vector<std::jthread> callers;
    for (int i = 0; i < 6; ++i) {
      callers.emplace_back([&] { good += outcome_of(*transport) == "200" ? 1 : 0; });
    }
    ASSERT_TRUE(server.await_requests(2));
    const auto waiting = transport->send(make_request(Method::kPost, "/"), within(milliseconds(50)));
    ASSERT_FALSE(waiting);
    EXPECT_THAT(text_of(waiting.error()), AllOf(StartsWith("Timeout: "), HasSubstr("free connection")));
    EXPECT_FALSE(waiting.error().sent);
    EXPECT_EQ(server.request_count(), 2U);
    gate.open();
  }
  EXPECT_EQ(good, 6);
  EXPECT_LE(most, 2);
}

TEST(TransportSendTest, ServesManyThreads) {
  FaultServer server([](const SeenRequest& request) { return respond(200, request.target); });
  const auto transport = make_transport(plain_options(server));
  std::atomic<int> wrong{0};
  {
    std::vector<std::jthread> callers;
    for (int caller = 0; caller < 16; ++caller) {
      callers.emplace_back([&, caller] {
        for (int i = 0; i < 25; ++i) {
          const std::string target = "/" + std::to_string(caller) + "/" + std::to_string(i);
          const auto response = transport->send(make_request(Method::kGet, target), patient());
          wrong += !response || response->body != target ? 1 : 0;
        }
      });
    }
  }
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(server.request_count(), 400U);
}

TEST(TransportSendTest, RefusesWhatWouldNotBeOneRequest) {
  FaultServer server(ok);
  const auto transport = make_transport(plain_options(server));
  std::vector<Request> requests = {make_request(Method::kGet, ""), make_request(Method::kGet, "no-slash"),
                                   make_request(Method::kGet, "/a b"), make_request(Method::kGet, "/a\r\nX: y"),
                                   make_request(Method::kGet, "/a#b"), make_request(Method::kGet, "/a%zz|\xff")};
  for (const auto& [name, value] : {std::pair("X", "a\r\nY: b"), std::pair("X Y", "a"), std::pair("", "a"), std::pair("X:", "a")}) {
    requests.push_back(make_request(Method::kGet, "/"));
    requests.back().headers.add(name, value);
  }
  for (const Request& request : requests) {
    const auto failed = transport->send(request, patient());
    ASSERT_FALSE(failed) << request.target;
    EXPECT_EQ(failed.error().kind, TransportErrorKind::kProtocol);
    EXPECT_FALSE(failed.error().sent);
  }
  EXPECT_EQ(server.connections_accepted(), 0);
}

TEST(MakeCpprestTransportTest, NamesTheOptionThatMakesNoSense) {
  const struct {
    std::function<void(TransportOptions&)> change;
    const char* text;
  } cases[] = {
      {[](TransportOptions& o) { o.scheme = "ftp"; }, "scheme \"ftp\""},
      {[](TransportOptions& o) { o.host = ""; }, "host \"\""},
      {[](TransportOptions& o) { o.host = "[::1]"; }, "host \"[::1]\""},
      {[](TransportOptions& o) { o.host = "a/b"; }, "host \"a/b\""},
      {[](TransportOptions& o) { o.host = "a:b"; }, "host \"a:b\""},
      {[](TransportOptions& o) { o.port = 0; }, "port 0"},
      {[](TransportOptions& o) { o.port = 65536; }, "port 65536"},
      {[](TransportOptions& o) { o.path_prefix = "k8s"; }, "path prefix \"k8s\""},
      {[](TransportOptions& o) { o.path_prefix = "/k8s/"; }, "path prefix \"/k8s/\""},
      {[](TransportOptions& o) { o.scheme = "https"; }, "TLS material"},
      {[](TransportOptions& o) { o.tls_server_name = "a:443"; }, "TLS server name \"a:443\""},
      {[](TransportOptions& o) { o.max_in_flight = 0; }, "max_in_flight"},
      {[](TransportOptions& o) { o.proxy = "socks5://127.0.0.1:1080"; }, "only http:// proxies"},
      {[](TransportOptions& o) { o.host = "::1", o.proxy = "http://p:1"; }, "IPv6"},
  };
  for (const auto& row : cases) {
    TransportOptions options;
    options.scheme = "http";
    options.host = "127.0.0.1";
    row.change(options);
    const auto made = make_cpprest_transport(options);
    ASSERT_FALSE(made) << row.text;
    EXPECT_EQ(made.error().kind, base::ErrorKind::kInvalid);
    EXPECT_THAT(made.error().message, HasSubstr(row.text));
  }
}

TEST(HttpRuntimeTest, HidesTheSystemRootsAndKeepsTheEnvironmentForChildren) {
  initialize_http_runtime();
  initialize_http_runtime();
  EXPECT_STREQ(std::getenv("SSL_CERT_FILE"), "/dev/null");
  EXPECT_STREQ(std::getenv("SSL_CERT_DIR"), "/nonexistent");
  EXPECT_THAT(original_environment(), testing::Contains(std::string("PATH=") + std::getenv("PATH")));
  EXPECT_THAT(original_environment(), testing::Not(testing::Contains("SSL_CERT_FILE=/dev/null")));
}

}  // namespace
}  // namespace shutdown_auditor::http
