#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "audit/annotations.h"
#include "audit/audit.h"
#include "audit/roles.h"

namespace shutdown_auditor::audit {

// A time and where it came from; absent: nobody knows, it counts as 0.
struct Term {
  std::optional<std::int64_t> ms;
  Evidence evidence = Evidence::kUnknown;

  bool known() const { return ms.has_value() && evidence < Evidence::kAssumed; }
};

// One container's part of the sum.
struct ContainerTerms {
  std::string name;
  Role role = Role::kMain;
  std::string path;
  PreStopReading hook;      // as the manifest has it
  PreStopReading pre_stop;  // what counts: the annotation, else the hook
  Evidence pre_stop_evidence = Evidence::kDetected;
  Term max_request;
  Term cleanup;
  bool role_assumed = false;
};

struct PodTerms {
  std::optional<std::int64_t> grace_seconds;    // as written
  std::optional<std::int64_t> ceiling_seconds;  // of the platform
  Term buffer;
  bool ordered_sidecars = true;  // native sidecars stop after the main containers: Kubernetes 1.29 and later (KEP-753)
  std::vector<ContainerTerms> containers;

  // What a stop may take, in whole seconds: min(max(1, grace), ceiling); 30 when not written.
  std::int64_t budget_seconds() const;
};

// How much of a sum is to be believed. kExpectedMax: kExpected with the hooks' longest times.
enum class SumLevel : std::uint8_t { kProvable, kKnown, kExpected, kExpectedMax };

// The sums of one pod, in milliseconds, and what they say. See docs/checks/grace-budget.md for the arithmetic.
struct GraceReading {
  Budget budget;
  std::int64_t budget_seconds = 0;
  std::int64_t provable_ms = 0, known_ms = 0, expected_ms = 0, expected_max_ms = 0;
  std::size_t deciding = 0;  // index of the container that decides kExpected

  bool over(std::int64_t sum_ms) const;
};

// Collects each term with its evidence: annotation of the container, of the pod, policy, built-in number.
PodTerms gather_terms(const objects::Workload& workload, const std::vector<ContainerView>& views,
                      const Annotations& annotations, const Policy& policy, const AuditOptions& options);

// preStop + requests + cleanup of one container.
std::int64_t needs_ms(const ContainerTerms& container, SumLevel level, std::int64_t budget_seconds);
// A term at a level; 0 when it does not count there.
std::int64_t term_ms(const Term& term, SumLevel level);

// Adds up. `terms` has at least one container that is no sidecar.
GraceReading add_up(const PodTerms& terms);

}  // namespace shutdown_auditor::audit
