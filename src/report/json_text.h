#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace shutdown_auditor::report {

// `value` as JSON, indented by two spaces, to stand `margin` columns to the right inside a document: every line but the
// first begins with that many spaces. Bytes that are no UTF-8 become U+FFFD. No line break at the end.
std::string json_text(const nlohmann::ordered_json& value, std::size_t margin);

}  // namespace shutdown_auditor::report
