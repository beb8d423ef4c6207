#!/usr/bin/env bash
# The rendered chart before a real API server: kubeconform with the server's own schemas, a server-side dry run of
# everything, the pods under the restricted Pod Security Standard; and the program with exactly the rights that the chart
# gives it.
#   tests/chart/server_test.sh BINARY DIRECTORY     DIRECTORY holds NAME.helm4.yaml for the sets of values in ci/
set -euo pipefail

PROGRAM=chart-server-test
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=tests/cluster/lib.sh
source "$here/../cluster/lib.sh"
# shellcheck source=tests/chart/lib.sh
source "$here/lib.sh"
cd "$here/../.."
binary="$(realpath "$1")" rendered="$2"
work="$(mktemp -d)"
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

# --- kubeconform ---
schemas_complete() {
  kubectl get --raw /openapi/v2 >"$work/openapi.json"
  jq -e '[.definitions | keys[] | select(test("dev.shutdownaudit.*ShutdownAudit$|PodMonitor$|PrometheusRule$|Rollout$"))]
    | length == 4' "$work/openapi.json"
}
until_true 30 "the server's schemas" schemas_complete
kinds="$(cat "$rendered"/*.helm4.yaml manifests/install.yaml | to_json | jq -c '[.[].kind] | unique')"
mkdir "$work/schemas"
jq --argjson kinds "$kinds" -f "$here/schemas.jq" "$work/openapi.json" >"$work/all.json"
for file in $(jq -r 'keys[]' "$work/all.json"); do
  jq --arg file "$file" '.[$file]' "$work/all.json" >"$work/schemas/$file"
