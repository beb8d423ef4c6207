#!/usr/bin/env bash
# Everything about the chart, the manifests and the image that needs no node: how it renders, what it refuses, what
# checkers of other projects and our own say, what a real API server accepts, and which rights the program really uses.
#   tests/chart/run.sh [BINARY]     default build/release/bin/shutdown-auditor
set -euo pipefail

PROGRAM="chart-test"
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=tests/cluster/lib.sh
source "$here/../cluster/lib.sh"
# shellcheck source=tests/chart/lib.sh
source "$here/lib.sh"
cd "$here/../.."
binary="${1:-build/release/bin/shutdown-auditor}"
[[ -x "$binary" ]] || die "$binary does not exist: run 'make build' or name the program"
"$here/deps.sh"
"$here/tools.sh"
"$here/../cluster/tools.sh" --quiet
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
started=$SECONDS
sets=("$CHART"/ci/*-values.yaml)

failures=0
fail() {
  printf '  FAILED: %s\n' "$*" >&2
  failures=$((failures + 1))
}
section() { say "$1"; }

section "what is generated is current, versions agree"
"$here/update.sh" --check || fail "generated files"
project="$(sed -n 's/^project(shutdown-auditor VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)"
chart="$(sed -n 's/^version: //p' "$CHART/Chart.yaml")/$(sed -n 's/^appVersion: "\(.*\)"/\1/p' "$CHART/Chart.yaml")"
[[ "$chart" == "$project/$project" ]] || fail "Chart.yaml has versions $chart, CMakeLists.txt $project"

section "renders under Helm 3 and 4, the same every time; lint"
for values in "${sets[@]}"; do
  name="$(basename "$values" -values.yaml)"
  for helm in helm3 helm4; do
    render "$helm" shutdown-auditor -f "$values" >"$work/$name.$helm.yaml" || fail "$helm template $name"
    render "$helm" shutdown-auditor -f "$values" | cmp -s - "$work/$name.$helm.yaml" ||
      fail "$helm renders $name differently twice"
    "$tools/$helm" lint --strict --quiet --kube-version 1.34.0 "$CHART" -f "$values" >"$work/lint" 2>&1 ||
      { cat "$work/lint" >&2; fail "$helm lint $name"; }
    to_json <"$work/$name.$helm.yaml" | jq -S 'sort_by(.kind, .metadata.name, .metadata.namespace)' >"$work/$name.$helm.json"
  done
  cmp -s "$work/$name.helm3.json" "$work/$name.helm4.json" || fail "Helm 3 and 4 render $name differently"
done
for version in 1.31.0 1.37.0; do
  "$tools/helm4" template x "$CHART" --kube-version "$version" >/dev/null || fail "does not render for Kubernetes $version"
done

section "templates"
# shellcheck source=tests/chart/template_cases.sh
source "$here/template_cases.sh"

section "as part of another chart"
mkdir -p "$work/parent/charts"
cp -r "$CHART" "$work/parent/charts/"
cat >"$work/parent/Chart.yaml" <<'YAML'
apiVersion: v2
name: parent
version: 1.0.0
dependencies: [{name: shutdown-auditor, version: ">=0.0.0", condition: shutdown-auditor.enabled}]
YAML
cat >"$work/parent/values.yaml" <<'YAML'
global: {storageClass: fast, imageRegistry: mirror.local}
shutdown-auditor: {enabled: true, replicaCount: 3}
YAML
for helm in helm3 helm4; do
  got="$("$tools/$helm" template x "$work/parent" --kube-version 1.34.0 | to_json |
    jq -r '.[] | select(.kind == "Deployment") | "\(.spec.replicas) \(.spec.template.spec.containers[0].image)"')"
  [[ "$got" == "3 mirror.local/shutdown-auditor:$project" ]] || fail "$helm: as a dependency: '$got'"
  got="$("$tools/$helm" template x "$work/parent" --kube-version 1.34.0 --set shutdown-auditor.enabled=false |
    to_json | jq length)"
  [[ "$got" == 0 ]] || fail "$helm: a disabled dependency renders $got objects"
done

section "our own check has nothing to say"
for name in default knobs monitoring namespaced strict; do
  "$binary" check -f "$work/$name.helm4.yaml" --complete --fail-on warn --fail-if-empty -o json \
    >"$work/check.json" 2>"$work/check.err" ||
    { cat "$work/check.err" >&2; fail "check finds something in $name"; }
  jq -e '[.items[] | {verdict: .status.verdict, findings: .status.findings, evidence: .status.budget.evidence}]
    | length == 1 and .[0].verdict == "Pass" and (.[0].findings // []) == []
      and (.[0].evidence | IN("Declared", "Detected"))' \
    "$work/check.json" >/dev/null || { jq '.items[].status' "$work/check.json" >&2; fail "check is not content with $name"; }
  [[ ! -s "$work/check.err" ]] || { cat "$work/check.err" >&2; fail "check has a note about $name"; }
done
"$binary" check -f manifests --complete --fail-on warn --fail-if-empty -q >&2 || fail "check finds something in manifests/"

section "kube-score"
"$tools/kube-score" score "$work/strict.helm4.yaml" --output-format json >"$work/score.json" || true
graded() { # graded JQ FILE: the remarks whose grade (1: critical, 10: fine) is so
  jq -r ".[] | .checks[]? | select(.skipped | not) | select(.grade $1) | .check.id" "$2" | sort -u
}
critical="$(graded "== 1" "$work/score.json")"
[[ -z "$critical" ]] || fail "kube-score, strict values, critical: $critical"
"$tools/kube-score" score "$work/default.helm4.yaml" --output-format json >"$work/score.json" || true
# The remarks about the default values are those that docs/install.md answers.
# shellcheck disable=SC2016
answered="$(sed -n 's/^| kube-score `\([a-z0-9-]*\)`.*/\1/p' docs/install.md | sort)"
remarks="$(graded "< 10" "$work/score.json")"
[[ "$remarks" == "$answered" ]] || fail "kube-score remarks: $remarks; docs/install.md answers: $answered"

section "alerts and dashboard"
jq '.[] | select(.kind == "PrometheusRule").spec' "$work/monitoring.helm4.json" >"$work/rules.yaml"
cp "$here/alerts_test.yaml" "$work/"
"$tools/promtool" check rules --lint=all --lint-fatal "$work/rules.yaml" >"$work/promtool" 2>&1 ||
  { cat "$work/promtool" >&2; fail "promtool check rules"; }
"$tools/promtool" test rules "$work/alerts_test.yaml" >"$work/promtool" 2>&1 ||
  { cat "$work/promtool" >&2; fail "promtool test rules"; }
for alert in $(jq -r '.groups[].rules[].alert' "$work/rules.yaml"); do
  grep -qx "## $alert" docs/alerts.md || fail "docs/alerts.md has no section for $alert"
  grep -q "\"$alert\"" "$CHART/values.schema.json" || fail "values.schema.json does not let $alert be disabled"
  grep -q "alertname: $alert\$" "$here/alerts_test.yaml" || fail "alerts_test.yaml does not test $alert"
done
# The dashboard's queries are valid, and name only metrics that the program (or kube-state-metrics) has.
dashboard="$CHART/files/dashboard.json"
jq -e '.title and (.panels | length > 0) and ([.panels[].id] | length == (unique | length))' "$dashboard" >/dev/null ||
  fail "the dashboard is not valid"
jq '{groups: [{name: "dashboard", rules: [.panels[] | .id as $id | .targets[]
  | {record: "panel:\($id):\(.refId)", expr: (.expr | gsub("\\$[a-z]+"; "x"))}]}]}' "$dashboard" >"$work/panels.yaml"
