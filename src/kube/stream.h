#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "http/line_splitter.h"
#include "http/transport.h"
#include "kube/api.h"
#include "objects/json_source.h"

// Streamed response bodies as the client's readers want them. Each for one thread.
namespace shutdown_auditor::kube {

// The bytes of a list, with a limit on silence. References must outlive it.
class StreamedBody final : public objects::ByteSource {
 public:
  StreamedBody(http::BodyReader& body, std::string what, const base::Cancellation& cancel, base::Duration idle_limit,
               base::Clock& clock)
      : body_(body), what_(std::move(what)), cancel_(cancel), idle_limit_(idle_limit), clock_(clock) {}
  base::Result<std::size_t> read(std::span<char> buffer) override;

  // Why reading failed, typed; nullopt when it did not.
  const std::optional<Error>& failure() const { return failure_; }
  std::size_t bytes() const { return bytes_; }

 private:
  http::BodyReader& body_;
  const std::string what_;
  const base::Cancellation cancel_;
  const base::Duration idle_limit_;
  base::Clock& clock_;
  std::optional<Error> failure_;
  std::size_t bytes_ = 0;
};

// The events of a watch: one a line, whatever the pieces they come in.
class LineStream final : public WatchStream {
 public:
  LineStream(std::unique_ptr<http::BodyReader> body, std::string what, std::size_t max_line_bytes)
      : body_(std::move(body)), what_(std::move(what)), splitter_(max_line_bytes), buffer_(64U << 10U) {}
  Result<std::optional<std::string>> next(const base::Cancellation& cancel) override;

 private:
  std::unique_ptr<http::BodyReader> body_;
  const std::string what_;
  http::LineSplitter splitter_;
  std::vector<char> buffer_;
  std::optional<Error> ended_;  // every later call fails the same way
  bool finished_ = false;
};

}  // namespace shutdown_auditor::kube
