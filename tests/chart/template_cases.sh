# Sourced by render_test.sh, whose `bad`, `render` and `work` it uses.
# shellcheck shell=bash disable=SC2154,SC2016

# What the tests say about the list of rendered objects.
readonly JQ_WORDS='
  def kind($k): map(select(.kind == $k));
  def deployment: kind("Deployment")[0];
  def pod: deployment.spec.template;
  def container: pod.spec.containers[0];
  def args: container.args;
  def flag($name): [args[] | select(startswith("--\($name)=")) | sub("^--[a-z-]+="; "")];
  def grants($group; $resource): [kind("ClusterRole", "Role")[]
    | .metadata.labels["rbac.authorization.k8s.io/aggregate-to-view"] as $view
    | select($view == null) | .rules[] | select((.apiGroups | index($group)) and (.resources | index($resource)))
      | .verbs[]] | unique;
  '

holds() { # holds WHAT JQ [HELM ARGUMENTS...]: JQ is true about what the chart renders
  local what="$1" expression="$2"
  shift 2
  if ! render helm4 shutdown-auditor "$@" 2>"$work/err" | to_json >"$work/objects.json"; then
    cat "$work/err" >&2
    bad "$what: does not render"
  elif ! jq -e "$JQ_WORDS $expression" "$work/objects.json" >/dev/null 2>"$work/err"; then
    cat "$work/err" >&2
    bad "$what: $expression"
  fi
}

refused() { # refused TEXT [HELM ARGUMENTS...]: the chart does not render and says TEXT, under both Helms
  local text="$1" helm
  shift
  for helm in helm3 helm4; do
    if render "$helm" x "$@" >/dev/null 2>"$work/err"; then
      bad "$helm accepts $*"
    elif ! grep -qF -- "$text" "$work/err"; then
      cat "$work/err" >&2
      bad "$helm refuses $* without saying: $text"
    fi
  done
}

# --- names, labels, image ---
holds "default kinds" '[.[].kind] | sort == ["ClusterRole", "ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition",
  "CustomResourceDefinition", "Deployment", "NetworkPolicy", "PodDisruptionBudget", "Role", "RoleBinding", "Service",
  "ServiceAccount"]'
holds "selectors are the same fixed labels everywhere" \
  '[deployment.spec.selector.matchLabels, kind("PodDisruptionBudget")[0].spec.selector.matchLabels,
    kind("Service")[0].spec.selector,
    kind("NetworkPolicy")[0].spec.podSelector.matchLabels, pod.spec.topologySpreadConstraints[].labelSelector.matchLabels]
   | unique == [{"app.kubernetes.io/name": "shutdown-auditor", "app.kubernetes.io/instance": "shutdown-auditor"}]'
holds "pods carry the selector's labels whatever podLabels say" \
  'deployment.spec.selector.matchLabels as $s | pod.metadata.labels | contains($s)' \
  --set podLabels.app\\.kubernetes\\.io/name=other
holds "no object without the standard labels" 'all(.[]; .metadata.labels | has("app.kubernetes.io/version")
    and has("helm.sh/chart"))'
holds "common labels and annotations on every object" \
  'all(.[]; .metadata.labels.team == "a" and .metadata.annotations.owner == "b")' \
  --set commonLabels.team=a,commonAnnotations.owner=b
holds "every namespaced object names its namespace" \
  'all(.[]; (.kind | IN("ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition"))
    or .metadata.namespace == "platform")
   and kind("ClusterRoleBinding")[0].subjects[0].namespace == "platform"' --set namespaceOverride=platform
holds "a full name" 'deployment.metadata.name == "n" and pod.spec.serviceAccountName == "n"
    and flag("leader-elect-resource-name") == ["n"]' \
  --set fullnameOverride=n
holds "image: the name that image/build.sh gives it, tag is the appVersion" \
  'container.image | test("^registry.local/shutdown-auditor:[0-9.]+$")'
