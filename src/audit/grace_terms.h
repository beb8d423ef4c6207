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
  bool native_sidecar = false;
  bool role_assumed = false;
  std::string path;
  PreStopReading hook;      // as the manifest has it
  PreStopReading pre_stop;  // what counts: the annotation, else the hook
  Evidence pre_stop_evidence = Evidence::kDetected;

  Term max_request;  // declared; or taken from elsewhere, where the application's own deadline is not known or unbounded
  Term delay;        // the application's own wait between the stop signal and the drain
  Term deadline;     // the application's own limit on the drain
  Term cleanup;
  bool drain_unbounded = false;  // the application waits without a limit of its own
  std::string deadline_where;    // "--graceful-timeout", "default of gunicorn"
  std::string hidden;            // where another value may stand: "gunicorn.conf.py may say otherwise and is not read"
  TimeSource deadline_source = TimeSource::kNone;

  bool drains = true;         // somebody lets the application finish what is under way
  bool hook_drains = false;   // the hook starts that, once its own pauses are over
  bool hook_waits = false;    // and lasts until it is done

  // What the drain is counted as: the smaller of declared requests and deadline, else the one that is known.
  Term drain() const;
  // Nothing bounds the hook that this reading knows of.
  bool is_lower_bound() const;
};

struct PodTerms {
  std::string spec_path;                        // pod_spec_path()
  std::optional<std::int64_t> grace_seconds;    // as written
  std::optional<std::int64_t> ceiling_seconds;  // of the platform
  Term buffer;
  bool ordered_sidecars = true;  // native sidecars stop after the main containers: Kubernetes 1.29 and later (KEP-753)
  std::vector<ContainerTerms> containers;  // as the views

  // What a stop may take, in whole seconds: min(max(1, grace), ceiling); 30 when not written.
  std::int64_t budget_seconds() const;
  // Its stop signal waits for the main containers and the sidecars after it.
  bool stops_last(const ContainerTerms& container) const { return container.native_sidecar && ordered_sidecars; }
};

inline constexpr std::int64_t kDefaultGraceSeconds = 30;  // core/v1 DefaultTerminationGracePeriodSeconds

// Collects each term with its evidence: annotation of the container, of the pod, what the application was recognised to
// do, policy, built-in number. A time of a framework that was matched by its image alone is never better than
// FrameworkDefault. A program that its stop signal does not let finish has no drain and no cleanup, unless the hook has
// seen to it before.
PodTerms gather_terms(const objects::Workload& workload, const std::vector<ContainerView>& views,
                      const Annotations& annotations, const Policy& policy, const AuditOptions& options);

// True when the hook tells the program to finish, by other means than the stop signal that it does not heed.
bool hook_starts_drain(const PreStopReading& hook, const ApplicationReading& application);

}  // namespace shutdown_auditor::audit
