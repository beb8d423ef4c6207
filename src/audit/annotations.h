#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "audit/check.h"
#include "objects/workload.h"

namespace shutdown_auditor::audit {

// The prefix of every annotation of ours; for one container its name and a dot stand before it.
inline constexpr std::string_view kAnnotationPrefix = "shutdownaudit.dev";
// The largest number of seconds an annotation or policy may declare: one day.
inline constexpr std::int64_t kMaxDeclaredSeconds = 86400;

// What annotations say about times, in milliseconds; absent: nothing valid was said.
struct DeclaredTimes {
  std::optional<std::int64_t> pre_stop_ms;
  std::optional<std::int64_t> max_request_ms;
  std::optional<std::int64_t> cleanup_ms;
};

// An `ignore` or `ignore-<check>` annotation with its reason.
struct AnnotationExemption {
  std::string key;             // the annotation
  std::optional<Check> check;  // absent: all
  std::string container;       // empty: the pod and all its containers
  std::string reason;
};

// An annotation of ours that cannot be used.
struct AnnotationProblem {
  std::string_view reason;  // of annotation-invalid
  std::string message;
  std::string remediation;
  std::string field_path;
};

struct Annotations {
  DeclaredTimes pod;
  std::optional<std::int64_t> buffer_ms;
  std::vector<std::pair<std::string, DeclaredTimes>> containers;  // sorted by name
  std::vector<AnnotationExemption> exemptions;
  std::vector<AnnotationProblem> problems;

  // What is declared for this container alone.
  const DeclaredTimes& of(std::string_view container) const;
};

// Reads the annotations of a workload and of its pod template; the template's win key by key, also when they are
// malformed. A malformed one is a problem and declares nothing.
Annotations read_annotations(const objects::Workload& workload);

// Milliseconds of `^[0-9]+(\.[0-9]{1,3})?$` between 0 and kMaxDeclaredSeconds; absent otherwise.
std::optional<std::int64_t> parse_declared_seconds(std::string_view text);

}  // namespace shutdown_auditor::audit
