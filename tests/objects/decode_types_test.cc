#include <gmock/gmock.h>

#include <string>

#include "objects/decode.h"
#include "objects/kubeconfig.h"
#include "objects/status.h"

// Every field table once, with all its fields.
namespace shutdown_auditor::objects {
namespace {

using testing::ElementsAre;
using testing::Pair;

template <class T>
T decoded(std::string_view json) {
  base::Result<T> object = decode_json<T>(json);
  EXPECT_TRUE(object) << object.error().message;
  return object ? std::move(*object) : T();
}

constexpr std::string_view kDeployment = R"({
  "apiVersion": "apps/v1", "kind": "Deployment",
  "metadata": {
    "name": "web", "namespace": "shop", "uid": "u-1", "resourceVersion": "77", "generation": 4,
    "creationTimestamp": "2026-01-02T03:04:05Z", "deletionTimestamp": "2026-01-03T03:04:05Z",
    "labels": {"b": "2", "a": "1"}, "annotations": {"n": "v"}, "finalizers": ["x"],
    "ownerReferences": [{"apiVersion": "v1", "kind": "Owner", "name": "o", "uid": "u-0", "controller": true,
                         "blockOwnerDeletion": true}]
  },
  "spec": {
    "replicas": 3, "minReadySeconds": 7, "paused": true, "progressDeadlineSeconds": 600, "revisionHistoryLimit": 2,
    "selector": {"matchLabels": {"app": "web"},
                 "matchExpressions": [{"key": "tier", "operator": "In", "values": ["x", "y"]}]},
    "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": 1}},
    "template": {
      "metadata": {"labels": {"app": "web"}, "annotations": {"t": "1"}},
      "spec": {
        "terminationGracePeriodSeconds": 60, "restartPolicy": "Always", "os": {"name": "linux"},
        "shareProcessNamespace": true, "hostNetwork": true, "dnsPolicy": "ClusterFirst", "affinity": {"a": [1]},
        "volumes": [{"name": "t", "emptyDir": {}}, {"name": "d", "persistentVolumeClaim": {"claimName": "c"}}],
        "initContainers": [{"name": "proxy", "restartPolicy": "Always"}],
        "containers": [{
          "name": "app", "image": "example.com/app:1", "command": ["/app"], "args": ["-v", "1"],
          "env": [{"name": "A", "value": "b"}, {"name": "S", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}},
                  {"name": "E"}],
          "envFrom": [{"configMapRef": {"name": "c"}}],
          "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}],
          "lifecycle": {
            "preStop": {"exec": {"command": ["sh", "-c", "sleep 5"]}, "httpGet": {"path": "/drain", "host": "h",
                        "scheme": "HTTPS", "port": "http"}, "tcpSocket": {"host": "t", "port": 9},
                        "sleep": {"seconds": 5}},
            "postStart": {"exec": {"command": ["x"]}}, "stopSignal": "SIGQUIT"},
          "readinessProbe": {"httpGet": {"path": "/ready", "port": 8080, "httpHeaders": [{"name": "a", "value": "b"}]},
                             "initialDelaySeconds": 1, "timeoutSeconds": 2, "periodSeconds": 3, "successThreshold": 4,
                             "failureThreshold": 5, "terminationGracePeriodSeconds": 6},
          "livenessProbe": {"grpc": {"port": 50051, "service": "s"}},
          "startupProbe": {"tcpSocket": {"port": "http"}},
          "resources": {"limits": {"cpu": 1}}, "securityContext": {"runAsUser": 0}
        }]
      }
    }
  },
  "status": {"replicas": 3, "conditions": [{"type": "Available"}]}
})";

