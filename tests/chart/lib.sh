# Shared by the scripts of this directory; source it, do not run it.
# shellcheck shell=bash

# Relative to the project, where the scripts work.
readonly CHART=charts/shutdown-auditor
tests_chart="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
tools="$("$tests_chart/tools.sh" --path)"
readonly tests_chart tools

# prepare: what the tests of this directory need, when it is missing.
prepare() {
  "$tests_chart/deps.sh"
  "$tests_chart/tools.sh"
}

# to_json: YAML documents from standard input to one JSON array, without the empty ones.
to_json() { yq -s 'map(select(. != null))'; }

# render HELM RELEASE [ARGUMENTS...]: the chart in the namespace shutdown-auditor. `go install` cannot stamp Helm with the
# Kubernetes version it assumes offline, so it is named.
render() {
  local helm="$1" release="$2"
  shift 2
  "$tools/$helm" template "$release" "$CHART" --namespace shutdown-auditor --kube-version 1.34.0 "$@"
}

verdict() { # verdict: the last line of a test, and its status
  ((problems == 0)) || die "$problems problems, $SECONDS s"
  say "all good, $SECONDS s"
}

# --- for scripts that need an API server; they define finish(), which calls stop_cluster, and set `work` ---

# shellcheck disable=SC2120,SC2154
start_cluster() { # start_cluster [ARGUMENTS of cluster.sh up...]
  tests/cluster/cluster.sh up "$work/cluster" --no-build --parent=$$ "$@" >"$work/up" 2>&1 ||
    { cat "$work/up" >&2; die "no API server"; }
}
stop_cluster() { tests/cluster/cluster.sh down "$work/cluster" >/dev/null 2>&1 || true; }
kubectl() { "$work/cluster/bin/kubectl" --kubeconfig "$work/cluster/kubeconfig" "$@"; }

before_giving_up() {
  [[ ! -f "$work/controller.log" ]] || tail -n 15 "$work/controller.log" >&2
}
field_is() { # field_is NAMESPACE OBJECT JSONPATH VALUE
  [[ "$(kubectl -n "$1" get "$2" -o jsonpath="{$3}")" == "$4" ]]
}
# policy NAME: a ShutdownPolicy
policy() {
  printf 'apiVersion: shutdownaudit.dev/v1alpha1\nkind: ShutdownPolicy\nmetadata: {name: %s}\n' "$1"
  printf 'spec: {defaults: {bufferSeconds: 6}}\n'
}
gone() { ! kubectl -n "$1" get "$2"; }
