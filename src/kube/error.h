#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace shutdown_auditor::kube {

// Why a call to the API server failed, by what the caller can do about it.
enum class ErrorKind {
  kCancelled,      // our stop
  kTimeout,        // our deadline, or silence
  kUnavailable,    // no connection, connection lost, 5xx
  kTls,            // certificate or handshake
  kUnauthorized,   // 401
  kForbidden,      // 403
  kNotFound,       // 404
  kAlreadyExists,  // 409, reason AlreadyExists
  kConflict,       // 409
  kExpired,        // 410 Gone/Expired: the resourceVersion or continue token is too old
  kVersionTooLarge,  // 504 with cause ResourceVersionTooLarge: the server has not seen that version yet
  kTooManyRequests,  // 429
  kInvalid,        // 400, 422: the request itself is wrong
  kProtocol,       // the answer is not what the API promises
};
std::string_view to_string(ErrorKind kind);

struct StatusCause {
  std::string reason = {};
  std::string message = {};
  std::string field = {};
};

// A failed call. `message` is one line: verb, resource, server's words.
struct Error {
  ErrorKind kind = ErrorKind::kProtocol;
  std::string message = {};
  int code = 0;         // HTTP status, 0 when no response came
  std::string reason = {};   // metav1.Status reason
  std::vector<StatusCause> causes = {};
  std::optional<base::Duration> retry_after = {};
  bool namespace_terminating = false;  // 403 on create in a namespace that is being deleted
};

template <class T>
using Result = base::Result<T, Error>;

}  // namespace shutdown_auditor::kube
