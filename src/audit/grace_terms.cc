#include "audit/grace_terms.h"

#include <algorithm>

#include "audit/prestop.h"
#include "audit/seconds.h"

namespace shutdown_auditor::audit {
namespace {

Term first_known(const std::optional<std::int64_t>& declared_ms, const std::optional<std::int64_t>& policy_seconds,
                 std::int64_t built_in_seconds) {
  if (declared_ms) return {declared_ms, Evidence::kDeclared};
  if (policy_seconds) return {to_ms(*policy_seconds), Evidence::kPolicy};
  return {to_ms(built_in_seconds), Evidence::kAssumed};
}

Term of_application(const ApplicationTime& time, const ApplicationReading& application) {
  if (!time.ms || time.unbounded) return {};
  const bool written = time.source == TimeSource::kFlag || time.source == TimeSource::kEnv ||
                       time.source == TimeSource::kAnnotation;
  const bool certain = written && application.matched_by != MatchedBy::kImage;
  return {std::max<std::int64_t>(0, *time.ms), certain ? Evidence::kDetected : Evidence::kFrameworkDefault};
}

bool heeds_signal(SignalHandling handling) {
  return handling == SignalHandling::kGraceful || handling == SignalHandling::kUnknown;
}

// What annotations say about this container: its own before the pod's.
DeclaredTimes declared_for(const ContainerView& view, const Annotations& annotations, const DeclaredTimes& pod,
                           bool pod_pre_stop) {
  DeclaredTimes declared = annotations.of(view.container->name);
  if (!declared.pre_stop_ms && pod_pre_stop) declared.pre_stop_ms = pod.pre_stop_ms;
  if (!declared.max_request_ms) declared.max_request_ms = pod.max_request_ms;
  if (!declared.cleanup_ms) declared.cleanup_ms = pod.cleanup_ms;
  return declared;
}

void read_hook(const ContainerView& view, const DeclaredTimes& declared, ContainerTerms& terms) {
  terms.hook = read_pre_stop(*view.container);
  terms.pre_stop = terms.hook;
  const bool open = terms.hook.kind == PreStopKind::kUnknown || terms.hook.kind == PreStopKind::kUnbounded;
  terms.pre_stop_evidence = open ? Evidence::kUnknown : Evidence::kDetected;
  if (!declared.pre_stop_ms) return;
  PreStopReading& counted = terms.pre_stop;
  counted.kind = PreStopKind::kExact;
  counted.min_ms = *declared.pre_stop_ms;
  counted.nominal_ms = counted.max_ms = declared.pre_stop_ms;
  counted.never_ends = false;
  counted.reason = "declared";
  terms.pre_stop_evidence = Evidence::kDeclared;
}

ContainerTerms terms_of(const ContainerView& view, const DeclaredTimes& declared, const Policy& policy) {
  const ApplicationReading& application = view.application;
  ContainerTerms terms;
  terms.name = view.container->name;
  terms.role = view.role;
  terms.native_sidecar = view.native;
  terms.role_assumed = view.role_assumed;
  terms.path = view.path;
  read_hook(view, declared, terms);

  terms.deadline = of_application(application.drain, application);
  terms.deadline_where = application.drain.where;
  terms.deadline_source = application.drain.source;
  terms.drain_unbounded = application.drain.unbounded;
  terms.hidden = application.hidden;
  terms.cleanup = of_application(application.cleanup, application);
  if (declared.max_request_ms || (view.takes_defaults && !terms.deadline.ms)) {
    terms.max_request = first_known(declared.max_request_ms, policy.max_request_seconds, kBuiltInMaxRequestSeconds);
  }
  if (declared.cleanup_ms || (view.takes_defaults && !terms.cleanup.ms)) {
    terms.cleanup = first_known(declared.cleanup_ms, policy.cleanup_seconds, kBuiltInCleanupSeconds);
  }

  terms.hook_drains = hook_starts_drain(terms.hook, application);
  terms.hook_waits = terms.hook_drains && terms.hook.waits_for_drain;
  terms.drains = heeds_signal(application.signal_handling) || terms.hook_waits;
  // A program that goes on as if nothing had happened has no wait of its own either.
  if (terms.drains || application.signal_handling == SignalHandling::kFast) {
    terms.delay = of_application(application.delay, application);
  }
  return terms;
}

}  // namespace

bool hook_starts_drain(const PreStopReading& hook, const ApplicationReading& application) {
  if (!hook.starts_drain) return false;
  if (heeds_signal(application.signal_handling) || hook.signals.empty()) return true;
  // The same signal has the same effect, and what process 1 does not pass on it does not pass on from here either.
  return std::any_of(hook.signals.begin(), hook.signals.end(), [&](const std::string& signal) {
    if (application.signal_handling == SignalHandling::kNotDelivered) return !signal.ends_with("process 1");
    return !signal.starts_with(application.stop_signal + " ");
  });
}

Term ContainerTerms::drain() const {
  if (!drains) return {0, Evidence::kDetected};
  if (!deadline.ms) return max_request;
  const bool cut = max_request.ms && *max_request.ms < *deadline.ms;
  return cut ? max_request : deadline;
}

bool ContainerTerms::is_lower_bound() const {
  if (pre_stop.kind == PreStopKind::kUnknown) return true;
  return pre_stop.kind == PreStopKind::kUnbounded && !(hook_waits && drain().known());
}

std::int64_t PodTerms::budget_seconds() const {
  const std::int64_t grace = std::max<std::int64_t>(1, grace_seconds.value_or(kDefaultGraceSeconds));
  return ceiling_seconds ? std::min(grace, std::max<std::int64_t>(1, *ceiling_seconds)) : grace;
}

PodTerms gather_terms(const objects::Workload& workload, const std::vector<ContainerView>& views,
                      const Annotations& annotations, const Policy& policy, const AuditOptions& options) {
  PodTerms terms;
  terms.spec_path = pod_spec_path(workload);
  terms.grace_seconds = workload.pod_template.spec.termination_grace_period_seconds;
  terms.ceiling_seconds = policy.max_grace_period_seconds;
  terms.buffer = first_known(annotations.buffer_ms, policy.buffer_seconds, kBuiltInBufferSeconds);
  terms.ordered_sidecars = options.kubernetes_minor >= 29;

  // What is declared for the pod speaks of the containers that serve; without any, of all main containers. A declared
  // hook time is for those that have a hook.
  const bool any_serving =
      std::any_of(views.begin(), views.end(), [](const ContainerView& view) { return view.role == Role::kServing; });
  const auto addressed = [&](const ContainerView& view) {
    return view.role == (any_serving ? Role::kServing : Role::kMain);
  };
  const bool any_hook = std::any_of(views.begin(), views.end(), [&](const ContainerView& view) {
    return addressed(view) && view.container->pre_stop.has_value();
  });
  static const DeclaredTimes kNothing;
  terms.containers.reserve(views.size());
  for (const ContainerView& view : views) {
    const bool pod_pre_stop = addressed(view) && (view.container->pre_stop.has_value() || !any_hook);
    const DeclaredTimes& pod = addressed(view) ? annotations.pod : kNothing;
    terms.containers.push_back(terms_of(view, declared_for(view, annotations, pod, pod_pre_stop), policy));
  }
  return terms;
}

}  // namespace shutdown_auditor::audit
