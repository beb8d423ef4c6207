# The end-to-end test itself, step by step; sourced by run.sh.
# shellcheck shell=bash disable=SC2154

# everything: kind, namespace and name of all objects, but for those that controllers make and remake.
everything() {
  local kinds
  kinds="$(kubectl api-resources --verbs=list -o name |
    grep -vE '^(componentstatuses|events|endpoints|endpointslices|replicasets|pods)(\.|$)' | paste -sd,)"
  kubectl get "$kinds" -A -o json 2>"$state/warnings" | jq -r '.items[] | select(.kind != "ControllerRevision")
    | [.kind, .metadata.namespace // "-", .metadata.name] | join(" ") | select(startswith("Lease kube-") | not)' | sort
}
all_audited() {
  [[ "$(kubectl get shutdownaudits -A -o json | jq -r '[.items[] | select(.status.verdict)
    | "\(.metadata.namespace)/\(.metadata.name)"] | sort | join(" ")')" == \
  "platform/daemonset-agent shop/deployment-checkout shop/deployment-web shop/statefulset-ledger \
shutdown-auditor/deployment-shutdown-auditor" ]]
}
field_is() { # field_is NAMESPACE OBJECT JSONPATH VALUE
  [[ "$(kubectl -n "$1" get "$2" -o jsonpath="{$3}")" == "$4" ]]
}
event_count_is() { # event_count_is REASON NAME COUNT
  [[ "$(kubectl get events.events.k8s.io -A -o json | jq --arg reason "$1" --arg name "$2" '[.items[]
    | select(.reason == $reason and .regarding.name == $name) | .series.count // 1] | add // 0')" == "$3" ]]
}
# told: every Event of the auditor, and how often.
told() {
  kubectl get events.events.k8s.io -A -o json | jq -r '[.items[]
    | select(.reportingController == "shutdownaudit.dev/controller")
    | {what: "\(.reason) \(.regarding.kind)/\(.regarding.name)", count: (.series.count // 1)}]
    | group_by(.what)[] | "\(.[0].what) \([.[].count] | add)"'
}
set_grace() { # set_grace WORKLOAD SECONDS
  kubectl -n shop patch "$1" -p "{\"spec\":{\"template\":{\"spec\":{\"terminationGracePeriodSeconds\":$2}}}}" >/dev/null
}

# --- install ---
everything >"$state/before"
step "helm install"
section "Installing"
began="$(now)"
show helm install "$release" "$chart" -n "$namespace" --create-namespace --set image.registry=registry.local --wait
measured "helm install --wait" "$(minus "$(now)" "$began") s"
until_true 30 "an audit of every workload" all_audited
# When the API server had taken in the first and the last audit's result.
jq -r 'select(.objectRef.resource == "shutdownaudits" and .objectRef.subresource == "status" and .verb == "patch"
  and .responseStatus.code == 200) | .stageTimestamp' "$state/cluster/audit.log" | sort >"$state/written"
written() { date -u -d "$("$@" "$state/written")" +%s.%6N; }
measured "helm install to the first audit" "$(minus "$(written head -n 1)" "$began") s"
measured "helm install to all of them" "$(minus "$(written tail -n 1)" "$began") s"
show kubectl -n "$namespace" get pods
ours_ready 2 >/dev/null || bad "two pods are not ready after helm install --wait"
[[ -z "$(told)" ]] || bad "the first audits made Events: $(told | paste -sd',')"

section "What it found"
show kubectl get shutdownaudits -A
show kubectl get shutdownaudits -A --field-selector status.verdict=Fail
show kubectl -n shop describe shutdownaudit deployment-checkout
for expected in web=Pass checkout=Fail; do
  field_is shop "shutdownaudit/deployment-${expected%=*}" .status.verdict "${expected#*=}" ||
    bad "the verdict of ${expected%=*} is not ${expected#*=}"
done
field_is shop shutdownaudit/statefulset-ledger .status.verdict Fail || bad "the verdict of ledger is not Fail"
field_is "$namespace" "shutdownaudit/deployment-$release" .status.verdict Pass ||
  bad "the auditor does not pass its own audit"

follow "$state/lease.json" -n "$namespace" get lease "$release" --watch --output-watch-events -o json

# --- a change ---
step "a change, and its Event"
section "A change, and its Event"
show kubectl -n shop patch deployment web -p '{"spec":{"template":{"spec":{"terminationGracePeriodSeconds":15}}}}'
until_true 30 "the Event about web" event_count_is ShutdownAuditFailed web 1
show kubectl -n shop get shutdownaudit deployment-web
show kubectl -n shop get events --field-selector reportingComponent=shutdownaudit.dev/controller

# --- upgrade ---
step "helm upgrade"
section "Upgrading"
show kubectl -n "$namespace" get lease "$release"
from="$(lease_records | wc -l)"
before="$(leader)"
began="$(now)"
# A workload changes while the leader does.
(sleep 1.5; set_grace deployment/checkout 90) &
change=$!
show helm upgrade "$release" "$chart" -n "$namespace" --reset-then-reuse-values --set podAnnotations.restarted=today --wait
wait "$change"
show kubectl -n "$namespace" rollout status deployment "$release"
until_true 60 "two new pods" ours_ready 2
until_true 30 "a new leader" leader_is_other_than "$before"
measured "helm upgrade --wait" "$(minus "$(now)" "$began") s"
until_true 30 "the Event about checkout" event_count_is ShutdownAuditPassed checkout 1
# The new leader has looked at everything: it follows the next change.
set_grace statefulset/ledger 31
until_true 30 "the audit of ledger after the upgrade" \
  field_is shop shutdownaudit/statefulset-ledger .status.budget.gracePeriodSeconds 31
handovers "$from" >"$state/upgrade.handovers"
[[ -s "$state/upgrade.handovers" ]] || bad "the upgrade did not change the leader"
[[ -z "$(jq -r 'select(.released | not) | .from' "$state/upgrade.handovers")" ]] ||
  bad "an old leader did not release the lease"
gap="$(jq -s '[.[].gap] | max' "$state/upgrade.handovers")"
at_most "$gap" "$longest_gap" || bad "nobody led for $gap s during the upgrade"
measured "leadership gaps, upgrade" "$(jq -r '.gap * 1000 | round / 1000' "$state/upgrade.handovers" | paste -sd' ') s"

# --- the leader is deleted ---
step "kubectl delete pod"
section "Stopping the leader"
before="$(leader)"
follow "$state/stopped.json" -n "$namespace" get pod "$before" --watch --output-watch-events -o json
follow "$state/stopped.log" -n "$namespace" logs --follow "$before"
from="$(lease_records | wc -l)"
until_true 10 "the watch of the leader's pod" test -s "$state/stopped.json"
show kubectl -n "$namespace" delete pod "$before"
until_true 30 "a new leader" leader_is_other_than "$before"
show kubectl -n "$namespace" get lease "$release"
until_true 60 "two pods again" ours_ready 2
# The kubelet wrote down how the container ended before it let the pod go. Its times are whole seconds.
jq -sc '[.[].object | select((.metadata.deletionGracePeriodSeconds // 0) > 0)
  | {deadline: (.metadata.deletionTimestamp | fromdate), grace: .metadata.deletionGracePeriodSeconds}
    + (.status.containerStatuses[0].state.terminated // empty | {exitCode, ended: (.finishedAt | fromdate)})] | last' \
  "$state/stopped.json" >"$state/stopped"
code="$(jq .exitCode "$state/stopped")" left="$(jq '.deadline - .ended' "$state/stopped")"
[[ "$code" == 0 ]] || bad "the deleted leader ended with exit code $code"
at_most 0 "$left" || bad "the deleted leader ended $left s before the end of its grace period"
phases="$(jq -R 'fromjson? | select(.msg == "shutdown complete").ms' "$state/stopped.log")"
measured "deleted leader" "exit code $code, $left s before its deadline; its own phases: ${phases:-not logged} ms"
handovers "$from" >"$state/delete.handovers"
[[ "$(jq -r .released "$state/delete.handovers")" == true ]] || bad "the deleted leader did not release the lease"
gap="$(jq .gap "$state/delete.handovers")"
at_most "$gap" "$longest_gap" || bad "nobody led for $gap s after the leader was deleted"
measured "leadership gap, leader deleted" "$(awk "BEGIN { printf \"%.3f\", $gap }") s"

# --- memory, as the kubelets see it ---
for node in node1 node2; do
  kubectl get --raw "/api/v1/nodes/$node/proxy/stats/summary"
done | jq -r --arg namespace "$namespace" 'def mib: . / 104857.6 | round / 10;
  .pods[] | select(.podRef.namespace == $namespace) | .containers[].memory
  | "\(.workingSetBytes | mib) MiB, anonymous \(.rssBytes | mib) MiB"' >"$state/memory"
while read -r line; do measured "memory of a pod, working set" "$line"; done <"$state/memory"

# --- the leader is killed ---
step "SIGKILL"
before="$(leader)"
killed="$(holder)"
container="$(kubectl -n "$namespace" get pod "$before" -o jsonpath='{.status.containerStatuses[0].containerID}')"
from="$(lease_records | wc -l)"
began="$(now)"
node_exec "$(node_of "$before")" ctr -n k8s.io tasks kill --signal SIGKILL "${container#containerd://}"
# The standby, or the killed pod's next container: that one, too, has to wait for the lease to run out.
until_true 40 "a new leader after SIGKILL" holder_is_other_than "$killed"
until_true 10 "the takeover in the watch" test -n "$(handovers "$from")"
handovers "$from" >"$state/kill.handovers"
took="$(minus "$(lease_records | jq -s 'last.acquired')" "$began")"
at_most "$took" "$longest_takeover" || bad "takeover only $took s after SIGKILL"
measured "takeover after SIGKILL" "$took s"
until_true 60 "two pods again" ours_ready 2

# --- drain ---
step "drain"
section "Draining the node of both pods"
# Both pods on node1, the other node free again: the second can only be evicted when the first one's replacement is ready.
kubectl cordon node2 >/dev/null
for pod in $(kubectl -n "$namespace" get pods --field-selector spec.nodeName=node2 -o name); do
  kubectl -n "$namespace" delete "$pod" >/dev/null
done
until_true 60 "both pods on node1" ours_ready 2 node1
kubectl uncordon node2 >/dev/null
began="$(now)"
show kubectl drain node1 --pod-selector=app.kubernetes.io/instance=shutdown-auditor --timeout=60s
measured "drain of the node with both pods" "$(minus "$(now)" "$began") s"
until_true 60 "both pods on node2" ours_ready 2 node2
kubectl uncordon node1 >/dev/null

# --- five leaders later: everything was said once, everything was allowed, nothing crashed ---
said=$'ShutdownAuditFailed Deployment/web 1\nShutdownAuditPassed Deployment/checkout 1'
[[ "$(told)" == "$said" ]] || bad "the Events are not one about web and one about checkout: $(told | paste -sd',')"
jq -r --arg account "system:serviceaccount:$namespace:$release" 'select(.user.username == $account)
  | "\(.responseStatus.code) \(.verb) \(.requestURI)"' "$state/cluster/audit.log" >"$state/asked"
grep -q '^200 patch ' "$state/asked" || bad "no audit was written with the pod's own account"
if grep -E '^(401|403) ' "$state/asked" >&2; then bad "the pod's account was refused something"; fi
restarts="$(kubectl -n "$namespace" get pods -o jsonpath='{.items[*].status.containerStatuses[*].restartCount}')"
[[ "$restarts" == "0 0" ]] || bad "the pods on node2 were restarted: $restarts"

# --- uninstall ---
step "helm uninstall"
section "Uninstalling"
show helm uninstall "$release" -n "$namespace" --wait
show kubectl get crd -o name
show kubectl get shutdownaudits -A
until_true 60 "the pods to go" ours_ready 0
everything >"$state/after"
comm -13 "$state/before" "$state/after" >"$state/left"
kubectl get shutdownaudits -A -o json |
  jq -r '.items[] | "ShutdownAudit \(.metadata.namespace) \(.metadata.name)"' >"$state/promised"
cat >>"$state/promised" <<TXT
APIService - v1alpha1.shutdownaudit.dev
ConfigMap $namespace kube-root-ca.crt
CustomResourceDefinition - shutdownaudits.shutdownaudit.dev
CustomResourceDefinition - shutdownpolicies.shutdownaudit.dev
Lease $namespace $release
Namespace - $namespace
ServiceAccount $namespace default
TXT
diff <(sort "$state/promised") "$state/left" >&2 || bad "uninstall does not leave what it promises (<) but this (>)"
comm -23 "$state/before" "$state/after" >"$state/gone"
kubectl get clusterrole view -o json | jq -e 'any(.rules[].apiGroups[]?; . == "shutdownaudit.dev") | not' >/dev/null ||
  bad "the role view still speaks of audits after uninstall"
[[ ! -s "$state/gone" ]] || bad "gone after uninstall: $(paste -sd',' "$state/gone")"
