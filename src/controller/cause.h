#pragma once

#include <cstdint>

// Why a workload is looked at again: the bits of runtime::WorkItem::cause. They decide two things only: whether an Event
// may follow, and whether the write waits for its turn among bulk writes.
namespace shutdown_auditor::controller::cause {

inline constexpr std::uint32_t kWorkload = 1U << 0U;    // the workload itself changed
inline constexpr std::uint32_t kCreated = 1U << 1U;     // it was created after the caches were complete
inline constexpr std::uint32_t kBudget = 1U << 2U;      // a PodDisruptionBudget, or a workload that shares one
inline constexpr std::uint32_t kService = 1U << 3U;
inline constexpr std::uint32_t kAutoscaler = 1U << 4U;
inline constexpr std::uint32_t kStart = 1U << 5U;       // this process began to lead
inline constexpr std::uint32_t kResync = 1U << 6U;
inline constexpr std::uint32_t kPolicy = 1U << 7U;
inline constexpr std::uint32_t kNamespace = 1U << 8U;   // labels of its namespace
inline constexpr std::uint32_t kAudit = 1U << 9U;       // somebody else changed or deleted the ShutdownAudit
inline constexpr std::uint32_t kCatchUp = 1U << 10U;    // only the observed generation is behind
inline constexpr std::uint32_t kExpiry = 1U << 11U;     // an exemption of the policy has ended

// Changes that a person made or can see: written at once, and worth an Event.
inline constexpr std::uint32_t kLive = kWorkload | kCreated | kBudget | kService | kAutoscaler;

}  // namespace shutdown_auditor::controller::cause