holds "image: a bare name" 'container.image | test("^shutdown-auditor:[0-9.]+$")' --set image.registry=
holds "image: registry, tag" 'container.image == "r.local/a/b:v1"' \
  --set image.registry=r.local,image.repository=a/b,image.tag=v1
holds "image: global registry wins" 'container.image | startswith("mirror.local/shutdown-auditor:")' \
  --set image.registry=r.local,global.imageRegistry=mirror.local
d="sha256:$(printf '0%.0s' {1..64})"
holds "image: digest" "container.image | endswith(\":v1@$d\")" --set "image.tag=v1,image.digest=$d"
holds "pull secrets as names and maps, once" 'pod.spec.imagePullSecrets == [{name: "a"}, {name: "b"}]' \
  --set 'global.imagePullSecrets={a},imagePullSecrets[0].name=b,imagePullSecrets[1]=a'

# --- CRDs ---
originals="$(for crd in crds/*.yaml; do echo ---; cat "$crd"; done | to_json | jq -c 'map({(.metadata.name): .spec}) | add')"
holds "CRDs are those of crds/, and kept" "kind(\"CustomResourceDefinition\") as \$crds
  | (\$crds | map({(.metadata.name): .spec}) | add) == $originals
  and all(\$crds[]; .metadata.annotations[\"helm.sh/resource-policy\"] == \"keep\")"
holds "CRDs not kept" 'all(kind("CustomResourceDefinition")[]; .metadata | has("annotations") | not)' --set crds.keep=false
holds "CRDs not installed" 'kind("CustomResourceDefinition") == []' --set crds.install=false

# --- the pod ---
holds "restricted, read-only, no token but its own" \
  'pod.spec.securityContext == {runAsNonRoot: true, seccompProfile: {type: "RuntimeDefault"}}
   and container.securityContext == {runAsUser: 65532, runAsGroup: 65532, allowPrivilegeEscalation: false,
     readOnlyRootFilesystem: true, capabilities: {drop: ["ALL"]}}
   and kind("ServiceAccount")[0].automountServiceAccountToken == false and pod.spec.automountServiceAccountToken == true'
holds "the user can be left to OpenShift" 'container.securityContext | has("runAsUser") or has("runAsGroup") | not' \
  --set securityContext.runAsUser=null,securityContext.runAsGroup=null
holds "probes: different pages, the port by name" \
  'container | .livenessProbe.httpGet == {path: "/livez", port: "health"}
    and .readinessProbe.httpGet == {path: "/readyz", port: "health"}'
holds "two pods, one may be away, spread" \
  'deployment.spec.replicas == 2 and kind("PodDisruptionBudget")[0].spec.maxUnavailable == 1
   and [pod.spec.topologySpreadConstraints[] | .topologyKey + " " + .whenUnsatisfiable]
     == ["kubernetes.io/hostname ScheduleAnyway", "topology.kubernetes.io/zone ScheduleAnyway"]'
holds "a spread with its own selector is left alone" \
  'pod.spec.topologySpreadConstraints == [{maxSkew: 1, topologyKey: "z", labelSelector: {}}]' \
  --set-json 'topologySpreadConstraints=[{"maxSkew":1,"topologyKey":"z","labelSelector":{}}]'
holds "grace period and declared numbers" \
  'pod.spec.terminationGracePeriodSeconds == 30 and flag("shutdown-timeout") == ["25s"]
   and (pod.metadata.annotations | .["shutdownaudit.dev/max-request-seconds"] == "12.5"
     and .["shutdownaudit.dev/cleanup-seconds"] == "12.5"
     and .["shutdownaudit.dev/buffer-seconds"] == "5")'
holds "another shutdown timeout" \
  'flag("shutdown-timeout") == ["60s"] and pod.metadata.annotations["shutdownaudit.dev/max-request-seconds"] == "30"' \
  --set shutdownTimeoutSeconds=60,terminationGracePeriodSeconds=65
holds "minAvailable instead" \
  'kind("PodDisruptionBudget")[0].spec | .minAvailable == "50%" and (has("maxUnavailable") | not)' \
  --set podDisruptionBudget.maxUnavailable=null,podDisruptionBudget.minAvailable=50%
holds "extra flags win over the chart's, and come once" 'flag("events") == ["None"]
    and flag("max-concurrent-reconciles") == ["8"]' \
  --set extraArgs.events=None,extraArgs.max-concurrent-reconciles=8
holds "objects from maps and texts, with templates" \
  '[kind("ConfigMap")[].metadata.name] | sort == ["shutdown-auditor-from-text", "shutdown-auditor-x"]' \
  --set-json 'extraObjects=[{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "{{ .Release.Name }}-x"}},
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}-from-text}"]'

