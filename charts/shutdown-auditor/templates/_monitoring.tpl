{{- /* One endpoint of a ServiceMonitor or PodMonitor, from its values. */ -}}
{{- define "shutdown-auditor.endpoint" -}}
port: metrics
path: /metrics
honorLabels: {{ .honorLabels }}
{{- with .interval }}
interval: {{ . }}
{{- end }}
{{- with .scrapeTimeout }}
scrapeTimeout: {{ . }}
{{- end }}
{{- with .relabelings }}
relabelings:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .metricRelabelings }}
metricRelabelings:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- /* The alerts of files/alerts.yaml, without the disabled ones, with labels and runbook link. */ -}}
{{- define "shutdown-auditor.alerts" -}}
{{- $rule := .Values.metrics.prometheusRule -}}
{{- $text := .Files.Get "files/alerts.yaml" -}}
{{- $text = $text | replace "NAMESPACE" (include "shutdown-auditor.namespace" .) | replace "LEASE" (include "shutdown-auditor.leaseName" .) -}}
{{- $text = $text | replace "STALE_SECONDS" (toString (mul 2 (int64 .Values.resyncPeriodSeconds))) -}}
{{- range fromYamlArray $text }}
{{- $needsElection := eq .alert "ShutdownAuditorNoLeader" }}
{{- if not (or (dig .alert false $rule.disabled) (and $needsElection (not $.Values.leaderElection.enabled))) }}
- alert: {{ .alert }}
  expr: {{ .expr | quote }}
  for: {{ .for }}
  labels:
    {{- toYaml (merge .labels $rule.alertLabels) | nindent 4 }}
  annotations:
    summary: {{ .annotations.summary | quote }}
    description: {{ .annotations.description | quote }}
    runbook_url: {{ printf "%s#%s" $rule.runbookUrl (lower .alert) | quote }}
{{- end }}
{{- end }}
{{- end -}}
