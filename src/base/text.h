#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace shutdown_auditor::base {

// Pieces between separators; "a,,b" gives three, "" gives one empty piece.
std::vector<std::string_view> split(std::string_view text, char separator);
// Without ASCII white space at both ends.
std::string_view trim(std::string_view text);
// ASCII lower case; other bytes unchanged.
std::string to_lower(std::string_view text);
std::string join(const std::vector<std::string>& parts, std::string_view separator);

// The whole of `text` as a decimal integer (sign allowed); kInvalid when it is anything else or out of range.
Result<std::int64_t> parse_int64(std::string_view text);

// At most `max_bytes` of `text`, cut between UTF-8 characters; when cut, ends with "…" inside the limit
// (limits under 3 bytes cut without it).
std::string truncate_utf8(std::string_view text, std::size_t max_bytes);

// `text` in double quotes for a message: control characters and invalid UTF-8 escaped, at most `max_bytes` of it.
std::string quoted(std::string_view text, std::size_t max_bytes = 80);

// True when `text` is well-formed UTF-8 (RFC 3629).
bool is_utf8(std::string_view text);

// RFC 4648 with padding; white space is ignored when decoding; kInvalid for anything else outside the alphabet.
Result<std::string> base64_decode(std::string_view text);
std::string base64_encode(std::string_view bytes);

// Lower-case hex SHA-256 of `bytes` (64 characters).
std::string sha256_hex(std::string_view bytes);

}  // namespace shutdown_auditor::base
