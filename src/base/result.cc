#include "base/result.h"

namespace shutdown_auditor::base {

std::string_view to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kInvalid: return "Invalid";
    case ErrorKind::kNotFound: return "NotFound";
    case ErrorKind::kIo: return "Io";
    case ErrorKind::kTooLarge: return "TooLarge";
    case ErrorKind::kTimeout: return "Timeout";
    case ErrorKind::kCancelled: return "Cancelled";
    case ErrorKind::kInternal: return "Internal";
  }
  return "Internal";
}

Error Error::with_context(std::string_view context) const {
  Error wrapped{kind, std::string(context)};
  wrapped.message += ": ";
  wrapped.message += message;
  return wrapped;
}

}  // namespace shutdown_auditor::base
