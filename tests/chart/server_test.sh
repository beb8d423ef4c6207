#!/usr/bin/env bash
# The rendered chart before a real API server: kubeconform with the server's own schemas, a server-side dry run of
# everything, the pods under the restricted Pod Security Standard; and the program with exactly the rights that the chart
# gives it, in every shape that the chart gives them. What alerts and dashboard ask Prometheus for, the program has.
#   tests/chart/server_test.sh BINARY
set -euo pipefail

PROGRAM=chart-server-test
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=tests/cluster/lib.sh
source "$here/../cluster/lib.sh"
# shellcheck source=tests/chart/lib.sh
source "$here/lib.sh"
binary="$(realpath "$1")"
cd "$here/../.."
prepare
work="$(mktemp -d)" rendered="$work/rendered"
controller=
finish() {
  if [[ -n "$controller" ]]; then
    kill -KILL "$controller" 2>/dev/null || true
  fi
  stop_cluster
  rm -rf "$work"
}
trap finish EXIT
start_cluster
# Kinds of others: those that the chart makes objects of, and those that the program reads when they are there.
kubectl apply --server-side -f "$tools/operator-kinds" >/dev/null
kubectl apply -f tests/integration/data/rollout_crd.yaml -f tests/chart/scaledobject_crd.yaml >/dev/null
kubectl apply --server-side -f crds >/dev/null
kubectl wait --for=condition=Established crd --all --timeout=30s >/dev/null

