#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "audit/check.h"
#include "audit/policy.h"
#include "base/clock.h"
#include "objects/workload.h"

namespace shutdown_auditor::audit {

// Where a number came from, best first; a sum is as good as its weakest part.
enum class Evidence : std::uint8_t { kDeclared, kDetected, kFrameworkDefault, kPolicy, kAssumed, kUnknown };
std::string_view to_string(Evidence evidence);

enum class Role : std::uint8_t { kServing, kMain, kSidecar };
std::string_view to_string(Role role);

// How a preStop hook was read.
enum class PreStopKind : std::uint8_t { kNone, kExact, kRange, kUnbounded, kUnknown, kBroken };
std::string_view to_string(PreStopKind kind);

struct PreStopReading {
  PreStopKind kind = PreStopKind::kNone;
  std::int64_t min_ms = 0;                    // provable: it takes at least this long
  std::optional<std::int64_t> nominal_ms;     // what it normally takes
  std::optional<std::int64_t> max_ms;         // absent: no known limit
  std::string reason;                         // in words, for Unknown, Unbounded and Broken; also names what was read

  // What the hook does besides taking time.
  bool starts_drain = false;           // it tells the server to finish what is under way (nginx -s quit, kill -TERM 1 …)
  bool waits_for_drain = false;        // and stays until that is done
  std::vector<std::string> signals{};  // "SIGQUIT to process 1", "SIGTERM to uwsgi"
  std::vector<std::string> problems{}; // in words: what in it will not do what was meant
  bool never_ends = false;             // for certain: every grace period runs out; min_ms is what passes before that part

  // The provable time: the largest int64 for a hook that never ends.
  std::int64_t least_ms() const { return never_ends ? std::numeric_limits<std::int64_t>::max() : min_ms; }
};

// The parts of a container's stop as the sum counts them, in whole seconds, each rounded up. For drawings; not part of the
// status.
struct StopParts {
  std::int64_t delay_seconds = 0;              // between the stop signal and the drain
  std::optional<std::int64_t> drain_seconds;   // absent: nobody knows, counted as 0
  std::int64_t cleanup_seconds = 0;
  bool drain_assumed = false;                  // a built-in number
  bool cleanup_assumed = false;
  bool hook_drains = false;  // the preStop hook starts the drain: delay and drain run beside it
  bool hook_waits = false;   // and lasts until the drain is done
  bool stops_last = false;   // a native sidecar: its stop signal waits for the main containers and the sidecars after it
};

// One container as the audit understood it. Sums saturate at the largest int64.
struct ContainerReading {
  std::string name;
  Role role = Role::kMain;
  std::string framework;       // empty: not recognised
  PreStopReading pre_stop;
  std::optional<std::int64_t> max_request_seconds;
  Evidence max_request_evidence = Evidence::kUnknown;
  std::optional<std::int64_t> drain_seconds;  // the application's own deadline
  std::string drain_source;    // Flag, Env, FrameworkDefault, Annotation, Policy, Assumed
  std::optional<std::int64_t> cleanup_seconds;
  Evidence cleanup_evidence = Evidence::kUnknown;
  std::string signal_handling = "Unknown";
  std::string stop_signal;     // "SIGTERM" …
  std::int64_t needs_seconds = 0;
  StopParts parts;
};

// The sum, in whole seconds: what is needed rounded up, what is there rounded down.
struct Budget {
  std::int64_t grace_period_seconds = 30;  // effective
  bool grace_period_explicit = false;
  std::optional<std::int64_t> ceiling_seconds;
  std::optional<std::int64_t> pre_stop_seconds, delay_seconds, max_request_seconds, drain_seconds, cleanup_seconds,
      sidecar_seconds;                     // of the deciding container; absent when unknown
  std::int64_t buffer_seconds = 0;
  std::int64_t required_seconds = 0;       // Expected, saturating
  bool required_at_least = false;          // a lower bound
  std::string required_text;               // "60", ">=75", "~60"
  std::int64_t provable_seconds = 0;
  std::int64_t shortfall_seconds = 0;
  std::int64_t seconds_after_signal = 0;
  std::string container;                   // the deciding one
  Evidence evidence = Evidence::kUnknown;  // the weakest used
};

// What one check said. Only Fail, Warn, Info, Skip (exempted) and Error become findings; passes are counted.
struct Finding {
  Check check{};
  CheckResult result = CheckResult::kInfo;
  std::string reason;       // CamelCase, from the check's closed list
  std::string message;      // one line, at most 512 bytes, with the numbers
  std::string remediation;  // what to set, with the number
  std::string field_path;   // "spec.template.spec.containers[0].lifecycle.preStop"; empty: the object
  std::string container;    // empty: the pod
  std::optional<objects::GroupKind> related_kind;  // another object it is about, e.g. the PodDisruptionBudget
  std::string related_name;
  // The number that the remediation names (seconds, a threshold), for who computes fixes; absent: it names none.
  std::optional<std::int64_t> wanted;
  // Set when an exemption turned it into Skip.
  std::string exemption_source;  // "Annotation", "Policy"
  std::string exemption_name;
  std::string exemption_reason;
  std::string exemption_expiration;  // RFC 3339, empty: none

