#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "objects/pod.h"
#include "objects/selector.h"

namespace shutdown_auditor::objects {

// Anything that makes pods from a template and has replicas: apps/v1 Deployment, StatefulSet, DaemonSet, ReplicaSet,
// argoproj.io Rollout. Fields a kind does not have stay absent.
struct Workload {
  GroupKind kind;
  ObjectMeta meta;
  std::optional<std::int64_t> replicas;
  std::optional<LabelSelector> selector;
  PodTemplate pod_template;
  std::string strategy_type;                  // RollingUpdate, Recreate, OnDelete; empty when absent
  std::optional<IntOrString> max_unavailable;  // of the rolling update
  std::optional<IntOrString> max_surge;
  std::int64_t min_ready_seconds = 0;
  std::string pod_management_policy;          // StatefulSet: OrderedReady, Parallel
  // Rollout with spec.workloadRef: its pods come from the template of the workload it names, it has none of its own.
  bool template_elsewhere = false;
  friend bool operator==(const Workload&, const Workload&) = default;
};

// metav1.Condition, the parts read.
struct Condition {
  std::string type;
  std::string status;
  std::string reason;
  std::string message;
  friend bool operator==(const Condition&, const Condition&) = default;
};

// policy/v1 PodDisruptionBudget.
struct PodDisruptionBudget {
  ObjectMeta meta;
  std::optional<LabelSelector> selector;
  std::optional<IntOrString> min_available;
  std::optional<IntOrString> max_unavailable;
  std::optional<std::string> unhealthy_pod_eviction_policy;  // absent: IfHealthyBudget
  std::vector<Condition> conditions;
  friend bool operator==(const PodDisruptionBudget&, const PodDisruptionBudget&) = default;
};

struct ServicePort {
  std::string name;
  std::int64_t port = 0;
  std::optional<IntOrString> target_port;  // absent: same as `port`
  std::string protocol;
  friend bool operator==(const ServicePort&, const ServicePort&) = default;
};

// core/v1 Service.
struct Service {
  ObjectMeta meta;
  StringMap selector;
  std::vector<ServicePort> ports;
  std::string type;
  bool publish_not_ready_addresses = false;
  friend bool operator==(const Service&, const Service&) = default;
};

// autoscaling/v2 HorizontalPodAutoscaler or keda.sh ScaledObject: which workload it scales and between what.
struct Autoscaler {
  GroupKind kind;
  ObjectMeta meta;
  GroupKind target;
  std::string target_name;
  std::optional<std::int64_t> min_replicas;  // absent: 1 (HPA), 0 (ScaledObject)
  std::optional<std::int64_t> max_replicas;
  friend bool operator==(const Autoscaler&, const Autoscaler&) = default;
};

// batch/v1 Job and CronJob: only the labels that a PodDisruptionBudget may select.
struct JobTemplate {
  GroupKind kind;
  ObjectMeta meta;
  StringMap pod_labels;
  friend bool operator==(const JobTemplate&, const JobTemplate&) = default;
};

// core/v1 Namespace.
struct Namespace {
  ObjectMeta meta;
  friend bool operator==(const Namespace&, const Namespace&) = default;
};

// A Pod, as far as files hold bare ones.
struct Pod {
  ObjectMeta meta;
  PodSpec spec;
  friend bool operator==(const Pod&, const Pod&) = default;
};

}  // namespace shutdown_auditor::objects