mkdir "$rendered"
for values in "$CHART"/ci/*-values.yaml; do
  render helm4 shutdown-auditor -f "$values" >"$rendered/$(basename "$values" -values.yaml).yaml"
done

# --- kubeconform ---
schemas_complete() {
  kubectl get --raw /openapi/v2 >"$work/openapi.json"
  jq -e '[.definitions | keys[] | select(test("dev.shutdownaudit.*ShutdownAudit$|PodMonitor$|PrometheusRule$|Rollout$"))]
    | length == 4' "$work/openapi.json"
}
until_true 30 "the server's schemas" schemas_complete
kinds="$(cat "$rendered"/*.yaml manifests/install.yaml | to_json | jq -c '[.[].kind] | unique')"
mkdir "$work/schemas"
jq --argjson kinds "$kinds" -f "$here/schemas.jq" "$work/openapi.json" >"$work/all.json"
for file in $(jq -r 'keys[]' "$work/all.json"); do
  jq --arg file "$file" '.[$file]' "$work/all.json" >"$work/schemas/$file"
done
conform() {
  "$tools/kubeconform" -strict -summary -output text \
    -schema-location "$work/schemas/{{ .Group }}_{{ .ResourceAPIVersion }}_{{ .ResourceKind }}.json" "$@"
}
conform "$rendered"/*.yaml manifests/install.yaml >"$work/conform" 2>&1 ||
  { cat "$work/conform" >&2; bad "kubeconform"; }
say "kubeconform: $(tail -n 1 "$work/conform")"
# It does refuse: a probe's timing one level too deep, and a word where a number belongs.
for change in '.spec.template.spec.containers[0].livenessProbe.httpGet.periodSeconds = 5' '.spec.replicas = "two"'; do
  to_json <"$rendered/default.yaml" | jq "map(select(.kind == \"Deployment\"))[0] | $change" >"$work/wrong.json"
  ! conform "$work/wrong.json" >/dev/null 2>&1 || bad "kubeconform accepts $change"
done

# --- what the server says, without keeping anything ---
for namespace in shop billing monitoring platform; do
  kubectl create namespace "$namespace" >/dev/null
done
to_json <manifests/install.yaml | jq '.[] | select(.kind == "Namespace")' | kubectl apply -f - >/dev/null
for values in "$CHART"/ci/*-values.yaml; do
  name="$(basename "$values" -values.yaml)"
  kubectl apply --server-side --force-conflicts --dry-run=server --validate=strict -f "$rendered/$name.yaml" \
    >"$work/apply" 2>&1 ||
    { grep -v '(server dry run)' "$work/apply" >&2; bad "the server refuses $name"; }
  # A pod would violate the restricted standard: the server warns about the Deployment.
  if grep '^Warning' "$work/apply" >&2; then bad "the server warns about $name"; fi
done

# The plain manifests by every way that docs/install.md names.
for way in "apply -f manifests/install.yaml" "apply --server-side -f manifests/install.yaml" "apply -k manifests"; do
  # shellcheck disable=SC2086
  kubectl $way --dry-run=server --validate=strict >"$work/apply" 2>&1 || { cat "$work/apply" >&2; bad "kubectl $way"; }
  # Kinds that are there already are told apart from those of the manifests by a warning of kubectl's own.
  if grep '^Warning' "$work/apply" | grep -v 'last-applied-configuration' >&2; then bad "the server warns: kubectl $way"; fi
done

# --- the program with the chart's rights ---
# as_account FILE: a kubeconfig with a token of the chart's account.
as_account() {
  local token
  token="$(kubectl -n shutdown-auditor create token shutdown-auditor)"
  "$work/cluster/bin/kubectl" --kubeconfig "$work/cluster/kubeconfig" config view --raw -o json |
    jq --arg token "$token" '.users[0].user = {token: $token} | .contexts[0].context.namespace = "shutdown-auditor"' >"$1"
  chmod 600 "$1"
}
start() { # start RENDERED: the program with the flags of its Deployment, but ports of its own choice
  local -a flags
  mapfile -t flags < <(to_json <"$1" | jq -r '.[] | select(.kind == "Deployment").spec.template.spec.containers[0].args[]
    | sub("-bind-address=:[0-9]+$"; "-bind-address=127.0.0.1:0") | sub("=/etc/shutdown-auditor/"; "='"$work"'/")')
  to_json <"$1" | jq -r '.[] | select(.kind == "ConfigMap").data["policy.yaml"] // empty' >"$work/policy.yaml"
  env -u KUBECONFIG "$binary" "${flags[@]}" --kubeconfig "$work/account.json" >"$work/controller.log" 2>&1 &
  controller=$!
}
# stop: by SIGTERM, and the exit status
stop() {
  local status=0 began=$SECONDS
  kill -TERM "$controller"
  wait "$controller" || status=$?
  controller=
  ((status == 0)) || { tail -n 15 "$work/controller.log" >&2; bad "the program left with status $status"; }
  ((SECONDS - began < 10)) || bad "the program took $((SECONDS - began)) s to stop"
}
event_count() { # event_count NAMESPACE: how often a failure was told, series included
  kubectl -n "$1" get events.events.k8s.io -o json |
    jq '[.items[] | select(.reason == "ShutdownAuditFailed") | .series.count // 1] | add // 0'
}
event_count_is() { [[ "$(event_count "$1")" == "$2" ]]; }
# phases_agree: the phases of the shutdown just made are those of the sum in values.yaml, in this order.
phases_agree() {
  local documented logged
  documented="$(sed -nE 's/^#     ([a-z]+) +[0-9.]+ s .*/\1/p' "$CHART/values.yaml" | paste -sd ' ')"
  logged="$(jq -R -r 'fromjson? | select(.msg == "shutdown phase").phase' "$work/controller.log" | paste -sd ' ')"
  [[ "$logged" == "$documented" ]] || bad "the phases of the shutdown are: $logged; values.yaml has: $documented"
}
workload() { # workload NAMESPACE KIND NAME GRACE [API]
  cat <<YAML
apiVersion: ${5:-apps/v1}
kind: $2
metadata: {name: $3, namespace: $1}
spec:
  selector: {matchLabels: {app: $3}}
  template:
    metadata:
      labels: {app: $3}
      annotations: {shutdownaudit.dev/max-request-seconds: "30", shutdownaudit.dev/cleanup-seconds: "20"}
    spec:
      terminationGracePeriodSeconds: $4
      containers: [{name: app, image: "registry.local/app:1"}]
---
YAML
}
# exercise NAMESPACE: everything the program does with an audit: makes it, writes it, tells about it, deletes it.
exercise() {
  local before grace
  before="$(event_count "$1")"
  workload "$1" Deployment web 10 | kubectl apply -f - >/dev/null
  until_true 30 "the first audit in $1" field_is "$1" shutdownaudit/deployment-web .status.verdict Fail
  # The same change twice within minutes: the second Event continues the series of the first.
  for grace in 60 10 60 10; do
    workload "$1" Deployment web "$grace" | kubectl apply -f - >/dev/null
    until_true 30 "the audit of web with $grace s" \
      field_is "$1" shutdownaudit/deployment-web .status.budget.gracePeriodSeconds "$grace"
  done
  until_true 30 "an Event and its series in $1" event_count_is "$1" $((before + 2))
  kubectl -n "$1" delete deployment web >/dev/null
  until_true 30 "the audit of a deleted workload to go" gone "$1" shutdownaudit/deployment-web
}
# rights_agree NAME RENDERED: what the program asked the server for since the line $mark of the audit log is what RENDERED
# grants, no more and no less. A right is "namespace group/resource verb", the namespace of a ClusterRole's is "*".
rights_agree() {
  to_json <"$2" | jq '[.[] | select((.kind | IN("ClusterRole", "Role"))
      and .metadata.labels["rbac.authorization.k8s.io/aggregate-to-view"] == null)
    | (if .kind == "Role" then .metadata.namespace else "*" end) as $namespace
    | .rules[] | .apiGroups[] as $group | .resources[] as $resource | .verbs[]
    | {$namespace, right: "\($group)/\($resource) \(.)"}]' >"$work/granted.json"
  tail -n "+$mark" "$work/cluster/audit.log" |
    jq -c --arg account system:serviceaccount:shutdown-auditor:shutdown-auditor '
      select(.user.username == $account and .objectRef != null and .stage != "RequestReceived")
      | {namespace: (.objectRef.namespace // ""), verb, status: .responseStatus.code,
         what: "\(.objectRef.apiGroup // "")/\([.objectRef.resource, .objectRef.subresource // empty] | join("/"))"}' |
    sort -u >"$work/asked.json"
  if jq -e 'select(.status | IN(401, 403))' "$work/asked.json" >&2; then
    bad "$1: the chart does not allow what the program asks for"
  fi
  # A patch that made an object has used the right to create as well.
  jq -r --slurpfile granted "$work/granted.json" '
    .namespace as $namespace
    | (.what + " " + (.verb, if .verb == "patch" and .status == 201 then "create" else empty end)) as $right
    | if any($granted[0][]; . == {namespace: "*", $right}) then "* \($right)" else "\($namespace) \($right)" end' \
    "$work/asked.json" | sort -u >"$work/used"
  jq -r '.[] | "\(.namespace) \(.right)"' "$work/granted.json" | sort -u >"$work/granted"
  diff "$work/used" "$work/granted" >"$work/rights" ||
    { cat "$work/rights" >&2; bad "$1: rights used (<) and given (>) differ"; }
  say "$1: $(wc -l <"$work/granted") rights given, every one of them used, nothing refused"
}
# series_exist QUERIES: the program has the series that a JSON list of queries asks for.
series_exist() {
  local port name label value
  port="$(jq -R -r 'fromjson? | select(.msg == "serving" and .what == "metrics").address | sub(".*:"; "")' \
    "$work/controller.log")"
  curl -sS --max-time 10 "http://127.0.0.1:$port/metrics" >"$work/metrics"
  jq -f "$here/series.jq" "$1" >"$work/series.json"
  jq -e 'length > 15' "$work/series.json" >/dev/null ||
    bad "hardly any series in the queries: $(jq -c . "$work/series.json")"
  jq -r '.[] | .name as $name | (.labels | to_entries[] | "\($name) \(.key) \(.value // "")"), "\($name)"' \
    "$work/series.json" | sort -u >"$work/wanted"
  while read -r name label value; do
    grep -E "^$name(_bucket)?[{ ]" "$work/metrics" | grep -qE "${label:+[\{,]$label=\"$value${value:+\"}}" ||
      bad "an alert or a panel wants $name{$label=\"$value\"}, and the program does not have it"
  done <"$work/wanted"
  say "$(wc -l <"$work/wanted") series and labels of alerts and dashboard exist"
}

