#include "audit/policy.h"

#include <algorithm>

namespace shutdown_auditor::audit {

bool Policy::in_scope(std::string_view name_space, const objects::StringMap& workload_labels,
                      const objects::StringMap* namespace_labels) const {
  if (std::find(exclude_namespaces.begin(), exclude_namespaces.end(), name_space) != exclude_namespaces.end()) return false;
  if (workload_selector && !objects::matches(*workload_selector, workload_labels)) return false;
  if (!namespace_selector) return true;
  return namespace_labels != nullptr && objects::matches(*namespace_selector, *namespace_labels);
}

}  // namespace shutdown_auditor::audit
