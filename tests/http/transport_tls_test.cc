// What the TLS side of the transport accepts, refuses and says.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>

#include "http/transport_fixture.h"

namespace shutdown_auditor::http {
namespace {

using testing::AnyOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using testing_support::CertificateSpec;
using testing_support::CertifiedKey;
using testing_support::close_connection;
using testing_support::FaultServer;
using testing_support::KeyFormat;
using testing_support::KeyKind;
using testing_support::respond;
using testing_support::Script;
using testing_support::SeenRequest;
using testing_support::start_tls;
using testing_support::TestCa;

Script ok(const SeenRequest&) { return respond(200, "{}"); }

FaultServer::Options tls(const CertifiedKey& key, const std::string& client_ca = {}) {
  FaultServer::Options options;
  options.tls = key;
  options.client_ca = client_ca;
  return options;
}

const CertificateSpec kLoopback{.common_name = "api", .dns_names = {"localhost"}, .addresses = {"127.0.0.1", "::1"}};

struct NameCase {
  const char* name;
  CertificateSpec certificate;
  std::string host;
  std::string server_name;
  std::string outcome;  // "200" or what the message must contain
};

class TlsNameTest : public testing::TestWithParam<NameCase> {};

TEST_P(TlsNameTest, IsJudgedBySubjectAltNameOnly) {
  const TestCa ca;
  FaultServer server(ok, tls(ca.issue(GetParam().certificate)));
  TransportOptions options = tls_options(server, ca.pem());
  options.host = GetParam().host;
  options.tls_server_name = GetParam().server_name;
  const auto transport = make_transport(options);
  const std::string outcome = outcome_of(*transport);
  EXPECT_THAT(outcome, HasSubstr(GetParam().outcome));
  if (GetParam().outcome != "200") {
    EXPECT_THAT(outcome, StartsWith("Tls: " + options.host + ":"));
    EXPECT_EQ(server.request_count(), 0U);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Cases, TlsNameTest,
    testing::Values(
        NameCase{"AddressInSan", {.addresses = {"127.0.0.1"}}, "127.0.0.1", "", "200"},
        NameCase{"NameInSan", {.dns_names = {"localhost"}}, "localhost", "", "200"},
        NameCase{"WildcardInSan", {.dns_names = {"*.example.test"}}, "127.0.0.1", "api.example.test", "200"},
        NameCase{"AddressOnlyAsName", {.dns_names = {"localhost", "127.0.0.1"}}, "127.0.0.1", "", "IP address mismatch"},
        NameCase{"AddressWithoutSan", {.common_name = "127.0.0.1"}, "127.0.0.1", "", "IP address mismatch"},
        NameCase{"CommonNameOnly", {.common_name = "localhost"}, "localhost", "", "hostname mismatch"},
        NameCase{"OtherName", {.dns_names = {"other.test"}}, "localhost", "", "expected name \"localhost\""},
        NameCase{"PartialWildcard", {.dns_names = {"a*.example.test"}}, "127.0.0.1", "api.example.test", "hostname mismatch"},
        NameCase{"Expired", {.addresses = {"127.0.0.1"}, .not_before = std::chrono::hours(-20), .not_after = std::chrono::hours(-1)},
                 "127.0.0.1", "", "certificate has expired"},
        NameCase{"NotYetValid", {.addresses = {"127.0.0.1"}, .not_before = std::chrono::hours(5)}, "127.0.0.1", "",
                 "certificate is not yet valid"},
        NameCase{"ClientPurpose", {.addresses = {"127.0.0.1"}, .client = true}, "127.0.0.1", "", "certificate refused: "},
        NameCase{"GivenName", {.dns_names = {"kubernetes.default.svc"}}, "127.0.0.1", "kubernetes.default.svc", "200"},
        NameCase{"GivenNameNotInSan", {.addresses = {"127.0.0.1"}}, "127.0.0.1", "kubernetes.default.svc", "hostname mismatch"},
        NameCase{"GivenAddress", {.addresses = {"10.96.0.1"}}, "127.0.0.1", "10.96.0.1", "200"}),
    [](const auto& param_info) { return param_info.param.name; });

TEST(TransportTlsTest, RefusesAnotherAuthority) {
  const TestCa ca;
  const TestCa other("another CA");
  FaultServer server(ok, tls(other.issue(kLoopback)));
  const auto transport = make_transport(tls_options(server, ca.pem()));
  EXPECT_THAT(outcome_of(*transport), HasSubstr("certificate refused: unable to get local issuer certificate"));
  const auto failed = transport->send(make_request(Method::kPost, "/", "{}"), patient());
  ASSERT_FALSE(failed);
  EXPECT_FALSE(failed.error().sent);

  TransportOptions insecure = tls_options(server, ca.pem());
  insecure.insecure_skip_tls_verify = true;
  EXPECT_EQ(outcome_of(*make_transport(insecure)), "200");
}

TEST(TransportTlsTest, TrustsEveryRootOfTheBundle) {
  const TestCa one("one");
  const TestCa two("two");
  FaultServer server(ok, tls(two.issue(kLoopback)));
  EXPECT_EQ(outcome_of(*make_transport(tls_options(server, "# bundle\n" + one.pem() + two.pem()))), "200");
}

TEST(TransportTlsTest, SendsServerNameForNamesOnlyAndAPlainHostField) {
  const TestCa ca;
  const struct {
    std::string host;
    std::string server_name;
    std::string sni;
    std::string host_field;  // %p: the port
  } cases[] = {
      {"127.0.0.1", "", "", "127.0.0.1:%p"},
      {"localhost", "", "localhost", "localhost:%p"},
      {"127.0.0.1", "localhost", "localhost", "localhost"},
      {"localhost", "127.0.0.1", "", "localhost:%p"},
  };
  for (const auto& row : cases) {
    FaultServer server(ok, tls(ca.issue(kLoopback)));
    TransportOptions options = tls_options(server, ca.pem());
    options.host = row.host;
    options.tls_server_name = row.server_name;
    ASSERT_EQ(outcome_of(*make_transport(options)), "200") << row.host;
    std::string host_field = row.host_field;
    if (const std::size_t mark = host_field.find("%p"); mark != std::string::npos) {
      host_field.replace(mark, 2, std::to_string(server.port()));
    }
    EXPECT_EQ(server.requests().at(0).server_name, row.sni) << row.host;
    EXPECT_EQ(server.requests().at(0).header("Host"), host_field) << row.host;
  }
}

TEST(TransportTlsTest, ReachesAnIpv6Address) {
  const TestCa ca;
  FaultServer::Options server_options = tls(ca.issue(kLoopback));
  server_options.address = "::1";
  FaultServer server(ok, server_options);
  TransportOptions options = tls_options(server, ca.pem());
  options.host = "::1";
  EXPECT_EQ(outcome_of(*make_transport(options)), "200");
  EXPECT_EQ(server.requests().at(0).header("Host"), "[::1]:" + std::to_string(server.port()));
  EXPECT_EQ(server.requests().at(0).server_name, "");

  const TestCa other;
  EXPECT_THAT(outcome_of(*make_transport([&] {
                TransportOptions wrong = tls_options(server, other.pem());
                wrong.host = "::1";
                return wrong;
              }())),
              StartsWith("Tls: [::1]:"));
}

TEST(TransportTlsTest, SpeaksTls12) {
  const TestCa ca;
  FaultServer::Options options = tls(ca.issue(kLoopback));
  options.tls12_only = true;
  FaultServer server(ok, options);
  EXPECT_EQ(outcome_of(*make_transport(tls_options(server, ca.pem()))), "200");
}

TEST(TransportTlsTest, PresentsTheClientCertificateInEveryKeyFormat) {
  const TestCa ca;
  for (const KeyKind kind : {KeyKind::kEc, KeyKind::kRsa}) {
    for (const KeyFormat format : {KeyFormat::kPkcs8, KeyFormat::kTraditional}) {
      const CertifiedKey client =
          ca.issue({.common_name = "system:auditor", .client = true, .key_kind = kind, .key_format = format});
      FaultServer server(ok, tls(ca.issue(kLoopback), ca.pem()));
      TransportOptions options = tls_options(server, ca.pem());
      options.tls = [&]() -> base::Result<TlsMaterial> {
        return TlsMaterial{ca.pem(), ClientIdentity{client.certificate, client.key}};
      };
      ASSERT_EQ(outcome_of(*make_transport(options)), "200") << client.key.substr(0, 40);
      EXPECT_EQ(server.requests().at(0).client_subject, "system:auditor");
    }
  }
}

TEST(TransportTlsTest, ReportsThatTheServerRefusedTheClient) {
  const TestCa ca;
  const TestCa stranger("stranger");
  const CertifiedKey unknown = stranger.issue({.client = true});
  for (const bool tls12 : {false, true}) {
    FaultServer::Options server_options = tls(ca.issue(kLoopback), ca.pem());
    server_options.tls12_only = tls12;
    FaultServer server(ok, server_options);
    TransportOptions options = tls_options(server, ca.pem());
    // With TLS 1.3 the refusal may be overtaken by the end of the connection.
    EXPECT_THAT(outcome_of(*make_transport(options)), AnyOf(HasSubstr("alert"), StartsWith("Reset: "))) << tls12;
    options.tls = [&]() -> base::Result<TlsMaterial> {
      return TlsMaterial{ca.pem(), ClientIdentity{unknown.certificate, unknown.key}};
    };
    EXPECT_THAT(outcome_of(*make_transport(options)), AnyOf(HasSubstr("alert"), StartsWith("Reset: "))) << tls12;
    EXPECT_EQ(server.request_count(), 0U);
  }
}

TEST(TransportTlsTest, NamesUnusableMaterialAndSendsNothing) {
  const TestCa ca;
  const CertifiedKey one = ca.issue({.client = true});
  const CertifiedKey two = ca.issue({.client = true});
  FaultServer server(ok, tls(ca.issue(kLoopback)));
  const struct {
    base::Result<TlsMaterial> material;
    const char* text;
  } cases[] = {
      {TlsMaterial{"", {}}, "no PEM certificate"},
      {TlsMaterial{ca.pem(), ClientIdentity{one.certificate, two.key}}, "do not belong together"},
      {base::fail(base::ErrorKind::kIo, "cannot read /etc/ca.crt"), "cannot read /etc/ca.crt"},
  };
  for (const auto& row : cases) {
    TransportOptions options = tls_options(server, ca.pem());
    options.tls = [&row] { return row.material; };
    const auto transport = make_transport(options);
    EXPECT_THAT(outcome_of(*transport), StartsWith("Tls: 127.0.0.1:"));
    EXPECT_THAT(outcome_of(*transport), HasSubstr(row.text));
  }
  EXPECT_EQ(server.request_count(), 0U);
}

TEST(TransportTlsTest, TakesRotatedMaterialForTheNextConnection) {
  const TestCa old_ca("old");
  const TestCa new_ca("new");
  const CertifiedKey old_client = old_ca.issue({.common_name = "old client", .client = true});
  const CertifiedKey new_client = new_ca.issue({.common_name = "new client", .client = true});
  FaultServer server([](const SeenRequest&) { return respond(200, "{}", {{"Connection", "close"}}) + close_connection(); },
                     tls(old_ca.issue(kLoopback), old_ca.pem()));
  std::mutex mutex;
  TlsMaterial current{old_ca.pem(), ClientIdentity{old_client.certificate, old_client.key}};
  TransportOptions options = tls_options(server, "");
  options.tls = [&]() -> base::Result<TlsMaterial> {
    const std::lock_guard lock(mutex);
    return current;
  };
  const auto transport = make_transport(options);
  EXPECT_EQ(outcome_of(*transport), "200");

  server.use_certificate(new_ca.issue(kLoopback), new_ca.pem());
  EXPECT_THAT(outcome_of(*transport), StartsWith("Tls: "));
  {
    const std::lock_guard lock(mutex);
    current = TlsMaterial{new_ca.pem(), ClientIdentity{new_client.certificate, new_client.key}};
  }
  ASSERT_EQ(outcome_of(*transport), "200");
  EXPECT_EQ(server.requests().back().client_subject, "new client");
}

TEST(TransportTlsTest, TellsAServerWithoutTlsFromOneThatHangsUp) {
  const TestCa ca;
  FaultServer plain(ok);
  plain.on_accept([](int) { return respond(400, "this is HTTP") + close_connection(); });
  EXPECT_THAT(outcome_of(*make_transport(tls_options(plain, ca.pem()))), StartsWith("Tls: "));

  FaultServer closing(ok);
  closing.on_accept([](int) { return Script{close_connection()}; });
  const auto transport = make_transport(tls_options(closing, ca.pem()));
  EXPECT_THAT(outcome_of(*transport), StartsWith("Connect: "));
}

TEST(TransportTlsTest, GoesThroughAProxyTunnel) {
  const TestCa ca;
  FaultServer::Options server_options = tls(ca.issue({.dns_names = {"api.example.test"}}));
  server_options.start_plain = true;
  // Proxy and server in one: the tunnel leads to itself.
  FaultServer proxy(
      [](const SeenRequest& request) -> Script {
        if (request.method == "CONNECT") {
          return Script{testing_support::send_bytes("HTTP/1.1 200 Established\r\n\r\n"), start_tls()};
        }
        return respond(200, "{}");
      },
      server_options);
  TransportOptions options = tls_options(proxy, ca.pem());
  options.host = "api.example.test";
  options.port = 6443;
  options.proxy = "http://127.0.0.1:" + std::to_string(proxy.port());
  const auto transport = make_transport(options);
  ASSERT_EQ(outcome_of(*transport), "200");
  EXPECT_EQ(proxy.requests().at(0).target, "api.example.test:6443");
  EXPECT_EQ(proxy.requests().at(1).target, "/");
  EXPECT_EQ(proxy.requests().at(1).server_name, "api.example.test");

  options.proxy = "http://user:p%40ss@127.0.0.1:" + std::to_string(proxy.port());
  EXPECT_EQ(outcome_of(*make_transport(options)), "200");
  EXPECT_EQ(proxy.requests().at(2).header("Proxy-Authorization"), "Basic dXNlcjpwQHNz");
  EXPECT_EQ(proxy.requests().at(3).header("Proxy-Authorization"), "");

  proxy.on([](const SeenRequest&) { return respond(403, ""); });
  EXPECT_THAT(outcome_of(*make_transport(options)), StartsWith("Connect: api.example.test:6443: "));
  EXPECT_THAT(outcome_of(*make_transport(options)), Not(HasSubstr("p@ss")));
}

}  // namespace
}  // namespace shutdown_auditor::http
