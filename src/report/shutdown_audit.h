#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/audit.h"
#include "objects/meta.h"

namespace shutdown_auditor::report {

inline constexpr std::string_view kApiGroup = "shutdownaudit.dev";
inline constexpr std::string_view kApiVersion = "shutdownaudit.dev/v1alpha1";
inline constexpr std::string_view kAuditKind = "ShutdownAudit";
inline constexpr std::string_view kManagedByLabel = "app.kubernetes.io/managed-by";
inline constexpr std::string_view kManagedByValue = "shutdown-auditor";
inline constexpr std::string_view kWorkloadKindLabel = "shutdownaudit.dev/workload-kind";
inline constexpr std::string_view kWorkloadNameLabel = "shutdownaudit.dev/workload-name";
// `check` only: where the workload stood, "path:line".
inline constexpr std::string_view kSourceAnnotation = "shutdownaudit.dev/source";
// Changes with every release that judges the same workload differently.
inline constexpr std::string_view kChecksVersion = "0.2.0";
inline constexpr std::size_t kMaxFindings = 32;
inline constexpr std::size_t kMaxContainers = 32;
inline constexpr std::size_t kMaxBudgets = 32;
// Bytes; longer texts are cut between characters.
inline constexpr std::size_t kMaxMessageBytes = 512;
inline constexpr std::size_t kMaxFieldBytes = 512;

// The ShutdownAudit custom resource as it travels: enumerations are their names, an empty string or an absent optional
// is a field that is not written. Seconds are whole; see the CustomResourceDefinition for what each field means.
struct TargetRef {
  std::string group;
  std::string kind;
  std::string name;
};

struct ReportedSummary {
  std::int64_t fail = 0, warn = 0, info = 0, pass = 0, skip = 0, error = 0;
};

struct ReportedBudget {
  std::optional<std::int64_t> grace_period_seconds;
  std::string grace_period_source;  // Explicit, Default
  std::optional<std::int64_t> ceiling_seconds, pre_stop_seconds, delay_seconds, max_request_seconds, drain_seconds,
      cleanup_seconds, sidecar_seconds, buffer_seconds;
  std::optional<std::int64_t> required_seconds;
  std::string required_is;  // Exact, AtLeast
  std::string required_text;
  std::optional<std::int64_t> provable_seconds, shortfall_seconds, seconds_after_signal;
  std::string container;
  std::string evidence;
};

struct ReportedPreStop {
  std::string kind;
  std::optional<std::int64_t> min_seconds, nominal_seconds, max_seconds;
};

struct ReportedContainer {
  std::string name;
  std::string role;
  std::string framework;
  std::optional<ReportedPreStop> pre_stop;
  std::optional<std::int64_t> max_request_seconds, drain_seconds;
  std::string drain_source;
  std::optional<std::int64_t> cleanup_seconds;
  std::string signal_handling;
  std::string stop_signal;
  std::optional<std::int64_t> needs_seconds;
  audit::StopParts parts{};  // for the timeline; not part of the object
};

struct ReportedDisruption {
  std::vector<std::string> budgets;
  std::optional<std::int64_t> replicas, disruptions_allowed_when_ready;
};

struct RelatedRef {
  std::string group;
  std::string kind;
  std::string name;
};

struct ReportedExemption {
  std::string source;
  std::string name;
  std::string reason;
  std::string expiration_time;
};

// A place in a file; 0 when the line or column is not known (both count from 1). The file is as the user named it, or
// "stdin": not printable, when its name is not. Empty: not from a file.
struct Place {
  std::string file;
  std::int64_t line = 0;
  std::int64_t column = 0;
};
// The file without a leading "./", so that the same one has one name however it was given.
std::string_view path_of(const Place& place);
// "file:line:column" as far as it is known, the file as path_of.
std::string to_string(const Place& place);

struct ReportedFinding {
  std::string id;
  std::string check;
  std::string result;
  std::string reason;
  std::string message;
  std::string remediation;
  std::string field_path;
  std::string container;
  std::optional<RelatedRef> related_ref;
  std::optional<ReportedExemption> exemption;
  Place place;  // files only: of the field it is about; "source" in JSON
  std::string baseline_state;  // beside a baseline only (see baseline.h): new, updated
};

// metav1.Condition.
struct ReportedCondition {
  std::string type;
  std::string status;  // True, False, Unknown
  std::optional<std::int64_t> observed_generation;
  std::string last_transition_time;  // RFC 3339
  std::string reason;
  std::string message;
};

struct ShutdownAuditStatus {
  std::string verdict;
  std::string top_reason;
  std::optional<std::int64_t> observed_generation;         // of the ShutdownAudit
  std::optional<std::int64_t> observed_target_generation;  // of the workload
  std::string target_uid;
  std::optional<ReportedSummary> summary;
  std::optional<ReportedBudget> budget;
  std::vector<ReportedContainer> containers;
  std::optional<ReportedDisruption> disruption;
  std::vector<ReportedFinding> findings;
  bool truncated = false;  // more findings, containers or budgets than the lists hold
  std::string policy_ref;  // name of the ShutdownPolicy; empty: built-in
  std::string checks_version;
  std::vector<ReportedCondition> conditions;
};

struct ShutdownAudit {
  objects::ObjectMeta meta;
  TargetRef target;
  ShutdownAuditStatus status;  // verdict empty: no status yet
  // What `check` prints beside the object; not part of it.
  audit::StopEstimate estimate{};
  Place place;  // where the workload begins
};

enum class Detail {
  kStored,   // what the controller writes: Fail, Warn, exempted findings and the Info that decides the verdict
  kPrinted,  // what `check` prints: every finding, nothing that only a cluster knows
};

// The object for one audited workload, named, labelled and owned as docs/operations.md says. The owner reference and
// target UID are left out when the workload has no uid or with kPrinted. Conditions are set with no transition time:
// see merge_conditions.
ShutdownAudit make_shutdown_audit(const audit::AuditResult& result, const objects::Workload& workload,
                                  std::string_view policy_name, Detail detail);

// "deployment-web": `<kind>-<workload>` in lower case; when that is over 253 bytes, not a DNS subdomain, or the group is
// not apps, cut to 242 bytes and followed by "-" and 10 hex digits of SHA-256("group/kind/name").
std::string audit_name(const objects::GroupKind& kind, std::string_view workload_name);

// "apps/v1": the served version by which owner references and Events name a workload of that group ("" is core).
std::string api_version_of(const std::string& group);

// `value` when it is a legal label value; otherwise its legal characters cut to 52 bytes, "-" and 10 hex digits of
// its SHA-256.
std::string label_value(std::string_view value);

// Gives every computed condition its transition time: the stored one's while the status stays the same, else `now`
// (RFC 3339). Returns whether a status flipped or a condition is new.
bool merge_conditions(const std::vector<ReportedCondition>& stored, std::vector<ReportedCondition>& computed,
                      std::string_view now);

// Ids of the findings with result Fail or Warn, sorted.
std::vector<std::string> failing_ids(const ShutdownAudit& audit);

}  // namespace shutdown_auditor::report