done
conform() {
  "$tools/kubeconform" -strict -summary -output text \
    -schema-location "$work/schemas/{{ .Group }}_{{ .ResourceAPIVersion }}_{{ .ResourceKind }}.json" "$@"
}
conform "$rendered"/*.helm4.yaml manifests/install.yaml >"$work/conform" 2>&1 ||
  { cat "$work/conform" >&2; bad "kubeconform"; }
say "kubeconform: $(tail -n 1 "$work/conform")"
# It does refuse: a probe's timing one level too deep, and a word where a number belongs.
for change in '.spec.template.spec.containers[0].livenessProbe.httpGet.periodSeconds = 5' '.spec.replicas = "two"'; do
  to_json <"$rendered/default.helm4.yaml" | jq "map(select(.kind == \"Deployment\"))[0] | $change" >"$work/wrong.json"
  ! conform "$work/wrong.json" >/dev/null 2>&1 || bad "kubeconform accepts $change"
done

# --- what the server says, without keeping anything ---
for namespace in shop billing monitoring platform; do
  kubectl create namespace "$namespace" >/dev/null
done
to_json <manifests/install.yaml | jq '.[] | select(.kind == "Namespace")' | kubectl apply -f - >/dev/null
for values in "$CHART"/ci/*-values.yaml; do
  name="$(basename "$values" -values.yaml)"
  kubectl apply --server-side --force-conflicts --dry-run=server --validate=strict -f "$rendered/$name.helm4.yaml" \
    >"$work/apply" 2>&1 ||
    { grep -v '(server dry run)' "$work/apply" >&2; bad "the server refuses $name"; }
  # A pod would violate the restricted standard: the server warns about the Deployment.
  if grep '^Warning' "$work/apply" >&2; then bad "the server warns about $name"; fi
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
verdict_is() { # verdict_is NAMESPACE AUDIT VERDICT
  field_is "$1" "shutdownaudit/$2" .status.verdict "$3"
}
event_count_is() { # event_count_is NAMESPACE REASON COUNT
  [[ "$(kubectl -n "$1" get events.events.k8s.io -o json |
    jq --arg reason "$2" '[.items[] | select(.reason == $reason) | .series.count // 1] | add // 0')" == "$3" ]]
}
workload() { # workload KIND NAME GRACE [API]
  cat <<YAML
apiVersion: ${4:-apps/v1}
kind: $1
metadata: {name: $2, namespace: shop}
spec:
  selector: {matchLabels: {app: $2}}
  template:
    metadata:
      labels: {app: $2}
      annotations: {shutdownaudit.dev/max-request-seconds: "30", shutdownaudit.dev/cleanup-seconds: "20"}
    spec:
      terminationGracePeriodSeconds: $3
      containers: [{name: app, image: "registry.local/app:1"}]
---
YAML
}
account=system:serviceaccount:shutdown-auditor:shutdown-auditor
# what the account asked the server for: "group/resource verb" and the status
asked() {
  jq -r --arg account "$account" 'select(.user.username == $account and .objectRef != null and .stage != "RequestReceived")
    | "\(.objectRef.apiGroup // "")/\([.objectRef.resource, .objectRef.subresource // empty] | join("/"))"
      + " \(.verb) \(.responseStatus.code)"' \
    "$work/cluster/audit.log" | sort -u
}

kubectl apply --server-side --force-conflicts -f "$rendered/default.helm4.yaml" >/dev/null
as_account "$work/account.json"
{
  workload Deployment web 10
  workload StatefulSet db 60
  workload DaemonSet agent 60
  workload Rollout canary 60 argoproj.io/v1alpha1
} | kubectl apply -f - >/dev/null
start "$rendered/default.helm4.yaml"
until_true 30 "the first audit" verdict_is shop deployment-web Fail
# The same change twice within minutes: the second Event continues the series of the first.
for grace in 60 10 60 10; do
  workload Deployment web "$grace" | kubectl apply -f - >/dev/null
  until_true 30 "the audit of web with $grace s" \
    field_is shop shutdownaudit/deployment-web .status.budget.gracePeriodSeconds "$grace"
done
until_true 30 "an Event and its series" event_count_is shop ShutdownAuditFailed 2
policy default | kubectl apply -f - >/dev/null
until_true 30 "the policy's status" \
  field_is default shutdownpolicy/default '.status.conditions[?(@.type=="Accepted")].status' True
kubectl -n shop delete deployment web >/dev/null
until_true 30 "the audit of a deleted workload to go" gone shop shutdownaudit/deployment-web
stop
[[ -z "$(kubectl -n shutdown-auditor get lease shutdown-auditor -o jsonpath='{.spec.holderIdentity}')" ]] ||
  bad "the lease was not released"

asked >"$work/asked"
if grep -E ' (401|403)$' "$work/asked" >&2; then bad "the chart's roles do not allow what the program asks for"; fi
sed 's/ [0-9]*$//' "$work/asked" | sort -u >"$work/used"
# Server-side apply of an object that does not exist yet needs the right to create it, and is logged as patch.
echo "shutdownaudit.dev/shutdownaudits create" >>"$work/used"
to_json <"$rendered/default.helm4.yaml" |
  jq -r '.[] | select((.kind | IN("ClusterRole", "Role"))
      and .metadata.labels["rbac.authorization.k8s.io/aggregate-to-view"] == null)
    | .rules[] | .apiGroups[] as $group | .resources[] as $resource | .verbs[] | "\($group)/\($resource) \(.)"' |
  sort -u >"$work/granted"
diff <(sort -u "$work/used") "$work/granted" >"$work/rights" ||
  { cat "$work/rights" >&2; bad "rights used (<) and given (>) differ"; }
say "rights: $(wc -l <"$work/granted") given, every one of them used, nothing refused"

# --- Roles only ---
kubectl delete -f "$rendered/default.helm4.yaml" --ignore-not-found >/dev/null
kinds_served() { kubectl apply --server-side -f crds && kubectl get sda -A; }
until_true 30 "the kinds again" kinds_served
kubectl apply --server-side -f "$rendered/namespaced.helm4.yaml" >/dev/null
as_account "$work/account.json"
to_json <"$rendered/namespaced.helm4.yaml" |
  jq -r '.[] | select(.kind == "ConfigMap").data["policy.yaml"]' >"$work/policy.yaml"
{
  workload Deployment seen 60
  workload Deployment unseen 60 | sed 's/namespace: shop/namespace: default/'
  workload DaemonSet not-asked-for 60
} | kubectl apply -f - >/dev/null
start "$rendered/namespaced.helm4.yaml"
until_true 30 "an audit with Roles only" verdict_is shop deployment-seen Pass
stop
[[ -z "$(kubectl get sda -A -o name | grep -v deployment-seen | grep -v statefulset-db || true)" ]] ||
  bad "audits outside the namespaces and kinds asked for"
if asked | grep -E ' (401|403)$' >&2; then bad "with Roles only the program asks for what it may not"; fi

((problems == 0)) || die "$problems problems"
