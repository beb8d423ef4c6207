#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "objects/meta.h"

namespace shutdown_auditor::controller {

// Names one workload in the queue, in logs and in metrics: "Deployment.apps/shop/web".
struct WorkloadKey {
  objects::GroupKind kind;
  std::string name_space;
  std::string name;

  std::string to_string() const;
  // nullopt for anything to_string does not make.
  static std::optional<WorkloadKey> parse(std::string_view text);
  friend auto operator<=>(const WorkloadKey&, const WorkloadKey&) = default;
};

}  // namespace shutdown_auditor::controller