  // "grace-budget" or "readiness-probe-missing/app".
  std::string id() const;
};

struct Summary {
  std::int32_t fail = 0, warn = 0, info = 0, pass = 0, skip = 0, error = 0;
};

struct DisruptionReading {
  std::vector<std::string> budgets;  // names of the PodDisruptionBudgets that select the template, sorted
  std::optional<std::int64_t> replicas;
  std::optional<std::int64_t> disruptions_allowed_when_ready;
  // For the estimate of a stop, not part of the status. In how many rounds the pods leave when all their nodes are drained
  // (at an autoscaler's floor); absent when not known.
  std::optional<std::int64_t> replicas_at_floor;
  std::optional<std::int64_t> drain_rounds;
  bool drain_blocked = false;
};

// A time for a number of pods to stop: expected by what they are known or assumed to need, at worst by the grace period.
struct StopSpan {
  enum class State : std::uint8_t { kNotKnown, kBlocked, kTimed };
  State state = State::kNotKnown;  // kBlocked: no eviction is ever allowed
  std::int64_t expected_seconds = 0;
  std::int64_t worst_seconds = 0;
  bool at_least = false;  // expected_seconds is a lower bound
};
struct StopEstimate {
  StopSpan drain;
  StopSpan rollout;
};

struct AuditResult {
  Verdict verdict = Verdict::kPass;
  std::string top_reason;  // of the worst finding; empty when there is none
  Summary summary;
  Budget budget;
  std::vector<ContainerReading> containers;
  DisruptionReading disruption;
  StopEstimate estimate;
  std::vector<Finding> findings;  // worst first, then catalogue order, then container order
};

class BudgetSurvey;

// What stands around a workload, in its own namespace unless said otherwise. Pointers are borrowed for the call; a null
// list means "cannot be read", which is not the same as empty.
struct Surroundings {
  const std::vector<const objects::PodDisruptionBudget*>* budgets = nullptr;
  const std::vector<const objects::Service*>* services = nullptr;
  const std::vector<const objects::Autoscaler*>* autoscalers = nullptr;
  // Other workloads and jobs of the namespace, for budgets that select several; null when not known.
  const std::vector<const objects::Workload*>* workloads = nullptr;
  const std::vector<const objects::JobTemplate*>* jobs = nullptr;
  const objects::StringMap* namespace_labels = nullptr;
  // Of the same lists (audit/disruption.h): an audit then need not add up again what each budget selects. Optional.
  const BudgetSurvey* survey = nullptr;
  // Files only: no PodDisruptionBudget at all in the input and not declared complete, so that a missing one is only Info.
  bool budgets_may_be_elsewhere = false;
};

struct AuditOptions {
  base::WallTime now{};  // for expiry of exemptions; the audit reads no clock
  int kubernetes_minor = 34;
};

// Audits one workload. Pure: no I/O, no clock, no state; safe from any thread. Never throws for any input; a workload it
// cannot make sense of gets verdict kError with an audit-error finding.
AuditResult audit(const objects::Workload& workload, const Surroundings& surroundings, const Policy& policy,
                  const AuditOptions& options);

// Annotations the audit reads: the only ones a decoder has to keep (helm.sh/hook included).
bool reads_annotation(std::string_view key);

}  // namespace shutdown_auditor::audit
