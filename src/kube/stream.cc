#include "kube/stream.h"

#include <fmt/format.h>

#include "kube/status_error.h"

namespace shutdown_auditor::kube {

base::Result<std::size_t> StreamedBody::read(std::span<char> buffer) {
  auto got = body_.read(buffer, cancel_.limited(clock_.now(), idle_limit_));
  if (!got) {
    failure_ = error_of_transport(what_, got.error());
    return base::fail(base::ErrorKind::kIo, failure_->message);
  }
  bytes_ += *got;
  return *got;
}

Result<std::optional<std::string>> LineStream::next(const base::Cancellation& cancel) {
  while (!ended_) {
    const auto line = splitter_.next();
    if (!line) {
      ended_ = Error{.kind = ErrorKind::kProtocol, .message = fmt::format("{}: {}", what_, line.error().message)};
      break;
    }
    if (line->has_value()) {
      return std::optional(std::string(**line));
    }
    if (finished_) {
      return std::optional<std::string>();
    }
    const auto got = body_->read(buffer_, cancel);
    if (!got) {
      Error error = error_of_transport(what_, got.error());
      if (error.kind == ErrorKind::kTimeout) {
        return base::unexpected(std::move(error));  // silence: the stream stays usable
      }
      ended_ = std::move(error);
    } else if (*got == 0) {
      finished_ = true;
      if (const auto complete = splitter_.finish(); !complete) {
        ended_ = Error{.kind = ErrorKind::kProtocol,
                       .message = fmt::format("{}: the stream ended inside an event: {}", what_,
                                              complete.error().message)};
      }
    } else {
      splitter_.append({buffer_.data(), *got});
    }
  }
  return base::unexpected(*ended_);
}

}  // namespace shutdown_auditor::kube
