#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace shutdown_auditor::audit {

// The check catalogue, in catalogue order: the order decides between findings of equal result. Ids are for ever.
enum class Check : std::uint8_t {
  kGraceBudget,
  kGraceUnverified,
  kGraceZero,
  kGraceCeiling,
  kPreStopExceedsGrace,
  kPreStopUnknown,
  kPreStopRange,
  kPreStopBroken,
  kPreStopMissing,
  kPreStopShort,
  kSignalNotDelivered,
  kSignalNotGraceful,
  kDrainUnbounded,
  kDrainTooShort,
  kSidecarStopsFirst,
  kSidecarInjected,
  kReadinessProbeMissing,
  kLivenessProbeMissing,
  kProbesIdentical,
  kProbeAlwaysSucceeds,
  kProbeGrace,
  kPdbMissing,
  kPdbBlocksEviction,
  kPdbOverlapping,
  kPdbUnsupported,
  kPdbIneffective,
  kSingleReplica,
  kRolloutUnsafe,
  kAnnotationInvalid,
  kExemptionExpired,
  kAuditError,
};

// Worst last, so that std::max finds the worst. kSkip: exempted; kNotApplicable is never reported.
enum class CheckResult : std::uint8_t { kNotApplicable, kPass, kSkip, kInfo, kWarn, kFail, kError };
std::string_view to_string(CheckResult result);  // "Pass", "Skip", "Info", "Warn", "Fail", "Error"

// The worst of a workload's results.
enum class Verdict : std::uint8_t { kPass, kSkip, kUnverified, kWarn, kFail, kError };
std::string_view to_string(Verdict verdict);
std::optional<Verdict> parse_verdict(std::string_view text);

// "grace-budget"; and back.
std::string_view id_of(Check check);
std::optional<Check> check_of(std::string_view id);
// The catalogue in order (only checks this version performs).
const std::vector<Check>& all_checks();
// One line for people: what the check looks for.
std::string_view title_of(Check check);
// The closed list of reasons a finding of this check can carry, as on its page in docs/checks/; empty for a check that
// this version does not perform.
const std::vector<std::string_view>& reasons_of(Check check);

}  // namespace shutdown_auditor::audit
