#include "http/line_splitter.h"

#include <fmt/format.h>

namespace shutdown_auditor::http {

void LineSplitter::append(std::string_view bytes) {
  if (too_long_) {
    return;
  }
  buffer_.erase(0, start_);
  scanned_ -= start_;
  start_ = 0;
  buffer_.append(bytes);
}

base::Result<std::optional<std::string_view>> LineSplitter::next() {
  while (!too_long_) {
    const std::size_t end = buffer_.find('\n', scanned_);
    const std::size_t length = (end == std::string::npos ? buffer_.size() : end) - start_;
    if (length > max_line_bytes_) {
      too_long_ = true;
      break;
    }
    if (end == std::string::npos) {
      scanned_ = buffer_.size();
      return std::optional<std::string_view>();
    }
    const std::string_view line = std::string_view(buffer_).substr(start_, length);
    start_ = scanned_ = end + 1;
    if (!line.empty()) {
      return std::optional(line);
    }
  }
  return base::fail(base::ErrorKind::kTooLarge, fmt::format("a line is longer than {} bytes", max_line_bytes_));
}

base::Result<void> LineSplitter::finish() const {
  if (pending() == 0) {
    return {};
  }
  return base::fail(base::ErrorKind::kInvalid,
                    fmt::format("the stream ended inside a line: {} bytes without a line end", pending()));
}

}  // namespace shutdown_auditor::http
