#include "kube/rotating_transport.h"

#include <utility>

namespace shutdown_auditor::kube {

// Keeps the transport of a stream alive until the stream ends.
class RotatingTransport::Body final : public http::BodyReader {
 public:
  Body(Shared transport, std::unique_ptr<http::BodyReader> body)
      : transport_(std::move(transport)), body_(std::move(body)) {}
  http::TransportResult<std::size_t> read(std::span<char> buffer, const base::Cancellation& cancel) override {
    return body_->read(buffer, cancel);
  }

 private:
  Shared transport_;  // before the body: destroyed after it
  std::unique_ptr<http::BodyReader> body_;
};

http::TransportResult<RotatingTransport::Shared> RotatingTransport::current() {
  const std::uint64_t version = version_();
  {
    const std::lock_guard lock(mutex_);
    if (transport_ && made_for_ == version) {
      return transport_;
    }
  }
  base::Result<std::unique_ptr<http::Transport>> made = make_();  // no lock is held while foreign code runs
  Shared old;                                                     // nor while the last user of the old one lets go
  const std::lock_guard lock(mutex_);
  if (transport_ && made_for_ == version) {
    return transport_;  // another thread was faster
  }
  if (!made) {
    if (transport_) {
      return transport_;
    }
    return base::unexpected(http::TransportError{http::TransportErrorKind::kTls, made.error().message, false});
  }
  old = std::exchange(transport_, Shared(*std::move(made)));
  made_for_ = version;
  return transport_;
}

http::TransportResult<http::Response> RotatingTransport::send(const http::Request& request,
                                                              const base::Cancellation& cancel) {
  const auto transport = current();
  return transport ? (*transport)->send(request, cancel) : base::unexpected(transport.error());
}

http::TransportResult<http::StreamResponse> RotatingTransport::open(const http::Request& request,
                                                                    const base::Cancellation& cancel) {
  const auto transport = current();
  if (!transport) {
    return base::unexpected(transport.error());
  }
  auto response = (*transport)->open(request, cancel);
  if (response) {
    response->body = std::make_unique<Body>(*transport, std::move(response->body));
  }
  return response;
}

}  // namespace shutdown_auditor::kube
