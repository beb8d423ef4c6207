#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "objects/decode.h"

namespace shutdown_auditor::objects {

// metav1.StatusCause.
struct StatusCause {
  std::string reason;
  std::string message;
  std::string field;
};

// metav1.StatusDetails.
struct StatusDetails {
  std::string name;
  std::string group;
  std::string kind;  // a resource such as "deployments", by convention of the API server
  std::string uid;
  std::vector<StatusCause> causes;
  std::optional<std::int64_t> retry_after_seconds;
};

// metav1.Status: how the API server says what went wrong, as a response body and as the object of an ERROR event.
struct Status {
  std::string api_version;
  std::string kind;
  std::string status;   // "Success" or "Failure"
  std::string reason;   // metav1.StatusReason: "Expired", "Conflict", …; may be empty
  std::string message;
  std::int64_t code = 0;  // HTTP status; 0 when not given
  StatusDetails details;
};

template <>
const Shape& shape_of<Status>();

}  // namespace shutdown_auditor::objects