# --- rights ---
holds "nothing of Secrets, ConfigMaps, Pods; no stars" \
  'all(kind("ClusterRole")[], kind("Role")[]; all(.rules[]; (.apiGroups + .resources + .verbs | index("*") | not)
     and (.resources | any(IN("secrets", "configmaps", "pods", "persistentvolumeclaims")) | not)))'
holds "leases: in the own namespace only, one by name" \
  'kind("Role") | length == 1 and .[0].metadata.namespace == "shutdown-auditor"
   and .[0].rules == [{apiGroups: ["coordination.k8s.io"], resources: ["leases"], verbs: ["create"]},
     {apiGroups: ["coordination.k8s.io"], resources: ["leases"], resourceNames: ["shutdown-auditor"],
       verbs: ["get", "update"]}]'
holds "readers get audits through view, edit and admin" \
  'kind("ClusterRole") | map(select(.metadata.labels["rbac.authorization.k8s.io/aggregate-to-view"] == "true")) | length == 1
   and .[0].rules[0].verbs == ["get", "list", "watch"]'
holds "without leader election no lease" 'kind("Role") == [] and flag("leader-elect") == ["false"]' \
  --set leaderElection.enabled=false,replicaCount=1
holds "no roles" '[.[].kind | select(test("Role"))] == []' --set rbac.create=false
holds "an existing account" 'kind("ServiceAccount") == [] and pod.spec.serviceAccountName == "mine"' \
  --set serviceAccount.create=false,serviceAccount.name=mine

# --- namespaced ---
holds "two namespaces: Roles only" \
  '[.[].kind | select(test("^Cluster"))] == [] and ([kind("Role")[].metadata.namespace]
    | sort == ["billing", "shop", "shutdown-auditor"])
   and ([kind("RoleBinding")[] | .subjects[0].namespace] | unique == ["shutdown-auditor"])
   and all(kind("Role")[]; all(.rules[]; .resources | any(IN("namespaces", "shutdownpolicies")) | not))
   and flag("namespaces") == ["shop,billing"] and flag("policy-name") == []' --set 'watch.namespaces={shop,billing}'
holds "the policy from a file, and a new pod when it changes" \
  '(kind("ConfigMap")[0].data["policy.yaml"] | contains("kind: ShutdownPolicy") and contains("cleanupSeconds: 7"))
   and flag("policy") == ["/etc/shutdown-auditor/policy.yaml"] and container.volumeMounts[0].readOnly
   and pod.spec.volumes[0].configMap.name == kind("ConfigMap")[0].metadata.name and (pod.metadata.annotations
     | has("checksum/policy"))
   and grants("shutdownaudit.dev"; "shutdownpolicies") == []' --set policy.spec.defaults.cleanupSeconds=7

# --- monitoring ---
holds "monitors are off" '[.[].kind | select(test("Monitor|PrometheusRule"))] == []'
holds "a ServiceMonitor that selects the metrics Service, and keeps the workloads' namespace" \
  'kind("ServiceMonitor")[0].spec.selector.matchLabels as $s | (kind("Service")[0].metadata.labels | contains($s))
   and kind("ServiceMonitor")[0].spec.endpoints == [{port: "metrics", path: "/metrics", honorLabels: true}]' \
  --set metrics.serviceMonitor.enabled=true