"$tools/promtool" check rules "$work/panels.yaml" >"$work/promtool" 2>&1 ||
  { cat "$work/promtool" >&2; fail "queries of the dashboard"; }
metric='(shutdownaudit|shutdown_auditor|workqueue|rest_client|leader_election|process)_[a-z_]+'
exported="$(grep -hoE "\"$metric\"" src/telemetry/*.cc | tr -d '"')"
used="$(jq -r '.groups[].rules[].expr' "$work/rules.yaml" "$work/panels.yaml" |
  grep -oE "\b$metric" | sed 's/_bucket$//' | sort -u)"
for name in $used; do
  grep -qx "$name" <<<"$exported" || fail "$name is used in an alert or panel, and the program does not export it"
done

section "manifests"
kubectl="$("$here/../cluster/tools.sh" --path)/kubectl"
cmp -s <("$kubectl" kustomize manifests | to_json | jq -S 'sort_by(.kind, .metadata.name, .metadata.namespace)') \
  <(to_json <manifests/install.yaml | jq -S 'sort_by(.kind, .metadata.name, .metadata.namespace)') ||
    fail "the kustomize base is not the plain install"

section "image"
"$here/image_test.sh" "$binary" || fail "image"

section "a real API server"
"$here/server_test.sh" "$binary" "$work" || fail "API server"

section "the life of a release"
"$here/lifecycle_test.sh" || fail "life of a release"

if ((failures > 0)); then
  die "$failures failures, $((SECONDS - started)) s"
fi
say "all good, $((SECONDS - started)) s"