TEST(DecodeTypesTest, DeploymentWithEveryField) {
  const auto web = decoded<Workload>(kDeployment);
  EXPECT_EQ(web.kind, (GroupKind{"apps", "Deployment"}));
  EXPECT_EQ(web.meta.name, "web");
  EXPECT_EQ(web.meta.namespace_, "shop");
  EXPECT_EQ(web.meta.uid, "u-1");
  EXPECT_EQ(web.meta.resource_version, "77");
  EXPECT_EQ(web.meta.generation, 4);
  EXPECT_TRUE(web.meta.deleting);
  EXPECT_EQ(web.meta.creation_timestamp, "2026-01-02T03:04:05Z");
  EXPECT_THAT(web.meta.labels, ElementsAre(Pair("a", "1"), Pair("b", "2")));
  EXPECT_THAT(web.meta.annotations, ElementsAre(Pair("n", "v")));
  ASSERT_EQ(web.meta.owners.size(), 1U);
  EXPECT_EQ(web.meta.owners[0].api_version, "v1");
  EXPECT_EQ(web.meta.owners[0].name, "o");
  EXPECT_EQ(web.meta.owners[0].uid, "u-0");
  ASSERT_NE(web.meta.controller(), nullptr);
  EXPECT_EQ(web.meta.controller()->kind, "Owner");
  EXPECT_EQ(web.replicas, 3);
  EXPECT_EQ(web.min_ready_seconds, 7);
  ASSERT_TRUE(web.selector.has_value());
  EXPECT_THAT(web.selector->match_labels, ElementsAre(Pair("app", "web")));
  ASSERT_EQ(web.selector->match_expressions.size(), 1U);
  EXPECT_EQ(web.selector->match_expressions[0].key, "tier");
  EXPECT_EQ(web.selector->match_expressions[0].op, "In");
  EXPECT_THAT(web.selector->match_expressions[0].values, ElementsAre("x", "y"));
  EXPECT_EQ(web.strategy_type, "RollingUpdate");
  EXPECT_EQ(web.max_unavailable, (IntOrString{true, 0, "25%"}));
  EXPECT_EQ(web.max_surge, (IntOrString{false, 1, ""}));

  const PodSpec& pod = web.pod_template.spec;
  EXPECT_THAT(web.pod_template.meta.labels, ElementsAre(Pair("app", "web")));
  EXPECT_THAT(web.pod_template.meta.annotations, ElementsAre(Pair("t", "1")));
  EXPECT_EQ(pod.termination_grace_period_seconds, 60);
  EXPECT_EQ(pod.restart_policy, "Always");
  EXPECT_EQ(pod.os_name, "linux");
  EXPECT_TRUE(pod.share_process_namespace);
  EXPECT_TRUE(pod.host_network);
  EXPECT_TRUE(pod.mounts_persistent_volume_claim);
  ASSERT_EQ(pod.init_containers.size(), 1U);
  EXPECT_EQ(pod.init_containers[0].name, "proxy");
  EXPECT_EQ(pod.init_containers[0].restart_policy, "Always");

  ASSERT_EQ(pod.containers.size(), 1U);
  const Container& app = pod.containers[0];
  EXPECT_EQ(app.name, "app");
  EXPECT_EQ(app.image, "example.com/app:1");
  EXPECT_THAT(app.command, ElementsAre("/app"));
  EXPECT_THAT(app.args, ElementsAre("-v", "1"));
  ASSERT_EQ(app.env.size(), 3U);
  EXPECT_EQ(app.env[0].value, "b");
  EXPECT_FALSE(app.env[0].from_source);
  EXPECT_FALSE(app.env[1].value.has_value());
  EXPECT_TRUE(app.env[1].from_source);
  EXPECT_FALSE(app.env[2].value.has_value());
  EXPECT_TRUE(app.env_from);
  ASSERT_EQ(app.ports.size(), 1U);
  EXPECT_EQ(app.ports[0].name, "http");
  EXPECT_EQ(app.ports[0].container_port, 8080);
  EXPECT_EQ(app.ports[0].protocol, "TCP");
  ASSERT_TRUE(app.pre_stop.has_value());
  EXPECT_THAT(app.pre_stop->exec->command, ElementsAre("sh", "-c", "sleep 5"));
  EXPECT_EQ(app.pre_stop->http_get->path, "/drain");
  EXPECT_EQ(app.pre_stop->http_get->host, "h");
  EXPECT_EQ(app.pre_stop->http_get->scheme, "HTTPS");
  EXPECT_EQ(app.pre_stop->http_get->port, (IntOrString{true, 0, "http"}));
  EXPECT_EQ(app.pre_stop->tcp_socket->host, "t");
  EXPECT_EQ(app.pre_stop->tcp_socket->port, (IntOrString{false, 9, ""}));
  EXPECT_EQ(app.pre_stop->sleep->seconds, 5);
  EXPECT_FALSE(app.pre_stop->grpc.has_value());
  EXPECT_TRUE(app.post_start);
  EXPECT_EQ(app.stop_signal, "SIGQUIT");
  ASSERT_TRUE(app.readiness_probe.has_value());
  const Probe& ready = *app.readiness_probe;
  EXPECT_EQ(ready.handler.http_get->path, "/ready");
  EXPECT_EQ(ready.initial_delay_seconds, 1);
  EXPECT_EQ(ready.timeout_seconds, 2);
  EXPECT_EQ(ready.period_seconds, 3);
  EXPECT_EQ(ready.success_threshold, 4);
  EXPECT_EQ(ready.failure_threshold, 5);
  EXPECT_EQ(ready.termination_grace_period_seconds, 6);
  EXPECT_EQ(app.liveness_probe->handler.grpc->port, 50051);
  EXPECT_EQ(app.liveness_probe->handler.grpc->service, "s");
  EXPECT_FALSE(app.liveness_probe->period_seconds.has_value());
  EXPECT_EQ(app.startup_probe->handler.tcp_socket->port.text, "http");
}

