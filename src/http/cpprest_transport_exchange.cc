#include "http/cpprest_transport_exchange.h"

#include <chrono>
#include <utility>

#include "http/cpprest_transport_error.h"
#include "http/cpprest_transport_sink.h"

namespace shutdown_auditor::http {
namespace {

constexpr std::chrono::seconds kReleaseLimit{5};

class ExchangeBody final : public BodyReader {
 public:
  ExchangeBody(std::shared_ptr<Exchange> exchange, std::string server)
      : exchange_(std::move(exchange)), server_(std::move(server)) {}
  ~ExchangeBody() override {
    // Cancelling a response that has come to its end would only keep its connection from being used again.
    if (!exchange_->released()) {
      exchange_->cancel();
      exchange_->await_release();
    }
  }
  ExchangeBody(const ExchangeBody&) = delete;
  ExchangeBody& operator=(const ExchangeBody&) = delete;

  TransportResult<std::size_t> read(std::span<char> buffer, const base::Cancellation& cancel) override {
    auto result = exchange_->channel().read(buffer, cancel);
    if (!result && !result.error().message.starts_with(server_)) {
      result.error().message = server_ + ": " + result.error().message;
    }
    return result;
  }

 private:
  std::shared_ptr<Exchange> exchange_;
  std::string server_;
};

}  // namespace

void Exchange::start(web::http::client::http_client& client, web::http::http_request request, std::string server) {
  server_ = std::move(server);
  request.set_response_stream(make_channel_stream(channel_));
  try {
    client.request(request, stop_.get_token()).then([self = shared_from_this()](const ResponseTask& task) {
      self->on_head(task);
    });
  } catch (...) {
    fail_head(std::current_exception());
  }
}

Exchange::Outcome Exchange::await_head(const base::Cancellation& cancel) {
  std::unique_lock lock(mutex_);
  const bool ready = base::system_clock().wait_until(lock, changed_, cancel.stop, cancel.deadline,
                                                     [this] { return head_ || failure_; });
  if (!ready) {
    return Outcome::kInterrupted;
  }
  return head_ ? Outcome::kHead : Outcome::kFailed;
}

// The order matters: a producer that waits for room is freed only after the library knows that it must not go on, and
// no lock is held because the library runs its callbacks inside.
void Exchange::cancel() {
  stop_.cancel();
  channel_->abort();
}

bool Exchange::released() {
  const std::lock_guard lock(mutex_);
  return released_;
}

void Exchange::await_release() {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, kReleaseLimit, [this] { return released_; });
}

void Exchange::on_head(const ResponseTask& task) {
  try {
    const web::http::http_response response = task.get();
    Head head;
    head.status = response.status_code();
    for (const auto& [name, value] : response.headers()) {
      head.headers.add(name, value);
    }
    response.content_ready().then([self = shared_from_this()](const ResponseTask& body) { self->on_body_end(body); });
    {
      const std::lock_guard lock(mutex_);
      head_ = std::move(head);
    }
    changed_.notify_all();
  } catch (...) {
    fail_head(std::current_exception());
  }
}

void Exchange::on_body_end(const ResponseTask& body) {
  std::optional<TransportError> failure;
  try {
    body.get();
  } catch (...) {
    // TLS is settled by now, so there is no refusal to tell.
    failure = describe_failure(std::current_exception(), server_, {}).error;
  }
  release();  // first: a reader that has seen the end must find nothing left to cancel
  channel_->finish(std::move(failure));
}

void Exchange::fail_head(std::exception_ptr failure) {
  {
    const std::lock_guard lock(mutex_);
    failure_ = std::move(failure);
  }
  release();
}

void Exchange::release() {
  {
    const std::lock_guard lock(mutex_);
    released_ = true;
  }
  changed_.notify_all();
}

std::unique_ptr<BodyReader> make_exchange_body(std::shared_ptr<Exchange> exchange, std::string server) {
  return std::make_unique<ExchangeBody>(std::move(exchange), std::move(server));
}

}  // namespace shutdown_auditor::http
