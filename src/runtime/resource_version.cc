#include "runtime/resource_version.h"

#include <algorithm>

namespace shutdown_auditor::runtime {
namespace {

bool is_canonical(std::string_view version) {
  return !version.empty() && (version.front() != '0' || version.size() == 1) &&
         std::all_of(version.begin(), version.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::optional<std::strong_ordering> compare_resource_versions(std::string_view a, std::string_view b) {
  if (!is_canonical(a) || !is_canonical(b)) return std::nullopt;
  if (a.size() != b.size()) return a.size() <=> b.size();
  return a <=> b;
}

bool reached(std::string_view seen, std::string_view wanted) {
  const auto order = compare_resource_versions(seen, wanted);
  return order ? *order >= 0 : seen == wanted;
}

}  // namespace shutdown_auditor::runtime