TEST(DecodeTypesTest, CopiesAreDeep) {
  const auto web = decoded<Workload>(kDeployment);
  Workload copy = web;
  EXPECT_EQ(copy, web);
  copy.pod_template.spec.containers[0].pre_stop->sleep->seconds = 9;
  copy.pod_template.spec.containers[0].pre_stop->exec.reset();
  EXPECT_FALSE(copy == web);
  EXPECT_EQ(web.pod_template.spec.containers[0].pre_stop->sleep->seconds, 5);
  EXPECT_TRUE(web.pod_template.spec.containers[0].pre_stop->exec.has_value());
}

TEST(DecodeTypesTest, AbsurdNumbersAreKeptAsTheyAre) {
  for (const std::int64_t grace : {std::int64_t{INT64_MAX}, std::int64_t{-5}}) {
    const auto pod = decoded<Pod>(R"({"kind":"Pod","apiVersion":"v1","metadata":{"name":"p"},"spec":)"
                                  R"({"terminationGracePeriodSeconds":)" + std::to_string(grace) + "}}");
    EXPECT_EQ(pod.meta.name, "p");
    EXPECT_EQ(pod.spec.termination_grace_period_seconds, grace);
  }
}

TEST(DecodeTypesTest, AHundredContainers) {
  std::string json = R"({"spec":{"template":{"spec":{"containers":[)";
  for (int i = 0; i < 100; ++i) {
    json += (i == 0 ? "" : ",") + std::string(R"({"name":"c)") + std::to_string(i) + R"(","command":["a","b"]})";
  }
  json += "]}}}}";
  const auto workload = decoded<Workload>(json);
  ASSERT_EQ(workload.pod_template.spec.containers.size(), 100U);
  EXPECT_EQ(workload.pod_template.spec.containers[99].name, "c99");
  EXPECT_EQ(workload.pod_template.spec.containers[42].command.size(), 2U);
}

TEST(DecodeTypesTest, OtherWorkloads) {
  const auto set = decoded<Workload>(
      R"({"apiVersion":"apps/v1","kind":"StatefulSet","spec":{"podManagementPolicy":"Parallel","serviceName":"s",)"
      R"("updateStrategy":{"type":"OnDelete","rollingUpdate":{"partition":1,"maxUnavailable":2}}}})");
  EXPECT_EQ(set.kind.kind, "StatefulSet");
  EXPECT_EQ(set.pod_management_policy, "Parallel");
  EXPECT_EQ(set.strategy_type, "OnDelete");
  EXPECT_EQ(set.max_unavailable->number, 2);
  EXPECT_FALSE(set.replicas.has_value());

  const auto rollout = decoded<Workload>(
      R"({"apiVersion":"argoproj.io/v1alpha1","kind":"Rollout","spec":{"strategy":{"canary":{"maxUnavailable":0,)"
      R"("maxSurge":"50%","steps":[{"setWeight":20}]}}}})");
  EXPECT_EQ(rollout.kind, (GroupKind{"argoproj.io", "Rollout"}));
  EXPECT_EQ(rollout.max_surge->text, "50%");
  EXPECT_EQ(rollout.max_unavailable->number, 0);
  EXPECT_FALSE(rollout.template_elsewhere);
}

TEST(DecodeTypesTest, OnlyARolloutCanHaveItsTemplateElsewhere) {
  const std::string spec = R"("spec":{"workloadRef":{"apiVersion":"apps/v1","kind":"Deployment","name":"web"}}})";
  EXPECT_TRUE(decoded<Workload>(R"({"apiVersion":"argoproj.io/v1alpha1","kind":"Rollout",)" + spec).template_elsewhere);
  EXPECT_FALSE(decoded<Workload>(R"({"apiVersion":"apps/v1","kind":"Deployment",)" + spec).template_elsewhere);
  EXPECT_FALSE(decoded<Workload>(R"({"apiVersion":"argoproj.io/v1alpha1","kind":"Rollout","spec":{"workloadRef":null}})")
                   .template_elsewhere);
}

TEST(DecodeTypesTest, PodDisruptionBudget) {
  const auto budget = decoded<PodDisruptionBudget>(
      R"({"metadata":{"name":"b"},"spec":{"selector":{},"minAvailable":2,"maxUnavailable":"10%",)"
      R"("unhealthyPodEvictionPolicy":"AlwaysAllow"},"status":{"conditions":[{"type":"DisruptionAllowed",)"
      R"("status":"False","reason":"InsufficientPods","message":"m"}],"disruptionsAllowed":0}})");
  EXPECT_EQ(budget.meta.name, "b");
  ASSERT_TRUE(budget.selector.has_value());
  EXPECT_TRUE(budget.selector->empty());
  EXPECT_EQ(budget.min_available, (IntOrString{false, 2, ""}));
  EXPECT_EQ(budget.max_unavailable, (IntOrString{true, 0, "10%"}));
  EXPECT_EQ(budget.unhealthy_pod_eviction_policy, "AlwaysAllow");
  ASSERT_EQ(budget.conditions.size(), 1U);
  EXPECT_EQ(budget.conditions[0].type, "DisruptionAllowed");
  EXPECT_EQ(budget.conditions[0].status, "False");
  EXPECT_EQ(budget.conditions[0].reason, "InsufficientPods");
  EXPECT_EQ(budget.conditions[0].message, "m");
  EXPECT_FALSE(decoded<PodDisruptionBudget>(R"({"spec":{}})").selector.has_value());
}

TEST(DecodeTypesTest, ServiceAndNamespace) {
  const auto service = decoded<Service>(
      R"({"metadata":{"name":"s"},"spec":{"type":"ClusterIP","publishNotReadyAddresses":true,"selector":{"app":"web"},)"
      R"("ports":[{"name":"http","port":80,"targetPort":"http","protocol":"TCP"},{"port":443,"targetPort":8443},{"port":1}]}})");
  EXPECT_THAT(service.selector, ElementsAre(Pair("app", "web")));
  EXPECT_EQ(service.type, "ClusterIP");
  EXPECT_TRUE(service.publish_not_ready_addresses);
  ASSERT_EQ(service.ports.size(), 3U);
  EXPECT_EQ(service.ports[0].name, "http");
  EXPECT_EQ(service.ports[0].port, 80);
  EXPECT_EQ(service.ports[0].protocol, "TCP");
  EXPECT_EQ(service.ports[0].target_port->text, "http");
  EXPECT_EQ(service.ports[1].target_port->number, 8443);
  EXPECT_FALSE(service.ports[2].target_port.has_value());
  EXPECT_EQ(decoded<Namespace>(R"({"metadata":{"name":"n"},"spec":{"finalizers":["kubernetes"]}})").meta.name, "n");
}

TEST(DecodeTypesTest, Autoscalers) {
  const auto hpa = decoded<Autoscaler>(
      R"({"apiVersion":"autoscaling/v2","kind":"HorizontalPodAutoscaler","spec":{"minReplicas":2,"maxReplicas":9,)"
      R"("scaleTargetRef":{"apiVersion":"apps/v1","kind":"Deployment","name":"web"},"metrics":[{"type":"Resource"}]}})");
  EXPECT_EQ(hpa.kind, (GroupKind{"autoscaling", "HorizontalPodAutoscaler"}));
  EXPECT_EQ(hpa.target, (GroupKind{"apps", "Deployment"}));
  EXPECT_EQ(hpa.target_name, "web");
  EXPECT_EQ(hpa.min_replicas, 2);
  EXPECT_EQ(hpa.max_replicas, 9);

  const auto scaled = decoded<Autoscaler>(
      R"({"apiVersion":"keda.sh/v1alpha1","kind":"ScaledObject","spec":{"minReplicaCount":0,"maxReplicaCount":4,)"
      R"("scaleTargetRef":{"name":"worker"}}})");
  EXPECT_EQ(scaled.target, (GroupKind{"apps", "Deployment"}));
  EXPECT_EQ(scaled.target_name, "worker");
  EXPECT_EQ(scaled.min_replicas, 0);
  EXPECT_EQ(scaled.max_replicas, 4);
}

TEST(DecodeTypesTest, JobsAndCronJobs) {
  const auto job = decoded<JobTemplate>(
      R"({"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"j"},"spec":{"template":{"metadata":{"labels":{"a":"1"}}}}})");
  EXPECT_EQ(job.kind.kind, "Job");
  EXPECT_THAT(job.pod_labels, ElementsAre(Pair("a", "1")));
  const auto cron = decoded<JobTemplate>(
      R"({"apiVersion":"batch/v1","kind":"CronJob","spec":{"jobTemplate":{"metadata":{"labels":{"no":"1"}},)"
      R"("spec":{"template":{"metadata":{"labels":{"b":"2"}}}}}}})");
  EXPECT_EQ(cron.kind.kind, "CronJob");
  EXPECT_THAT(cron.pod_labels, ElementsAre(Pair("b", "2")));
}

