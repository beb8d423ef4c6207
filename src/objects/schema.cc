#include "objects/schema.h"

#include "objects/decode.h"

namespace shutdown_auditor::objects {

void detail::close_string_map(void* map) {
  auto& entries = *static_cast<StringMap*>(map);
  normalize(entries);
  entries.shrink_to_fit();
}

// Declared before the tables use them.
template <> const Shape& shape_of<OwnerReference>();
template <> const Shape& shape_of<SelectorRequirement>();
template <> const Shape& shape_of<ExecAction>();
template <> const Shape& shape_of<HttpGetAction>();
template <> const Shape& shape_of<TcpSocketAction>();
template <> const Shape& shape_of<GrpcAction>();
template <> const Shape& shape_of<SleepAction>();
template <> const Shape& shape_of<Handler>();
template <> const Shape& shape_of<Probe>();
template <> const Shape& shape_of<EnvVar>();
template <> const Shape& shape_of<ContainerPort>();
template <> const Shape& shape_of<Container>();
template <> const Shape& shape_of<PodSpec>();
template <> const Shape& shape_of<ServicePort>();

namespace {

// metav1.ObjectMeta
constexpr auto kOwner =
    table(field<&OwnerReference::api_version>("apiVersion"), field<&OwnerReference::kind>("kind"),
          field<&OwnerReference::name>("name"), field<&OwnerReference::uid>("uid"),
          field<&OwnerReference::controller>("controller"));
constexpr auto kMeta = table(
    field<&ObjectMeta::name>("name"), field<&ObjectMeta::namespace_>("namespace"), field<&ObjectMeta::uid>("uid"),
    field<&ObjectMeta::resource_version>("resourceVersion"), field<&ObjectMeta::generation>("generation"),
    present<&ObjectMeta::deleting>("deletionTimestamp"), field<&ObjectMeta::creation_timestamp>("creationTimestamp"),
    field<&ObjectMeta::labels>("labels"), annotations<&ObjectMeta::annotations>("annotations"),
    field<&ObjectMeta::owners>("ownerReferences"));

// metav1.LabelSelector
constexpr auto kRequirement =
    table(field<&SelectorRequirement::key>("key"), field<&SelectorRequirement::op>("operator"),
          field<&SelectorRequirement::values>("values"));
constexpr auto kSelector = table(field<&LabelSelector::match_labels>("matchLabels"),
                                 field<&LabelSelector::match_expressions>("matchExpressions"));

// core/v1 Probe and LifecycleHandler
constexpr auto kExec = table(field<&ExecAction::command>("command"));
constexpr auto kHttpGet = table(field<&HttpGetAction::path>("path"), field<&HttpGetAction::host>("host"),
                                field<&HttpGetAction::scheme>("scheme"), field<&HttpGetAction::port>("port"));
constexpr auto kTcpSocket = table(field<&TcpSocketAction::host>("host"), field<&TcpSocketAction::port>("port"));
constexpr auto kGrpc = table(int32<&GrpcAction::port>("port"), field<&GrpcAction::service>("service"));
constexpr auto kSleep = table(field<&SleepAction::seconds>("seconds"));
constexpr auto kHook = table(field<&Handler::exec>("exec"), field<&Handler::http_get>("httpGet"),
                             field<&Handler::tcp_socket>("tcpSocket"), field<&Handler::sleep>("sleep"));
constexpr auto kProbe = table(
    field<&Probe::handler, &Handler::exec>("exec"), field<&Probe::handler, &Handler::http_get>("httpGet"),
    field<&Probe::handler, &Handler::tcp_socket>("tcpSocket"), field<&Probe::handler, &Handler::grpc>("grpc"),
    int32<&Probe::initial_delay_seconds>("initialDelaySeconds"), int32<&Probe::timeout_seconds>("timeoutSeconds"),
    int32<&Probe::period_seconds>("periodSeconds"), int32<&Probe::success_threshold>("successThreshold"),
    int32<&Probe::failure_threshold>("failureThreshold"),
    field<&Probe::termination_grace_period_seconds>("terminationGracePeriodSeconds"));

// core/v1 Container
constexpr auto kEnv = table(field<&EnvVar::name>("name"), field<&EnvVar::value>("value"),
                            present<&EnvVar::from_source>("valueFrom"));
constexpr auto kPort = table(field<&ContainerPort::name>("name"), int32<&ContainerPort::container_port>("containerPort"),
                             field<&ContainerPort::protocol>("protocol"),
                             present<&ContainerPort::host_port>("hostPort"));
constexpr auto kLifecycle =
    table(field<&Container::pre_stop>("preStop"), present<&Container::post_start>("postStart"),
          field<&Container::stop_signal>("stopSignal"));
constexpr auto kContainer = table(
    field<&Container::name>("name"), field<&Container::image>("image"), field<&Container::command>("command"),
    field<&Container::args>("args"), field<&Container::env>("env"), non_empty<&Container::env_from>("envFrom"),
    field<&Container::ports>("ports"), group<kLifecycle>("lifecycle"),
    field<&Container::readiness_probe>("readinessProbe"), field<&Container::liveness_probe>("livenessProbe"),
    field<&Container::startup_probe>("startupProbe"), field<&Container::restart_policy>("restartPolicy"));

// core/v1 PodSpec. An ephemeral volume is a claim made for the pod.
constexpr auto kOs = table(field<&PodSpec::os_name>("name"));
constexpr auto kVolume = table(present<&PodSpec::mounts_persistent_volume_claim>("persistentVolumeClaim"),
                               present<&PodSpec::mounts_persistent_volume_claim>("ephemeral"));
constexpr auto kPodSpec = table(
    field<&PodSpec::termination_grace_period_seconds>("terminationGracePeriodSeconds"),
    field<&PodSpec::containers>("containers"), field<&PodSpec::init_containers>("initContainers"),
    field<&PodSpec::restart_policy>("restartPolicy"), group<kOs>("os"),
    field<&PodSpec::share_process_namespace>("shareProcessNamespace"), field<&PodSpec::host_network>("hostNetwork"),
    each<kVolume>("volumes"));
constexpr auto kPodTemplate =
    table(field<&PodTemplate::meta>("metadata"), field<&PodTemplate::spec>("spec"));
constexpr auto kPod = table(field<&Pod::meta>("metadata"), field<&Pod::spec>("spec"));

// apps/v1; Deployment and Rollout write `strategy`, StatefulSet and DaemonSet `updateStrategy`. A Rollout's canary
// strategy has the two numbers in itself; blueGreen starts all new pods before it stops the first old one.
constexpr auto kRolling = table(field<&Workload::max_unavailable>("maxUnavailable"), field<&Workload::max_surge>("maxSurge"));
constexpr auto kStrategy = table(field<&Workload::strategy_type>("type"), group<kRolling>("rollingUpdate"),
                                 group<kRolling>("canary"));
constexpr auto kWorkloadSpec =
    table(int32<&Workload::replicas>("replicas"), field<&Workload::selector>("selector"),
          field<&Workload::pod_template>("template"), group<kStrategy>("strategy"), group<kStrategy>("updateStrategy"),
          int32<&Workload::min_ready_seconds>("minReadySeconds"),
          field<&Workload::pod_management_policy>("podManagementPolicy"),
          present<&Workload::template_elsewhere>("workloadRef"));
constexpr auto kWorkload = table(field<&Workload::meta>("metadata"), group<kWorkloadSpec>("spec"));

// policy/v1
constexpr auto kCondition = table(field<&Condition::type>("type"), field<&Condition::status>("status"),
                                  field<&Condition::reason>("reason"), field<&Condition::message>("message"));
constexpr auto kBudgetSpec = table(
    field<&PodDisruptionBudget::selector>("selector"), field<&PodDisruptionBudget::min_available>("minAvailable"),
    field<&PodDisruptionBudget::max_unavailable>("maxUnavailable"),
    field<&PodDisruptionBudget::unhealthy_pod_eviction_policy>("unhealthyPodEvictionPolicy"));
constexpr auto kBudgetStatus = table(field<&PodDisruptionBudget::conditions>("conditions"));
constexpr auto kBudget = table(field<&PodDisruptionBudget::meta>("metadata"), group<kBudgetSpec>("spec"),
                               group<kBudgetStatus>("status"));

// core/v1 Service
constexpr auto kServicePort = table(field<&ServicePort::name>("name"), int32<&ServicePort::port>("port"),
                                    field<&ServicePort::target_port>("targetPort"), field<&ServicePort::protocol>("protocol"));
constexpr auto kServiceSpec =
    table(field<&Service::selector>("selector"), field<&Service::ports>("ports"), field<&Service::type>("type"),
          field<&Service::publish_not_ready_addresses>("publishNotReadyAddresses"));
constexpr auto kService = table(field<&Service::meta>("metadata"), group<kServiceSpec>("spec"));

// autoscaling/v2 (minReplicas) and keda.sh/v1alpha1 (minReplicaCount)
void set_target_version(Autoscaler& autoscaler, std::string_view api_version) {
  autoscaler.target.group = group_of(api_version);
}
void set_target_kind(Autoscaler& autoscaler, std::string_view kind) { autoscaler.target.kind = kind; }
constexpr auto kScaleTarget =
    table(text<Autoscaler, &set_target_version>("apiVersion"), text<Autoscaler, &set_target_kind>("kind"),
          field<&Autoscaler::target_name>("name"));
constexpr auto kAutoscalerSpec = table(
    group<kScaleTarget>("scaleTargetRef"), int32<&Autoscaler::min_replicas>("minReplicas"),
    int32<&Autoscaler::max_replicas>("maxReplicas"), int32<&Autoscaler::min_replicas>("minReplicaCount"),
    int32<&Autoscaler::max_replicas>("maxReplicaCount"));
constexpr auto kAutoscaler = table(field<&Autoscaler::meta>("metadata"), group<kAutoscalerSpec>("spec"));

// batch/v1: a Job has its pod template at spec.template, a CronJob at spec.jobTemplate.spec.template.
constexpr auto kJobPodMeta = table(field<&JobTemplate::pod_labels>("labels"));
constexpr auto kJobPod = table(group<kJobPodMeta>("metadata"));
constexpr auto kJobSpec = table(group<kJobPod>("template"));
constexpr auto kCronJobTemplate = table(group<kJobSpec>("spec"));
constexpr auto kJobOrCronJobSpec = table(group<kJobPod>("template"), group<kCronJobTemplate>("jobTemplate"));
constexpr auto kJob = table(field<&JobTemplate::meta>("metadata"), group<kJobOrCronJobSpec>("spec"));

constexpr auto kNamespace = table(field<&Namespace::meta>("metadata"));
constexpr auto kPartial = table(field<&PartialObject::meta>("metadata"));

// coordination.k8s.io/v1
constexpr auto kLeaseSpec = table(
    field<&Lease::holder_identity>("holderIdentity"), field<&Lease::lease_duration_seconds>("leaseDurationSeconds"),
    field<&Lease::acquire_time>("acquireTime"), field<&Lease::renew_time>("renewTime"),
    field<&Lease::lease_transitions>("leaseTransitions"));
constexpr auto kLease = table(field<&Lease::meta>("metadata"), group<kLeaseSpec>("spec"));

}  // namespace

template <> const Shape& shape_of<OwnerReference>() { return object_shape<kOwner>(); }
template <> const Shape& shape_of<ObjectMeta>() { return object_shape<kMeta>(); }
template <> const Shape& shape_of<SelectorRequirement>() { return object_shape<kRequirement>(); }
template <> const Shape& shape_of<LabelSelector>() { return object_shape<kSelector>(); }
template <> const Shape& shape_of<ExecAction>() { return object_shape<kExec>(); }
template <> const Shape& shape_of<HttpGetAction>() { return object_shape<kHttpGet>(); }
template <> const Shape& shape_of<TcpSocketAction>() { return object_shape<kTcpSocket>(); }
template <> const Shape& shape_of<GrpcAction>() { return object_shape<kGrpc>(); }
template <> const Shape& shape_of<SleepAction>() { return object_shape<kSleep>(); }
template <> const Shape& shape_of<Handler>() { return object_shape<kHook>(); }
template <> const Shape& shape_of<Probe>() { return object_shape<kProbe>(); }
template <> const Shape& shape_of<EnvVar>() { return object_shape<kEnv>(); }
template <> const Shape& shape_of<ContainerPort>() { return object_shape<kPort>(); }
template <> const Shape& shape_of<Container>() { return object_shape<kContainer>(); }
template <> const Shape& shape_of<PodSpec>() { return object_shape<kPodSpec, true>(); }
template <> const Shape& shape_of<PodTemplate>() { return object_shape<kPodTemplate>(); }
template <> const Shape& shape_of<Pod>() { return object_shape<kPod>(); }
template <> const Shape& shape_of<Workload>() { return object_shape<kWorkload>(); }
template <> const Shape& shape_of<Condition>() { return object_shape<kCondition>(); }
template <> const Shape& shape_of<PodDisruptionBudget>() { return object_shape<kBudget>(); }
template <> const Shape& shape_of<ServicePort>() { return object_shape<kServicePort>(); }
template <> const Shape& shape_of<Service>() { return object_shape<kService>(); }
template <> const Shape& shape_of<Autoscaler>() { return object_shape<kAutoscaler>(); }
template <> const Shape& shape_of<JobTemplate>() { return object_shape<kJob>(); }
template <> const Shape& shape_of<Namespace>() { return object_shape<kNamespace>(); }
template <> const Shape& shape_of<PartialObject>() { return object_shape<kPartial>(); }
template <> const Shape& shape_of<Lease>() { return object_shape<kLease>(); }

// The scale target of a ScaledObject is a Deployment unless it says otherwise (keda.sh/v1alpha1 ScaleTarget).
template <>
void complete(Autoscaler& autoscaler) {
  if (autoscaler.kind.kind != "ScaledObject" || !autoscaler.target.kind.empty()) return;
  autoscaler.target = {"apps", "Deployment"};
}

// Only a Rollout knows the field (argoproj.io/v1alpha1 RolloutSpec); anywhere else it means nothing.
template <>
void complete(Workload& workload) {
  if (workload.kind != GroupKind{"argoproj.io", "Rollout"}) workload.template_elsewhere = false;
}

}  // namespace shutdown_auditor::objects
