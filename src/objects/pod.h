#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "objects/box.h"
#include "objects/meta.h"

namespace shutdown_auditor::objects {

// What a probe or lifecycle hook does. The API allows exactly one per handler; a file may hold none or several, so each
// is optional here (Box: as std::optional, small while absent).
struct ExecAction {
  std::vector<std::string> command;
  friend bool operator==(const ExecAction&, const ExecAction&) = default;
};
struct HttpGetAction {
  std::string path; std::string host; std::string scheme; IntOrString port;
  friend bool operator==(const HttpGetAction&, const HttpGetAction&) = default;
};
struct TcpSocketAction {
  std::string host; IntOrString port;
  friend bool operator==(const TcpSocketAction&, const TcpSocketAction&) = default;
};
struct GrpcAction {
  std::int64_t port = 0; std::string service;
  friend bool operator==(const GrpcAction&, const GrpcAction&) = default;
};
// KEP-3960
struct SleepAction {
  std::int64_t seconds = 0;
  friend bool operator==(const SleepAction&, const SleepAction&) = default;
};
struct Handler {
  Box<ExecAction> exec;
  Box<HttpGetAction> http_get;
  Box<TcpSocketAction> tcp_socket;
  Box<GrpcAction> grpc;    // probes only
  Box<SleepAction> sleep;  // hooks only
  friend bool operator==(const Handler&, const Handler&) = default;
};

// core/v1 Probe; absent numbers stay absent (the API server's defaults are the reader's business: 0, 1, 10, 1, 3).
struct Probe {
  Handler handler;
  std::optional<std::int64_t> initial_delay_seconds;
  std::optional<std::int64_t> timeout_seconds;
  std::optional<std::int64_t> period_seconds;
  std::optional<std::int64_t> success_threshold;
  std::optional<std::int64_t> failure_threshold;
  std::optional<std::int64_t> termination_grace_period_seconds;
  friend bool operator==(const Probe&, const Probe&) = default;
};

struct EnvVar {
  std::string name;
  std::optional<std::string> value;  // absent with valueFrom
  bool from_source = false;          // valueFrom: a ConfigMap, Secret or field that is never read
  friend bool operator==(const EnvVar&, const EnvVar&) = default;
};

struct ContainerPort {
  std::string name;
  std::int64_t container_port = 0;
  std::string protocol;  // empty: TCP
  bool host_port = false;  // hostPort is written: one such pod a node
  friend bool operator==(const ContainerPort&, const ContainerPort&) = default;
};

struct Container {
  std::string name;
  std::string image;
  std::vector<std::string> command;
  std::vector<std::string> args;
  std::vector<EnvVar> env;
  bool env_from = false;  // envFrom has entries: names and values unknown
  std::vector<ContainerPort> ports;
  std::optional<Handler> pre_stop;
  bool post_start = false;
  std::string stop_signal;  // lifecycle.stopSignal, KEP-4960
  std::optional<Probe> readiness_probe;
  std::optional<Probe> liveness_probe;
  std::optional<Probe> startup_probe;
  std::string restart_policy;  // "Always" on an init container makes it a native sidecar, KEP-753
  friend bool operator==(const Container&, const Container&) = default;
};

struct PodSpec {
  std::optional<std::int64_t> termination_grace_period_seconds;
  std::vector<Container> containers;
  std::vector<Container> init_containers;
  std::string restart_policy;
  std::string os_name;                    // spec.os.name
  bool share_process_namespace = false;
  bool host_network = false;
  bool mounts_persistent_volume_claim = false;
  friend bool operator==(const PodSpec&, const PodSpec&) = default;
};

struct PodTemplate {
  ObjectMeta meta;
  PodSpec spec;
  friend bool operator==(const PodTemplate&, const PodTemplate&) = default;
};

}  // namespace shutdown_auditor::objects