TEST(DecodeTypesTest, Lease) {
  const auto lease = decoded<Lease>(
      R"({"metadata":{"name":"l","resourceVersion":"5"},"spec":{"holderIdentity":"me","leaseDurationSeconds":15,)"
      R"("acquireTime":"2026-01-01T00:00:00.000000Z","renewTime":"2026-01-01T00:00:01.500000Z","leaseTransitions":3}})");
  EXPECT_EQ(lease.meta.resource_version, "5");
  EXPECT_EQ(lease.holder_identity, "me");
  EXPECT_EQ(lease.lease_duration_seconds, 15);
  EXPECT_EQ(lease.acquire_time, "2026-01-01T00:00:00.000000Z");
  EXPECT_EQ(lease.renew_time, "2026-01-01T00:00:01.500000Z");
  EXPECT_EQ(lease.lease_transitions, 3);
}

TEST(DecodeTypesTest, StatusWithDetails) {
  const auto status = decoded<Status>(
      R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"invalid","reason":"Invalid",)"
      R"("code":422,"details":{"name":"web","group":"apps","kind":"deployments","uid":"u","retryAfterSeconds":2,)"
      R"("causes":[{"reason":"FieldValueInvalid","message":"must be positive","field":"spec.replicas"},{}]}})");
  EXPECT_EQ(status.kind, "Status");
  EXPECT_EQ(status.api_version, "v1");
  EXPECT_EQ(status.status, "Failure");
  EXPECT_EQ(status.message, "invalid");
  EXPECT_EQ(status.reason, "Invalid");
  EXPECT_EQ(status.code, 422);
  EXPECT_EQ(status.details.name, "web");
  EXPECT_EQ(status.details.group, "apps");
  EXPECT_EQ(status.details.kind, "deployments");
  EXPECT_EQ(status.details.uid, "u");
  EXPECT_EQ(status.details.retry_after_seconds, 2);
  ASSERT_EQ(status.details.causes.size(), 2U);
  EXPECT_EQ(status.details.causes[0].reason, "FieldValueInvalid");
  EXPECT_EQ(status.details.causes[0].message, "must be positive");
  EXPECT_EQ(status.details.causes[0].field, "spec.replicas");
}

