{{- define "shutdown-auditor.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "shutdown-auditor.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "shutdown-auditor.namespace" -}}
{{- default .Release.Namespace .Values.namespaceOverride -}}
{{- end -}}

{{- /* Cluster-scoped names carry the namespace, so that two releases of one name do not share them. */ -}}
{{- define "shutdown-auditor.clusterName" -}}
{{- $fullname := include "shutdown-auditor.fullname" . -}}
{{- $namespace := include "shutdown-auditor.namespace" . -}}
{{- if eq $fullname $namespace -}}{{- $fullname -}}{{- else -}}{{- printf "%s:%s" $namespace $fullname -}}{{- end -}}
{{- end -}}

{{- define "shutdown-auditor.selectorLabels" -}}
app.kubernetes.io/name: {{ include "shutdown-auditor.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "shutdown-auditor.labels" -}}
{{ include "shutdown-auditor.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- /* The metadata of an object. Takes: root, name; or none of namespace, labels, annotations, clusterScoped. */ -}}
{{- define "shutdown-auditor.metadata" -}}
{{- $root := .root -}}
name: {{ .name }}
{{- if not .clusterScoped }}
namespace: {{ default (include "shutdown-auditor.namespace" $root) .namespace }}
{{- end }}
labels:
  {{- $labels := include "shutdown-auditor.labels" $root | fromYaml }}
  {{- toYaml (merge (deepCopy (default dict .labels)) $labels) | nindent 2 }}
{{- with merge (deepCopy (default dict .annotations)) $root.Values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "shutdown-auditor.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "shutdown-auditor.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "shutdown-auditor.leaseName" -}}
{{- default (include "shutdown-auditor.fullname" .) .Values.leaderElection.leaseName -}}
{{- end -}}

{{- define "shutdown-auditor.image" -}}
{{- $registry := default .Values.image.registry .Values.global.imageRegistry -}}
{{- $name := .Values.image.repository -}}
{{- if $registry -}}{{- $name = printf "%s/%s" $registry $name -}}{{- end -}}
{{- $name = printf "%s:%s" $name (default .Chart.AppVersion .Values.image.tag) -}}
{{- with .Values.image.digest -}}{{- $name = printf "%s@%s" $name . -}}{{- end -}}
{{- $name -}}
{{- end -}}

{{- /* List of {name} from names and maps. */ -}}
{{- define "shutdown-auditor.imagePullSecrets" -}}
{{- $secrets := list -}}
{{- range concat .Values.global.imagePullSecrets .Values.imagePullSecrets -}}
{{- $name := . -}}
{{- if kindIs "map" . -}}{{- $name = .name -}}{{- end -}}
{{- $secrets = append $secrets (dict "name" $name) -}}
{{- end -}}
{{- with uniq $secrets }}{{ toYaml . }}{{- end -}}
{{- end -}}

{{- define "shutdown-auditor.policySpec" -}}
apiVersion: shutdownaudit.dev/v1alpha1
kind: ShutdownPolicy
metadata:
  name: {{ .Values.policy.name }}
spec:
  {{- toYaml .Values.policy.spec | nindent 2 }}
{{- end -}}

{{- /* The flags, each a string of the list. Dictionaries range in the order of their keys, so the list is always the same. */ -}}
{{- define "shutdown-auditor.args" -}}
{{- $v := .Values -}}
{{- $flags := dict
  "events" $v.events
  "bulk-writes-per-second" $v.bulkWritesPerSecond
  "sync-period" (printf "%ds" (int64 $v.resyncPeriodSeconds))
  "kube-api-qps" $v.kubeApi.qps
  "kube-api-burst" $v.kubeApi.burst
  "log-level" $v.log.level
  "log-format" $v.log.format
  "shutdown-timeout" (printf "%ds" (int64 $v.shutdownTimeoutSeconds))
  "health-probe-bind-address" (printf ":%d" (int64 $v.health.port))
  "metrics-bind-address" (ternary (printf ":%d" (int64 $v.metrics.port)) "0" $v.metrics.enabled)
  "metrics-by-namespace" $v.metrics.byNamespace
  "metrics-per-workload" $v.metrics.perWorkloadSeries
  "leader-elect" $v.leaderElection.enabled -}}
{{- if $v.leaderElection.enabled -}}
{{- $_ := set $flags "leader-elect-resource-name" (include "shutdown-auditor.leaseName" .) -}}
{{- $_ := set $flags "leader-elect-lease-duration" (printf "%ds" (int64 $v.leaderElection.leaseDurationSeconds)) -}}
{{- $_ := set $flags "leader-elect-renew-deadline" (printf "%ds" (int64 $v.leaderElection.renewDeadlineSeconds)) -}}
{{- $_ := set $flags "leader-elect-retry-period" (printf "%ds" (int64 $v.leaderElection.retryPeriodSeconds)) -}}
{{- end -}}
{{- with $v.watch.namespaces -}}{{- $_ := set $flags "namespaces" (join "," .) -}}{{- end -}}
{{- with $v.watch.kinds -}}{{- $_ := set $flags "kinds" (join "," .) -}}{{- end -}}
{{- if $v.policy.spec -}}
{{- $_ := set $flags "policy" "/etc/shutdown-auditor/policy.yaml" -}}
{{- else if not $v.watch.namespaces -}}
{{- $_ := set $flags "policy-name" $v.policy.name -}}
{{- end -}}
- controller
{{- range $flag, $value := merge (deepCopy $v.extraArgs) $flags }}
- {{ printf "--%s=%v" $flag $value | quote }}
{{- end }}
{{- end -}}

{{- /* Rules for what is read and written in the audited namespaces. */ -}}
{{- define "shutdown-auditor.rules" -}}
- apiGroups: [apps]
  resources: [deployments, statefulsets, daemonsets]
  verbs: [list, watch]
- apiGroups: [argoproj.io]
  resources: [rollouts]
  verbs: [list, watch]
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [list, watch]
- apiGroups: [""]
  resources: [services]
  verbs: [list, watch]
- apiGroups: [autoscaling]
  resources: [horizontalpodautoscalers]
  verbs: [list, watch]
- apiGroups: [keda.sh]
  resources: [scaledobjects]
  verbs: [list, watch]
- apiGroups: [batch]
  resources: [jobs, cronjobs]
  verbs: [list, watch]
- apiGroups: [shutdownaudit.dev]
  resources: [shutdownaudits]
  verbs: [list, watch, create, patch, delete]
- apiGroups: [shutdownaudit.dev]
  resources: [shutdownaudits/status]
  verbs: [patch]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end -}}
