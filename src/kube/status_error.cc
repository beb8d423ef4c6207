#include "kube/status_error.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "objects/decode.h"

namespace shutdown_auditor::kube {
namespace {

constexpr std::size_t kTextBytes = 512;
constexpr std::chrono::seconds kLongestRetryAfter{300};

// One line without control characters, bounded.
std::string one_line_of(std::string_view text, std::size_t max_bytes) {
  std::string line(base::trim(text.substr(0, max_bytes * 2)));
  std::replace_if(line.begin(), line.end(), [](char c) { return (c >= 0 && c < ' ') || c == '\x7f'; }, ' ');
  if (!base::is_utf8(line)) {
    std::replace_if(line.begin(), line.end(), [](char c) { return c < 0; }, '?');
  }
  return base::truncate_utf8(line, max_bytes);
}

ErrorKind kind_of(int code, std::string_view reason) {
  if (reason == "Expired" || reason == "Gone") {
    return ErrorKind::kExpired;
  }
  switch (code) {
    case 401: return ErrorKind::kUnauthorized;
    case 403: return ErrorKind::kForbidden;
    case 404: return ErrorKind::kNotFound;
    case 408: return ErrorKind::kTimeout;
    case 409: return reason == "AlreadyExists" ? ErrorKind::kAlreadyExists : ErrorKind::kConflict;
    case 410: return ErrorKind::kExpired;
    case 429: return ErrorKind::kTooManyRequests;
    default: break;
  }
  if (code >= 500 && code <= 599) {
    return ErrorKind::kUnavailable;
  }
  return code >= 400 && code <= 499 ? ErrorKind::kInvalid : ErrorKind::kProtocol;
}

base::Duration clamped(std::int64_t seconds) {
  return std::chrono::seconds(std::clamp<std::int64_t>(seconds, 0, kLongestRetryAfter.count()));
}

// IMF-fixdate, "Sun, 06 Nov 1994 08:49:37 GMT": the only form servers may send.
std::optional<base::WallTime> parse_http_date(std::string_view text) {
  constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto parts = base::split(text, ' ');
  if (parts.size() != 6 || parts[5] != "GMT") {
    return std::nullopt;
  }
  const auto month = std::find(kMonths.begin(), kMonths.end(), parts[2]);
  const auto clock = base::split(parts[4], ':');
  if (month == kMonths.end() || clock.size() != 3) {
    return std::nullopt;
  }
  std::array<std::int64_t, 5> numbers{};
  const std::array<std::string_view, 5> texts = {parts[1], parts[3], clock[0], clock[1], clock[2]};
  constexpr std::array<std::int64_t, 5> kLimits = {31, 9999, 23, 59, 60};
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto number = base::parse_int64(texts[i]);
    if (!number || *number < 0 || *number > kLimits[i]) {
      return std::nullopt;
    }
    numbers[i] = *number;
  }
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(numbers[1])),
                                         std::chrono::month(static_cast<unsigned>(month - kMonths.begin()) + 1),
                                         std::chrono::day(static_cast<unsigned>(numbers[0]))};
  if (!date.ok()) {
    return std::nullopt;
  }
  return std::chrono::sys_days(date) + std::chrono::hours(numbers[2]) + std::chrono::minutes(numbers[3]) +
         std::chrono::seconds(numbers[4]);
}

}  // namespace

std::string describe(std::string_view verb, std::string_view path) {
  auto parts = base::split(path, '/');
  parts.erase(parts.begin());
  const bool core = !parts.empty() && parts[0] == "api";
  const std::size_t prefix = core ? 2 : 3;
  if (parts.size() <= prefix || (!core && parts[0] != "apis")) {
    return fmt::format("{} {}", verb, path);
  }
  const std::string_view group = core ? std::string_view() : parts[1];
  std::vector<std::string_view> rest(parts.begin() + static_cast<std::ptrdiff_t>(prefix), parts.end());
  std::string_view name_space;
  if (rest.size() > 2 && rest[0] == "namespaces") {
    name_space = rest[1];
    rest.erase(rest.begin(), rest.begin() + 2);
  }
  std::string text = fmt::format("{} {}", verb, rest[0]);
  if (!group.empty()) {
    text += fmt::format(".{}", group);
  }
  if (rest.size() > 2) {
    text += fmt::format("/{}", rest[2]);
  }
  if (rest.size() > 1) {
    text += name_space.empty() ? fmt::format(" {}", rest[1]) : fmt::format(" {}/{}", name_space, rest[1]);
  } else if (!name_space.empty()) {
    text += fmt::format(" in {}", name_space);
  }
  return text;
}

