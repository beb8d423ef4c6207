#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace shutdown_auditor::http {

// Cuts a byte stream into lines at '\n' and nowhere else: the pieces a watch delivers need not match its events
// (Kubernetes: one JSON object per line). Each byte is looked at once, whatever the pieces. For one thread; no I/O.
class LineSplitter {
 public:
  // Longer lines are refused; the '\n' does not count.
  explicit LineSplitter(std::size_t max_line_bytes) : max_line_bytes_(max_line_bytes) {}

  void append(std::string_view bytes);

  // The next complete line without its '\n', or nullopt until more bytes come. Empty lines are skipped. The view lives
  // until the next append. kTooLarge for a line over the limit, complete or not; every later call fails the same way.
  base::Result<std::optional<std::string_view>> next();

  // To be asked at the end of the stream, after next() gave nullopt: kInvalid when bytes without '\n' are left over,
  // which is a line cut short.
  base::Result<void> finish() const;

  // Bytes not yet returned as a line.
  std::size_t pending() const { return buffer_.size() - start_; }

 private:
  std::size_t max_line_bytes_;
  std::string buffer_;
  std::size_t start_ = 0;    // of the first byte not returned
  std::size_t scanned_ = 0;  // no '\n' in [start_, scanned_)
  bool too_long_ = false;
};

}  // namespace shutdown_auditor::http
