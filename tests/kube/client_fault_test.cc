#include <atomic>

#include "base/text.h"
#include "kube/wire_fixture.h"
#include "support/manual_clock.h"

namespace shutdown_auditor::kube {
namespace {

using namespace std::chrono_literals;
using namespace testing_support;
using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

using ClientFault = WireTest;

std::string status(int code, const char* reason, const char* message) {
  return json{{"kind", "Status"}, {"code", code}, {"reason", reason}, {"message", message}}.dump();
}

CertifiedKey server_certificate(const TestCa& ca) {
  CertificateSpec spec;
  spec.addresses = {"127.0.0.1"};
  return ca.issue(spec);
}

CertifiedKey client_certificate(const TestCa& ca, const std::string& name) {
  CertificateSpec spec;
  spec.common_name = name;
  spec.client = true;
  return ca.issue(spec);
}

Script who(const SeenRequest& seen) {
  return respond(200, json{{"name", seen.client_subject}}.dump());
}

TEST_F(ClientFault, TooManyRequestsIsRetriedWhenTheServerSaysWhen) {
  std::atomic<int> number = 0;
  serve([&](const SeenRequest&) {
    return ++number == 1 ? respond(429, status(429, "TooManyRequests", "slow down"), {{"Retry-After", "0"}})
                         : respond(200, "{}");
  });
  EXPECT_TRUE(post());
  EXPECT_THAT(observer_.seen(), ElementsAre("POST 429", "retry POST 429", "POST 200"));
}

TEST_F(ClientFault, ServerErrorsAreRetriedForIdempotentRequestsOnly) {
  std::atomic<int> number = 0;
  serve([&](const SeenRequest&) {
    return ++number % 3 != 0 ? respond(503, "upstream connect error", {{"Content-Type", "text/plain"}})
                             : respond(200, "{}");
  });
  EXPECT_TRUE(get());
  EXPECT_EQ(server_->request_count(), 3U);
  const auto failed = post();
  EXPECT_EQ(failed.error().kind, ErrorKind::kUnavailable);
  EXPECT_EQ(failed.error().message, "create namespaces: HTTP 503: upstream connect error");
  EXPECT_EQ(server_->count("POST"), 1U);
}

TEST_F(ClientFault, ARedirectIsAnErrorAndTheTokenGoesNowhereElse) {
  FaultServer other([](const SeenRequest&) { return respond(200, "{}"); });
  serve([&](const SeenRequest&) {
    return respond(302, "", {{"Location", "http://127.0.0.1:" + std::to_string(other.port()) + "/"}});
  });
  EXPECT_EQ(get().error().kind, ErrorKind::kProtocol);
  CollectingSink sink;
  EXPECT_EQ(list(sink).error().kind, ErrorKind::kProtocol);
  EXPECT_EQ(other.connections_accepted(), 0);
}

TEST_F(ClientFault, AResetAnswerIsRetriedForIdempotentRequestsAndNeverLosesTheKind) {
  std::atomic<int> number = 0;
  serve([&](const SeenRequest&) {
    const Script cut = {send_bytes("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"),
                        reset_connection()};
    return ++number == 1 ? cut : respond(200, "{}");
  });
  EXPECT_TRUE(get());
  number = 0;
  EXPECT_EQ(post().error().kind, ErrorKind::kUnavailable);
}

TEST_F(ClientFault, AClosedKeepAliveConnectionIsReplacedWithoutTheCallerNoticing) {
  serve([](const SeenRequest&) { return respond(200, "{}") + close_connection(); });
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(get()) << i;
  }
  EXPECT_EQ(server_->count("GET"), 5U);
}

TEST_F(ClientFault, AServerThatIsSilentEndsAtTheDeadline) {
  serve([](const SeenRequest&) { return Script{stall()}; });
  const auto result =
      connection_->api().call({.path = "/version", .idempotent = true}, {.deadline = clock_.now() + 50ms});
  EXPECT_EQ(result.error().kind, ErrorKind::kTimeout);
  EXPECT_EQ(server_->request_count(), 1U);
}

TEST_F(ClientFault, ListsStreamInPiecesOfAnySize) {
  std::string text = R"({"kind":"ServiceList","apiVersion":"v1","metadata":{"resourceVersion":"9"},"items":[)";
  for (int i = 0; i < 1000; ++i) {
    text += (i == 0 ? "" : ",") + json{{"metadata", {{"name", "s" + std::to_string(i)}}}}.dump();
  }
  text += "]}";
  for (const std::size_t size : {std::size_t{7}, std::size_t{1000}, text.size()}) {
    serve([&](const SeenRequest&) { return respond_chunked(pieces_of(text, size)); });
    CollectingSink sink;
    const auto meta = list(sink);
    ASSERT_TRUE(meta) << meta.error().message;
    EXPECT_EQ(meta->resource_version, "9");
    EXPECT_EQ(sink.names.size(), 1000U);
    EXPECT_EQ(sink.names.back(), "s999");
  }
}

TEST_F(ClientFault, AListThatStallsTimesOutAndOneThatBreaksIsUnavailable) {
  options_.list_idle_limit = 50ms;
  const std::string begin = chunked_head() + chunk(R"({"kind":"ServiceList","items":[{"metadata":{"name":"a"}},)");
  serve([&](const SeenRequest&) { return Script{send_bytes(begin), stall()}; });
  CollectingSink sink;
  EXPECT_EQ(list(sink).error().kind, ErrorKind::kTimeout);
  options_.list_idle_limit = 60s;
  serve([&](const SeenRequest&) { return Script{send_bytes(begin), close_connection()}; });
  EXPECT_THAT(list(sink).error().kind, testing::AnyOf(ErrorKind::kUnavailable, ErrorKind::kProtocol));
}

TEST_F(ClientFault, ATokenFileIsFollowedAndA401ReadsItAtOnce) {
  std::atomic<bool> old_is_good = true;
  server_ = std::make_unique<FaultServer>([&](const SeenRequest& seen) {
    return seen.header("Authorization") == "Bearer new" || old_is_good ? respond(200, "{}")
                                                                       : respond(401, status(401, "Unauthorized", "no"));
  });
  connect(kubeconfig({{"tokenFile", dir_.write("token", "old")}},
                     {{"server", "http://127.0.0.1:" + std::to_string(server_->port())}}));
  EXPECT_TRUE(get());
  old_is_good = false;
  dir_.write("token", "new");
  EXPECT_TRUE(get());
  EXPECT_THAT(observer_.seen(), ElementsAre("GET 200", "GET 401", "retry GET 401", "GET 200"));
  dir_.write("token", "wrong");
  clock_.advance(60s);
  EXPECT_EQ(get().error().kind, ErrorKind::kUnauthorized);
}

TEST_F(ClientFault, ARotatedCaIsFollowed) {
  const TestCa next("next CA");
  serve_tls([](const SeenRequest&) { return respond(200, "{}") + close_connection(); }, server_certificate(ca_));
  connect(kubeconfig({{"token", "tok"}}, {{"certificate-authority-data", nullptr},
                                          {"certificate-authority", dir_.write("ca.crt", ca_.pem())}}));
  EXPECT_TRUE(get());
  server_->use_certificate(server_certificate(next), "");
  const auto refused = get();
  EXPECT_EQ(refused.error().kind, ErrorKind::kTls) << refused.error().message;
  dir_.write("ca.crt", next.pem());
  clock_.advance(60s);
  const auto accepted = get();
  EXPECT_TRUE(accepted) << accepted.error().message;
}

TEST_F(ClientFault, ARotatedClientCertificateReplacesPooledConnections) {
  serve_tls(who, server_certificate(ca_), ca_.pem());
  const CertifiedKey first = client_certificate(ca_, "first");
  connect(kubeconfig({{"client-certificate", dir_.write("c.crt", first.certificate)},
                      {"client-key", dir_.write("c.key", first.key)}}));
  EXPECT_EQ(get()->body, R"({"name":"first"})");
  const CertifiedKey second = client_certificate(ca_, "second");
  dir_.write("c.crt", second.certificate);
  clock_.advance(60s);  // the pair does not fit yet: the old one stays
  EXPECT_EQ(get()->body, R"({"name":"first"})");
  dir_.write("c.key", second.key);
  clock_.advance(60s);
  EXPECT_EQ(get()->body, R"({"name":"second"})");
  EXPECT_EQ(connection_->tls_file_failures(), 1U);
}

TEST_F(ClientFault, AnExecPluginsCertificateIsUsedAndItsChangeDropsConnections) {
  serve_tls(who, server_certificate(ca_), ca_.pem());
  const auto give = [&](const std::string& name) {
    const CertifiedKey pair = client_certificate(ca_, name);
    const json credential = {{"apiVersion", "client.authentication.k8s.io/v1"},
                             {"kind", "ExecCredential"},
                             {"status",
                              {{"clientCertificateData", pair.certificate},
                               {"clientKeyData", pair.key},
                               {"expirationTimestamp", "2100-01-01T00:00:00Z"}}}};
    dir_.write("credential.json", credential.dump());
  };
  give("plugin-1");
  dir_.script("plugin", "echo run >> " + dir_ / "runs" + "\ncat " + dir_ / "credential.json" + "\n");
  connect(kubeconfig({{"exec",
                       {{"command", "./plugin"},
                        {"apiVersion", "client.authentication.k8s.io/v1"},
                        {"interactiveMode", "Never"}}}}));
  EXPECT_EQ(get()->body, R"({"name":"plugin-1"})");
  EXPECT_EQ(get()->body, R"({"name":"plugin-1"})");
  give("plugin-2");
  clock_.advance(24h * 365 * 80);  // expired
  const auto renewed = get();
  ASSERT_TRUE(renewed) << renewed.error().message;
  EXPECT_EQ(renewed->body, R"({"name":"plugin-2"})");
}

TEST_F(ClientFault, ServerNamePrefixAndImpersonationOnTheWire) {
  CertificateSpec spec;
  spec.dns_names = {"kubernetes.default.svc"};
  serve_tls([](const SeenRequest&) { return respond(200, "{}"); }, ca_.issue(spec));
  const json wrong_name = kubeconfig({{"token", "tok"}});
  connect(wrong_name);
  EXPECT_EQ(get().error().kind, ErrorKind::kTls);
  options_.user_agent = user_agent("tester", "1", "wire");
  connect(kubeconfig({{"token", "tok"}, {"as", "jane"}, {"as-groups", {"dev"}}},
                     {{"tls-server-name", "kubernetes.default.svc"},
                      {"server", "https://127.0.0.1:" + std::to_string(server_->port()) + "/k8s/clusters/c-1/"}}));
  const auto answered = get();
  ASSERT_TRUE(answered) << answered.error().message;
  const SeenRequest seen = server_->requests().at(0);
  EXPECT_EQ(seen.target, "/k8s/clusters/c-1/api/v1/namespaces/shop");
  EXPECT_EQ(seen.server_name, "kubernetes.default.svc");
  EXPECT_EQ(seen.header("Impersonate-User"), "jane");
  EXPECT_EQ(seen.header("Impersonate-Group"), "dev");
  EXPECT_EQ(seen.header("Accept"), "application/json");
  EXPECT_EQ(seen.header("Accept-Encoding"), "");
  EXPECT_THAT(seen.header("User-Agent"), HasSubstr("tester/1 (linux/"));
}

TEST_F(ClientFault, AnIpv6ServerIsReached) {
  FaultServer::Options options;
  options.address = "::1";
  server_ = std::make_unique<FaultServer>([](const SeenRequest&) { return respond(200, "{}"); }, options);
  connect(kubeconfig({{"token", "tok"}}, {{"server", "http://[::1]:" + std::to_string(server_->port())}}));
  const auto answered = get();
  EXPECT_TRUE(answered) << answered.error().message;
}

TEST_F(ClientFault, GoldenLinesForPeople) {
  const auto line = [&](const Error& error) {
    std::string text = one_line(error, connection_->endpoint());
    EXPECT_LE(text.size(), kOneLineBytes);
    // A client of the fixture has read this file.
    if (const std::size_t at = text.find(dir_ / "config"); at != std::string::npos) {
      text.replace(at, (dir_ / "config").size(), "FILE");
    }
    const std::string port = std::to_string(server_->port());
    for (std::size_t at = text.find(port); at != std::string::npos; at = text.find(port, at)) {
      text.replace(at, port.size(), "PORT");
    }
    return text;
  };
  CollectingSink sink;
  serve([](const SeenRequest&) {
    return respond(403, status(403, "Forbidden",
                               "services is forbidden: User \"ann\" cannot list resource \"services\""));
  });
  EXPECT_EQ(line(list(sink).error()),
            "http://127.0.0.1:PORT (context \"test\" of FILE): list services: services is forbidden: User \"ann\" cannot "
            "list resource \"services\"; grant it with RBAC");

  const TestCa stranger("stranger");
  serve_tls([](const SeenRequest&) { return respond(200, "{}"); }, server_certificate(stranger));
  connect(kubeconfig({{"token", "tok"}}));
  const std::string tls = line(list(sink).error());
  EXPECT_THAT(tls, testing::StartsWith("https://127.0.0.1:PORT (context \"test\" of FILE): list services: "));
  EXPECT_THAT(tls, testing::EndsWith("; check certificate-authority or tls-server-name"));

  serve([](const SeenRequest&) { return respond(200, "{}"); });
  server_->on_accept([](int) { return Script{reset_connection()}; });
  EXPECT_THAT(line(list(sink).error()),
              HasSubstr("http://127.0.0.1:PORT (context \"test\" of FILE): list services: "));

  // Port 1 is reserved: nobody listens there.
  connect(kubeconfig({{"token", "tok"}}, {{"server", "http://127.0.0.1:1"}}));
  const std::string refused = line(list(sink).error());
  EXPECT_THAT(refused, testing::StartsWith("http://127.0.0.1:1 (context \"test\" of FILE): list services: 127.0.0.1:1: "));
  EXPECT_THAT(refused, testing::EndsWith("; is the server running and reachable?"));
}

TEST_F(ClientFault, BadTlsFilesAreFoundAtStart) {
  server_ = std::make_unique<FaultServer>([](const SeenRequest&) { return respond(200, "{}"); });
  const CertifiedKey one = client_certificate(ca_, "one");
  const CertifiedKey two = client_certificate(ca_, "two");
  auto config = resolve(kubeconfig({{"client-certificate-data", base::base64_encode(one.certificate)},
                                    {"client-key-data", base::base64_encode(two.key)}}));
  ASSERT_TRUE(config);
  const auto refused = Connection::open(std::move(*config), options_, clock_, random_, observer_);
  ASSERT_FALSE(refused);
  EXPECT_LE(refused.error().message.size(), kOneLineBytes);
  EXPECT_THAT(refused.error().message, HasSubstr("client-key-data"));
}

TEST_F(ClientFault, NoSecretReachesTheLog) {
  LogCapture::clear();
  std::atomic<int> number = 0;
  serve_tls([&](const SeenRequest&) {
    return ++number % 2 == 1 ? respond(401, status(401, "Unauthorized", "no")) : respond(500, "x");
  }, server_certificate(ca_));
  connect(kubeconfig({{"tokenFile", dir_.write("token", "file-s3cret")}}));
  std::string messages = get().error().message + post().error().message;
  dir_.write("token", "");
  clock_.advance(60s);
  messages += get().error().message;
  dir_.script("plugin", "echo plugin-s3cret; echo oops >&2; exit 1\n");
  connect(kubeconfig({{"exec", {{"command", "./plugin"}, {"apiVersion", "client.authentication.k8s.io/v1"}}}}));
  messages += get().error().message;
  EXPECT_THAT(LogCapture::text(), HasSubstr("oops"));
  EXPECT_THAT(LogCapture::text() + messages, Not(HasSubstr("s3cret")));
}

}  // namespace
}  // namespace shutdown_auditor::kube
