#include "kube/wire_fixture.h"

#include "base/file.h"
#include "base/text.h"
#include "http/cpprest_transport.h"
#include "objects/decode.h"

namespace shutdown_auditor::kube {

using namespace testing_support;
using nlohmann::json;

WireTest::WireTest() {
  http::initialize_http_runtime();
  options_.qps = -1;
}

void WireTest::serve(FaultServer::Handler handler) {
  connection_.reset();
  server_ = std::make_unique<FaultServer>(std::move(handler));
  connect(kubeconfig({{"token", "tok"}}, {{"server", "http://127.0.0.1:" + std::to_string(server_->port())}}));
}

void WireTest::serve_tls(FaultServer::Handler handler, const CertifiedKey& certificate, const std::string& client_ca) {
  FaultServer::Options options;
  options.tls = certificate;
  options.client_ca = client_ca;
  connection_.reset();
  server_ = std::make_unique<FaultServer>(std::move(handler), options);
}

json WireTest::kubeconfig(const json& user, const json& more) {
  json cluster = {{"server", "https://127.0.0.1:" + std::to_string(server_->port())},
                  {"certificate-authority-data", base::base64_encode(ca_.pem())}};
  cluster.merge_patch(more);
  return {{"apiVersion", "v1"},
          {"kind", "Config"},
          {"current-context", "test"},
          {"contexts", {{{"name", "test"}, {"context", {{"cluster", "c"}, {"user", "u"}}}}}},
          {"clusters", {{{"name", "c"}, {"cluster", cluster}}}},
          {"users", {{{"name", "u"}, {"user", user}}}}};
}

base::Result<ClientConfig> WireTest::resolve(const json& config) {
  ConfigOptions options;
  options.kubeconfig = dir_.write("config", config.dump());
  options.environment = {"PATH=/usr/bin:/bin"};
  options.load = [](const std::string& path) -> base::Result<objects::Kubeconfig> {
    const auto text = base::read_file(path, 1U << 20U);
    return text ? objects::decode_json<objects::Kubeconfig>(*text) : base::unexpected(text.error());
  };
  return resolve_config(options, clock_);
}

void WireTest::connect(const json& config) {
  auto resolved = resolve(config);
  ASSERT_TRUE(resolved) << resolved.error().message;
  auto connection = Connection::open(std::move(*resolved), options_, clock_, random_, observer_);
  ASSERT_TRUE(connection) << connection.error().message;
  connection_ = *std::move(connection);
}

Result<ApiResponse> WireTest::post() {
  return connection_->api().call({.method = http::Method::kPost,
                                  .path = "/api/v1/namespaces",
                                  .content_type = "application/json",
                                  .body = "{}"},
                                 {});
}

std::unique_ptr<WatchStream> WireTest::watch() {
  auto stream = connection_->api().watch(resources::kServices, {.resource_version = "1"}, {});
  if (!stream) {
    ADD_FAILURE() << stream.error().message;
    return nullptr;
  }
  return *std::move(stream);
}

Result<objects::ListMeta> WireTest::list(CollectingSink& sink) {
  return connection_->api().list(resources::kServices, {}, sink, {});
}

Script watch_of(const std::vector<std::string>& pieces) { return respond_chunked(pieces); }

std::string event(const std::string& type, const std::string& name) {
  return json{{"type", type}, {"object", {{"metadata", {{"name", name}}}}}}.dump() + "\n";
}

std::vector<std::string> drain(WatchStream& stream) {
  std::vector<std::string> seen;
  for (;;) {
    const auto line = stream.next({.deadline = base::system_clock().now() + std::chrono::seconds(30)});
    if (!line) {
      seen.emplace_back(to_string(line.error().kind));
      return seen;
    }
    if (!line->has_value()) {
      seen.emplace_back("end");
      return seen;
    }
    seen.push_back(json::parse(**line).at("object").at("metadata").at("name"));
  }
}

}  // namespace shutdown_auditor::kube
