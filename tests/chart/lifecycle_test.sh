#!/usr/bin/env bash
# The life of a release on a real API server, under Helm 3 or Helm 4: installed from a chart package of an earlier day,
# upgraded to this one, upgraded to the same, rolled back, uninstalled, installed again over what was left.
# Pods are made by the controllers and stay pending: there is no node.
#   tests/chart/lifecycle_test.sh 3|4
set -euo pipefail

version="$1"
PROGRAM="chart-lifecycle-test, Helm $version"
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=tests/cluster/lib.sh
source "$here/../cluster/lib.sh"
# shellcheck source=tests/chart/lib.sh
source "$here/lib.sh"
cd "$here/../.."
prepare
"$here/../cluster/tools.sh" --quiet
readonly EARLIER=tests/chart/data/shutdown-auditor-0.1.0.tgz
work="$(mktemp -d)"
finish() {
  stop_cluster
  rm -rf "$work"
}
trap finish EXIT
start_cluster --with-controller-manager
# Nothing of a user's Helm is read or written.
export HELM_CACHE_HOME="$work/helm" HELM_CONFIG_HOME="$work/helm" HELM_DATA_HOME="$work/helm"

helm() { # helm ARGUMENTS...: the Helm under test, in the namespace of the moment
  "$tools/helm$version" --kubeconfig "$work/cluster/kubeconfig" --namespace "$namespace" "$@" >"$work/helm.log" 2>&1 ||
    { cat "$work/helm.log" >&2; die "helm $*"; }
}
pod_count_is() { # pod_count_is NAMESPACE COUNT
  [[ "$(kubectl -n "$1" get pods -l app.kubernetes.io/instance=shutdown-auditor -o name | wc -l)" == "$2" ]]
}
# What is in a namespace, but for what Kubernetes itself puts into every one, and Events.
contents() {
  local kinds
  kinds="$(kubectl api-resources --verbs=list --namespaced -o name | grep -v '^events' | paste -sd,)"
  kubectl -n "$1" get "$kinds" -o name 2>/dev/null | grep -vx -e serviceaccount/default -e configmap/kube-root-ca.crt
}
may_view() { kubectl get clusterrole view -o json | jq -e 'any(.rules[]; .resources | index("shutdownaudits"))'; }
is_empty() { [[ -z "$(contents "$1")" ]]; }
cluster_wide() { kubectl get clusterrole,clusterrolebinding -l app.kubernetes.io/instance=shutdown-auditor -o name; }
deployment() { # deployment NAMESPACE JSONPATH
  kubectl -n "$1" get deployment shutdown-auditor -o jsonpath="{$2}"
}

namespace=release
kubectl create namespace "$namespace" >/dev/null
kubectl label namespace "$namespace" pod-security.kubernetes.io/enforce=restricted >/dev/null

helm install shutdown-auditor "$EARLIER"
until_true 30 "two pods under the restricted standard" pod_count_is "$namespace" 2
until_true 30 "audits in the role view" may_view
policy mine | kubectl apply -f - >/dev/null
uid="$(deployment "$namespace" .metadata.uid)"

helm upgrade shutdown-auditor "$CHART" --reset-then-reuse-values \
  --set replicaCount=3 --set policy.spec.defaults.cleanupSeconds=7
# None becomes ready without a node, so the rollout stops at one new pod beside the three old ones.
until_true 30 "a new pod beside the old ones" pod_count_is "$namespace" 4
[[ "$(deployment "$namespace" .metadata.uid)" == "$uid" ]] || bad "the upgrade made the Deployment anew"
kubectl -n "$namespace" get configmap shutdown-auditor-policy >/dev/null ||
  bad "no policy after the upgrade"

# The commands that the notes name work. Nothing is ready without a node, and nothing is deleted here.
helm get notes shutdown-auditor
mapfile -t commands < <(sed -n 's/^    kubectl //p' "$work/helm.log")
((${#commands[@]} == 4)) || bad "the notes have ${#commands[@]} commands: $(<"$work/helm.log")"
kubectl apply -f - >/dev/null <<YAML
apiVersion: shutdownaudit.dev/v1alpha1
kind: ShutdownAudit
metadata: {name: deployment-web, namespace: $namespace}
spec: {targetRef: {group: apps, kind: Deployment, name: web}}
YAML
for command in "${commands[@]}"; do
  case "$command" in
    *"rollout status"*) command+=" --watch=false" ;;
    "delete "*) command+=" --dry-run=server" ;;
  esac
  command="${command//NAMESPACE/$namespace}"
  # shellcheck disable=SC2086
  kubectl ${command//NAME/deployment-web} >"$work/said" 2>&1 ||
    { cat "$work/said" >&2; bad "the notes say: kubectl $command"; }
done
kubectl -n "$namespace" delete shutdownaudit deployment-web >/dev/null

generation="$(deployment "$namespace" .metadata.generation)"
helm upgrade shutdown-auditor "$CHART" --reset-then-reuse-values
[[ "$(deployment "$namespace" .metadata.generation)" == "$generation" ]] ||
  bad "an upgrade to the same changes the Deployment"

helm rollback shutdown-auditor 1
[[ "$(deployment "$namespace" .spec.replicas)" == 2 ]] || bad "the rollback did not restore the replicas"
gone "$namespace" configmap/shutdown-auditor-policy >/dev/null 2>&1 ||
  bad "the rollback left the policy's ConfigMap"

for again in yes no; do
  helm uninstall shutdown-auditor
  until_true 60 "an empty namespace after the uninstall" is_empty "$namespace"
  [[ -z "$(cluster_wide)" ]] || bad "uninstall left $(cluster_wide)"
  kubectl get shutdownpolicy mine >/dev/null || bad "uninstall took a policy along"
  [[ $again == no ]] || helm install shutdown-auditor "$CHART"
done
# Kept kinds belong to the release that made them; another one has to be told to take them.
namespace=other
kubectl create namespace "$namespace" >/dev/null
helm install shutdown-auditor "$CHART" --take-ownership
helm uninstall shutdown-auditor
kubectl delete crd shutdownaudits.shutdownaudit.dev shutdownpolicies.shutdownaudit.dev >/dev/null
say "install, upgrade, rollback, uninstall"

# The plain manifests take everything away again; and from them to a release.
if [[ $version == 4 ]]; then
  kubectl apply -f manifests/install.yaml >/dev/null
  kubectl delete -f manifests/install.yaml --timeout=60s >/dev/null
  [[ -z "$(cluster_wide; kubectl get crd,namespace -o name | grep shutdown)" ]] || bad "kubectl delete -f left something"
fi
kubectl apply -f manifests/install.yaml >/dev/null
namespace=shutdown-auditor
until_true 30 "two pods of the plain manifests" pod_count_is "$namespace" 2
uid="$(deployment "$namespace" .metadata.uid)"
helm upgrade --install shutdown-auditor "$CHART" --take-ownership
[[ "$(deployment "$namespace" .metadata.uid)" == "$uid" ]] || bad "Helm made the Deployment of the plain manifests anew"
say "from the plain manifests to a release"

verdict
