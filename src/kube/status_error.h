#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "http/message.h"
#include "http/transport.h"
#include "kube/error.h"
#include "objects/status.h"

// From what a server or the network said to a typed Error. Pure functions.
namespace shutdown_auditor::kube {

// The beginning of every error's message: "get deployments.apps shop/web", "watch leases.coordination.k8s.io in
// kube-system", from a verb and a path of path_of.
std::string describe(std::string_view verb, std::string_view path);

// A metav1.Status, from a response or from an ERROR event of a watch. `http_code` counts when the Status has no code.
Error error_of_status(std::string_view what, const objects::Status& status, int http_code = 0);

// A response that is no success. A body that is no Status keeps at most 512 bytes of its text, control characters
// replaced. The Retry-After header wins over status.details.retryAfterSeconds.
Error error_of_response(std::string_view what, int code, const http::Headers& headers, std::string_view body,
                        base::WallTime now);

Error error_of_transport(std::string_view what, const http::TransportError& error);

// RFC 9110 §10.2.3: seconds or an HTTP date (a past one is 0), at most 5 minutes; nullopt when it is neither.
std::optional<base::Duration> parse_retry_after(std::string_view value, base::WallTime now);

}  // namespace shutdown_auditor::kube
