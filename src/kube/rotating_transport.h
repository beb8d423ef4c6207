#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>

#include "http/transport.h"

namespace shutdown_auditor::kube {

// A transport whose connections are left behind when the client's identity or the trusted CA changes: pooled connections
// would go on with the old one. Requests and streams in progress finish on the connections they have. Safe from any
// thread.
class RotatingTransport final : public http::Transport {
 public:
  using Factory = std::function<base::Result<std::unique_ptr<http::Transport>>()>;
  // A number that changes with the TLS material; asked before every call.
  using Version = std::function<std::uint64_t()>;
  RotatingTransport(Factory make, Version version) : make_(std::move(make)), version_(std::move(version)) {}

  http::TransportResult<http::Response> send(const http::Request& request, const base::Cancellation& cancel) override;
  http::TransportResult<http::StreamResponse> open(const http::Request& request,
                                                   const base::Cancellation& cancel) override;

 private:
  // Shared: calls in progress keep the transport they began with, the next ones get the new one.
  using Shared = std::shared_ptr<http::Transport>;
  class Body;
  http::TransportResult<Shared> current();

  const Factory make_;
  const Version version_;
  std::mutex mutex_;
  Shared transport_;
  std::uint64_t made_for_ = 0;
};

}  // namespace shutdown_auditor::kube
