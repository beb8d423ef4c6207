#pragma once

// Internal to cpprest_transport*.cc.

#include <cpprest/http_client.h>

#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/cancellation.h"
#include "http/byte_channel.h"
#include "http/transport.h"

namespace shutdown_auditor::http {

// One request and its response. Shared: the library's threads complete it when the caller may have left long ago.
// start, await_head and the reading of the body are for one thread of ours; cancel is for any.
class Exchange : public std::enable_shared_from_this<Exchange> {
 public:
  Exchange(std::size_t buffer_bytes, std::size_t wake_bytes)
      : channel_(std::make_shared<ByteChannel>(buffer_bytes, wake_bytes)) {}

  struct Head {
    int status = 0;
    Headers headers;
  };

  // Hands the request to the library. `server` begins the messages of failures while the body is read.
  void start(web::http::client::http_client& client, web::http::http_request request, std::string server);

  enum class Outcome { kHead, kFailed, kInterrupted };
  // Blocks until the response's head, a failure or the end of `cancel`.
  Outcome await_head(const base::Cancellation& cancel);
  Head& head() { return *head_; }                                 // after kHead
  const std::exception_ptr& failure() const { return failure_; }  // after kFailed

  ByteChannel& channel() { return *channel_; }

  // Ends the request in whatever state it is.
  void cancel();
  // Whether the library has let go of the body, at its end or after a failure.
  bool released();
  // Blocks until the library has let go of the body: milliseconds after cancel(), and 5 s at most.
  void await_release();

 private:
  using ResponseTask = pplx::task<web::http::http_response>;
  void on_head(const ResponseTask& task);
  void on_body_end(const ResponseTask& body);
  void fail_head(std::exception_ptr failure);
  void release();

  const std::shared_ptr<ByteChannel> channel_;  // shared with the library's stream
  pplx::cancellation_token_source stop_;
  std::string server_;
  std::mutex mutex_;  // guards everything below until it is complete
  std::condition_variable_any changed_;
  std::optional<Head> head_;
  std::exception_ptr failure_;
  bool released_ = false;
};

// Reads the body of `exchange`; destroying it cancels the exchange and waits for the release.
std::unique_ptr<BodyReader> make_exchange_body(std::shared_ptr<Exchange> exchange, std::string server);

}  // namespace shutdown_auditor::http