Error error_of_status(std::string_view what, const objects::Status& status, int http_code) {
  Error error;
  const bool sane = status.code >= 100 && status.code <= 599;
  error.code = sane ? static_cast<int>(status.code) : http_code;
  error.reason = status.reason;
  error.kind = kind_of(error.code, status.reason);
  const std::string words = one_line_of(status.message.empty() ? status.reason : status.message, kTextBytes);
  error.message = fmt::format("{}: {}", what, words.empty() ? fmt::format("status {}", error.code) : words);
  for (const objects::StatusCause& cause : status.details.causes) {
    error.causes.push_back({cause.reason, cause.message, cause.field});
    error.namespace_terminating = error.namespace_terminating || cause.reason == "NamespaceTerminating";
    if (cause.reason == "ResourceVersionTooLarge") {
      error.kind = ErrorKind::kVersionTooLarge;
    }
  }
  // Servers before the cause existed say it in words only.
  if (error.code == 504 && status.message.find("Too large resource version") != std::string::npos) {
    error.kind = ErrorKind::kVersionTooLarge;
  }
  if (status.details.retry_after_seconds.value_or(0) > 0) {
    error.retry_after = clamped(*status.details.retry_after_seconds);
  }
  return error;
}

Error error_of_response(std::string_view what, int code, const http::Headers& headers, std::string_view body,
                        base::WallTime now) {
  Error error;
  auto status = objects::decode_json<objects::Status>(body);
  if (status && status->kind == "Status") {
    status->code = code;  // the response's own code decides; proxies change one without the other
    error = error_of_status(what, *status, code);
  } else {
    error.code = code;
    error.kind = kind_of(code, {});
    const std::string text = one_line_of(body, kTextBytes);
    error.message = fmt::format("{}: HTTP {}{}{}", what, code, text.empty() ? "" : ": ", text);
  }
  if (code >= 300 && code <= 399) {
    error.message = fmt::format("{}: HTTP {}: redirects are not followed; is the server URL right?", what, code);
  }
  if (const std::string* value = headers.find("Retry-After")) {
    if (const auto delay = parse_retry_after(*value, now)) {
      error.retry_after = delay;
    }
  }
  return error;
}

Error error_of_transport(std::string_view what, const http::TransportError& failure) {
  Error error;
  switch (failure.kind) {
    case http::TransportErrorKind::kCancelled: error.kind = ErrorKind::kCancelled; break;
    case http::TransportErrorKind::kTimeout: error.kind = ErrorKind::kTimeout; break;
    case http::TransportErrorKind::kConnect:
    case http::TransportErrorKind::kReset: error.kind = ErrorKind::kUnavailable; break;
    case http::TransportErrorKind::kTls: error.kind = ErrorKind::kTls; break;
    case http::TransportErrorKind::kProtocol:
    case http::TransportErrorKind::kTooLarge: error.kind = ErrorKind::kProtocol; break;
  }
  error.message = fmt::format("{}: {}", what, one_line_of(failure.message, kTextBytes));
  return error;
}

std::optional<base::Duration> parse_retry_after(std::string_view value, base::WallTime now) {
  value = base::trim(value);
  if (const auto seconds = base::parse_int64(value)) {
    return *seconds >= 0 ? std::optional(clamped(*seconds)) : std::nullopt;
  }
  if (!value.empty() && value.find_first_not_of("0123456789") == std::string_view::npos) {
    return kLongestRetryAfter;  // more seconds than an integer holds
  }
  if (const auto date = parse_http_date(value)) {
    return clamped(std::chrono::ceil<std::chrono::seconds>(*date - now).count());
  }
  return std::nullopt;
}

}  // namespace shutdown_auditor::kube
