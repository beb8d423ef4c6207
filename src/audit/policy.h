#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "audit/check.h"
#include "base/clock.h"
#include "objects/selector.h"

namespace shutdown_auditor::audit {

// Built-in numbers of a policy that leaves them out.
inline constexpr std::int64_t kBuiltInMaxRequestSeconds = 30;
inline constexpr std::int64_t kBuiltInCleanupSeconds = 20;
inline constexpr std::int64_t kBuiltInBufferSeconds = 5;
inline constexpr std::int64_t kBuiltInEndpointPropagationSeconds = 5;

struct CheckSetting {
  Check check{};
  bool enabled = true;
  std::optional<CheckResult> result;  // kFail, kWarn or kInfo
};

struct Exemption {
  std::string name;
  std::optional<objects::GroupKind> target_kind;
  std::string target_namespace;  // empty: any
  std::string target_name;       // empty: any
  std::optional<objects::LabelSelector> workload_selector;
  std::optional<objects::LabelSelector> namespace_selector;
  std::vector<Check> checks;  // empty: all
  std::string reason;
  std::optional<base::WallTime> expiration;
};

// A ShutdownPolicy's spec after validation; a default-constructed one is the built-in policy. Unset numbers stay unset:
// a number written in a policy is Policy evidence even when it equals the built-in one.
struct Policy {
  std::string name;  // empty: built-in
  std::optional<std::int64_t> max_request_seconds;
  std::optional<std::int64_t> cleanup_seconds;
  std::optional<std::int64_t> buffer_seconds;
  std::optional<std::int64_t> endpoint_propagation_seconds;
  std::optional<std::int64_t> max_grace_period_seconds;  // platform ceiling
  std::optional<objects::LabelSelector> workload_selector;
  std::optional<objects::LabelSelector> namespace_selector;
  std::vector<std::string> exclude_namespaces{"kube-system", "kube-node-lease", "kube-public"};
  std::vector<CheckSetting> checks;
  std::vector<Exemption> exemptions;
  bool annotation_exemptions_allowed = true;

  // Is this workload to be audited at all? `namespace_labels` is null when namespaces cannot be read: a namespace
  // selector then matches nothing.
  bool in_scope(std::string_view name_space, const objects::StringMap& workload_labels,
                const objects::StringMap* namespace_labels) const;
};

}  // namespace shutdown_auditor::audit
