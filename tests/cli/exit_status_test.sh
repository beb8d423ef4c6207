#!/usr/bin/env bash
# Every exit status that the manual page promises, from outside.
#   exit_status_test.sh BINARY
set -euo pipefail
# shellcheck source=tests/cli/lib.sh
source "$(dirname "$0")/lib.sh"
cd "$work"

deployment() { # deployment NAME GRACE
  printf '%s\n' 'apiVersion: apps/v1' 'kind: Deployment' "metadata: {name: $1}" 'spec:' '  replicas: 1' \
    "  selector: {matchLabels: {app: $1}}" '  template:' "    metadata: {labels: {app: $1}}" '    spec:' \
    "      terminationGracePeriodSeconds: $2" '      containers: [{name: app, image: "registry.local/app:1"}]' ---
}
deployment good 60 >good.yaml
deployment bad 0 >bad.yaml
deployment warned 60 | sed 's/^metadata: .*/metadata: {name: warned, annotations: {shutdownaudit.dev\/max-request-seconds: x}}/' >warned.yaml
printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n' >other.yaml
: >empty.yaml
printf 'a: [\n' >broken.yaml
printf 'kind: Pod\n' >policy.yaml
mkdir folder
{ cat good.yaml; printf 'a: [\n'; } >mixed.yaml
{ cat bad.yaml; printf 'a: [\n'; } >worse.yaml
head -c 1000 "$binary" >elf.yaml

while IFS='|' read -r status arguments; do
  read -ra words <<<"$arguments"
  got=0
  "$binary" "${words[@]}" >out 2>err </dev/null || got=$?
  expect "status of '$arguments'" "$status" "$got"
  checks=$((checks + 1))
  [[ "$status" != 2 || -s err ]] || fail "'$arguments' says nothing on stderr"
done <<'ROWS'
0|check -f good.yaml
0|check -f other.yaml
0|check -f warned.yaml
0|check -f bad.yaml --fail-on none
0|check -f bad.yaml --write-baseline known.yaml
0|check -f bad.yaml --baseline known.yaml
0|check -f bad.yaml -o json --fail-on none
0|version
0|--version
0|--help
0|check --help
0|list-checks
0|explain grace-budget
0|completion bash
1|check -f bad.yaml
1|check -f bad.yaml -o sarif
1|check -f bad.yaml -f good.yaml -q
1|check -f warned.yaml --fail-on warn
1|check -f bad.yaml -f warned.yaml --baseline known.yaml --fail-on warn
2|
2|chekc
2|check -f
2|check -f good.yaml --fial-on warn
2|check -f good.yaml -o xml
2|check -f missing.yaml
2|check -f folder
2|check -f empty.yaml
2|check -f broken.yaml
2|check -f mixed.yaml
2|check -f worse.yaml
2|check -f elf.yaml
2|check -f other.yaml --fail-if-empty
2|check -f good.yaml --policy policy.yaml
2|check -f good.yaml --policy missing.yaml
2|check -f good.yaml --baseline missing.yaml
2|check -f good.yaml --write-baseline missing/known.yaml
2|check -f good.yaml --kubernetes-version 1.2
2|explain no-such-check
2|completion tcsh
2|version -o xml
ROWS

# A result that cannot be written is no result.
got=0
"$binary" check -f good.yaml >/dev/full 2>err || got=$?
expect "status with a full disk" 2 "$got"
finish
