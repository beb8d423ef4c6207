#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "objects/events.h"

namespace shutdown_auditor::objects {

// The "type" of one watch event ({"type": "ADDED", "object": {…}}): "ADDED", "MODIFIED", "DELETED", "BOOKMARK",
// "ERROR", as received. Stops reading once found, which is at once: the API server writes it first. kInvalid for
// malformed JSON before it, a type that is no string, or none.
base::Result<std::string> watch_event_type(std::string_view line);

// Parses one JSON object and forwards only the events of its top-level member `name`, to the end of the text, so that
// malformed or truncated JSON is an error. kInvalid also when the member is missing.
base::Result<void> forward_member(std::string_view line, std::string_view name, EventHandler& handler);

}  // namespace shutdown_auditor::objects