to_json <"$rendered/monitoring.yaml" | jq --slurpfile dashboard "$CHART/files/dashboard.json" '
  [.[] | select(.kind == "PrometheusRule").spec.groups[].rules[].expr] + [$dashboard[0].panels[].targets[].expr]' \
  >"$work/queries.json"

# Each shape of rights: everything by a ClusterRole, with the policy as an object or as a file; Roles only, with and
# without a policy.
shape() { # shape NAME NAMESPACES [HELM ARGUMENTS...]
  local name="$1" namespaces="$2" file="$work/shape.yaml" namespace
  shift 2
  render helm4 shutdown-auditor --set crds.install=false "$@" >"$file"
  kubectl apply -f "$file" >/dev/null
  kubectl -n shutdown-auditor delete lease shutdown-auditor --ignore-not-found >/dev/null
  as_account "$work/account.json"
  mark=$(($(wc -l <"$work/cluster/audit.log") + 1))
  start "$file"
  for namespace in $namespaces; do
    exercise "$namespace"
  done
  if [[ $name == "a policy object" ]]; then
    policy default | kubectl apply -f - >/dev/null
    until_true 30 "the policy's status" \
      field_is default shutdownpolicy/default '.status.conditions[?(@.type=="Accepted")].status' True
    series_exist "$work/queries.json"
  fi
  stop
  [[ -z "$(kubectl -n shutdown-auditor get lease shutdown-auditor -o jsonpath='{.spec.holderIdentity}')" ]] ||
    bad "$name: the lease was not released"
  phases_agree
  rights_agree "$name" "$file"
  kubectl delete -f "$file" >/dev/null
}
{
  workload shop StatefulSet db 60
  workload shop DaemonSet agent 60
  workload shop Rollout canary 60 argoproj.io/v1alpha1
  # The other verdicts.
  workload shop DaemonSet short 10
  workload shop DaemonSet tight 53
  workload shop DaemonSet undeclared 30 | grep -v annotations
} | kubectl apply -f - >/dev/null
shape "a policy object" shop
shape "a policy file" shop -f "$CHART/ci/default-values.yaml" --set policy.spec.defaults.cleanupSeconds=20
workload default Deployment unseen 60 | kubectl apply -f - >/dev/null
kubectl delete sda -A --all >/dev/null
shape "Roles only" "shop billing" -f "$CHART/ci/namespaced-values.yaml"
[[ "$(kubectl get sda -A -o name)" == shutdownaudit.shutdownaudit.dev/statefulset-db ]] ||
  bad "audits outside the namespaces and kinds asked for: $(kubectl get sda -A -o name)"
shape "Roles only, no policy" shop --set 'watch.namespaces={shop}'

verdict
