#include "runtime/predicates.h"

namespace shutdown_auditor::runtime {

bool generation_changed(const objects::ObjectMeta& before, const objects::ObjectMeta& after) {
  return before.generation != after.generation;
}

bool labels_changed(const objects::ObjectMeta& before, const objects::ObjectMeta& after) {
  return before.labels != after.labels;
}

bool annotations_changed(const objects::ObjectMeta& before, const objects::ObjectMeta& after) {
  return before.annotations != after.annotations;
}

bool resource_version_changed(const objects::ObjectMeta& before, const objects::ObjectMeta& after) {
  return before.resource_version != after.resource_version;
}

}  // namespace shutdown_auditor::runtime
