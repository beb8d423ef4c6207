#include "report/audit_json.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/text.h"

namespace shutdown_auditor::report {
namespace {

using Json = nlohmann::ordered_json;

// One per struct of shutdown_audit.h; declared here because the templates below call them.
Json json_of(const std::string& value);
Json json_of(const ReportedSummary& summary);
Json json_of(const ReportedBudget& budget);
Json json_of(const ReportedPreStop& hook);
Json json_of(const ReportedContainer& container);
Json json_of(const ReportedDisruption& disruption);
Json json_of(const RelatedRef& ref);
Json json_of(const ReportedExemption& exemption);
Json json_of(const ReportedFinding& finding);
Json json_of(const ReportedCondition& condition);

void put(Json& object, const char* name, const std::string& value) {
  if (!value.empty()) {
    object[name] = value;
  }
}

void put(Json& object, const char* name, const std::optional<std::int64_t>& value) {
  if (value) {
    object[name] = *value;
  }
}

template <class T>
void put(Json& object, const char* name, const std::optional<T>& value) {
  if (value) {
    object[name] = json_of(*value);
  }
}

template <class T>
void put(Json& object, const char* name, const std::vector<T>& values) {
  if (values.empty()) {
    return;
  }
  Json& list = object[name] = Json::array();
  for (const T& value : values) {
    list.push_back(json_of(value));
  }
}

Json json_of(const std::string& value) { return value; }

Json json_of(const TargetRef& target) {
  return {{"group", target.group}, {"kind", target.kind}, {"name", target.name}};
}

Json json_of(const ReportedSummary& summary) {
  return {{"fail", summary.fail}, {"warn", summary.warn}, {"info", summary.info},
          {"pass", summary.pass}, {"skip", summary.skip}, {"error", summary.error}};
}

Json json_of(const ReportedBudget& budget) {
  Json out = Json::object();
  put(out, "gracePeriodSeconds", budget.grace_period_seconds);
  put(out, "gracePeriodSource", budget.grace_period_source);
  put(out, "ceilingSeconds", budget.ceiling_seconds);
  put(out, "preStopSeconds", budget.pre_stop_seconds);
  put(out, "delaySeconds", budget.delay_seconds);
  put(out, "maxRequestSeconds", budget.max_request_seconds);
  put(out, "drainSeconds", budget.drain_seconds);
  put(out, "cleanupSeconds", budget.cleanup_seconds);
  put(out, "sidecarSeconds", budget.sidecar_seconds);
  put(out, "bufferSeconds", budget.buffer_seconds);
  put(out, "requiredSeconds", budget.required_seconds);
  put(out, "requiredIs", budget.required_is);
  put(out, "requiredText", budget.required_text);
  put(out, "provableSeconds", budget.provable_seconds);
  put(out, "shortfallSeconds", budget.shortfall_seconds);
  put(out, "secondsAfterSignal", budget.seconds_after_signal);
  put(out, "container", budget.container);
  put(out, "evidence", budget.evidence);
  return out;
}

Json json_of(const ReportedPreStop& hook) {
  Json out = {{"kind", hook.kind}};
  put(out, "minSeconds", hook.min_seconds);
  put(out, "nominalSeconds", hook.nominal_seconds);
  put(out, "maxSeconds", hook.max_seconds);
  return out;
}

Json json_of(const ReportedContainer& container) {
  Json out = {{"name", container.name}};
  put(out, "role", container.role);
  put(out, "framework", container.framework);
  put(out, "preStop", container.pre_stop);
  put(out, "maxRequestSeconds", container.max_request_seconds);
  put(out, "drainSeconds", container.drain_seconds);
  put(out, "drainSource", container.drain_source);
  put(out, "cleanupSeconds", container.cleanup_seconds);
  put(out, "signalHandling", container.signal_handling);
  put(out, "stopSignal", container.stop_signal);
  put(out, "needsSeconds", container.needs_seconds);
  return out;
}

Json json_of(const ReportedDisruption& disruption) {
  Json out = Json::object();
  put(out, "budgets", disruption.budgets);
  put(out, "replicas", disruption.replicas);
  put(out, "disruptionsAllowedWhenReady", disruption.disruptions_allowed_when_ready);
  return out;
}

Json json_of(const RelatedRef& ref) { return {{"group", ref.group}, {"kind", ref.kind}, {"name", ref.name}}; }

Json json_of(const ReportedExemption& exemption) {
  Json out = {{"source", exemption.source}};
  put(out, "name", exemption.name);
  put(out, "reason", exemption.reason);
  put(out, "expirationTime", exemption.expiration_time);
  return out;
}

Json json_of(const ReportedFinding& finding) {
  Json out = {{"id", finding.id}, {"check", finding.check}, {"result", finding.result},
              {"reason", finding.reason}, {"message", finding.message}};
  put(out, "remediation", finding.remediation);
  put(out, "fieldPath", finding.field_path);
  put(out, "container", finding.container);
  put(out, "relatedRef", finding.related_ref);
  put(out, "exemption", finding.exemption);
  put(out, "source", to_string(finding.place));
  return out;
}

Json json_of(const ReportedCondition& condition) {
  Json out = {{"type", condition.type}, {"status", condition.status}};
  put(out, "observedGeneration", condition.observed_generation);
  put(out, "lastTransitionTime", condition.last_transition_time);
  out["reason"] = condition.reason;
  out["message"] = condition.message;
  return out;
}

Json json_of(const ShutdownAuditStatus& status) {
  Json out = Json::object();
  put(out, "verdict", status.verdict);
  put(out, "topReason", status.top_reason);
  put(out, "observedGeneration", status.observed_generation);
  put(out, "observedTargetGeneration", status.observed_target_generation);
  put(out, "targetUID", status.target_uid);
  put(out, "summary", status.summary);
  put(out, "budget", status.budget);
  put(out, "containers", status.containers);
  put(out, "disruption", status.disruption);
  put(out, "findings", status.findings);
  if (status.truncated) {
    out["truncated"] = true;
  }
  put(out, "policyRef", status.policy_ref);
  put(out, "checksVersion", status.checks_version);
  put(out, "conditions", status.conditions);
  return out;
}

Json string_map(const objects::StringMap& map) {
  Json out = Json::object();
  for (const auto& [key, value] : map) {
    out[key] = value;
  }
  return out;
}

Json identity(const ShutdownAudit& audit) {
  Json meta = {{"name", audit.meta.name}};
  put(meta, "namespace", audit.meta.namespace_);
  return {{"apiVersion", kApiVersion}, {"kind", kAuditKind}, {"metadata", std::move(meta)}};
}

// With labels, owner and spec, as the main resource is written.
Json main_resource(const ShutdownAudit& audit) {
  Json out = identity(audit);
  Json& meta = out["metadata"];
  meta["labels"] = string_map(audit.meta.labels);
  if (!audit.meta.annotations.empty()) {
    meta["annotations"] = string_map(audit.meta.annotations);
  }
  if (!audit.meta.owners.empty()) {
    Json& owners = meta["ownerReferences"] = Json::array();
    for (const objects::OwnerReference& owner : audit.meta.owners) {
      owners.push_back(
          {{"apiVersion", owner.api_version}, {"kind", owner.kind}, {"name", owner.name}, {"uid", owner.uid}});
    }
  }
  out["spec"] = {{"targetRef", json_of(audit.target)}};
  return out;
}

// Invalid UTF-8 cannot come out of one_line(), but names of a file pass through unchanged.
std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace

std::string apply_body(const ShutdownAudit& audit) { return dump(main_resource(audit)); }

std::string status_apply_body(const ShutdownAudit& audit) {
  Json out = identity(audit);
  out["status"] = json_of(audit.status);
  return dump(out);
}

Json printed_object(const ShutdownAudit& audit) {
  Json out = main_resource(audit);
  out["status"] = json_of(audit.status);
  return out;
}

std::string digest(const ShutdownAudit& audit) {
  ShutdownAudit ours;
  ours.target = audit.target;
  ours.status = audit.status;
  // Others may add labels and owners; only ours count.
  for (const std::string_view key : {kManagedByLabel, kWorkloadKindLabel, kWorkloadNameLabel}) {
    if (const std::string* value = objects::find(audit.meta.labels, key)) {
      ours.meta.labels.emplace_back(key, *value);
    }
  }
  for (const objects::OwnerReference& owner : audit.meta.owners) {
    if (owner.uid == audit.status.target_uid) {
      ours.meta.owners.push_back(owner);
    }
  }
  ShutdownAuditStatus& status = ours.status;
  status.observed_generation.reset();
  status.observed_target_generation.reset();
  status.policy_ref.clear();
  status.checks_version.clear();
  for (ReportedCondition& condition : status.conditions) {
    condition.last_transition_time.clear();
    condition.observed_generation.reset();
  }
  return base::sha256_hex(dump(printed_object(ours)));
}

StoredAudit stored(const ShutdownAudit& audit) {
  StoredAudit out;
  out.meta = audit.meta;
  out.meta.labels.clear();
  out.meta.annotations.clear();
  out.meta.owners.clear();
  out.target = audit.target;
  out.digest = digest(audit);
  out.verdict = audit.status.verdict;
  out.target_uid = audit.status.target_uid;
  out.observed_target_generation = audit.status.observed_target_generation;
  out.failing = failing_ids(audit);
  out.conditions = audit.status.conditions;
  return out;
}

}  // namespace shutdown_auditor::report
