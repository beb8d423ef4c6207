#pragma once

#include <string>
#include <string_view>

namespace CLI {
class App;
}

namespace shutdown_auditor::app {

// The manual page shutdown-auditor(1) in man(7) macros, from the commands' definitions and the catalogue of checks. `date`
// is that of the source, "2026-11-23".
std::string manual_page(const CLI::App& root, std::string_view date);

}  // namespace shutdown_auditor::app
