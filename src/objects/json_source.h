#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "base/result.h"
#include "objects/events.h"

namespace shutdown_auditor::objects {

// Bytes on demand: a response body, a file. For one thread.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // At least one byte into `buffer`, 0 at the end, or the failure. May block.
  virtual base::Result<std::size_t> read(std::span<char> buffer) = 0;
};

// Bytes that are already in memory; `text` must outlive the source.
class StringSource final : public ByteSource {
 public:
  explicit StringSource(std::string_view text) : rest_(text) {}
  base::Result<std::size_t> read(std::span<char> buffer) override;

 private:
  std::string_view rest_;
};

struct JsonLimits {
  std::size_t max_depth = kMaxDepth;
  std::size_t max_token_bytes = std::size_t{16} << 20U;  // one string or number; checked to within 64 KiB
};

// Parses exactly one JSON text (RFC 8259, UTF-8) into events, in memory that does not depend on its length. Marks are
// {0, 0}. Fails with the handler's problem once the handler said false, with the source's error, or with kInvalid
// "invalid JSON at byte N: …" for anything malformed, too deep or trailing (kTooLarge for a token over the limit).
base::Result<void> parse_json(ByteSource& source, EventHandler& handler, const JsonLimits& limits = {});
base::Result<void> parse_json(std::string_view text, EventHandler& handler, const JsonLimits& limits = {});

// The same for one value at the start of a text in memory, with marks (`first` is the place of its first byte; columns
// count characters). Returns how many bytes were used; what follows is the caller's business. The message of a failure
// does not name a place: `stopped` does.
base::Result<std::size_t> parse_json_with_marks(std::string_view text, Mark first, EventHandler& handler, Mark& stopped);

}  // namespace shutdown_auditor::objects
