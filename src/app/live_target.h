#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "objects/meta.h"

namespace shutdown_auditor::app {

// What `check` was asked to audit in a cluster: one workload, or all of a kind.
struct LiveTarget {
  objects::GroupKind kind;
  std::string name;  // empty: all of the kind
};

// Reads "deployment/web", "deploy/web", "statefulset.apps/db", "rollouts.v1alpha1.argoproj.io/x" or a kind alone, in any
// case. kInvalid says what is wrong and what would be right.
base::Result<LiveTarget> parse_live_target(std::string_view text);

}  // namespace shutdown_auditor::app
