#include "controller/workload_reconciler.h"

#include <algorithm>

#include "audit/exemptions.h"
#include "base/log.h"
#include "base/time.h"
#include "controller/cause.h"

namespace shutdown_auditor::controller {
namespace {

constexpr base::Logger kLog("controller");
// A server that asks for more is not obeyed.
constexpr std::chrono::minutes kLongestPause{5};

runtime::EventType event_type(std::string_view type) {
  return type == "Warning" ? runtime::EventType::kWarning : runtime::EventType::kNormal;
}

// Failures that a retry can mend; the rest waits for the next change.
bool terminal(const kube::Error& error) { return error.kind == kube::ErrorKind::kInvalid; }

}  // namespace

// One reconciliation: what it is about and what was found out so far.
struct WorkloadReconciler::Pass {
  const runtime::Request& request;
  runtime::ReconcileContext& context;
  WorkloadKey key;
  std::shared_ptr<const objects::Workload> workload;  // shared with the store, see there
  std::optional<KnownAudit> known;
  std::shared_ptr<const objects::Namespace> name_space = nullptr;  // likewise
  report::ShutdownAudit computed{};
  KnownAudit target{};  // `computed` as it will be known once written

  bool live() const { return (request.cause & cause::kLive) != 0; }
  const objects::StringMap* namespace_labels() const { return name_space ? &name_space->meta.labels : nullptr; }
};

WorkloadReconciler::Outcome WorkloadReconciler::reconcile(const runtime::Request& request,
                                                          runtime::ReconcileContext& context) {
  const std::optional<WorkloadKey> key = WorkloadKey::parse(request.key);
  if (!key) return base::unexpected(runtime::ReconcileError{"not a workload key: " + request.key, true});
  if (!parts_.view.audits_available()) {
    return runtime::Action::again_after(options_.unavailable_retry, request.cause);
  }
  const std::string audit_name = report::audit_name(key->kind, key->name);
  Pass pass{request, context, *key, parts_.view.workload(*key), parts_.view.ledger().current(key->name_space, audit_name)};
  if (parts_.view.switched_off(key->kind)) return remove(pass);

  const auto policy = parts_.policy.current();
  if (!pass.workload) {
    // Only a complete list proves that it is gone.
    return parts_.view.knows(*key) ? remove(pass) : Outcome(runtime::Action::await_change());
  }
  if (pass.workload->meta.deleting) return runtime::Action::await_change();
  if (pass.workload->template_elsewhere) {
    note_template_elsewhere(request.key);
    return remove(pass);
  }
  pass.name_space = parts_.view.name_space(key->name_space);
  if (!policy->in_scope(key->name_space, pass.workload->meta.labels, pass.namespace_labels())) return remove(pass);

  const base::SteadyTime began = parts_.clock.now();
  const base::WallTime judged_at = parts_.clock.wall_now();
  const NamespaceSnapshot around = parts_.view.snapshot(key->name_space);
  const audit::AuditResult result =
      audit::audit(*pass.workload, around.surroundings(), *policy, {judged_at, options_.kubernetes_minor});
  parts_.observer.on_audited(*key, result, parts_.clock.now() - began);

  pass.computed = report::make_shutdown_audit(result, *pass.workload, policy->name, report::Detail::kStored);
  pass.target = known_from(pass.computed);
  return until_expiry(pass, judged_at, *policy, bring_in_line(pass));
}

// Time alone changes an audit only when an exemption of the policy ends: then the workload is looked at again, whatever
// was asked for later. A write that waits for its turn is left to it: it judges by the clock of that moment.
WorkloadReconciler::Outcome WorkloadReconciler::until_expiry(const Pass& pass, base::WallTime judged_at,
                                                             const audit::Policy& policy, Outcome outcome) const {
  const bool waits_for_turn = outcome && outcome->requeue_after && outcome->exact;
  if (!outcome || waits_for_turn) return outcome;
  const auto expiry = audit::next_expiry(*pass.workload, pass.namespace_labels(), policy, judged_at);
  if (!expiry) return outcome;
  const base::Duration delay = std::max(base::Duration::zero(), base::Duration(*expiry - parts_.clock.wall_now()));
  // What was asked for may come up to a tenth late.
  if (outcome->requeue_after && *outcome->requeue_after + *outcome->requeue_after / 10 < delay) return outcome;
  return runtime::Action::again_exactly_after(delay, outcome->requeue_cause | cause::kExpiry);
}

// What is left to wait for before a write that nobody waits for; nullopt: write now. A turn is kept when something else
// brings the key back before it, and void after a pause that the server asked for.
std::optional<base::Duration> WorkloadReconciler::turn(const Pass& pass) {
  const std::lock_guard lock(mutex_);
  const auto held = turns_.find(pass.request.key);
  if (pass.live() || (held != turns_.end() && !parts_.pacer.paused() && held->second <= parts_.clock.now())) {
    if (held != turns_.end()) turns_.erase(held);
    return std::nullopt;
  }
  if (held != turns_.end() && !parts_.pacer.paused()) return held->second - parts_.clock.now();
  const base::Duration wait = parts_.pacer.take();
  if (wait == base::Duration::zero()) return std::nullopt;
  turns_[pass.request.key] = parts_.clock.now() + wait;
  return wait;
}

void WorkloadReconciler::drop_turn(const std::string& key) {
  const std::lock_guard lock(mutex_);
  turns_.erase(key);
}

WorkloadReconciler::Outcome WorkloadReconciler::bring_in_line(Pass& pass) {
  if (pass.known && pass.known->audit.meta.deleting) {
    return runtime::Action::again_after(std::chrono::seconds(1), pass.request.cause);
  }
  if (pass.known && !pass.known->owner_uid.empty() && pass.known->owner_uid != pass.workload->meta.uid) {
    // The audit of a predecessor of the same name: its ownerReference would have it collected at any moment.
    const auto removed = parts_.writer.remove(pass.key.name_space, pass.computed.meta.name,
                                              pass.known->audit.meta.uid, pass.context.cancel, pass.live());
    if (!removed) return failed(pass, removed.error());
    parts_.view.ledger().removed(pass.key.name_space, pass.computed.meta.name);
    parts_.observer.on_status_write("deleted");
    pass.known.reset();
  }
  const bool same = pass.known && pass.known->main_digest == pass.target.main_digest &&
                    pass.known->audit.digest == pass.target.audit.digest;
  if (!same) {
    if (const auto wait = turn(pass)) return runtime::Action::again_exactly_after(*wait, pass.request.cause);
    return write(pass, false);
  }
  drop_turn(pass.request.key);
  if (pass.known->audit.observed_target_generation == pass.workload->meta.generation) {
    parts_.observer.on_status_write("unchanged");
    return runtime::Action::await_change();
  }
  if (const auto wait = catch_up_wait(pass.request.key)) {
    return runtime::Action::again_after(*wait, cause::kCatchUp);
  }
  return write(pass, true);
}

std::optional<base::Duration> WorkloadReconciler::catch_up_wait(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const base::SteadyTime now = parts_.clock.now();
  const auto last = caught_up_.find(key);
  if (last != caught_up_.end() && now - last->second < options_.catch_up_interval) {
    return options_.catch_up_interval - (now - last->second);
  }
  caught_up_[key] = now;
  return std::nullopt;
}

WorkloadReconciler::Outcome WorkloadReconciler::write(Pass& pass, bool catching_up) {
  report::ShutdownAudit& audit = pass.computed;
  audit.status.observed_target_generation = pass.workload->meta.generation;
  // The spec never changes, so a new object's generation is what it keeps.
  const std::int64_t seen_generation = pass.known ? pass.known->audit.meta.generation : 0;
  audit.status.observed_generation = std::max<std::int64_t>(seen_generation, 1);
  for (report::ReportedCondition& condition : audit.status.conditions) {
    condition.observed_generation = audit.status.observed_generation;
  }
  report::merge_conditions(pass.known ? pass.known->audit.conditions : std::vector<report::ReportedCondition>{},
                           audit.status.conditions, base::format_rfc3339(parts_.clock.wall_now()));
  const runtime::DesiredObject desired{audit.meta.namespace_,        audit.meta.name,
                                       report::apply_body(audit),    pass.target.main_digest,
                                       report::status_apply_body(audit), pass.target.audit.digest,
                                       pass.live()};
  std::optional<runtime::KnownObject> known;
  if (pass.known) {
    known = runtime::KnownObject{pass.known->main_digest, catching_up ? std::string() : pass.known->audit.digest,
                                 pass.known->audit.meta.resource_version, false};
  }
  AuditLedger& ledger = parts_.view.ledger();
  ledger.writing(audit.meta.namespace_, audit.meta.name, pass.target);
  const auto written = parts_.writer.write(desired, known, pass.context.cancel);
  if (!written || written->gone) ledger.gave_up(audit.meta.namespace_, audit.meta.name);
  if (!written) {
    parts_.observer.on_status_write(written.error().kind == kube::ErrorKind::kConflict ? "conflict" : "error");
    if (written.error().kind == kube::ErrorKind::kNotFound) {
      // The resource type was deleted, which its reflector is about to notice, or the namespace is on its way out.
      return runtime::Action::again_after(options_.unavailable_retry, pass.request.cause);
    }
    return failed(pass, written.error());
  }
  if (written->gone) return runtime::Action::await_change();
  parts_.observer.on_status_write(catching_up ? "caught_up" : "written");

  pass.target = known_from(audit);
  pass.target.audit.meta.resource_version = written->resource_version;
  if (pass.known) pass.target.audit.meta.uid = pass.known->audit.meta.uid;
  ledger.wrote(audit.meta.namespace_, audit.meta.name, pass.target);
  if (!catching_up) {
    // Changes are news; a bulk rewrite of ten thousand audits is not.
    const base::LogLevel level = pass.live() ? base::LogLevel::kInfo : base::LogLevel::kDebug;
    kLog.log(level, "audited",
             {{"workload", pass.request.key},
              {"verdict", audit.status.verdict},
              {"reason", audit.status.top_reason},
              {"reconcileID", pass.context.reconcile_id}});
    if (pass.live()) tell(pass);
  }
  return runtime::Action::await_change();
}

void WorkloadReconciler::tell(const Pass& pass) {
  const bool judged_before = pass.known && !pass.known->audit.verdict.empty();
  const auto draft = report::event_for(judged_before ? &pass.known->audit : nullptr, pass.computed,
                                       (pass.request.cause & cause::kCreated) != 0, options_.events);
  if (!draft) return;
  const objects::GroupKind& kind = pass.key.kind;
  parts_.recorder.record({report::api_version_of(kind.group), kind.kind, pass.key.name_space, pass.key.name,
                          pass.workload->meta.uid},
                         {event_type(draft->type), draft->reason, "Audit", draft->note});
}

WorkloadReconciler::Outcome WorkloadReconciler::remove(Pass& pass) {
  parts_.observer.on_removed(pass.key);
  {
    const std::lock_guard lock(mutex_);
    caught_up_.erase(pass.request.key);
    if (!pass.workload) templates_elsewhere_.erase(pass.request.key);
  }
  const std::optional<KnownAudit>& known = pass.known;
  if (!known || !known->managed || known->target != pass.key) {
    drop_turn(pass.request.key);
    return runtime::Action::await_change();
  }
  const report::StoredAudit& audit = known->audit;
  if (audit.meta.uid.empty()) return runtime::Action::again_after(std::chrono::seconds(1));  // not yet seen as written
  if (const auto wait = turn(pass)) return runtime::Action::again_exactly_after(*wait, pass.request.cause);
  const auto removed = parts_.writer.remove(audit.meta.namespace_, audit.meta.name, audit.meta.uid, pass.context.cancel,
                                            pass.live());
  if (!removed) return failed(pass, removed.error());
  parts_.view.ledger().removed(audit.meta.namespace_, audit.meta.name);
  if (*removed) {
    parts_.observer.on_status_write("deleted");
    kLog.info("deleted the audit of a workload that is gone or out of scope", {{"workload", pass.request.key}});
  }
  return runtime::Action::await_change();
}

// A busy server makes all bulk writes pause; live ones were already held back by the client for as long as it asked.
WorkloadReconciler::Outcome WorkloadReconciler::failed(const Pass& pass, const kube::Error& error) {
  if (error.kind != kube::ErrorKind::kTooManyRequests) {
    return base::unexpected(runtime::ReconcileError{error.message, terminal(error)});
  }
  const base::Duration asked = error.retry_after.value_or(options_.throttled_pause);
  const base::Duration pause = std::clamp<base::Duration>(asked, base::Duration::zero(), kLongestPause);
  if (parts_.pacer.pause(pause)) {
    kLog.warn("the API server is busy, bulk writes pause", {{"for", base::format_duration(pause)}, {"err", error.message}});
  }
  if (pass.live()) return base::unexpected(runtime::ReconcileError{error.message, false});
  return runtime::Action::again_exactly_after(turn(pass).value_or(base::Duration::zero()), pass.request.cause);
}

void WorkloadReconciler::note_template_elsewhere(const std::string& key) {
  {
    const std::lock_guard lock(mutex_);
    if (!templates_elsewhere_.insert(key).second) return;
  }
  kLog.info("not audited: its pods come from the workload named in spec.workloadRef, which is audited itself",
            {{"workload", key}});
}

}  // namespace shutdown_auditor::controller
