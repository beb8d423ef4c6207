// Field tables of the ShutdownAudit resource; audit_json.cc is the other direction.
#include "report/audit_json.h"

namespace shutdown_auditor::objects {

using report::RelatedRef;
using report::ReportedBudget;
using report::ReportedCondition;
using report::ReportedContainer;
using report::ReportedDisruption;
using report::ReportedExemption;
using report::ReportedFinding;
using report::ReportedPreStop;
using report::ReportedSummary;
using report::ShutdownAudit;
using report::ShutdownAuditStatus;
using report::TargetRef;

// Before the tables, which use them.
template <>
const Shape& shape_of<TargetRef>();
template <>
const Shape& shape_of<ReportedSummary>();
template <>
const Shape& shape_of<ReportedBudget>();
template <>
const Shape& shape_of<ReportedPreStop>();
template <>
const Shape& shape_of<ReportedContainer>();
template <>
const Shape& shape_of<ReportedDisruption>();
template <>
const Shape& shape_of<RelatedRef>();
template <>
const Shape& shape_of<ReportedExemption>();
template <>
const Shape& shape_of<ReportedFinding>();
template <>
const Shape& shape_of<ReportedCondition>();
template <>
const Shape& shape_of<ShutdownAuditStatus>();

namespace {

constexpr auto kTargetRef = table(field<&TargetRef::group>("group"), field<&TargetRef::kind>("kind"),
                                  field<&TargetRef::name>("name"));

constexpr auto kSummary = table(field<&ReportedSummary::fail>("fail"), field<&ReportedSummary::warn>("warn"),
                                field<&ReportedSummary::info>("info"), field<&ReportedSummary::pass>("pass"),
                                field<&ReportedSummary::skip>("skip"), field<&ReportedSummary::error>("error"));

constexpr auto kBudget = table(
    field<&ReportedBudget::grace_period_seconds>("gracePeriodSeconds"),
    field<&ReportedBudget::grace_period_source>("gracePeriodSource"),
    field<&ReportedBudget::ceiling_seconds>("ceilingSeconds"),
    field<&ReportedBudget::pre_stop_seconds>("preStopSeconds"),
    field<&ReportedBudget::delay_seconds>("delaySeconds"),
    field<&ReportedBudget::max_request_seconds>("maxRequestSeconds"),
    field<&ReportedBudget::drain_seconds>("drainSeconds"), field<&ReportedBudget::cleanup_seconds>("cleanupSeconds"),
    field<&ReportedBudget::sidecar_seconds>("sidecarSeconds"),
    field<&ReportedBudget::buffer_seconds>("bufferSeconds"),
    field<&ReportedBudget::required_seconds>("requiredSeconds"), field<&ReportedBudget::required_is>("requiredIs"),
    field<&ReportedBudget::required_text>("requiredText"),
    field<&ReportedBudget::provable_seconds>("provableSeconds"),
    field<&ReportedBudget::shortfall_seconds>("shortfallSeconds"),
    field<&ReportedBudget::seconds_after_signal>("secondsAfterSignal"),
    field<&ReportedBudget::container>("container"), field<&ReportedBudget::evidence>("evidence"));

constexpr auto kPreStop = table(field<&ReportedPreStop::kind>("kind"),
                                field<&ReportedPreStop::min_seconds>("minSeconds"),
                                field<&ReportedPreStop::nominal_seconds>("nominalSeconds"),
                                field<&ReportedPreStop::max_seconds>("maxSeconds"));

constexpr auto kContainer = table(
    field<&ReportedContainer::name>("name"), field<&ReportedContainer::role>("role"),
    field<&ReportedContainer::framework>("framework"), field<&ReportedContainer::pre_stop>("preStop"),
    field<&ReportedContainer::max_request_seconds>("maxRequestSeconds"),
    field<&ReportedContainer::drain_seconds>("drainSeconds"),
    field<&ReportedContainer::drain_source>("drainSource"),
    field<&ReportedContainer::cleanup_seconds>("cleanupSeconds"),
    field<&ReportedContainer::signal_handling>("signalHandling"),
    field<&ReportedContainer::stop_signal>("stopSignal"), field<&ReportedContainer::needs_seconds>("needsSeconds"));

constexpr auto kDisruption = table(
    field<&ReportedDisruption::budgets>("budgets"), field<&ReportedDisruption::replicas>("replicas"),
    field<&ReportedDisruption::disruptions_allowed_when_ready>("disruptionsAllowedWhenReady"));

constexpr auto kRelatedRef = table(field<&RelatedRef::group>("group"), field<&RelatedRef::kind>("kind"),
                                   field<&RelatedRef::name>("name"));

constexpr auto kExemption = table(
    field<&ReportedExemption::source>("source"), field<&ReportedExemption::name>("name"),
    field<&ReportedExemption::reason>("reason"), field<&ReportedExemption::expiration_time>("expirationTime"));

constexpr auto kFinding = table(
    field<&ReportedFinding::id>("id"), field<&ReportedFinding::check>("check"),
    field<&ReportedFinding::result>("result"), field<&ReportedFinding::reason>("reason"),
    field<&ReportedFinding::message>("message"), field<&ReportedFinding::remediation>("remediation"),
    field<&ReportedFinding::field_path>("fieldPath"), field<&ReportedFinding::container>("container"),
    field<&ReportedFinding::related_ref>("relatedRef"), field<&ReportedFinding::exemption>("exemption"));

constexpr auto kCondition = table(
    field<&ReportedCondition::type>("type"), field<&ReportedCondition::status>("status"),
    field<&ReportedCondition::observed_generation>("observedGeneration"),
    field<&ReportedCondition::last_transition_time>("lastTransitionTime"),
    field<&ReportedCondition::reason>("reason"), field<&ReportedCondition::message>("message"));

constexpr auto kStatus = table(
    field<&ShutdownAuditStatus::verdict>("verdict"), field<&ShutdownAuditStatus::top_reason>("topReason"),
    field<&ShutdownAuditStatus::observed_generation>("observedGeneration"),
    field<&ShutdownAuditStatus::observed_target_generation>("observedTargetGeneration"),
    field<&ShutdownAuditStatus::target_uid>("targetUID"), field<&ShutdownAuditStatus::summary>("summary"),
    field<&ShutdownAuditStatus::budget>("budget"), field<&ShutdownAuditStatus::containers>("containers"),
    field<&ShutdownAuditStatus::disruption>("disruption"), field<&ShutdownAuditStatus::findings>("findings"),
    field<&ShutdownAuditStatus::truncated>("truncated"), field<&ShutdownAuditStatus::policy_ref>("policyRef"),
    field<&ShutdownAuditStatus::checks_version>("checksVersion"),
    field<&ShutdownAuditStatus::conditions>("conditions"));

constexpr auto kSpec = table(field<&ShutdownAudit::target>("targetRef"));

constexpr auto kAudit = table(field<&ShutdownAudit::meta>("metadata"), group<kSpec>("spec"),
                              field<&ShutdownAudit::status>("status"));

}  // namespace

template <>
const Shape& shape_of<TargetRef>() { return object_shape<kTargetRef>(); }
template <>
const Shape& shape_of<ReportedSummary>() { return object_shape<kSummary>(); }
template <>
const Shape& shape_of<ReportedBudget>() { return object_shape<kBudget>(); }
template <>
const Shape& shape_of<ReportedPreStop>() { return object_shape<kPreStop>(); }
template <>
const Shape& shape_of<ReportedContainer>() { return object_shape<kContainer>(); }
template <>
const Shape& shape_of<ReportedDisruption>() { return object_shape<kDisruption>(); }
template <>
const Shape& shape_of<RelatedRef>() { return object_shape<kRelatedRef>(); }
template <>
const Shape& shape_of<ReportedExemption>() { return object_shape<kExemption>(); }
template <>
const Shape& shape_of<ReportedFinding>() { return object_shape<kFinding>(); }
template <>
const Shape& shape_of<ReportedCondition>() { return object_shape<kCondition>(); }
template <>
const Shape& shape_of<ShutdownAuditStatus>() { return object_shape<kStatus>(); }
template <>
const Shape& shape_of<ShutdownAudit>() { return object_shape<kAudit>(); }

}  // namespace shutdown_auditor::objects
