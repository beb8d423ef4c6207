#include "kube_support/fake_transport.h"

#include <algorithm>
#include <memory>

namespace shutdown_auditor::testing_support {
namespace {

http::Headers headers_of(const FakeAnswer& answer) {
  http::Headers headers;
  for (const auto& [name, value] : answer.headers) {
    headers.add(name, value);
  }
  return headers;
}

// Silence until `cancel` ends it.
http::TransportError wait_out(base::Clock& clock, const base::Cancellation& cancel) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  clock.wait_until(lock, never, cancel.stop, cancel.deadline, [] { return false; });
  return cancel.stop_requested() ? http::TransportError{http::TransportErrorKind::kCancelled, "cancelled", true}
                                 : http::TransportError{http::TransportErrorKind::kTimeout, "timed out", true};
}

class FakeBody final : public http::BodyReader {
 public:
  FakeBody(base::Clock& clock, FakeAnswer answer) : clock_(clock), answer_(std::move(answer)) {}

  http::TransportResult<std::size_t> read(std::span<char> buffer, const base::Cancellation& cancel) override {
    if (cancel.stop_requested()) {
      return base::unexpected(http::TransportError{http::TransportErrorKind::kCancelled, "cancelled", true});
    }
    while (next_ < answer_.chunks.size() && offset_ == answer_.chunks[next_].size()) {
      ++next_;
      offset_ = 0;
    }
    if (next_ < answer_.chunks.size()) {
      const std::string& chunk = answer_.chunks[next_];
      const std::size_t size = std::min(buffer.size(), chunk.size() - offset_);
      std::copy_n(chunk.data() + offset_, size, buffer.data());
      offset_ += size;
      return size;
    }
    if (answer_.stall) {
      return base::unexpected(wait_out(clock_, cancel));
    }
    if (answer_.failure) {
      return base::unexpected(*answer_.failure);
    }
    return std::size_t{0};
  }

 private:
  base::Clock& clock_;
  FakeAnswer answer_;
  std::size_t next_ = 0;
  std::size_t offset_ = 0;
};

}  // namespace

FakeTransport::FakeTransport(base::Clock& clock, std::vector<FakeAnswer> script)
    : FakeTransport(clock, [script = std::move(script), next = std::size_t{0}](const http::Request&) mutable {
        const std::size_t index = std::min(next++, script.size() - 1);
        return script[index];
      }) {}

std::vector<http::Request> FakeTransport::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

FakeAnswer FakeTransport::answer(const http::Request& request) {
  {
    const std::lock_guard lock(mutex_);
    requests_.push_back(request);
  }
  return handler_(request);
}

http::TransportResult<http::Response> FakeTransport::send(const http::Request& request,
                                                          const base::Cancellation& cancel) {
  const FakeAnswer reply = answer(request);
  if (reply.failure) {
    return base::unexpected(*reply.failure);
  }
  if (reply.stall) {
    return base::unexpected(wait_out(clock_, cancel));
  }
  http::Response response{reply.status, headers_of(reply), ""};
  for (const std::string& chunk : reply.chunks) {
    response.body += chunk;
  }
  return response;
}

http::TransportResult<http::StreamResponse> FakeTransport::open(const http::Request& request,
                                                                const base::Cancellation& cancel) {
  FakeAnswer reply = answer(request);
  if (reply.chunks.empty() && reply.failure) {
    return base::unexpected(*reply.failure);
  }
  if (reply.chunks.empty() && reply.stall) {
    return base::unexpected(wait_out(clock_, cancel));
  }
  http::StreamResponse response{reply.status, headers_of(reply), nullptr};
  response.body = std::make_unique<FakeBody>(clock_, std::move(reply));
  return response;
}

}  // namespace shutdown_auditor::testing_support
