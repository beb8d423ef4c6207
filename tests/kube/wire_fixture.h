#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "kube/collecting_sink.h"
#include "kube/connection.h"
#include "kube/log_capture.h"
#include "kube/offset_clock.h"
#include "kube/recording_observer.h"
#include "support/temp_dir.h"
#include "support/fault_server.h"
#include "support/fixed_random.h"

namespace shutdown_auditor::kube {

// A Connection made from a kubeconfig file to a scripted server over a real socket.
class WireTest : public testing::Test {
 protected:
  WireTest();

  // Starts a plain server and connects to it.
  void serve(testing_support::FaultServer::Handler handler);
  // The same with TLS; clients must show a certificate of `ca_` when `client_ca` is set.
  void serve_tls(testing_support::FaultServer::Handler handler, const testing_support::CertifiedKey& certificate,
                 const std::string& client_ca = {});
  // A kubeconfig for the running server with `user` and more cluster fields.
  nlohmann::json kubeconfig(const nlohmann::json& user, const nlohmann::json& cluster = nlohmann::json::object());
  base::Result<ClientConfig> resolve(const nlohmann::json& config);
  void connect(const nlohmann::json& config);

  Result<ApiResponse> get() {
    return connection_->api().call({.path = "/api/v1/namespaces/shop", .idempotent = true}, {});
  }
  Result<ApiResponse> post();
  std::unique_ptr<WatchStream> watch();
  Result<objects::ListMeta> list(testing_support::CollectingSink& sink);

  testing_support::TempDir dir_;
  testing_support::TestCa ca_;
  testing_support::OffsetClock clock_;
  testing_support::FixedRandom random_{0.0};  // retries wait 1 ms
  testing_support::RecordingObserver observer_;
  ClientOptions options_;
  std::unique_ptr<testing_support::FaultServer> server_;
  std::unique_ptr<Connection> connection_;
};

// A response to a watch: these bytes in these pieces, and a proper end.
testing_support::Script watch_of(const std::vector<std::string>& pieces);
// One watch event's line.
std::string event(const std::string& type, const std::string& name);
// What a stream gives until it ends: the names of the events, then "end" or the kind of the error.
std::vector<std::string> drain(WatchStream& stream);

}  // namespace shutdown_auditor::kube
