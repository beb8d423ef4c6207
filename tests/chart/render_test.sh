#!/usr/bin/env bash
# How the chart renders, what it refuses, and what checkers of other projects and our own say about it; the alerts, the
# dashboard, and the plain manifests. Needs no server.
#   tests/chart/render_test.sh BINARY
set -euo pipefail

PROGRAM="chart-render-test"
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=tests/cluster/lib.sh
source "$here/../cluster/lib.sh"
# shellcheck source=tests/chart/lib.sh
source "$here/lib.sh"
binary="$(realpath "$1")"
cd "$here/../.."
prepare
"$here/../cluster/tools.sh" --quiet  # for kubectl's kustomize
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
sets=("$CHART"/ci/*-values.yaml)

say "what is generated is current, versions agree"
"$here/update.sh" --check || bad "generated files"
project="$(sed -n 's/^project(shutdown-auditor VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)"
chart="$(sed -n 's/^version: //p' "$CHART/Chart.yaml")/$(sed -n 's/^appVersion: "\(.*\)"/\1/p' "$CHART/Chart.yaml")"
[[ "$chart" == "$project/$project" ]] || bad "Chart.yaml has versions $chart, CMakeLists.txt $project"

# The schema knows every value and nothing else; the first level of a policy is that of the kind.
to_json <"$CHART/values.yaml" | jq '.[0]' >"$work/values.json"
# What is inside of these is Kubernetes' or the user's own, and has no default.
open='resources|livenessProbe|readinessProbe|lifecycle|policy\.spec|metrics\.prometheusRule\.disabled'
unlike="$(jq -r --slurpfile values "$work/values.json" '
  .definitions as $definitions
  | def resolved: if has("$ref") then $definitions[.["$ref"] | sub("^#/definitions/"; "")] else . end;
  def compare($schema; $values; $path):
    ($schema | resolved) as $schema
    | if $schema.properties == null or ($values | type) != "object" then empty
      else ((($schema.properties | keys) - ($values | keys))[] | "\($path)\(.) has no value"),
        ((($values | keys) - ($schema.properties | keys))[] | "\($path)\(.) is not in the schema"),
        ($values | keys[] | . as $key | select($schema.properties | has($key))
          | compare($schema.properties[$key]; $values[$key]; "\($path)\($key)."))
      end;
  compare(.; $values[0]; "")' "$CHART/values.schema.json" |
  grep -vE "^($open)\." || true)"
[[ -z "$unlike" ]] || bad "values.yaml and values.schema.json: $unlike"
cmp <(jq -r '.properties.policy.properties.spec.properties | keys[]' "$CHART/values.schema.json") \
  <(to_json <crds/shutdownpolicies.yaml |
    jq -r '.[0].spec.versions[0].schema.openAPIV3Schema.properties.spec.properties | keys[]') ||
  bad "values.schema.json has other fields for policy.spec than the kind"

say "renders under Helm 3 and 4, the same every time; lint"
for values in "${sets[@]}"; do
  name="$(basename "$values" -values.yaml)"
  for helm in helm3 helm4; do
    render "$helm" shutdown-auditor -f "$values" >"$work/$name.$helm.yaml" || bad "$helm template $name"
    render "$helm" shutdown-auditor -f "$values" | cmp -s - "$work/$name.$helm.yaml" ||
      bad "$helm renders $name differently twice"
    "$tools/$helm" lint --strict --quiet --kube-version 1.34.0 "$CHART" -f "$values" >"$work/lint" 2>&1 ||
      { cat "$work/lint" >&2; bad "$helm lint $name"; }
    to_json <"$work/$name.$helm.yaml" | jq -S 'sort_by(.kind, .metadata.name, .metadata.namespace)' >"$work/$name.$helm.json"
  done
  cmp -s "$work/$name.helm3.json" "$work/$name.helm4.json" || bad "Helm 3 and 4 render $name differently"
done
for version in 1.31.0 1.37.0; do
  "$tools/helm4" template x "$CHART" --kube-version "$version" >/dev/null || bad "does not render for Kubernetes $version"
done

say "templates"
# shellcheck source=tests/chart/template_cases.sh
source "$here/template_cases.sh"

say "as part of another chart"
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
  [[ "$got" == "3 mirror.local/shutdown-auditor:$project" ]] || bad "$helm: as a dependency: '$got'"
  got="$("$tools/$helm" template x "$work/parent" --kube-version 1.34.0 --set shutdown-auditor.enabled=false |
    to_json | jq length)"
  [[ "$got" == 0 ]] || bad "$helm: a disabled dependency renders $got objects"
done

say "our own check has nothing to say"
for values in "${sets[@]}"; do
  name="$(basename "$values" -values.yaml)"
  "$binary" check -f "$work/$name.helm4.yaml" --complete --fail-on warn --fail-if-empty -o json \
    >"$work/check.json" 2>"$work/check.err" ||
    { cat "$work/check.err" >&2; bad "check finds something in $name"; }
  jq -e '[.items[] | {verdict: .status.verdict, findings: .status.findings, evidence: .status.budget.evidence}]
    | length == 1 and .[0].verdict == "Pass" and (.[0].findings // []) == []
      and (.[0].evidence | IN("Declared", "Detected"))' \
    "$work/check.json" >/dev/null || { jq '.items[].status' "$work/check.json" >&2; bad "check is not content with $name"; }
  [[ ! -s "$work/check.err" ]] || { cat "$work/check.err" >&2; bad "check has a note about $name"; }
done
"$binary" check -f manifests --complete --fail-on warn --fail-if-empty -q >&2 || bad "check finds something in manifests/"

say "the program takes the flags of every rendering"
for values in "${sets[@]}"; do
  name="$(basename "$values" -values.yaml)"
  mapfile -t flags < <(jq -r '.[] | select(.kind == "Deployment").spec.template.spec.containers[0].args[]' \
    "$work/$name.helm4.json")
  ! env -u KUBECONFIG "$binary" "${flags[@]}" --kubeconfig "$work/none" >"$work/said" 2>&1 || bad "runs without a kubeconfig"
  grep -q starting "$work/said" || { cat "$work/said" >&2; bad "the program refuses the flags of $name"; }
done

say "kube-score"
# The remarks that docs/install.md answers; those of the default values are all of them, and strict values leave none that is
# critical.
# shellcheck disable=SC2016
answered="$(sed -n 's/^| kube-score `\([a-z0-9-]*\)`.*/\1/p' docs/install.md | sort)"
remarks() { # remarks NAME GRADE: the checks of kube-score that grade a set of values so (1: critical, 10: fine)
  "$tools/kube-score" score "$work/$1.helm4.yaml" --kubernetes-version v1.34 --output-format json >"$work/score.json" ||
    true  # remarks make it fail
  jq -e 'length > 0' "$work/score.json" >/dev/null || echo nothing-was-read
  jq -r ".[] | .checks[]? | select(.skipped | not) | select(.grade $2) | .check.id" "$work/score.json" | sort -u
}
for values in "${sets[@]}"; do
  name="$(basename "$values" -values.yaml)"
  unanswered="$(comm -23 <(remarks "$name" "< 10") <(echo "$answered"))"
  [[ -z "$unanswered" ]] || bad "docs/install.md has no answer to kube-score about $name: $unanswered"
done
[[ "$(remarks default "< 10")" == "$answered" ]] ||
  bad "kube-score about the default values: $(remarks default "< 10"); docs/install.md answers: $answered"
# What docs/install.md says silences it.
# shellcheck disable=SC2016
ignored="$(sed -n 's/.*`deploymentAnnotations."kube-score\/ignore"=\([a-z,-]*\)`.*/\1/p' docs/install.md)"
render helm4 x --set-string "deploymentAnnotations.kube-score/ignore=${ignored//,/\\,}" >"$work/ignored.helm4.yaml"
critical="$(remarks ignored "== 1")"
[[ -n "$ignored" && -z "$critical" ]] || bad "kube-score, '$ignored' ignored, critical: $critical"
critical="$(remarks strict "== 1")"
[[ -z "$critical" ]] || bad "kube-score, strict values, critical: $critical"

say "alerts and dashboard"
jq '.[] | select(.kind == "PrometheusRule").spec' "$work/monitoring.helm4.json" >"$work/rules.yaml"
cp "$here/alerts_test.yaml" "$work/"
"$tools/promtool" check rules --lint=all --lint-fatal "$work/rules.yaml" >"$work/promtool" 2>&1 ||
  { cat "$work/promtool" >&2; bad "promtool check rules"; }
"$tools/promtool" test rules "$work/alerts_test.yaml" >"$work/promtool" 2>&1 ||
  { cat "$work/promtool" >&2; bad "promtool test rules"; }
for alert in $(jq -r '.groups[].rules[].alert' "$work/rules.yaml"); do
  grep -qx "## $alert" docs/alerts.md || bad "docs/alerts.md has no section for $alert"
  grep -q "\"$alert\"" "$CHART/values.schema.json" || bad "values.schema.json does not let $alert be disabled"
  grep -q "alertname: $alert\$" "$here/alerts_test.yaml" || bad "alerts_test.yaml does not test $alert"
done
# The links lead to headings of the runbook, in the project or wherever it is published.
runbook="$(jq -r '.groups[].rules[].annotations.runbook_url' "$work/rules.yaml")"
[[ "$runbook" == docs/alerts.md#* ]] || bad "the runbook's place is not docs/alerts.md by default: $runbook"
headings="$(sed -n 's/^## //p' docs/alerts.md | tr '[:upper:] ' '[:lower:]-')"
for link in $runbook; do
  grep -qx "${link#*#}" <<<"$headings" || bad "$link leads to no heading of docs/alerts.md"
done
# The dashboard's queries are valid; that the program has what they ask for is tested on a running one, in server_test.sh.
dashboard="$CHART/files/dashboard.json"
jq -e '.title and (.panels | length > 0) and ([.panels[].id] | length == (unique | length))' "$dashboard" >/dev/null ||
  bad "the dashboard is not valid"
jq '{groups: [{name: "dashboard", rules: [.panels[] | .id as $id | .targets[]
  | {record: "panel:\($id):\(.refId)", expr: (.expr | gsub("\\$[a-z]+"; "x"))}]}]}' "$dashboard" >"$work/panels.yaml"
"$tools/promtool" check rules "$work/panels.yaml" >"$work/promtool" 2>&1 ||
  { cat "$work/promtool" >&2; bad "queries of the dashboard"; }

say "manifests"
kubectl="$("$here/../cluster/tools.sh" --path)/kubectl"
cmp -s <("$kubectl" kustomize manifests | to_json | jq -S 'sort_by(.kind, .metadata.name, .metadata.namespace)') \
  <(to_json <manifests/install.yaml | jq -S 'sort_by(.kind, .metadata.name, .metadata.namespace)') ||
    bad "the kustomize base is not the plain install"
mkdir "$work/overlay"
printf 'resources: [%s]\nimages: [{name: registry.local/shutdown-auditor, newName: mirror.local/audit, newTag: "7"}]\n' \
  "$(realpath --relative-to="$work/overlay" manifests)" >"$work/overlay/kustomization.yaml"
image="$("$kubectl" kustomize --load-restrictor=LoadRestrictionsNone "$work/overlay" | to_json |
  jq -r '.[] | select(.kind == "Deployment").spec.template.spec.containers[].image')"
[[ "$image" == mirror.local/audit:7 ]] || bad "an overlay cannot change the image: $image"

verdict
