#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace shutdown_auditor::report {

// Where and why `document` breaks `schema`, one line each; empty when it is valid. Knows what the SARIF schema uses of
// JSON Schema draft 04; a keyword it does not know is a violation too, so that nothing is left unchecked in silence.
std::vector<std::string> schema_violations(const nlohmann::json& schema, const nlohmann::json& document);

}  // namespace shutdown_auditor::report
