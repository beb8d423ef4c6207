#include "kube/error.h"

namespace shutdown_auditor::kube {

std::string_view to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kCancelled: return "Cancelled";
    case ErrorKind::kTimeout: return "Timeout";
    case ErrorKind::kUnavailable: return "Unavailable";
    case ErrorKind::kTls: return "Tls";
    case ErrorKind::kUnauthorized: return "Unauthorized";
    case ErrorKind::kForbidden: return "Forbidden";
    case ErrorKind::kNotFound: return "NotFound";
    case ErrorKind::kAlreadyExists: return "AlreadyExists";
    case ErrorKind::kConflict: return "Conflict";
    case ErrorKind::kExpired: return "Expired";
    case ErrorKind::kVersionTooLarge: return "VersionTooLarge";
    case ErrorKind::kTooManyRequests: return "TooManyRequests";
    case ErrorKind::kInvalid: return "Invalid";
    case ErrorKind::kProtocol: return "Protocol";
  }
  return "Unknown";
}

}  // namespace shutdown_auditor::kube
