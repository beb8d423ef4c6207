#pragma once

#include <compare>
#include <optional>
#include <string_view>

namespace shutdown_auditor::runtime {

// The order of two resourceVersions of the same resource type: both are compared as non-negative decimal integers of
// any length (KEP-5504). nullopt when either is anything else (empty, signed, leading zero, other characters): such
// versions are opaque and may only be compared for equality.
std::optional<std::strong_ordering> compare_resource_versions(std::string_view a, std::string_view b);

// True when `seen` is known to be at least `wanted`: a cache at `seen` includes the write that returned `wanted`.
// Versions without an order count as reached only when equal.
bool reached(std::string_view seen, std::string_view wanted);

}  // namespace shutdown_auditor::runtime
