#pragma once

#include <cstdint>
#include <string>

#include "objects/meta.h"

namespace shutdown_auditor::objects {

// coordination.k8s.io/v1 Lease.
struct Lease {
  ObjectMeta meta;
  std::string holder_identity;
  std::int64_t lease_duration_seconds = 0;
  std::string acquire_time;  // metav1.MicroTime as received
  std::string renew_time;
  std::int64_t lease_transitions = 0;
};

}  // namespace shutdown_auditor::objects
