#include "controller/workload_key.h"

#include <vector>

#include "base/text.h"

namespace shutdown_auditor::controller {

std::string WorkloadKey::to_string() const {
  return kind.kind + "." + kind.group + "/" + name_space + "/" + name;
}

std::optional<WorkloadKey> WorkloadKey::parse(std::string_view text) {
  const std::vector<std::string_view> parts = base::split(text, '/');
  if (parts.size() != 3 || parts[1].empty() || parts[2].empty()) return std::nullopt;
  const std::size_t dot = parts[0].find('.');
  if (dot == 0 || dot == std::string_view::npos) return std::nullopt;
  return WorkloadKey{{std::string(parts[0].substr(dot + 1)), std::string(parts[0].substr(0, dot))},
                     std::string(parts[1]),
                     std::string(parts[2])};
}

}  // namespace shutdown_auditor::controller
