#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "manifest/loader.h"

namespace shutdown_auditor::manifest {

// What load() gave for one text.
struct Loaded {
  std::vector<Object> objects;
  std::vector<std::string> problems;  // notes begin with "note: "

  std::map<std::string, int> kinds() const {
    std::map<std::string, int> counts;
    for (const Object& object : objects) ++counts[object.kind.kind];
    return counts;
  }
};

inline Loaded load_text(std::string_view text, const LoadOptions& options = {}) {
  Loaded loaded;
  load(
      text, "f.yaml", options, [&](Object object) { loaded.objects.push_back(std::move(object)); },
      [&](const Problem& problem) {
        loaded.problems.push_back((problem.severity == Problem::Severity::kNote ? "note: " : "") + to_string(problem));
      });
  return loaded;
}

}  // namespace shutdown_auditor::manifest
