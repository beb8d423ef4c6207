#pragma once

#include <string>
#include <vector>

#include "objects/meta.h"
#include "runtime/work_queue.h"

namespace shutdown_auditor::runtime {

// Which updates matter to a consumer. Additions and deletions always do, so predicates see updates only.
bool generation_changed(const objects::ObjectMeta& before, const objects::ObjectMeta& after);
bool labels_changed(const objects::ObjectMeta& before, const objects::ObjectMeta& after);
// Over the annotations the decoder keeps.
bool annotations_changed(const objects::ObjectMeta& before, const objects::ObjectMeta& after);
// False for the repeats a relist produces.
bool resource_version_changed(const objects::ObjectMeta& before, const objects::ObjectMeta& after);

// Adds the keys a changed object maps to, both as it was and as it is: an object that moves from one owner or selector to
// another concerns both. Either pointer may be null (added, deleted). `map` returns the keys of one object.
template <class T, class Map>
void enqueue_both(WorkQueue& queue, const T* before, const T* after, const Map& map, Priority priority,
                  std::uint32_t cause) {
  for (const T* object : {before, after}) {
    if (object != nullptr) {
      for (const std::string& key : map(*object)) {
        queue.add(key, priority, cause);
      }
    }
  }
}

}  // namespace shutdown_auditor::runtime
