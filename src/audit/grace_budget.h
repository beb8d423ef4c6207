#pragma once

#include <array>
#include <cstdint>

#include "audit/audit.h"
#include "audit/grace_terms.h"

namespace shutdown_auditor::audit {

// How much of a sum is to be believed. kExpectedMax: kExpected with the hooks' longest times.
enum class SumLevel : std::uint8_t { kProvable, kKnown, kExpected, kExpectedMax };

// The sums of one pod, in milliseconds, and what they say. See docs/checks/grace-budget.md for the arithmetic.
struct GraceReading {
  Budget budget;
  std::int64_t budget_seconds = 0;
  std::int64_t provable_ms = 0, known_ms = 0, expected_ms = 0, expected_max_ms = 0;
  // Index of the container that decides the sum, for kProvable, kKnown and kExpected.
  std::array<std::size_t, 3> deciding{};
  bool known_buffer = false;  // known_ms counts the buffer

  bool over(std::int64_t sum_ms) const;
};

// A term at a level; 0 when it does not count there.
std::int64_t term_ms(const Term& term, SumLevel level);
// The hook of one container; one that never ends counts as the whole budget.
std::int64_t hook_ms(const PreStopReading& hook, SumLevel level, std::int64_t budget_seconds);
// Hook and drain of one container: how long requests may still be under way. Added up, unless the hook starts the drain:
// then what comes after its own pauses runs beside it.
std::int64_t serving_ms(const ContainerTerms& container, SumLevel level, std::int64_t budget_seconds);
// preStop + delay + drain + cleanup of one container.
std::int64_t needs_ms(const ContainerTerms& container, SumLevel level, std::int64_t budget_seconds);

// Adds up. `terms` has at least one container that is no native sidecar.
GraceReading add_up(const PodTerms& terms);

}  // namespace shutdown_auditor::audit