holds "a PodMonitor elsewhere" 'kind("PodMonitor")[0] | .metadata.namespace == "m"
    and .spec.namespaceSelector.matchNames == ["shutdown-auditor"]' \
  --set metrics.podMonitor.enabled=true,metrics.podMonitor.namespace=m
holds "alerts: disabled ones are gone, links and labels on the others" \
  'kind("PrometheusRule")[0].spec.groups[0].rules | length == 4 and all(.[]; .labels.team == "a"
     and (.annotations.runbook_url | startswith("https://runbooks.local/x#shutdownauditor")))' \
  --set metrics.prometheusRule.enabled=true,metrics.prometheusRule.alertLabels.team=a \
  --set metrics.prometheusRule.runbookUrl=https://runbooks.local/x \
  --set metrics.prometheusRule.disabled.ShutdownAuditorDown=true,leaderElection.enabled=false,replicaCount=1
holds "the dashboard is valid JSON under the sidecar's label" \
  'kind("ConfigMap")[0] | .metadata.labels.grafana_dashboard == "1" and (.data["shutdown-auditor.json"] | fromjson
    | .panels | length > 5)' \
  --set metrics.dashboard.enabled=true
holds "without metrics: no port, no Service" \
  'kind("Service") == [] and [container.ports[].name] == ["health"] and flag("metrics-bind-address") == ["0"]
   and [kind("NetworkPolicy")[0].spec.ingress[].ports[].port] == ["health"]' --set metrics.enabled=false
holds "no NetworkPolicy" 'kind("NetworkPolicy") == []' --set networkPolicy.enabled=false
holds "who may scrape" 'kind("NetworkPolicy")[0].spec.ingress[1].from == [{podSelector: {}}]' \
  --set-json 'networkPolicy.metricsFrom=[{"podSelector":{}}]'

# --- refused: typos by the schema, contradictions by the chart ---
for typo in replicas=2 image.repositry=a leaderElection.leaseSeconds=1 watch.namespace=a log.levle=info crds.enabled=true \
  metrics.prometheusRule.disabled.Nothing=true podDisruptionBudget.max=1 policy.spec.default.cleanupSeconds=1 \
  livenessProbe.httpGet.path=/; do
  refused "$(sed 's/=.*//; s/.*\.//; s/^path$/httpGet/; s/^cleanupSeconds$/default/' <<<"$typo")" --set "$typo"
done
refused "/events" --set events=Warning
refused "/watch/kinds" --set 'watch.kinds={ReplicaSet}'
refused "/replicaCount" --set-string replicaCount=2
refused "/image/digest" --set image.digest=0123
refused "/image/tag" --set image.tag=1
refused "/metrics/port" --set metrics.port=70000
refused "scraped twice" --set metrics.serviceMonitor.enabled=true,metrics.podMonitor.enabled=true
refused "nothing to scrape" --set metrics.podMonitor.enabled=true,metrics.enabled=false
refused "needs metrics.service" --set metrics.serviceMonitor.enabled=true,metrics.service.enabled=false
refused "every pod would write" --set leaderElection.enabled=false
refused "must be above renewDeadlineSeconds" --set leaderElection.renewDeadlineSeconds=15
refused "needs one of" --set podDisruptionBudget.minAvailable=1
refused "blocks every node drain" --set podDisruptionBudget.maxUnavailable=null,podDisruptionBudget.minAvailable=2
refused "the pod needs 30" --set terminationGracePeriodSeconds=29
refused "preStop 5 + shutdownTimeoutSeconds 25 + buffer 5" --set lifecycle.preStop.sleep.seconds=5
refused "incompatible with Kubernetes" --kube-version 1.30.9