TEST(DecodeTypesTest, PartialObject) {
  const auto bookmark = decoded<PartialObject>(
      R"({"kind":"Deployment","apiVersion":"apps/v1","metadata":{"resourceVersion":"12","annotations":)"
      R"({"k8s.io/initial-events-end":"true"}},"spec":{"selector":null,"replicas":"whatever"}})");
  EXPECT_EQ(bookmark.api_version, "apps/v1");
  EXPECT_EQ(bookmark.kind, "Deployment");
  EXPECT_EQ(bookmark.meta.resource_version, "12");
  EXPECT_EQ(*find(bookmark.meta.annotations, "k8s.io/initial-events-end"), "true");
}

TEST(DecodeTypesTest, Kubeconfig) {
  const auto config = decoded<Kubeconfig>(R"({
    "apiVersion": "v1", "kind": "Config", "current-context": "dev", "preferences": {},
    "clusters": [{"name": "c", "cluster": {"server": "https://h", "tls-server-name": "t", "insecure-skip-tls-verify": true,
      "certificate-authority": "ca.pem", "certificate-authority-data": "Y2E=", "proxy-url": "http://p",
      "disable-compression": true}}],
    "contexts": [{"name": "dev", "context": {"cluster": "c", "user": "u", "namespace": "n"}}],
    "users": [{"name": "u", "user": {"client-certificate": "c.pem", "client-certificate-data": "Yw==",
      "client-key": "k.pem", "client-key-data": "aw==", "token": "t", "tokenFile": "f", "as": "root", "as-uid": "0",
      "as-groups": ["a", "b"], "as-user-extra": {"scope": ["x", "y"], "empty": []}, "username": "n", "password": "p",
      "auth-provider": {"name": "oidc", "config": {"id": "1"}},
      "exec": {"command": "aws", "args": ["eks"], "env": [{"name": "A", "value": "B"}], "installHint": "hint",
               "apiVersion": "client.authentication.k8s.io/v1", "provideClusterInfo": true, "interactiveMode": "Never"}}}]
  })");
  EXPECT_EQ(config.kind, "Config");
  EXPECT_EQ(config.api_version, "v1");
  EXPECT_EQ(config.current_context, "dev");
  ASSERT_EQ(config.clusters.size(), 1U);
  const KubeconfigCluster& cluster = config.clusters[0].value;
  EXPECT_EQ(config.clusters[0].name, "c");
  EXPECT_EQ(cluster.server, "https://h");
  EXPECT_EQ(cluster.tls_server_name, "t");
  EXPECT_TRUE(cluster.insecure_skip_tls_verify);
  EXPECT_EQ(cluster.certificate_authority, "ca.pem");
  EXPECT_EQ(cluster.certificate_authority_data, "Y2E=");
  EXPECT_EQ(cluster.proxy_url, "http://p");
  EXPECT_TRUE(cluster.disable_compression);
  ASSERT_EQ(config.contexts.size(), 1U);
  EXPECT_EQ(config.contexts[0].name, "dev");
  EXPECT_EQ(config.contexts[0].value.cluster, "c");
  EXPECT_EQ(config.contexts[0].value.user, "u");
  EXPECT_EQ(config.contexts[0].value.namespace_, "n");
  ASSERT_EQ(config.users.size(), 1U);
  const KubeconfigUser& user = config.users[0].value;
  EXPECT_EQ(config.users[0].name, "u");
  EXPECT_EQ(user.client_certificate, "c.pem");
  EXPECT_EQ(user.client_certificate_data, "Yw==");
  EXPECT_EQ(user.client_key, "k.pem");
  EXPECT_EQ(user.client_key_data, "aw==");
  EXPECT_EQ(user.token, "t");
  EXPECT_EQ(user.token_file, "f");
  EXPECT_EQ(user.as, "root");
  EXPECT_EQ(user.as_uid, "0");
  EXPECT_THAT(user.as_groups, ElementsAre("a", "b"));
  EXPECT_THAT(user.as_user_extra, ElementsAre(Pair("scope", ElementsAre("x", "y")), Pair("empty", ElementsAre())));
  EXPECT_EQ(user.username, "n");
  EXPECT_EQ(user.password, "p");
  ASSERT_TRUE(user.auth_provider.has_value());
  EXPECT_EQ(user.auth_provider->name, "oidc");
  EXPECT_THAT(user.auth_provider->config, ElementsAre(Pair("id", "1")));
  ASSERT_TRUE(user.exec.has_value());
  EXPECT_EQ(user.exec->command, "aws");
  EXPECT_THAT(user.exec->args, ElementsAre("eks"));
  EXPECT_EQ(user.exec->env[0].name, "A");
  EXPECT_EQ(user.exec->env[0].value, "B");
  EXPECT_EQ(user.exec->install_hint, "hint");
  EXPECT_EQ(user.exec->api_version, "client.authentication.k8s.io/v1");
  EXPECT_TRUE(user.exec->provide_cluster_info);
  EXPECT_EQ(user.exec->interactive_mode, "Never");
}

}  // namespace
}  // namespace shutdown_auditor::objects
