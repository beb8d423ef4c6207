#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace shutdown_auditor::layout {

// Everything under `root` (a checkout) that breaks the structure docs/design.md describes, one line each, sorted:
// includes and link dependencies against the direction of the modules, an included module that is not linked, libraries
// and headers in modules that must not know them, and words that do not belong into a layer.
std::vector<std::string> source_violations(const std::filesystem::path& root);

// Files under `root` that refer to a place outside of it. Build trees, .git and binary files are not looked at.
std::vector<std::string> outside_references(const std::filesystem::path& root);

}  // namespace shutdown_auditor::layout
