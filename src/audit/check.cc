#include "audit/check.h"

#include <array>

namespace shutdown_auditor::audit {
namespace {

struct Entry {
  Check check;
  std::string_view id;
  std::string_view title;
  std::vector<std::string_view> reasons;  // empty: not performed
};

const std::vector<Entry>& catalogue() {
  static const std::vector<Entry> kCatalogue{
      {Check::kGraceBudget, "grace-budget", "the grace period is shorter than what the pod needs to stop",
       {"GracePeriodTooShort"}},
      {Check::kGraceUnverified, "grace-unverified", "the grace period is short only by assumed numbers",
       {"GracePeriodUnverified"}},
      {Check::kGraceZero, "grace-zero", "a grace period of zero or below", {"GracePeriodZero", "GracePeriodNegative"}},
      {Check::kGraceCeiling, "grace-ceiling", "the platform allows less than the grace period",
       {"GracePeriodAboveCeiling", "GracePeriodAboveClusterAutoscaler"}},
      {Check::kPreStopExceedsGrace, "prestop-exceeds-grace", "the preStop hook uses up the whole grace period",
       {"PreStopExceedsGracePeriod"}},
      {Check::kPreStopUnknown, "prestop-unknown", "the manifest does not tell how long the preStop hook takes",
       {"PreStopUnknown", "PreStopUnbounded"}},
      {Check::kPreStopRange, "prestop-range", "the preStop hook normally fits, its maximum does not",
       {"PreStopMayExceedGracePeriod"}},
      {Check::kPreStopBroken, "prestop-broken", "the preStop hook can never do what was meant",
       {"PreStopBroken", "PreStopDoubtful"}},
      {Check::kPreStopMissing, "prestop-missing", "a serving container without any delay before the stop signal",
       {"PreStopMissing"}},
      {Check::kPreStopShort, "prestop-short", "the delay is shorter than endpoints need to forget the pod",
       {"PreStopTooShort"}},
      {Check::kSignalNotDelivered, "signal-not-delivered", "the stop signal never reaches the application",
       {"SignalNotDelivered", "SignalDependsOnImage"}},
      {Check::kSignalNotGraceful, "signal-not-graceful", "the server drops work on its stop signal",
       {"StopSignalCutsWork", "StopSignalIgnored", "StopSignalReloads", "StopSignalWithoutEffect"}},
      {Check::kDrainUnbounded, "drain-unbounded", "the application waits for requests without a limit", {"DrainUnbounded"}},
      {Check::kDrainTooShort, "drain-too-short", "the application's own deadline cuts declared requests",
       {"DrainDeadlineBelowRequests", "DrainSettingMisread"}},
      {Check::kSidecarStopsFirst, "sidecar-stops-first", "a traffic sidecar stops before the application",
       {"SidecarStopsFirst", "SidecarStoppedByHook"}},
      {Check::kSidecarInjected, "sidecar-injected", "an injected sidecar the template does not show", {"SidecarInjected"}},
      {Check::kReadinessProbeMissing, "readiness-probe-missing", "a serving container without a readiness probe",
       {"ReadinessProbeMissing", "ReadinessProbeRefused", "ReadinessProbePortUnknown"}},
      {Check::kLivenessProbeMissing, "liveness-probe-missing", "a serving container without a liveness probe",
       {"LivenessProbeMissing", "LivenessProbeRefused", "LivenessProbePortUnknown"}},
      {Check::kProbesIdentical, "probes-identical", "liveness fails no later than readiness on the same handler",
       {"ProbesIdentical"}},
      {Check::kProbeAlwaysSucceeds, "probe-always-succeeds", "a probe that tests nothing", {"ProbeAlwaysSucceeds"}},
      {Check::kProbeGrace, "probe-grace", "a probe's own grace period is shorter than the container needs",
       {"ProbeGraceTooShort"}},
      {Check::kPdbMissing, "pdb-missing", "several replicas and no PodDisruptionBudget",
       {"BudgetMissing", "BudgetMismatch", "BudgetsNotReadable"}},
      {Check::kPdbBlocksEviction, "pdb-blocks-eviction", "the PodDisruptionBudget blocks every eviction",
       {"EvictionBlocked", "BudgetWithoutLimit"}},
      {Check::kPdbOverlapping, "pdb-overlapping", "more than one PodDisruptionBudget selects the pods",
       {"BudgetsOverlap"}},
      {Check::kPdbUnsupported, "pdb-unsupported", "the PodDisruptionBudget cannot be computed for its pods",
       {"OwnerWithoutScale", "SyncFailed", "PodsWithoutScale"}},
      {Check::kPdbIneffective, "pdb-ineffective", "the PodDisruptionBudget lets every pod go at once",
       {"BudgetIneffective", "SharedBudgetIneffective"}},
      {Check::kSingleReplica, "single-replica", "one replica: every eviction is an outage",
       {"SingleReplica", "PodWithoutController"}},
      {Check::kRolloutUnsafe, "rollout-unsafe", "a rollout stops all pods at once",
       {"RolloutStopsAllPods", "StrategyRefused", "RecreateStrategy"}},
      {Check::kAnnotationInvalid, "annotation-invalid", "an annotation of ours that cannot be used",
       {"ValueInvalid", "KeyUnknown", "ContainerUnknown", "ExemptionWithoutReason", "ExemptionForbidden"}},
      {Check::kExemptionExpired, "exemption-expired", "an exemption of the policy has expired", {"ExemptionExpired"}},
      {Check::kAuditError, "audit-error", "the workload could not be audited", {"NoContainers", "InternalError"}},
  };
  return kCatalogue;
}

const Entry& entry_of(Check check) { return catalogue().at(static_cast<std::size_t>(check)); }

constexpr std::array<std::string_view, 6> kVerdicts{"Pass", "Skip", "Unverified", "Warn", "Fail", "Error"};

}  // namespace

std::string_view to_string(CheckResult result) {
  switch (result) {
    case CheckResult::kNotApplicable: return "NotApplicable";
    case CheckResult::kPass: return "Pass";
    case CheckResult::kSkip: return "Skip";
    case CheckResult::kInfo: return "Info";
    case CheckResult::kWarn: return "Warn";
    case CheckResult::kFail: return "Fail";
    case CheckResult::kError: return "Error";
  }
  return "Error";
}

std::string_view to_string(Verdict verdict) { return kVerdicts.at(static_cast<std::size_t>(verdict)); }

std::optional<Verdict> parse_verdict(std::string_view text) {
  for (std::size_t i = 0; i < kVerdicts.size(); ++i) {
    if (kVerdicts.at(i) == text) return static_cast<Verdict>(i);
  }
  return std::nullopt;
}

std::string_view id_of(Check check) { return entry_of(check).id; }

std::optional<Check> check_of(std::string_view id) {
  for (const Entry& entry : catalogue()) {
    if (entry.id == id) return entry.check;
  }
  return std::nullopt;
}

const std::vector<Check>& all_checks() {
  static const std::vector<Check> kPerformed = [] {
    std::vector<Check> checks;
    for (const Entry& entry : catalogue()) {
      if (!entry.reasons.empty()) checks.push_back(entry.check);
    }
    return checks;
  }();
  return kPerformed;
}

std::string_view title_of(Check check) { return entry_of(check).title; }

const std::vector<std::string_view>& reasons_of(Check check) { return entry_of(check).reasons; }

}  // namespace shutdown_auditor::audit
