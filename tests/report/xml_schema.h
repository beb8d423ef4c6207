#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace shutdown_auditor::report {

// Where and why `text` is no well-formed XML, or breaks the XML schema in `schema_file`, one line each (libxml2); empty when
// it is valid. Attributes of `ignored` are taken off every testcase before.
std::vector<std::string> xml_violations(std::string_view text, const std::string& schema_file,
                                        const std::vector<std::string>& ignored = {});

}  // namespace shutdown_auditor::report
