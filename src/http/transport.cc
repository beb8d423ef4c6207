#include "http/transport.h"

namespace shutdown_auditor::http {

std::string_view to_string(TransportErrorKind kind) {
  switch (kind) {
    case TransportErrorKind::kCancelled:
      return "Cancelled";
    case TransportErrorKind::kTimeout:
      return "Timeout";
    case TransportErrorKind::kConnect:
      return "Connect";
    case TransportErrorKind::kTls:
      return "Tls";
    case TransportErrorKind::kReset:
      return "Reset";
    case TransportErrorKind::kProtocol:
      return "Protocol";
    case TransportErrorKind::kTooLarge:
      return "TooLarge";
  }
  return "Protocol";
}

}  // namespace shutdown_auditor::http
