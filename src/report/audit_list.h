#pragma once

#include <iosfwd>
#include <memory>

#include "report/printer.h"

namespace shutdown_auditor::report {

// The ShutdownAuditList of `check -o json`, indented by two spaces, with a line break at the end. Each object is written
// when it comes; nothing is held.
std::unique_ptr<Printer> json_printer(std::ostream& out);
// The same as YAML; every string is quoted, so that no reader can take one for something else. In both, characters that are
// not seen (report/character.h) are escaped.
std::unique_ptr<Printer> yaml_printer(std::ostream& out);

}  // namespace shutdown_auditor::report
