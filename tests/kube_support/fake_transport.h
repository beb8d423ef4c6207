#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "http/transport.h"

namespace shutdown_auditor::testing_support {

// What FakeTransport answers to one request. A unary call sees the chunks as one body.
struct FakeAnswer {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers = {{"Content-Type", "application/json"}};
  std::vector<std::string> chunks = {};             // of a stream: one read each
  std::optional<http::TransportError> failure = {};  // instead of the response; of a stream with chunks: after them
  bool stall = false;                               // after the chunks: silence until the caller gives up

  static FakeAnswer json(int status, std::string body) { return {.status = status, .chunks = {std::move(body)}}; }
  static FakeAnswer fails(http::TransportErrorKind kind, std::string message, bool sent = false) {
    return {.failure = http::TransportError{kind, std::move(message), sent}};
  }
};

// A transport without a network: a handler answers, requests are recorded. Safe from any thread; the handler runs on the
// caller's thread. Waits follow `clock`.
class FakeTransport final : public http::Transport {
 public:
  using Handler = std::function<FakeAnswer(const http::Request&)>;
  explicit FakeTransport(base::Clock& clock, Handler handler) : clock_(clock), handler_(std::move(handler)) {}
  // Answers in this order; the last one repeats.
  FakeTransport(base::Clock& clock, std::vector<FakeAnswer> script);

  std::vector<http::Request> requests() const;

  http::TransportResult<http::Response> send(const http::Request& request, const base::Cancellation& cancel) override;
  http::TransportResult<http::StreamResponse> open(const http::Request& request,
                                                   const base::Cancellation& cancel) override;

 private:
  FakeAnswer answer(const http::Request& request);

  base::Clock& clock_;
  Handler handler_;
  mutable std::mutex mutex_;
  std::vector<http::Request> requests_;
};

}  // namespace shutdown_auditor::testing_support
